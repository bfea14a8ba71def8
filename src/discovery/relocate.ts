import { LAYOUTS } from '../layout/layouts.js';
import { defaultLogDir, LOGS } from '../layout/log-paths.js';
import { SANDBOX } from '../layout/mesos.js';
import { sandboxesIn } from '../layout/root-paths.js';
import { isWithin, LONGEST_PATH, nameOf, parentOf } from '../store/paths.js';
import type { FoundTask, TaskRoot } from './found.js';

/** Where a recorded directory is on this machine. */
export interface Located {
  path: string;
  /** The path is not the recorded one. */
  relocated: boolean;
  /** It is there, and we may know. If false, the path is where it should be. */
  found: boolean;
}

/** The paths of a runner's header; `log_dir` is absent in old streams. */
export interface RecordedPaths {
  sandbox?: string;
  log_dir?: string;
}

/** Undefined is what neither was recorded nor stands where the layout has it. */
export interface LocatedPaths {
  sandbox?: Located;
  log_dir?: Located;
}

/** Gives a path without links, or undefined if it leads nowhere: `realPath` of `look.ts`. */
export type RealPath = (path: string) => string | undefined;

/** How much of the end of a recorded path is looked for beside a bare root. */
const MOST_SEGMENTS = 16;

type Task = Pick<FoundTask, 'task_id' | 'root'>;

/** Where the recorded paths of a task are here. */
export type Locate = (recorded: RecordedPaths, task: Task) => LocatedPaths;

/**
 * Where the sandbox and the logs of a task are here. What was recorded counts if it is there; else (copied,
 * mounted elsewhere, recorded inside a container) the same place is looked for next to the root: in the run
 * directory, or beside a bare root. A path in a Mesos tree tells the container: if it is the root's own, the
 * place in this run directory counts even if the recorded one exists, for who looks at a copy means the copy.
 *
 * Headers may be forged, so what is relocated is always really inside the run directory, or inside the
 * directory that holds the bare root, whatever `..` and links are on the way. Pure but for `realPath`.
 */
export function locatePaths(recorded: RecordedPaths, task: Task, realPath: RealPath): LocatedPaths {
  return locateWith(new Surroundings(realPath), recorded, task);
}

/** As `locatePaths`, for very many tasks: what lies beside their roots is asked once. */
export function locateOfOneMoment(realPath: RealPath): Locate {
  const around = new Surroundings(realPath);
  return (recorded, task) => locateWith(around, recorded, task);
}

function locateWith(around: Surroundings, recorded: RecordedPaths, task: Task): LocatedPaths {
  const { root } = task;
  const { hasNeighbours } = LAYOUTS[root.layout];
  const sandbox = locate(recorded.sandbox, root, () => sandboxes(recorded, task, around), around.realPath);
  const rest = recorded.log_dir === undefined ? LOGS : below(recorded.log_dir, recorded.sandbox);
  // Right in a sandbox that is neither there nor beside the root: so the logs aren't either.
  const gone = hasNeighbours && sandbox?.found === false && rest?.includes('/') === false;
  const log_dir = gone
    ? nowhere(recorded.log_dir)
    : locate(recorded.log_dir, root, () => logDirs(recorded, task, sandbox, around), around.realPath);
  if (log_dir?.found || sandbox === undefined) return { sandbox, log_dir };
  // Not there, or in a sandbox that we may not enter; so what is said of it should be said of that place.
  if (rest === undefined || rest.split('/').includes('..')) return { sandbox, log_dir };
  return {
    sandbox,
    log_dir: { path: `${sandbox.path}/${rest}`, relocated: sandbox.relocated, found: false },
  };
}

function locate(
  recorded: string | undefined,
  root: Task['root'],
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
    // The same place under another name, if the work directory is reached through a link.
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

/** The most certain first. */
function sandboxes(
  { sandbox, log_dir }: RecordedPaths,
  { task_id, root }: Task,
  around: Surroundings,
): readonly string[] {
  const named = LAYOUTS[root.layout].sandboxes(root, task_id);
  const { longer, alone } = around.endsBeside(sandbox, root);
  if (alone === undefined) return [...longer, ...named];
  const parent = parentOf(root.path);
  // One name alone may be anything beside a root like /var/run/thermos, so it must look like a sandbox.
  const isNamedSo = alone === `${parent}/${SANDBOX}` || alone === `${parent}/${task_id}`;
  const hasLogs = () => around.realPath(`${alone}/${below(log_dir, sandbox) ?? LOGS}`) !== undefined;
  return isNamedSo || hasLogs() ? [...longer, ...named, alone] : [...longer, ...named];
}

function logDirs(
  { sandbox: recordedSandbox, log_dir }: RecordedPaths,
  { root }: Task,
  sandbox: Located | undefined,
  around: Surroundings,
): string[] {
  const found: string[] = [];
  if (sandbox?.found) {
    const rest = below(log_dir, recordedSandbox);
    if (rest !== undefined) found.push(`${sandbox.path}/${rest}`);
    if (log_dir === undefined || !LAYOUTS[root.layout].hasNeighbours) found.push(defaultLogDir(sandbox.path));
  }
  found.push(...LAYOUTS[root.layout].logDirs(root), ...around.endsBeside(log_dir, root).longer);
  return found;
}

/** What lies around bare roots at one moment. */
class Surroundings {
  readonly realPath: RealPath;
  /** By the directory that holds the root and the recorded directory; a name holds no NUL. */
  readonly #beside = new Map<string, string[]>();

  constructor(realPath: RealPath) {
    this.realPath = realPath;
  }

  /**
   * The ends of a recorded path put beside a bare root, the longest first: of `/old/place/sandboxes/x` that is
   * `BESIDE/place/sandboxes/x`, `BESIDE/sandboxes/x` and so on, as far as they are in directories that are
   * there, and `alone` is `BESIDE/x`. The root itself is not beside it, but for its `sandboxes`. Nothing where
   * the layout has no neighbours.
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

  /** The ends of a recorded directory that are there beside a root, the longest first. */
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

/** The end of a recorded path, plain; undefined if it can't be a path, or leads up again. */
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

/** The way from a directory down to a path in it; undefined if it isn't in it. */
function below(path: string | undefined, directory: string | undefined): string | undefined {
  if (path === undefined || directory === undefined || directory === '') return undefined;
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : undefined;
}
