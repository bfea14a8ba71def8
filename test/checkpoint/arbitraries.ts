import fc from 'fast-check';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import {
  type CheckpointRecord,
  type Int64,
  PROCESS_STATES,
  type ProcessState,
  type ProcessStatus,
  type RunnerHeader,
  TASK_STATES,
  type TaskStatus,
} from '../../src/checkpoint/records.js';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** A number where the codec gives one: -2^53 up to 2^53 - 1. */
export const int64: fc.Arbitrary<Int64> = fc
  .oneof(
    fc.maxSafeInteger().map(BigInt),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(
      -(2n ** 63n),
      2n ** 63n - 1n,
      -(2n ** 53n),
      -(2n ** 53n) - 1n,
      2n ** 53n,
      2n ** 53n - 1n,
      0n,
    ),
  )
  .map((value) => (value >= -(2n ** 53n) && value < 2n ** 53n ? Number(value) : value));

export const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'a b',
    '../x',
    '\u001b[2J',
    '\n',
    '\u0000',
    '世界',
    '\ufffd',
  ),
);

const ports: fc.Arbitrary<Record<string, Int64>> = fc
  .uniqueArray(fc.tuple(text, int64), { selector: ([name]) => name, maxLength: 6 })
  .map((entries) => {
    const map: Record<string, Int64> = Object.create(null);
    for (const [name, port] of entries) map[name] = port;
    return map;
  });

const unknownState = int32.filter((state) => state < 0 || state >= 7);

const header: fc.Arbitrary<RunnerHeader> = fc.record(
  {
    task_id: text,
    launch_time_ms: int64,
    sandbox: text,
    hostname: text,
    user: text,
    ports,
    log_dir: text,
    uid: int32,
  },
  { requiredKeys: [], noNullPrototype: true },
);

const processStatus: fc.Arbitrary<ProcessStatus> = fc.record(
  {
    seq: int64,
    process: text,
    state: fc.oneof(fc.constantFrom(...PROCESS_STATES), unknownState),
    start_time: fc.double(),
    pid: int32,
    stop_time: fc.double(),
    return_code: int32,
    coordinator_pid: int32,
    fork_time: fc.double(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const taskStatus: fc.Arbitrary<TaskStatus> = fc.record(
  {
    state: fc.oneof(fc.constantFrom(...TASK_STATES), unknownState),
    timestamp_ms: int64,
    runner_pid: int32,
    runner_uid: int32,
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Any record the wire can hold, sensible or not. */
export const anyRecord: fc.Arbitrary<CheckpointRecord> = fc.oneof(
  header.map((value): CheckpointRecord => ({ type: 'runner_header', value })),
  processStatus.map((value): CheckpointRecord => ({ type: 'process_status', value })),
  taskStatus.map((value): CheckpointRecord => ({ type: 'task_status', value })),
);

export function streamOf(records: readonly CheckpointRecord[]): Buffer {
  return Buffer.concat(records.map((record) => encodeFrame(encodeRecord(record))));
}

const NEXT: Record<string, readonly ProcessState[]> = {
  WAITING: ['FORKED', 'FAILED'],
  FORKED: ['RUNNING', 'KILLED', 'LOST'],
  RUNNING: ['SUCCESS', 'FAILED', 'KILLED', 'LOST'],
};

/**
 * The records of a task as a runner could have written them, all of them accepted: some processes, each some
 * steps along a path of allowed transitions, interleaved.
 */
export const soundRecords: fc.Arbitrary<CheckpointRecord[]> = fc
  .tuple(
    fc.uniqueArray(text, { minLength: 1, maxLength: 5 }),
    fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 60 }),
    header,
    fc.array(taskStatus, { maxLength: 4 }),
    fc.constantFrom(0, 5, Number.MAX_SAFE_INTEGER - 3),
  )
  .map(([names, steps, runnerHeader, statuses, firstSeq]) => {
    const records: CheckpointRecord[] = [{ type: 'runner_header', value: runnerHeader }];
    const at = names.map((): { seq: Int64; state: ProcessState | undefined } => ({
      seq: firstSeq,
      state: undefined,
    }));
    steps.forEach(([which, choice], time) => {
      const k = which % names.length;
      const track = at[k] as (typeof at)[number];
      const choices = NEXT[track.state ?? ''] ?? (['WAITING'] as const);
      const state = choices[choice % choices.length] as ProcessState;
      const { seq } = track;
      records.push({ type: 'process_status', value: update(names[k] as string, seq, state, time) });
      const next = BigInt(seq) + 1n;
      track.seq = next < 2n ** 53n ? Number(next) : next;
      track.state = state;
      const status = statuses[time % 7];
      if (status !== undefined) records.push({ type: 'task_status', value: status });
    });
    return records;
  });

function update(process: string, seq: Int64, state: ProcessState, time: number): ProcessStatus {
  const status: ProcessStatus = { seq, process, state };
  if (state === 'FORKED') return { ...status, fork_time: time, coordinator_pid: time + 1 };
  if (state === 'RUNNING') return { ...status, start_time: time + 0.5, pid: time + 2 };
  if (state === 'WAITING' || state === 'LOST') return status;
  return { ...status, stop_time: time + 0.75, return_code: state === 'SUCCESS' ? 0 : -9 };
}
