/**
 * The records of a checkpoint stream, with the names of the Thrift IDL. All fields are optional on the wire.
 */

/** A 64-bit integer: a number if that is exact, a bigint beyond 2^53. */
export type Int64 = number | bigint;

/** By number, as in the IDL. */
export const PROCESS_STATES = [
  'WAITING',
  'FORKED',
  'RUNNING',
  'SUCCESS',
  'KILLED',
  'FAILED',
  'LOST',
] as const;
export type ProcessState = (typeof PROCESS_STATES)[number];

/** By number, as in the IDL. */
export const TASK_STATES = [
  'ACTIVE',
  'SUCCESS',
  'FAILED',
  'KILLED',
  'LOST',
  'CLEANING',
  'FINALIZING',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

const TERMINAL_TASK_STATES: readonly unknown[] = [
  'SUCCESS',
  'FAILED',
  'KILLED',
  'LOST',
] satisfies TaskState[];
export const TERMINAL_PROCESS_STATES = [
  'SUCCESS',
  'KILLED',
  'FAILED',
  'LOST',
] as const satisfies ProcessState[];

export function isTerminalTaskState(state: unknown): boolean {
  return TERMINAL_TASK_STATES.includes(state);
}

export function isTerminalProcessState(state: unknown): boolean {
  return (TERMINAL_PROCESS_STATES as readonly unknown[]).includes(state);
}

/** In these states, a coordinator or the process that it started may be alive. */
export function isLiveProcessState(state: unknown): state is 'FORKED' | 'RUNNING' {
  return state === 'FORKED' || state === 'RUNNING';
}

export interface RunnerHeader {
  task_id?: string;
  launch_time_ms?: Int64;
  sandbox?: string;
  hostname?: string;
  user?: string;
  /** Read own properties only; a port may be called `__proto__`. */
  ports?: Record<string, Int64>;
  /** Absent in old streams, as `uid`. */
  log_dir?: string;
  uid?: number;
}

/** One record about a process; also one run of it, with the updates of the run merged. */
export interface ProcessStatus {
  seq?: Int64;
  process?: string;
  /** A number if it is not a known state; such a record cannot be replayed. */
  state?: ProcessState | number;
  /** Seconds since the epoch, as all `*_time`. */
  start_time?: number;
  pid?: number;
  stop_time?: number;
  /** Exit status; the negated signal number if killed by a signal. */
  return_code?: number;
  coordinator_pid?: number;
  fork_time?: number;
}

export interface TaskStatus {
  /** A number if it is not a known state. */
  state?: TaskState | number;
  timestamp_ms?: Int64;
  runner_pid?: number;
  runner_uid?: number;
}

export type CheckpointRecord =
  | { type: 'runner_header'; value: RunnerHeader }
  | { type: 'process_status'; value: ProcessStatus }
  | { type: 'task_status'; value: TaskStatus };
