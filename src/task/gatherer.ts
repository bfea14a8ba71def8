import type { Mode } from '../discovery/find.js';
import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import type { TaskView } from './view.js';

/** A result that is available at once, as on this host, or later, as over a network. */
export type Awaitable<T> = T | Promise<T>;

/** Views, one after the other. */
export type Views = Iterable<TaskView> | AsyncIterable<TaskView>;

/** Reads tasks at one point in time. */
export interface TaskReading {
  /** The views of the tasks, in the given order; each with the latest run of each process. */
  views(tasks: Iterable<FoundTask>): Views;
}

/** Finds tasks, and reads them. */
export interface TaskSearch extends TaskReading {
  /** False if `find` with the same words and `views` of what it finds would certainly give the same as they just did. */
  mayHaveChanged?(): boolean;
  /** The tasks that the words select, or all tasks if there are no words. Throws as `selectTasks` does. */
  find(words: readonly string[], mode: Mode): Awaitable<Selection>;
}

/** One task with all its statuses and runs, read again on each call. */
export interface TaskSource {
  read(): Awaitable<TaskView>;
  /** A directory that changes when the task's streams do. */
  readonly streams: string;
  /** A directory that changes when the task file moves, but also when another task starts or ends. */
  readonly taskFiles: string;
}

/**
 * Where tasks are found and read: this host, or a service that answers for another host. A part of a task that can't
 * be read is a problem in its view and is never thrown.
 */
export interface TaskGatherer extends TaskSearch {
  /** All tasks that can be named, readable or not, in no order. */
  all(): Awaitable<readonly FoundTask[]>;
  /** Finds and reads many tasks repeatedly. `now`: the clock, in milliseconds. */
  board(now: () => number): TaskSearch;
  source(task: FoundTask): TaskSource;
  /** The names of a task's processes, as far as they are known without reading its stream. */
  processNames(task: FoundTask): Awaitable<readonly string[]>;
}

/** Takes views one after the other. Views that are available at once are not awaited: a host may have very many. */
export async function eachView(views: Views, take: (view: TaskView) => void): Promise<void> {
  if (Symbol.iterator in views) for (const view of views) take(view);
  else for await (const view of views) take(view);
}
