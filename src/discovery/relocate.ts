import { LAYOUTS } from '../layout/layouts.js';
import { defaultLogDir, LOGS } from '../layout/log-paths.js';
import { SANDBOX } from '../layout/mesos.js';
import { sandboxesIn } from '../layout/root-paths.js';
import { isWithin, LONGEST_PATH, nameOf, parentOf } from '../store/paths.js';
import type { FoundTask, TaskRoot } from './found.js';

/** Where a recorded directory is on this machine. */
export interface Located {
  path: string;
  /** True if the path differs from the recorded one. */
  relocated: boolean;
  /** True if it exists and is visible to us. If false, the path is where it should be. */
  found: boolean;
}

/** The paths of a runner's header; `log_dir` is absent in old streams. */
export interface RecordedPaths {
  sandbox?: string;
  log_dir?: string;
}

/** A path is undefined if it was not recorded and is not where the layout has it. */
export interface LocatedPaths {
  sandbox?: Located;
  log_dir?: Located;
}

/** Resolves all links in a path; undefined if it doesn't exist: `realPath` of `look.ts`. */
export type RealPath = (path: string) => string | undefined;

/** How many trailing segments of a recorded path are searched for beside a bare root. */
const MOST_SEGMENTS = 16;

type RecordedTask = Pick<FoundTask, 'task_id' | 'root'>;

/** Finds the recorded paths of a task on this machine. */
export type Locate = (recorded: RecordedPaths, task: RecordedTask) => LocatedPaths;

/**
 * Where the sandbox and the logs of a task are on this machine. The recorded path counts if it exists; otherwise
 * (copied, mounted elsewhere, recorded inside a container) the same place is searched for next to the root: in the
 * run directory, or beside a bare root. A path in a Mesos tree contains the container id: if it is the root's own,
 * the place in this run directory counts even if the recorded path exists, because a user who reads a copy of a tree
 * means the copy.
 *
 * Headers may be forged, so a relocated path is always really inside the run directory, or inside the directory
 * that holds the bare root, whatever `..` and links are on the way. Pure except for `realPath`.
 */
export function locatePaths(recorded: RecordedPaths, task: RecordedTask, realPath: RealPath): LocatedPaths {
  return locateWith(new Neighbours(realPath), recorded, task);
}

/** Like `locatePaths`, for very many tasks: the directories beside their roots are looked up once. */
export function locateOfOneMoment(realPath: RealPath): Locate {
  const neighbours = new Neighbours(realPath);
  return (recorded, task) => locateWith(neighbours, recorded, task);
}

function locateWith(neighbours: Neighbours, recorded: RecordedPaths, task: RecordedTask): LocatedPaths {
  const { root } = task;
  const { hasNeighbours } = LAYOUTS[root.layout];
  const sandbox = locate(
    recorded.sandbox,
    root,
    () => sandboxes(recorded, task, neighbours),
    neighbours.realPath,
  );
  const rest = recorded.log_dir === undefined ? LOGS : below(recorded.log_dir, recorded.sandbox);
  // Logs directly in a sandbox that is neither there nor beside the root are not there either.
  const gone = hasNeighbours && sandbox?.found === false && rest?.includes('/') === false;
  const log_dir = gone
    ? nowhere(recorded.log_dir)
    : locate(recorded.log_dir, root, () => logDirs(recorded, task, sandbox, neighbours), neighbours.realPath);
  if (log_dir?.found || sandbox === undefined) return { sandbox, log_dir };
  // Absent, or in a sandbox that we may not enter: messages should name the place inside this sandbox.
  if (rest === undefined || rest.split('/').includes('..')) return { sandbox, log_dir };
  return {
    sandbox,
    log_dir: { path: `${sandbox.path}/${rest}`, relocated: sandbox.relocated, found: false },
  };
}

function locate(
  recorded: string | undefined,
  root: RecordedTask['root'],
  candidates: () => readonly string[],
  realPath: RealPath,
): Located | undefined {
  const { searchDirectory, ownPlace } = LAYOUTS[root.layout];
  const inside = (path: string): boolean => {
    const real = realPath(path);
    if (real === undefined) return false;
    const base = realPath(searchDirectory(root));
    return base !== undefined && real !== base && isWithin(real, base);
  };
  const real = recorded?.startsWith('/') ? realPath(recorded) : undefined;
  const own = recorded === undefined ? undefined : ownPlace(recorded, root);
  if (recorded !== undefined && own !== undefined && inside(own)) {
    // The same place under a different name, if the work directory is reached through a link.
    return realPath(own) === real
      ? { path: recorded, relocated: false, found: true }
      : { path: own, relocated: true, found: true };
  }
  if (recorded !== undefined && real !== undefined) return { path: recorded, relocated: false, found: true };
  const path = candidates().find(inside);
  if (path !== undefined)
    return { path, relocated: recorded !== undefined && path !== recorded, found: true };
  return nowhere(recorded);
}

