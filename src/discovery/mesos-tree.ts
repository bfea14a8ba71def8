import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { MESOS } from '../layout/layouts.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import {
  holdsRuns,
  LATEST,
  MESOS_PATH,
  mesosIdsOf,
  RUN_DEPTH,
  rootInRun,
  SLAVES,
  splitAtLatest,
  taskIdOfExecutor,
} from '../layout/mesos.js';
import { isName } from '../layout/names.js';
import { rootPaths } from '../layout/root-paths.js';
import { isDenied } from '../store/denied.js';
import { type GlobOptions, globDirectories } from '../store/glob.js';
import { isDirectory, linkTarget, presenceOf, realPath } from '../store/look.js';
import { nameOf, parentOf } from '../store/paths.js';
import { PERMISSION_DENIED, tooManyEntries, unreadable } from '../store/problems.js';
import type { TaskRoot } from './found.js';

/**
 * The depth of a directory in the Mesos tree: 0 is the work directory, 1 its `slaves`, 8 a run directory.
 * Its contents decide, then its name; undefined if neither does. A path that contains all the fixed names is a
 * run directory, whatever the task has put there.
 */
export function mesosDepthOf(path: string): number | undefined {
  if (mesosIdsOf(path) !== undefined) return RUN_DEPTH;
  for (const [depth, name] of MESOS_PATH.entries()) {
    if (name !== undefined && isDirectory(`${path}/${name}`)) return depth;
  }
  if (isRunDir(path)) return RUN_DEPTH;
  const depth = MESOS_PATH.indexOf(nameOf(path) as (typeof MESOS_PATH)[number]);
  return depth === -1 ? undefined : depth + 1;
}

/** Whether it has the nested `checkpoints/checkpoints` that only a Mesos sandbox has. */
export function isRunDir(path: string): boolean {
  const root = rootPaths(rootInRun(path));
  return isDirectory(root.tasks) && (isDirectory(root.checkpoints) || !isDirectory(rootPaths(path).tasks));
}

export interface MesosRoots {
  roots: TaskRoot[];
  problems: Problem[];
  /** The directories in which another agent, framework or executor would appear. */
  above: string[];
  /** Those in which another run or root would appear, of executors that have a run without a root, or no run. */
  pending: string[];
}

/**
 * The task roots below a directory of the Mesos tree, in the order of their paths. Links are skipped at every
 * level (a run would count twice through `latest`), except that `slaves` itself may be one. Directories that were
 * collected in the meantime are skipped too. An executor whose run directories can't be entered gives one root with
 * `readable: false`, if its name contains the task id; one problem counts all such directories.
 */
export function mesosRoots(path: string, depth: number, source: string): MesosRoots {
  const roots: TaskRoot[] = [];
  const problems: Problem[] = [];
  const above: string[] = [];
  const pending: string[] = [];
  const withRuns = new Set<string>();
  let closedRuns = 0;

  const visitRuns = (runDirs: readonly string[]): void => {
    const runs = parentOf(runDirs[0] as string);
    withRuns.add(runs);
    const without = pending.length;
    const closed = runDirs.filter((runDir) => visitRun(runDir) === 'closed');
    if (pending.length > without) pending.push(runs);
    if (closed.length === 0) return;
    closedRuns += closed.length;
    const latest = latestIn(parentOf(closed[0] as string));
    addClosed(closed.find((runDir) => nameOf(runDir) === latest) ?? (closed.at(-1) as string));
  };

  const visitRun = (runDir: string): 'visited' | 'closed' => {
    const path = rootInRun(runDir);
    const found = presenceOf(path, 'no-follow');
    if (found === 'directory') {
      roots.push(rootOfRun(runDir, source));
    } else if (typeof found === 'object') {
      if (isDenied(found.error)) return 'closed';
      problems.push(unlisted(path, found.error));
    } else pending.push(runDir);
    return 'visited';
  };

  const addClosed = (runDir: string): void => {
    const root = rootOfRun(runDir, source);
    if (root.mesos === undefined || taskIdOfExecutor(root.mesos.executor_id) === undefined) return;
    roots.push({ ...root, readable: false });
  };

  const listed: string[] = [];
  const found = runDirectories(path, depth, {
    max: MOST_ENTRIES.mesosLevel,
    refused: (directory, error) => {
      const code = errnoOf(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') problems.push(unlisted(directory, error));
    },
    cut: (directory) => problems.push(tooManyEntries(directory, MOST_ENTRIES.mesosLevel)),
    listed: (directory) => listed.push(directory),
  });
  for (const runDirs of byParent(found)) visitRuns(runDirs);
  if (closedRuns > 0) problems.push(sandboxesUnreadable(path, closedRuns));
  for (const directory of listed) {
    if (!holdsRuns(directory)) above.push(directory);
    else if (!withRuns.has(directory)) pending.push(directory);
  }
  return { roots, problems, above, pending };
}

/**
 * The run directories below a directory of the Mesos tree, in the order of their paths. No link is followed except
 * `slaves` itself: the administrator may keep it on another disk, but has no reason to link anything below it.
 */
export function runDirectories(path: string, depth: number, options: GlobOptions): string[] {
  const [top, level] = depth === 0 ? [`${path}/${SLAVES}`, 1] : [path, depth];
  return globDirectories(top, MESOS_PATH.slice(level), options);
}

/** Groups sorted paths by their parent directory. */
function* byParent(paths: readonly string[]): Generator<string[]> {
  let together: string[] = [];
  let parent: string | undefined;
  for (const path of paths) {
    const its = parentOf(path);
    if (its !== parent && together.length > 0) {
      yield together;
      together = [];
    }
    parent = its;
    together.push(path);
  }
  if (together.length > 0) yield together;
}

/** The checkpoint root in a run directory. */
export function rootOfRun(runDir: string, source: string): TaskRoot {
  return {
    path: rootInRun(runDir),
    layout: MESOS.name,
    source,
    readable: true,
    mesos: mesosIdsOf(runDir),
    run_dir: runDir,
  };
}

/**
 * The name that `latest` in a directory points to. The rest of the link's path is ignored, because it belongs to the
 * machine where the link was made.
 */
export function latestIn(directory: string): string | undefined {
  const target = linkTarget(`${directory}/${LATEST}`);
  const name = target === undefined ? '' : nameOf(target.replace(/\/+$/, ''));
  return isName(name) ? name : undefined;
}

/**
 * The same path with its `runs/latest` link resolved to the run of that name beside it, because the link holds an
 * absolute path from where it was made, while a copy of the tree should use its own runs. Other paths and broken
 * links are returned unchanged.
 */
export function throughLatest(path: string): string {
  const split = splitAtLatest(path);
  const name = split && latestIn(split.runs);
  if (split === undefined || name === undefined) return path;
  const { runs, rest } = split;
  const run = isDirectory(`${runs}/${name}`) ? `${runs}/${name}` : realPath(`${runs}/${LATEST}`);
  return run === undefined ? path : `${run}${rest}`;
}

/** `count` run directories below `path` can't be entered. */
export function sandboxesUnreadable(path: string, count: number): Problem {
  const what = count === 1 ? '1 sandbox' : `${count} sandboxes`;
  const tried = `look into ${what} below ${path}`;
  return unreadable({ code: 'sandbox-unreadable', tried, error: PERMISSION_DENIED, path });
}

function unlisted(path: string, error: unknown): Problem {
  return unreadable({ code: 'root-unreadable', tried: `list ${path}`, error, path });
}
