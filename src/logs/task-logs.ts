import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import type { LogTree } from './log-tree.js';

/** What `tail` has to know of a task: which runs its processes had, and whether more is to come. */
export interface TaskLogs {
  task_id: string;
  root: string;
  /** Of the task; UNKNOWN if its stream can't be read. */
  state: string;
  /** Where the logs are; `found` is false if they are nowhere, `in_sandbox` true if that is there. */
  log_dir?: { path: string; found: boolean; in_sandbox?: boolean; tree: LogTree };
  /** Nothing more will be written. */
  done: boolean;
  processes: ProcessLogs[];
  /** What could not be read of its state. */
  problems: readonly Problem[];
}

export interface ProcessLogs {
  process: string;
  /** How many runs have begun: those with lower numbers have a log. */
  started: number;
  /** By number, as far as they are known. */
  runs: readonly (RunLogs | undefined)[];
  running: boolean;
  /** It will neither write nor run again. */
  done: boolean;
  /** Of its logger: `file`, `console`, `both`, `none`. */
  destination: string;
}

export interface RunLogs {
  state: string;
  return_code?: number;
  /** Seconds since the epoch. */
  start_time?: number;
}

/** Tells the state of a task, again whenever it is asked. */
export interface TaskLogSource {
  read(): Awaitable<TaskLogs>;
  /** A directory in which something changes when the state does. */
  readonly watched: string;
}
