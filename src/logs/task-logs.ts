import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import type { LogTree } from './log-tree.js';

/** What `tail` needs to know about a task: which runs its processes had, and whether more output may come. */
export interface TaskLogs {
  task_id: string;
  root: string;
  /** As recorded, for its short id. */
  user?: string;
  name?: string;
  /** Of the task; UNKNOWN if its stream can't be read. */
  state: string;
  /** Where the logs are; `found` is false if they don't exist, `in_sandbox` true if the sandbox exists. */
  log_dir?: { path: string; found: boolean; in_sandbox?: boolean; tree: LogTree };
  /** Nothing more will be written. */
  done: boolean;
  processes: ProcessLogs[];
  /** The parts of its state that could not be read. */
  problems: readonly Problem[];
}

export interface ProcessLogs {
  process: string;
  /** How many runs have begun: those with lower numbers have a log. */
  started: number;
  /** Indexed by run number, as far as they are known. */
  runs: readonly (RunLogs | undefined)[];
  running: boolean;
  /** True if it will neither write nor run again. */
  done: boolean;
  /** Its logger's destination: `file`, `console`, `both`, `none`. */
  destination: string;
}

export interface RunLogs {
  state: string;
  return_code?: number;
  /** Seconds since the epoch. */
  start_time?: number;
  stop_time?: number;
}

/** Reads the state of a task, again on each call. */
export interface TaskLogSource {
  read(): Awaitable<TaskLogs>;
  /** A directory that changes when the state does. */
  readonly watched: string;
}
