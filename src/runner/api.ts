import type { CheckpointRecord, TaskState } from '../checkpoint/records.js';
import type { Problem } from '../errors/problem.js';
import type { LoggerPolicy, RunnableTask } from './task-document.js';

export interface RecordSink {
  /** See CheckpointWriter.append. */
  append(record: CheckpointRecord): void;
  /** The same of many; without it they are appended one by one. */
  appendAll?(records: readonly CheckpointRecord[]): void;
}

/** How the processes of a task are run. What is left out is as the original has it. */
export interface RunSettings {
  /** The built `dist/coordinator.cjs`, absolute. */
  coordinator: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Who appends to the task's stream; default CheckpointWriter. For tests that interrupt. */
  writer?: (fd: number) => RecordSink;
  /** Command lines run with the sandbox as `/`; needs root. Default false. */
  chroot?: boolean;
  /** Processes get the whole environment of the runner, not only HOME, LOGNAME, USER, PATH. Default false. */
  preserveEnv?: boolean;
  /** Of command lines. Default: the one that we were started with; what a runner makes is under one of its own. */
  umask?: number;
  /** For processes that don't say it themselves. */
  logger?: Partial<LoggerPolicy>;
  /** Runs of one process, however they end. Default 100. */
  maxRuns?: number;
  /** Where `console` output of processes goes: descriptors of ours. Default: nowhere. */
  console?: { stdout: number; stderr: number };
}

/** A task to be run. */
export interface NewTask {
  /** The checkpoint root; made if it isn't there. */
  root: string;
  taskId: string;
  task: RunnableTask;
  /** Absolute; made if it isn't there. */
  sandbox: string;
  /** Default `SANDBOX/.logs`. */
  logDir?: string;
  /** By name. Default: who we are. */
  user?: string;
  /** Default: that of this machine. */
  hostname?: string;
  ports?: Readonly<Record<string, number>>;
}

export interface KillRequest {
  /** What the task then is. */
  state: 'KILLED' | 'LOST';
  /**
   * Seconds for processes to end after SIGTERM and for final processes to run, 60 by default as in the
   * original; 0: no final processes, what runs is killed.
   */
  wait?: number;
  /** Like the original's `kill`: SIGKILL to everything, no CLEANING, no final processes. */
  now?: boolean;
}

/** Tells what happens as it happens, in the order of the stream. Must not throw. */
export interface RunnerEvents {
  /** A record is on disk. */
  record?: (record: CheckpointRecord) => void;
  /** A process could not be started, a signal not be sent … also in the outcome. */
  problem?: (problem: Problem) => void;
}

export interface Outcome {
  /** SUCCESS, FAILED, KILLED or LOST. */
  state: TaskState;
  problems: Problem[];
}

/** A task whose lock we hold. Nothing was written to its stream and nothing started before `run`. */
export interface Runner {
  readonly root: string;
  readonly taskId: string;
  readonly sandbox: string;
  readonly logDir: string;
  readonly task: RunnableTask;
  /** The stream was there: the task goes on from where it stands. */
  readonly resumed: boolean;
  /**
   * Runs the task to its end. The first records (state with our pid, header) are on disk, or the promise is
   * rejected, before this returns. Rejects with SystemError `checkpoint-write-failed` if a record can't be
   * written: what runs goes on, and the task can be resumed. Call it once.
   */
  run(): Promise<Outcome>;
  /** Ends the task: before or while it runs. Asked again, the more urgent request counts. */
  kill(request: KillRequest): void;
  /** Lets go of the lock, if `run` is not to be called; of a new task nothing is left. */
  close(): void;
}
