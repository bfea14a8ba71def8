import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamStat } from '../../src/checkpoint/reader.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import type { RecordedTransition } from '../../src/checkpoint/replay.js';
import { TransitionReader, type TransitionReading, timed } from '../../src/task/transition-reader.js';
import { soundRecords, streamOf } from '../checkpoint/arbitraries.js';
import { FAILED, RAN, Records } from './trees.js';

/** The streams of a task in memory. */
class Streams {
  bytes: Buffer = Buffer.alloc(0);
  readonly coordinators = new Map<string, Buffer>();
  inode = 1;
  mtimeMs = 1_500_000_000_000;
  isRunnerGone = false;
  /** Opening it fails. */
  fails = false;

  runner = () => {
    if (this.fails) throw Object.assign(new Error('no'), { code: 'EIO' });
    return this.#file(this.bytes, this.inode);
  };

  coordinator = (process: string) => {
    const bytes = this.coordinators.get(process);
    return () => {
      if (bytes === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
      return this.#file(bytes, 100 + [...this.coordinators.keys()].indexOf(process));
    };
  };

  isWithoutRunner = () => this.isRunnerGone;

  #file(bytes: Buffer, ino: number) {
    const { mtimeMs } = this;
    const stat: StreamStat = {
      ...{ dev: 1, ino, size: bytes.length, uid: 0 },
      ...{ mtimeMs, ctimeMs: mtimeMs, birthtimeMs: ino },
    };
    return {
      stat,
      readAt: (buffer: Buffer, offset: number, length: number, position: number) =>
        bytes.copy(buffer, offset, position, Math.min(position + length, bytes.length)),
      close: () => {},
    };
  }
}

/** What the records say, one by one. */
function transitionsIn(records: readonly CheckpointRecord[]): Partial<RecordedTransition>[] {
  const found: Partial<RecordedTransition>[] = [];
  const runs = new Map<string, number>();
  const states = new Map<string | undefined, unknown>();
  for (const { type, value } of records) {
    if (type === 'runner_header') continue;
    const { state } = value;
    if (type === 'task_status') {
      if (state === undefined || state === states.get(undefined)) continue;
      found.push({ process: undefined, was: states.get(undefined) as never, state });
      states.set(undefined, state);
      continue;
    }
    const process = value.process as string;
    if (state === 'WAITING') runs.set(process, (runs.get(process) ?? -1) + 1);
    const was = states.get(process) as never;
    found.push({ process, seq: value.seq, run: runs.get(process), was, state: state as never });
    states.set(process, state);
  }
  return found;
}

const plain = ({ process, seq, run, was, state }: RecordedTransition) =>
  process === undefined ? { process, was, state } : { process, seq, run, was, state };
const keyOf = ({ process, seq, run, state }: Partial<RecordedTransition>) =>
  `${process ?? '-'} ${seq} ${run} ${state}`;
const words = ({ transitions }: TransitionReading) =>
  transitions.map(({ process = 'task', run, state }) => [process, run, state].join(' ').replace('  ', ' '));

