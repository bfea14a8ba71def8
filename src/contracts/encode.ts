/**
 * Encodes the values of a checkpoint as JSON. No zod here: commands load this.
 */
import type { Gap } from '../checkpoint/ends.js';
import { setOwn } from '../checkpoint/own-property.js';
import type {
  CheckpointRecord,
  Int64,
  ProcessStatus,
  RunnerHeader,
  TaskStatus,
} from '../checkpoint/records.js';
import type { CheckpointState, ProcessHistory } from '../checkpoint/replay.js';
import type { Problem } from '../errors/problem.js';
import type {
  HeaderDocument,
  LeftOutDocument,
  ProcessStatusDocument,
  ReadDocument,
  RecordDocument,
  TaskStatusDocument,
} from './checkpoint.js';

type SecondsDocument = number | 'nan' | 'inf' | '-inf';

/** A number if JSON readers keep it exact, otherwise its digits. */
export function encodeInteger(value: Int64): number | string;
export function encodeInteger(value: Int64 | undefined): number | string | undefined;
export function encodeInteger(value: Int64 | undefined): number | string | undefined {
  if (value === undefined || Number.isSafeInteger(value)) return value as number | undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** `NaN` and the infinities by the names that the original's own reader gives them. */
export function encodeSeconds(value: number): SecondsDocument;
export function encodeSeconds(value: number | undefined): SecondsDocument | undefined;
export function encodeSeconds(value: number | undefined): SecondsDocument | undefined {
  if (value === undefined || Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

export function encodePorts(ports: Readonly<Record<string, Int64>>): Record<string, number | string> {
  const encoded: Record<string, number | string> = {};
  for (const [name, port] of Object.entries(ports)) setOwn(encoded, name, encodeInteger(port));
  return encoded;
}

export function encodeHeader(header: RunnerHeader): HeaderDocument {
  return {
    ...header,
    launch_time_ms: encodeInteger(header.launch_time_ms),
    ports: header.ports && encodePorts(header.ports),
  };
}

export function encodeTaskStatus(status: TaskStatus): TaskStatusDocument {
  return { ...status, timestamp_ms: encodeInteger(status.timestamp_ms) };
}

export function encodeProcessStatus(status: ProcessStatus): ProcessStatusDocument {
  return {
    ...status,
    seq: encodeInteger(status.seq),
    start_time: encodeSeconds(status.start_time),
    stop_time: encodeSeconds(status.stop_time),
    fork_time: encodeSeconds(status.fork_time),
  };
}

/** The runs of each process. Has no prototype: a process may be called `__proto__`. */
export function encodeHistory(
  history: Iterable<readonly [string, readonly ProcessStatus[]]>,
): Record<string, ProcessStatusDocument[]> {
  const encoded: Record<string, ProcessStatusDocument[]> = Object.create(null);
  for (const [process, runs] of history) encoded[process] = runs.map(encodeProcessStatus);
  return encoded;
}

/** What is left out of a state; undefined if nothing is. */
export function encodeLeftOut(
  processes: ReadonlyMap<string, ProcessHistory>,
  statuses: Gap | undefined,
  records: number | undefined,
): LeftOutDocument {
  const runs: Record<string, Gap> = Object.create(null);
  for (const [process, { left_out }] of processes) if (left_out !== undefined) runs[process] = left_out;
  const some = Object.keys(runs).length > 0;
  if (!some && statuses === undefined && records === undefined) return undefined;
  return { statuses, runs: some ? runs : undefined, records };
}

/** A line of `read --records --json`; offset and length are those of the record's payload. */
export function encodeRecord(record: CheckpointRecord, offset: number, length: number): RecordDocument {
  switch (record.type) {
    case 'runner_header':
      return { offset, length, type: record.type, value: encodeHeader(record.value) };
    case 'process_status':
      return { offset, length, type: record.type, value: encodeProcessStatus(record.value) };
    case 'task_status':
      return { offset, length, type: record.type, value: encodeTaskStatus(record.value) };
  }
}

/** The line of a problem with a stream: damage ends it. */
export function encodeProblem(problem: Problem): RecordDocument {
  return { problem };
}

/** The document of `read`. */
export function encodeRead(
  state: CheckpointState,
  records: number,
  bytes: number,
  problems: Problem[],
): ReadDocument {
  return {
    header: state.header && encodeHeader(state.header),
    statuses: state.statuses.map(encodeTaskStatus),
    processes: encodeHistory([...state.processes].map(([name, { runs }]) => [name, runs] as const)),
    records,
    bytes,
    left_out: encodeLeftOut(state.processes, state.statuses_left_out, state.records_left_out),
    problems,
  };
}