function nowhere(recorded: string | undefined): Located | undefined {
  return recorded === undefined ? undefined : { path: recorded, relocated: false, found: false };
}

/** Where the sandbox may be, the most certain first. */
function sandboxes(
  { sandbox, log_dir }: RecordedPaths,
  { task_id, root }: RecordedTask,
  neighbours: Neighbours,
): readonly string[] {
  const named = LAYOUTS[root.layout].sandboxes(root, task_id);
  const { longer, alone } = neighbours.endsBeside(sandbox, root);
  if (alone === undefined) return [...longer, ...named];
  const parent = parentOf(root.path);
  // A single name may be anything beside a root like /var/run/thermos, so it must look like a sandbox.
  const isNamedSo = alone === `${parent}/${SANDBOX}` || alone === `${parent}/${task_id}`;
  const hasLogs = () => neighbours.realPath(`${alone}/${below(log_dir, sandbox) ?? LOGS}`) !== undefined;
  return isNamedSo || hasLogs() ? [...longer, ...named, alone] : [...longer, ...named];
}

function logDirs(
  { sandbox: recordedSandbox, log_dir }: RecordedPaths,
  { root }: RecordedTask,
  sandbox: Located | undefined,
  neighbours: Neighbours,
): string[] {
  const found: string[] = [];
  if (sandbox?.found) {
    const rest = below(log_dir, recordedSandbox);
    if (rest !== undefined) found.push(`${sandbox.path}/${rest}`);
    if (log_dir === undefined || !LAYOUTS[root.layout].hasNeighbours) found.push(defaultLogDir(sandbox.path));
  }
  found.push(...LAYOUTS[root.layout].logDirs(root), ...neighbours.endsBeside(log_dir, root).longer);
  return found;
}

/** The directories beside bare roots at one point in time. */
class Neighbours {
  readonly realPath: RealPath;
  /** By the directory that holds the root and the recorded directory; a name holds no NUL. */
  readonly #beside = new Map<string, string[]>();

  constructor(realPath: RealPath) {
    this.realPath = realPath;
  }

  /**
   * The suffixes of a recorded path, appended to the parent of a bare root, the longest first. For
   * `/old/place/sandboxes/x` these are `PARENT/place/sandboxes/x`, `PARENT/sandboxes/x` and so on, as far as their
   * directories exist; `alone` is `PARENT/x`. Paths in the root itself are left out, except in its `sandboxes`.
   * Empty if the layout has no neighbours.
   */
  endsBeside(recorded: string | undefined, root: TaskRoot): { longer: string[]; alone?: string } {
    if (!LAYOUTS[root.layout].hasNeighbours) return { longer: [] };
    const parent = parentOf(root.path);
    const path = endOf(recorded);
    if (path === undefined || parent === '/') return { longer: [] };
    const name = nameOf(path);
    const sandboxes = sandboxesIn(root.path);
    const isBeside = (each: string) => !isWithin(each, root.path) || isWithin(each, sandboxes);
    const longer: string[] = [];
    for (const directory of this.#directoriesBeside(parent, parentOf(path))) {
      const each = `${directory}/${name}`;
      if (isBeside(each)) longer.push(each);
    }
    const alone = `${parent}/${name}`;
    return isBeside(alone) ? { longer, alone } : { longer };
  }

  /** The suffixes of a recorded directory that exist beside a root, the longest first. */
  #directoriesBeside(parent: string, directory: string): string[] {
    const key = `${parent}\0${directory}`;
    const known = this.#beside.get(key);
    if (known !== undefined) return known;
    const found: string[] = [];
    if (directory !== '/') {
      const name = nameOf(directory);
      for (const above of [...this.#directoriesBeside(parent, parentOf(directory)), parent]) {
        const path = `${above}/${name}`;
        if (this.realPath(path) !== undefined) found.push(path);
      }
    }
    this.#beside.set(key, found);
    return found;
  }
}

const NEEDLESS_PARTS = /^[^/]|\/\.{0,2}(?:\/|$)/;

/** The last segments of a recorded path, normalized; undefined if it can't be a path or contains `..`. */
function endOf(recorded: string | undefined): string | undefined {
  if (recorded === undefined || recorded.length >= LONGEST_PATH) return undefined;
  let path = recorded;
  if (NEEDLESS_PARTS.test(recorded)) {
    const segments = recorded.split('/').filter((name) => name !== '' && name !== '.');
    if (segments.length === 0 || segments.includes('..')) return undefined;
    path = `/${segments.join('/')}`;
  }
  let start = path.length;
  for (let count = 0; count < MOST_SEGMENTS && start > 0; count++) start = path.lastIndexOf('/', start - 1);
  return path.slice(start);
}

/** The path relative to a directory; undefined if it isn't in that directory. */
function below(path: string | undefined, directory: string | undefined): string | undefined {
  if (path === undefined || directory === undefined || directory === '') return undefined;
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : undefined;
}
