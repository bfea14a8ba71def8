import {
  type CheckpointRecord,
  isLiveProcessState,
  type ProcessState,
  type ProcessStatus,
  type RunnerHeader,
  TASK_STATES,
  type TaskState,
} from '../checkpoint/records.js';
import { mayFollow, takenFrom } from '../checkpoint/transitions.js';
import type { RunTrace } from '../lifecycle/own-processes.js';
import { RunTraces } from '../lifecycle/run-traces.js';

/** The latest run of a process. */
export interface Run {
  readonly process: string;
  /** 0 for the first run; also the name of its log directory. */
  readonly index: number;
  readonly seq: number;
  readonly state: ProcessState;
  /** The number of its last record in the stream, from 1. */
  readonly at: number;
  readonly fork_time?: number;
  readonly coordinator_pid?: number;
  readonly start_time?: number;
  readonly pid?: number;
  readonly stop_time?: number;
}

/** A run that may have live processes. */
export interface LiveRun extends Run {
  readonly state: 'FORKED' | 'RUNNING';
  readonly coordinator_pid: number;
  readonly fork_time: number;
}

export function isLive(run: Run | undefined): run is LiveRun {
  return isLiveProcessState(run?.state);
}

/** The state after the records so far, as needed to continue the task. */
export class StreamProgress {
  header: RunnerHeader | undefined;
  status: TaskState | undefined;
  /** The number of records. */
  count = 0;
  /** The number of the record of the status, from 1. */
  statusAt = 0;
  /** When the task was to end; or when the last runner took over after that: it has as much time. Milliseconds since the epoch. */
  cleaningSince: number | undefined;
  readonly runs = new Map<string, Run>();
  readonly #traces = new RunTraces();

  /** The traces of the forked runs. */
  get traces(): readonly RunTrace[] {
    return this.#traces.all();
  }

  /** Is this a valid next record? Otherwise it must be skipped, or the stream is damaged. */
  fits({ type, value }: CheckpointRecord): boolean {
    if (type === 'task_status') return TASK_STATES.includes(value.state as TaskState);
    if (type === 'runner_header') return this.header === undefined;
    const { process, seq } = value;
    // No runner's sequence numbers exceed 2^53.
    if (process === undefined || typeof seq !== 'number') return false;
    const run = this.runs.get(process);
    return mayFollow(run?.state, value) && (run === undefined || seq === run.seq + 1);
  }

  /** Applies a record. Returns the run that it updated, if it is about a process. */
  apply(record: CheckpointRecord): Run | undefined {
    const { type, value } = record;
    this.#traces.add(record);
    this.count += 1;
    if (type === 'runner_header') this.header = value;
    if (type === 'task_status') {
      const isTakenOver = value.state === 'FINALIZING' && this.status === 'FINALIZING';
      this.status = value.state as TaskState;
      this.statusAt = this.count;
      if (value.state === 'CLEANING' || isTakenOver) this.cleaningSince = Number(value.timestamp_ms);
    }
    return type === 'process_status' ? this.#move(value) : undefined;
  }

  #move(update: ProcessStatus): Run {
    const process = update.process as string;
    const state = update.state as ProcessState;
    const before = this.runs.get(process);
    const seq = Number(update.seq);
    const at = this.count;
    const run: Run =
      state === 'WAITING'
        ? { process, state, seq, at, index: before === undefined ? 0 : before.index + 1 }
        : { ...(before as Run), ...takenFrom(update), process, state, seq, at };
    this.runs.set(process, run);
    return run;
  }
}
