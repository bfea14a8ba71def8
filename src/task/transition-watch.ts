import type { TaskRoot } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import type { Problem } from '../errors/problem.js';
import type { Awaitable } from './gatherer.js';
import type { TimedTransition } from './transition-reader.js';

/** A transition of a task, or of a process of it. */
export interface TaskTransition extends TimedTransition {
  task_id: string;
  root: TaskRoot;
}

export interface TransitionLook {
  /** In the order of time; those of one process, and those of a task itself, in the order in which they were. */
  transitions: readonly TaskTransition[];
  /** What could not be read. The same problem may be in many looks. */
  problems: readonly Problem[];
  /** There were more than one look gives: the next one gives more of them. */
  more: boolean;
  /** The tasks as they were found, if they were searched. */
  selection?: Selection;
  /** The addresses of agents that answer again. */
  answering?: readonly string[];
}

/**
 * Follows the transitions of many tasks: those of this host, or of a service that answers for another host. Each
 * transition is in one look.
 */
export interface TransitionWatch {
  /** Throws as `selectTasks`, for words that cannot be searched. */
  look(): Awaitable<TransitionLook>;
  /** Resolves when there may be new transitions, at the latest after a while. */
  changes(): Promise<void>;
  close(): void;
}
