import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { LAYOUTS } from '../layout/layouts.js';
import { taskIdOfExecutor } from '../layout/mesos.js';
import { type Phase, type RootPaths, rootPaths } from '../layout/root-paths.js';
import { isDenied } from '../store/denied.js';
import { type Listing, listDirectory } from '../store/list.js';
import { isDirectory, presenceOf } from '../store/look.js';
import { nameOf } from '../store/paths.js';
import { tooManyEntries, unreadable } from '../store/problems.js';
import type { FoundTask, TaskRoot } from './found.js';
import { type DirectoryNames, joinTasks, type RootNames } from './join.js';

export interface ListedTasks {
  /** In no order. */
  tasks: FoundTask[];
  problems: Problem[];
}

/**
 * Every task that has a task file or a checkpoint directory in a root, from three directory listings, joined as
 * `joinTasks` says. A fault of one task is a problem of that task. Names that start with a dot, directories among
 * the task files and unknown directories in `tasks` are not tasks. If permission for a listing is denied, the root's
 * `readable` becomes false; in the Mesos layout the task is then still listed, by the name of its executor.
 */
export function listTasks(root: TaskRoot): ListedTasks {
  if (!root.readable) return { tasks: namedByExecutor(root), problems: [] };
  const listing = { root, paths: rootPaths(root.path), problems: [] };
  const active = listTaskFiles(listing, 'active');
  const finished = listTaskFiles(listing, 'finished');
  const checkpoints = listCheckpoints(listing);
  const tasks = joinTasks(root, recheckActive(listing.paths.active, { active, finished, checkpoints }));
  return {
    tasks: tasks.length === 0 && !root.readable ? namedByExecutor(root) : tasks,
    problems: listing.problems,
  };
}

/** The tasks whose files are among the active ones of a root, as far as that directory shows; with no problems. */
export function listActiveTasks(root: TaskRoot): FoundTask[] {
  const unknown: DirectoryNames = { names: new Set(), known: false };
  const active = listTaskFiles({ root, paths: rootPaths(root.path), problems: [] }, 'active');
  return joinTasks(root, { active, finished: unknown, checkpoints: unknown });
}

/** The listing of one root in progress. */
interface RootListing {
  readonly root: TaskRoot;
  readonly paths: RootPaths;
  readonly problems: Problem[];
}

/** The names of the task files of a phase: files, and links to files. */
function listTaskFiles(listing: RootListing, phase: Phase): DirectoryNames {
  const directory = listing.paths[phase];
  const names = new Set<string>();
  const listed = list(listing, directory);
  for (const entry of listed?.entries ?? []) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isFile() || (entry.isSymbolicLink() && leadsToFile(listing, `${directory}/${entry.name}`))) {
      names.add(entry.name);
    }
  }
  // Names that a truncated listing lacks are looked up one by one.
  return { names, known: listed !== undefined };
}

function leadsToFile({ problems }: RootListing, path: string): boolean {
  const target = presenceOf(path);
  if (target !== 'other' && target !== 'directory') problems.push(brokenLink(path, nameOf(path), target));
  return target === 'other';
}

/** The names of the checkpoint directories, and of links to directories. */
function listCheckpoints(listing: RootListing): DirectoryNames {
  const directory = listing.paths.checkpoints;
  const names = new Set<string>();
  const listed = list(listing, directory);
  for (const entry of listed?.entries ?? []) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const linked = () => entry.isSymbolicLink() && isDirectory(`${directory}/${name}`);
    if (entry.isDirectory() || linked()) names.add(name);
  }
  return { names, known: listed?.complete ?? false };
}

/** Undefined, with a problem reported, if it can't be listed; an absent directory counts as empty. */
function list({ root, problems }: RootListing, path: string): Listing | undefined {
  const { base, mostTasks } = LAYOUTS[root.layout];
  try {
    const listed = listDirectory(path, { below: base(root), max: mostTasks });
    if (!listed.complete) problems.push(tooManyEntries(path, mostTasks));
    return listed;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { entries: [], complete: true };
    if (isDenied(error)) root.readable = false;
    problems.push(unreadable({ code: 'root-unreadable', tried: `list ${path}`, error, path }));
    return undefined;
  }
}

/**
 * Checks again the active task files that disagree with the other listings, because runners write and move them
 * between the listings: one that was listed twice may have been moved, one that was not listed may exist now.
 */
function recheckActive(directory: string, lists: RootNames): RootNames {
  const { active, finished, checkpoints } = lists;
  const names = new Set<string>();
  for (const name of active.names) {
    if (finished.names.has(name) && presenceOf(`${directory}/${name}`, 'no-follow') === 'absent') continue;
    names.add(name);
  }
  if (active.known && finished.known) {
    for (const name of checkpoints.names) {
      if (active.names.has(name) || finished.names.has(name)) continue;
      if (presenceOf(`${directory}/${name}`) === 'other') names.add(name);
    }
  }
  return { ...lists, active: { ...active, names } };
}

function namedByExecutor(root: TaskRoot): FoundTask[] {
  const task_id = root.mesos === undefined ? undefined : taskIdOfExecutor(root.mesos.executor_id);
  if (task_id === undefined) return [];
  const checkpoint_dir = `${rootPaths(root.path).checkpoints}/${task_id}`;
  return [{ task_id, root, phase: 'active', checkpoint_dir, unreadable: true, problems: [] }];
}

function brokenLink(path: string, task_id: string, target: 'absent' | { error: unknown }): Problem {
  const why = target === 'absent' ? 'no such file or directory' : describeErrno(target.error);
  return {
    code: 'task-file-unreadable',
    severity: 'warning',
    message: `task file ${path} is a broken link: ${why}`,
    path,
    task_id,
  };
}

/** Active before finished, then by id, then by root; by code units, so that no locale changes the order. */
export function compareTasks(a: FoundTask, b: FoundTask): number {
  if (a.phase !== b.phase) return a.phase === 'active' ? -1 : 1;
  if (a.task_id !== b.task_id) return a.task_id < b.task_id ? -1 : 1;
  return a.root.path < b.root.path ? -1 : a.root.path > b.root.path ? 1 : 0;
}