describe('no transition is lost or given twice', () => {
  test('however the stream is cut into pieces', () => {
    fc.assert(
      fc.property(soundRecords, fc.array(fc.nat({ max: 200 }), { maxLength: 12 }), (records, steps) => {
        const all = streamOf(records);
        const streams = new Streams();
        const reader = new TransitionReader(streams);
        const found: RecordedTransition[] = [];
        let at = 0;
        for (const step of [...steps, all.length]) {
          at = Math.min(all.length, at + step);
          streams.bytes = all.subarray(0, at);
          for (const each of reader.read().transitions) found.push(each);
        }
        expect(found.map(plain)).toEqual(transitionsIn(records));
      }),
      { numRuns: 300 },
    );
  });

  test('however far coordinators are ahead of a runner that dies, is replaced, and repeats what they recorded', () => {
    const moves = fc.array(fc.constantFrom('append', 'append', 'read', 'die', 'live', 'fail', 'copy'), {
      maxLength: 150,
    });
    fc.assert(
      fc.property(soundRecords, moves, (records, moves) => {
        // A coordinator records what follows the WAITING of the runner, up to the next one.
        const own = (i: number) => {
          const { type, value } = records[i] as CheckpointRecord;
          return type === 'process_status' && value.state !== 'WAITING' && value.state !== 'LOST'
            ? (value.process as string)
            : undefined;
        };
        const streams = new Streams();
        const reader = new TransitionReader(streams);
        const found: RecordedTransition[] = [];
        let at = 0;
        const append = () => {
          at = Math.min(records.length, at + 1);
          streams.bytes = streamOf(records.slice(0, at));
          const ahead = new Map<string, CheckpointRecord[]>();
          const blocked = new Set<unknown>();
          for (const [i, record] of records.entries()) {
            if (record.type !== 'process_status') continue;
            const process = own(i);
            if (i >= at && process === undefined) blocked.add(record.value.process);
            if (process === undefined || blocked.has(process)) continue;
            ahead.set(process, [...(ahead.get(process) ?? []), record]);
          }
          streams.coordinators.clear();
          for (const [process, its] of ahead) streams.coordinators.set(process, streamOf(its));
        };
        const read = () => {
          for (;;) {
            const { transitions, more } = reader.read();
            for (const each of transitions) found.push(each);
            if (!more) return;
          }
        };
        for (const move of moves) {
          if (move === 'append') append();
          else if (move === 'read') read();
          else if (move === 'die') streams.isRunnerGone = true;
          else if (move === 'live') streams.isRunnerGone = false;
          else if (move === 'copy') streams.inode += 1;
          else {
            streams.fails = true;
            read();
            streams.fails = false;
          }
        }
        while (at < records.length) append();
        streams.isRunnerGone = false;
        read();
        const expected = transitionsIn(records);
        expect(found.map(keyOf).sort()).toEqual(expected.map(keyOf).sort());
        for (const one of new Set(expected.map(({ process }) => process))) {
          const its = (each: Partial<RecordedTransition>) => each.process === one;
          expect(found.filter(its).map(keyOf)).toEqual(expected.filter(its).map(keyOf));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('and a giant stream is read in pieces', () => {
    const records = new Records().status('ACTIVE');
    for (let run = 0; run < 5_000; run++) records.process('p', ...FAILED);
    const streams = new Streams();
    streams.bytes = records.bytes();
    const reader = new TransitionReader(streams);
    const found: RecordedTransition[] = [];
    let reads = 0;
    for (let more = true; more; reads++) {
      const reading = reader.read();
      more = reading.more;
      for (const each of reading.transitions) found.push(each);
    }
    expect(reads).toBeGreaterThan(1);
    expect(found.map(plain)).toEqual(transitionsIn(records.records));
  });
});

test('what the runner records instead of what a coordinator did is a transition, too', () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
  const streams = new Streams();
  streams.bytes = records.bytes();
  streams.coordinators.set('p', records.coordinator('p', 'SUCCESS'));
  streams.isRunnerGone = true;
  const reader = new TransitionReader(streams);
  expect(words(reader.read()).at(-1)).toBe('p 0 SUCCESS');
  streams.bytes = records.process('p', 'LOST').status('LOST').bytes();
  expect(words(reader.read())).toEqual(['p 0 LOST', 'task LOST']);
});

test('what a coordinator records that does not continue the stream of the runner is none', () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING');
  const streams = new Streams();
  streams.bytes = records.bytes();
  const later = new Records().process('p', ...RAN, ...RAN).records.slice(5);
  streams.coordinators.set('p', streamOf(later));
  streams.isRunnerGone = true;
  expect(words(new TransitionReader(streams).read())).toEqual(['task ACTIVE', 'p 0 WAITING']);
});

describe('a stream that another one replaces', () => {
  const task = (launch_time_ms: number) => new Records().header({ launch_time_ms }).status('ACTIVE');

  test('is new if it is of another task', () => {
    const streams = new Streams();
    streams.bytes = task(1)
      .process('p', ...RAN)
      .bytes();
    const reader = new TransitionReader(streams);
    expect(reader.read().transitions).toHaveLength(5);
    streams.inode += 1;
    streams.bytes = task(2).process('p', 'WAITING').bytes();
    expect(words(reader.read())).toEqual(['task ACTIVE', 'p 0 WAITING']);
  });

  test('is read on if it is a copy', () => {
    const streams = new Streams();
    const records = task(1).process('p', ...RAN);
    streams.bytes = records.bytes();
    const reader = new TransitionReader(streams);
    reader.read();
    streams.inode += 1;
    streams.bytes = records.status('CLEANING').bytes();
    expect(words(reader.read())).toEqual(['task CLEANING']);
  });
});

test('damage is a fault, and what was before it is given once', () => {
  const streams = new Streams();
  const records = new Records().status('ACTIVE');
  streams.bytes = Buffer.concat([records.bytes(), Buffer.alloc(8)]);
  const reader = new TransitionReader(streams);
  const first = reader.read();
  expect([words(first), first.faults[0]?.damage?.kind]).toEqual([['task ACTIVE'], 'damaged']);
  const second = reader.read();
  expect([words(second), second.faults[0]?.damage?.kind]).toEqual([[], 'damaged']);
  streams.bytes = records.status('CLEANING').bytes();
  expect(words(reader.read())).toEqual(['task CLEANING']);
});

test('a stream that is not there yet is no fault; one that cannot be read is', () => {
  const streams = new Streams();
  streams.fails = true;
  expect(new TransitionReader(streams).read().faults).toHaveLength(1);
  const absent = { ...streams, coordinator: streams.coordinator, runner: streams.coordinator('none') };
  expect(new TransitionReader(absent).read()).toEqual({
    transitions: [],
    faults: [],
    more: false,
    over: false,
  });
});

describe('the times of transitions', () => {
  const times = (...given: [(number | undefined)[], number?]) =>
    timed(
      given[0].map((time_ms) => ({ state: 'WAITING', time_ms })),
      given[1],
    ).map(({ time_ms }) => time_ms);

  test('are whole milliseconds, as recorded', () => {
    expect(times([1_400_000_000_123.4])).toEqual([1_400_000_000_123]);
  });

  test('one that has none happened before the next one that has', () => {
    expect(times([10, undefined, undefined, 20])).toEqual([10, 20, 20, 20]);
  });

  test('at the end, when the stream was last written, or if that is not known, after the one before', () => {
    expect(times([10, undefined], 30)).toEqual([10, 30]);
    expect(times([10, undefined], 5)).toEqual([10, 10]);
    expect(times([10, undefined])).toEqual([10, 10]);
    expect(times([undefined])).toEqual([0]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300, 253_402_300_800_000])(
    '%s is none: RFC 3339 has no such time',
    (time) => expect(times([10, time], 30)).toEqual([10, 30]),
  );
});
