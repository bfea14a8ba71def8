import { LAYOUTS } from '../layout/layouts.js';
import { rootPaths } from '../layout/root-paths.js';
import { directoryMark } from '../store/look.js';
import { parentOf } from '../store/paths.js';
import { discoverWithPlaces } from './discover.js';
import type { Discovery, FoundTask, TaskRoot } from './found.js';
import type { RootOptions } from './roots.js';
import { compareTasks, listActiveTasks } from './tasks.js';

/**
 * A directory that changed less than this before a search may change again without a new time: file systems count in
 * steps of up to two seconds, and servers have clocks of their own.
 */
const SLACK_MS = 3_000;
/** A search is repeated after this time, whatever the directories show: some file systems do not show all changes. */
const LEAST_MS = 30_000;
/** The repeated searches may take one part in this many of the time. */
const SHARE = 2000;
/** An executor makes its root soon after its run directory; not later than this. */
const PENDING_MS = 600_000;

/**
 * Finds roots and tasks repeatedly. A search is repeated only if a directory in which it would find something else has
 * changed, and from time to time. What is found again, and is as it was, is the same object.
 */
export class SearchMemory {
  readonly #now: () => number;
  #found: Discovery = { roots: [], tasks: [], problems: [] };
  /** Of the last search. */
  #marks: RememberedMarks | undefined;
  #from = 0;
  #until = 0;

  /** `now`: the clock, in milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** As `discover`, always with the same options. */
  discover(options: RootOptions): Discovery {
    const start = this.#now();
    if (!this.#isUpToDate(start)) {
      const { places, pending, ...found } = discoverWithPlaces(options);
      this.#found = sameObjects(found, this.#found);
      this.#marks = marksOf(found, places, pending, start);
      const took = this.#now() - start;
      this.#from = start;
      this.#until = start + Math.max(LEAST_MS, took * SHARE);
    }
    return copyOf(this.#found);
  }

  /**
   * As the last `discover`, with tasks that have a new file among the active ones of the roots for which that directory
   * is one of `changed`: where very many tasks are over, this takes a small part of the time.
   */
  discoverStarted(changed: ReadonlySet<string>): Discovery {
    const found = copyOf(this.#found);
    const roots = found.roots.filter(({ path }) => changed.has(rootPaths(path).active));
    const known = new Set(found.tasks.map(({ checkpoint_dir }) => checkpoint_dir));
    for (const root of roots) {
      for (const task of listActiveTasks(root)) if (!known.has(task.checkpoint_dir)) found.tasks.push(task);
    }
    found.tasks.sort(compareTasks);
    return found;
  }

  /** The directories in which the last search would have found something else. */
  get directories(): Iterable<string> {
    return this.#marks?.of.keys() ?? [];
  }

  /** False if `discover` would certainly find the same as before; true if it was not asked. */
  mayHaveChanged(): boolean {
    return !this.#isUpToDate(this.#now());
  }

  /** A clock that was set back says nothing. */
  #isUpToDate(now: number): boolean {
    if (this.#marks === undefined || !this.#marks.settled || now < this.#from || now >= this.#until)
      return false;
    for (const [directory, mark] of this.#marks.of) if (directoryMark(directory).mark !== mark) return false;
    return true;
  }
}

interface RememberedMarks {
  /** By directory. */
  of: ReadonlyMap<string, string>;
  /** False if a directory has changed so recently that its mark may not show the next change. */
  settled: boolean;
}

function marksOf(
  { roots, tasks }: Discovery,
  places: readonly string[],
  pending: readonly string[],
  start: number,
): RememberedMarks {
  const marks = new Map<string, string>();
  const unfinished = new Set(tasks.filter(({ phase }) => phase === 'active').map(({ root }) => root));
  const empty = new Set(roots);
  for (const { root } of tasks) empty.delete(root);
  let settled = true;
  const add = (directory: string, olderThan = Number.POSITIVE_INFINITY): void => {
    const { mark, changedMs } = directoryMark(directory);
    if (changedMs !== undefined && start - changedMs > olderThan) return;
    if (changedMs !== undefined && changedMs > start - SLACK_MS) settled = false;
    marks.set(directory, mark);
  };
  for (const place of places) add(place);
  for (const directory of pending) add(directory, PENDING_MS);
  for (const root of roots) {
    const { active, finished, checkpoints } = rootPaths(root.path);
    const directories = [active, finished, checkpoints];
    if (!LAYOUTS[root.layout].isOneOfMany || unfinished.has(root)) {
      for (const directory of directories) add(directory);
      // Another run of the executor would appear there.
      if (root.run_dir !== undefined) add(parentOf(root.run_dir));
    } else if (empty.has(root))
      for (const directory of [root.path, ...directories]) add(directory, PENDING_MS);
    // A root of one task has no other one later.
  }
  return { of: marks, settled };
}

/** Callers may add to it. */
function copyOf({ roots, tasks, problems }: Discovery): Discovery {
  return { roots: [...roots], tasks: [...tasks], problems: [...problems] };
}

/** The same discovery, with the objects of an earlier one for what has not changed. */
function sameObjects(found: Discovery, earlier: Discovery): Discovery {
  const rootsBefore = new Map(earlier.roots.map((root) => [root.path, root]));
  const tasksBefore = new Map(earlier.tasks.map((task) => [keyOf(task), task]));
  const roots = new Map<TaskRoot, TaskRoot>();
  for (const root of found.roots) {
    const before = rootsBefore.get(root.path);
    roots.set(root, before !== undefined && isSameRoot(before, root) ? before : root);
  }
  const tasks = found.tasks.map((task) => {
    const root = roots.get(task.root) ?? task.root;
    const before = tasksBefore.get(keyOf(task));
    return before !== undefined && before.root === root && isSameTask(before, task)
      ? before
      : { ...task, root };
  });
  return { roots: [...roots.values()], tasks, problems: found.problems };
}

function keyOf({ checkpoint_dir, phase }: FoundTask): string {
  return `${phase}:${checkpoint_dir}`;
}

function isSameRoot(a: TaskRoot, b: TaskRoot): boolean {
  return (
    a.layout === b.layout && a.source === b.source && a.readable === b.readable && a.run_dir === b.run_dir
  );
}

function isSameTask(a: FoundTask, b: FoundTask): boolean {
  return (
    a.task_file === b.task_file &&
    a.unreadable === b.unreadable &&
    a.problems.length === 0 &&
    b.problems.length === 0
  );
}
