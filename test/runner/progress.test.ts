import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import {
  type CheckpointRecord,
  PROCESS_STATES,
  type ProcessStatus,
  TASK_STATES,
} from '../../src/checkpoint/records.js';
import { Replay } from '../../src/checkpoint/replay.js';
import { StreamProgress } from '../../src/runner/progress.js';
import { soundRecords, streamOf } from '../checkpoint/arbitraries.js';

/** Does a reader of the stream take the record behind those before? */
function isTaken(before: readonly CheckpointRecord[], record: CheckpointRecord): boolean {
  const replay = new Replay({ history: false });
  const bytes = streamOf([...before, record]);
  const rest = replay.feed(bytes, 0, bytes.length);
  return replay.atEnd(bytes, rest, bytes.length) === undefined;
}

function stateOf(records: readonly CheckpointRecord[]) {
  const replay = new Replay({ history: false });
  for (const record of records) {
    const bytes = encodeFrame(encodeRecord(record));
    replay.feed(bytes, 0, bytes.length);
  }
  return replay.state();
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 8 });

/** Few processes, states and numbers, so that many updates fit and many nearly do. */
const update: fc.Arbitrary<ProcessStatus> = fc.record({
  process: maybe(fc.constantFrom('a', 'b')),
  state: maybe(fc.constantFrom(...PROCESS_STATES)),
  fork_time: maybe(fc.constant(1.5)),
  coordinator_pid: maybe(fc.constantFrom(10, 20)),
  start_time: maybe(fc.constant(2.5)),
  pid: maybe(fc.constantFrom(11, 21)),
  stop_time: maybe(fc.constant(3.5)),
  return_code: maybe(fc.constantFrom(0, -9)),
});

/** By how much the sequence number is beside the right one. */
const beside = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1, undefined));

const anything = fc.oneof(
  { weight: 20, arbitrary: fc.record({ update, beside }) },
  fc
    .constantFrom(...TASK_STATES)
    .map((state): CheckpointRecord => ({ type: 'task_status', value: { state } })),
  fc.constant<CheckpointRecord>({ type: 'runner_header', value: { task_id: 't' } }),
);

describe('a runner and a reader of its stream', () => {
  test('take the same records, and make the same of them', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60 }), fc.constantFrom(0, 7), (steps, first) => {
        const progress = new StreamProgress();
        const taken: CheckpointRecord[] = [];
        for (const step of steps) {
          const record = 'type' in step ? step : recordFor(step, progress, first);
          const fits = progress.fits(record);
          expect(fits).toBe(isTaken(taken, record));
          if (!fits) continue;
          progress.apply(record);
          taken.push(record);
        }
        expectSame(progress, taken);
      }),
      { numRuns: 300 },
    );
  });

  test('make the same of a sound stream', () => {
    fc.assert(
      fc.property(soundRecords, (records) => {
        const progress = new StreamProgress();
        const taken = records.filter((record) => {
          const fits = progress.fits(record);
          if (fits) progress.apply(record);
          return fits;
        });
        const seen = records.filter(isCounted);
        expect(taken.filter(isCounted)).toEqual(seen);
        expectSame(progress, taken);
      }),
    );
  });
});

/** Of these a runner and a reader think alike; a runner can't be in a state that it doesn't know, nor count further. */
function isCounted({ type, value }: CheckpointRecord): boolean {
  if (type === 'task_status') return typeof value.state === 'string';
  return type !== 'process_status' || typeof value.seq === 'number';
}

function recordFor(
  { update, beside }: { update: ProcessStatus; beside: number | undefined },
  { runs }: StreamProgress,
  first: number,
): CheckpointRecord {
  const last = runs.get(update.process ?? '')?.seq;
  const right = last === undefined ? first : last + 1;
  const seq = beside === undefined ? undefined : right + beside;
  return { type: 'process_status', value: { ...update, seq } };
}

function expectSame(progress: StreamProgress, records: readonly CheckpointRecord[]): void {
  const { header, statuses, processes } = stateOf(records);
  expect(progress.header ?? null).toEqual(header);
  expect(progress.status).toEqual(statuses.at(-1)?.state);
  expect(progress.count).toBe(records.length);
  expect(progress.statusAt).toBe(records.findLastIndex(({ type }) => type === 'task_status') + 1);
  expect(progress.runs.size).toBe(processes.size);
  for (const [name, { runs, run_count }] of processes) {
    const { index, at, ...run } = progress.runs.get(name) ?? { index: -1, at: -1 };
    expect(run).toEqual(runs.at(-1));
    expect(index).toBe(run_count - 1);
    const isIts = ({ type, value }: CheckpointRecord) => type === 'process_status' && value.process === name;
    expect(at).toBe(records.findLastIndex(isIts) + 1);
  }
}
