import { isTerminalTaskState } from '../checkpoint/records.js';
import type { FoundTask } from '../discovery/found.js';
import { realPathsOfOneMoment } from '../discovery/real-paths.js';
import { locateOfOneMoment, type RealPath } from '../discovery/relocate.js';
import type { Host } from '../host/host.js';
import { RUNNER } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { isDirectory, modificationOf } from '../store/look.js';
import { TaskReader } from './reader.js';
import type { TaskView } from './view.js';

/** Reads many tasks once. Yields one view after the other, so that the caller need not keep them all in memory. */
export function* readTasks(
  tasks: Iterable<FoundTask>,
  host: Host,
  resolve: RealPath = realPathsOfOneMoment(),
): Generator<TaskView> {
  const locate = locateOfOneMoment(resolve);
  const directories = new Directories();
  try {
    for (const found of tasks) {
      yield new TaskReader(found, { history: false, once: true }).read(host, found, locate, directories);
    }
  } finally {
    directories.close();
  }
}

/** Each settled task is checked once in this many looks. */
const LOOKS = 256;

/**
 * The tasks of a host, read repeatedly: of a stream that was read before, only the new part is read, and nothing of a
 * task that cannot change any more.
 */
export class TaskBoard {
  #readers = new Map<string, TaskReader>();
  readonly #settled = new WeakMap<FoundTask, TaskView>();
  #look = 0;
  /** The views of the last read, if all of them are settled. */
  #allSettled: readonly TaskView[] | undefined;

  /**
   * The views of the tasks, in the given order. Forgets tasks that are no longer among them. A settled task that is
   * given as the same object has the same view.
   */
  *read(tasks: Iterable<FoundTask>, host: Host): Generator<TaskView> {
    const locate = locateOfOneMoment(realPathsOfOneMoment());
    const readers = new Map<string, TaskReader>();
    const directories = new Directories();
    this.#look = (this.#look + 1) % LOOKS;
    let turn = 0;
    const views: TaskView[] = [];
    this.#allSettled = undefined;
    try {
      for (const found of tasks) {
        turn = (turn + 1) % LOOKS;
        const settled = this.#settled.get(found);
        if (settled !== undefined && (turn !== this.#look || isAsItWas(settled))) {
          views.push(settled);
          yield settled;
          continue;
        }
        this.#settled.delete(found);
        const key = found.checkpoint_dir;
        const reader = this.#readers.get(key) ?? new TaskReader(found, { history: false });
        const view = reader.read(host, found, locate, directories);
        if (isSettled(view)) {
          this.#settled.set(found, view);
          views.push(view);
        } else readers.set(key, reader);
        yield view;
      }
    } finally {
      directories.close();
    }
    this.#readers = readers;
    if (readers.size === 0) this.#allSettled = views;
  }

  /** False if reading the same tasks again would certainly give the same views. */
  mayHaveChanged(): boolean {
    const views = this.#allSettled;
    if (views === undefined) return true;
    this.#look = (this.#look + 1) % LOOKS;
    for (let turn = this.#look; turn < views.length; turn += LOOKS) {
      const view = views[turn] as TaskView;
      if (isAsItWas(view)) continue;
      this.#settled.delete(view.found);
      return true;
    }
    return false;
  }
}

/** It is over, all of it was read, and nothing of it lives that could write to its files. */
function isSettled({ found, state, verdict, leftovers, problems, removed }: TaskView): boolean {
  return (
    found.phase === 'finished' &&
    isTerminalTaskState(state) &&
    verdict === 'ok' &&
    leftovers.length === 0 &&
    problems.length === 0 &&
    !removed
  );
}

/** Somebody may remove a sandbox, or write to a stream that no runner writes to. */
function isAsItWas({ found, sandbox, silent_since_ms }: TaskView): boolean {
  const stream = modificationOf(`${found.checkpoint_dir}/${RUNNER}`);
  if (stream === undefined || stream !== silent_since_ms) return false;
  return sandbox === undefined || isDirectory(sandbox.path) === sandbox.found;
}
