import type { Mode } from '../discovery/find.js';
import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import type { TaskView } from './view.js';

/** An answer that is there at once, as on this host, or comes later, as over a network. */
export type Awaitable<T> = T | Promise<T>;

/** Views, one after the other. */
export type Views = Iterable<TaskView> | AsyncIterable<TaskView>;

/** Reads tasks at one moment. */
export interface TaskReading {
  /** The views of the tasks, in their order; each with the latest run of each process. */
  views(tasks: Iterable<FoundTask>): Views;
}

/** One task, read again whenever it is asked for: all its statuses and runs. */
export interface TaskSource {
  read(): Awaitable<TaskView>;
  /** A directory in which something changes when its streams do. */
  readonly streams: string;
  /** One in which something changes when its task file moves, but also when another task starts or ends. */
  readonly taskFiles: string;
}

/**
 * Where tasks are looked for and read: this host, or what answers for another one. What can't be read of a task is a
 * problem in its view, and never thrown.
 */
export interface TaskGatherer extends TaskReading {
  /** The tasks that words mean, all of them without words. Throws as `selectTasks` does. */
  find(words: readonly string[], mode: Mode): Awaitable<Selection>;
  /** All tasks that can be named, read or not, in no order. */
  all(): Awaitable<readonly FoundTask[]>;
  /** Reads many tasks again and again. */
  board(): TaskReading;
  source(task: FoundTask): TaskSource;
  /** The names of a task's processes, as far as they are known without reading a stream. */
  processNames(task: FoundTask): Awaitable<readonly string[]>;
}

/** Takes views one after the other. Those that are at hand are not waited for: a host may have very many. */
export async function eachView(views: Views, take: (view: TaskView) => void): Promise<void> {
  if (Symbol.iterator in views) for (const view of views) take(view);
  else for await (const view of views) take(view);
}
