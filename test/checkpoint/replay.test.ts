import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import type { CheckpointRecord, ProcessStatus } from '../../src/checkpoint/records.js';
import { numberedRuns, REPLAY_LIMITS, Replay } from '../../src/checkpoint/replay.js';
import { ThriftWriter, TYPE } from '../../src/checkpoint/thrift.js';
import { decodeUtf8 } from '../../src/checkpoint/utf8.js';
import { anyRecord, soundRecords, streamOf } from './arbitraries.js';
import { digits, notUtf8, sameFnv1a } from './chosen-names.js';

function replayed(bytes: Buffer, history = true) {
  const replay = new Replay({ history });
  const rest = replay.feed(bytes, 0, bytes.length);
  return { replay, state: replay.state(), damage: replay.atEnd(bytes, rest, bytes.length) };
}

const waiting = (process: string, seq: number): CheckpointRecord => ({
  type: 'process_status',
  value: { seq, process, state: 'WAITING' },
});
const update = (value: ProcessStatus): CheckpointRecord => ({ type: 'process_status', value });
const forked = (process: string, seq: number) =>
  update({ seq, process, state: 'FORKED', fork_time: 1.5, coordinator_pid: 10 });
const running = (process: string, seq: number) =>
  update({ seq, process, state: 'RUNNING', start_time: 2.5, pid: 11 });
const ended = (process: string, seq: number, state: 'SUCCESS' | 'FAILED' | 'KILLED', return_code: number) =>
  update({ seq, process, state, stop_time: 3.5, return_code });
const lost = (process: string, seq: number) => update({ seq, process, state: 'LOST' });

/** What the records add up to, said as simply as can be: every accepted update only adds fields. */
function model(records: readonly CheckpointRecord[]) {
  const processes = new Map<string, ProcessStatus[]>();
  for (const { type, value } of records) {
    if (type !== 'process_status') continue;
    const name = value.process as string;
    const runs = processes.get(name) ?? [];
    processes.set(name, runs);
    if (value.state === 'WAITING') runs.push({});
    Object.assign(runs.at(-1) as ProcessStatus, value);
  }
  return {
    header: records.find(({ type }) => type === 'runner_header')?.value ?? null,
    statuses: records.filter(({ type }) => type === 'task_status').map(({ value }) => value),
    processes,
  };
}

describe('a sound stream', () => {
  it('adds up to what its records say', () => {
    fc.assert(
      fc.property(soundRecords, (records) => {
        const { state, damage, replay } = replayed(streamOf(records));
        const expected = model(records);
        expect(damage).toBeUndefined();
        expect(replay.records).toBe(records.length);
        expect(state.header).toEqual(expected.header);
        expect(state.statuses).toEqual(expected.statuses);
        expect(new Map([...state.processes].map(([name, { runs }]) => [name, runs]))).toEqual(
          expected.processes,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('adds up to the same in any pieces', () => {
    fc.assert(
      fc.property(
        soundRecords,
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (records, sizes) => {
          const bytes = streamOf(records);
          const piecewise = new Replay({ history: true });
          let held = Buffer.alloc(0);
          for (let at = 0, k = 0; at < bytes.length; k++) {
            const size = sizes[k % sizes.length] as number;
            held = Buffer.concat([held, bytes.subarray(at, at + size)]);
            at += size;
            held = held.subarray(piecewise.feed(held, 0, held.length));
          }
          expect(piecewise.state()).toEqual(replayed(bytes).state);
        },
      ),
    );
  });

  it('has the same latest runs and counts without its history', () => {
    fc.assert(
      fc.property(soundRecords, (records) => {
        const bytes = streamOf(records);
        const { state } = replayed(bytes, true);
        const brief = replayed(bytes, false).state;
        expect(brief.statuses).toEqual(state.statuses.slice(-1));
        for (const [name, process] of state.processes) {
          expect(brief.processes.get(name)).toEqual({ ...process, runs: process.runs.slice(-1) });
          expect(process.run_count).toBe(process.runs.length);
          expect(process.failures).toBe(process.runs.filter((run) => run.state === 'FAILED').length);
        }
        expect(brief.processes.size).toBe(state.processes.size);
      }),
      { numRuns: 300 },
    );
  });

  it('cut anywhere is the stream of the records before', () => {
    fc.assert(
      fc.property(soundRecords, fc.nat(), (records, at) => {
        const bytes = streamOf(records);
        const cut = bytes.subarray(0, at % (bytes.length + 1));
        const { state, replay, damage } = replayed(cut);
        expect(state).toEqual(replayed(streamOf(records.slice(0, replay.records))).state);
        expect(damage?.offset ?? cut.length).toBe(replay.bytes);
        expect(damage?.kind ?? 'incomplete').toBe('incomplete');
      }),
      { numRuns: 300 },
    );
  });

  it('with any byte changed never throws', () => {
    fc.assert(
      fc.property(soundRecords, fc.nat(), fc.integer({ min: 1, max: 255 }), (records, at, flip) => {
        const bytes = streamOf(records);
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
        const { damage, replay } = replayed(bytes);
        expect(damage?.offset ?? bytes.length).toBe(replay.bytes);
      }),
      { numRuns: 1000 },
    );
  });
});

it('any records at all give a state, and at most one damage', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 20 }), (records) => {
      const bytes = streamOf(records);
      const { damage, replay } = replayed(bytes);
      expect(damage?.offset ?? bytes.length).toBe(replay.bytes);
    }),
    { numRuns: 400 },
  );
});

describe('a record that the original would refuse', () => {
  const good = [waiting('a', 0), forked('a', 1)];
  const header: CheckpointRecord = { type: 'runner_header', value: { task_id: 't' } };

  it.each([
    [
      'a gap in the sequence',
      [...good, running('a', 3)],
      'sequence number 2 of process "a" was expected, found 3',
    ],
    ['the same again', [...good, forked('a', 1)], 'sequence number 2 of process "a" was expected, found 1'],
    [
      'no sequence number',
      [...good, update({ process: 'a', state: 'LOST' })],
      /sequence number 2 .* found none/,
    ],
    ['a leap', [...good, ended('a', 2, 'SUCCESS', 0)], /"a" cannot go from FORKED to SUCCESS/],
    ['a new run while one lasts', [...good, waiting('a', 2)], /"a" cannot go from FORKED to WAITING/],
    [
      'a process out of nowhere',
      [...good, forked('b', 1)],
      /"b" was expected to start with WAITING, not FORKED/,
    ],
    ['no state', [...good, update({ process: 'a', seq: 2 })], /state/],
    ['an unknown state', [...good, update({ process: 'a', seq: 2, state: 77 })], /77/],
    ['a missing field', [...good, update({ process: 'a', seq: 2, state: 'RUNNING', pid: 1 })], /start_time/],
    ['a second header', [header, header], /second header/],
  ] as const)('%s', (_, records, reason) => {
    const bytes = streamOf(records);
    const { damage, replay } = replayed(bytes);
    expect(replay.records).toBe(records.length - 1);
    expect(damage).toEqual({
      kind: 'damaged',
      offset: streamOf(records.slice(0, -1)).length,
      reason: expect.stringMatching(reason),
    });
  });
});

describe('a sequence beyond 2^53', () => {
  it('is followed exactly', () => {
    const start = 2n ** 53n - 2n;
    const seqs = [0n, 1n, 2n, 3n].map((more) => start + more);
    const narrow = (seq: bigint) => (seq < 2n ** 53n ? Number(seq) : seq);
    const [a, b, c, d] = seqs.map(narrow);
    const records = [
      update({ seq: a, process: 'p', state: 'WAITING' }),
      update({ seq: b, process: 'p', state: 'FORKED', fork_time: 1, coordinator_pid: 1 }),
      update({ seq: c, process: 'p', state: 'RUNNING', start_time: 1, pid: 1 }),
      update({ seq: d, process: 'p', state: 'LOST' }),
    ];
    expect(replayed(streamOf(records)).damage).toBeUndefined();
    expect(replayed(streamOf(records)).state.processes.get('p')?.runs[0]?.seq).toBe(2n ** 53n + 1n);
    const again = [...records.slice(0, 3), update({ seq: c, process: 'p', state: 'LOST' })];
    expect(replayed(streamOf(again)).damage?.kind).toBe('damaged');
  });
});

describe('the names of processes', () => {
  /** A WAITING of a process whose name is these bytes. */
  const waitingBytes = (name: Uint8Array, seq: number): Buffer => {
    const out = new ThriftWriter().field(TYPE.STRUCT, 2).field(TYPE.I64, 1).i64(seq);
    out.field(TYPE.I32, 5).i32(0).field(TYPE.STRING, 3).i32(name.length);
    for (const byte of name) out.byte(byte);
    return encodeFrame(out.stop().stop().finish());
  };

  const bytesOfName = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc
      .array(fc.constantFrom(0x61, 0xc3, 0xa9, 0xed, 0xa0, 0x80, 0xb0, 0xf0, 0xff, 0xfe), { maxLength: 5 })
      .map((bytes) => Uint8Array.from(bytes)),
    fc.constantFrom(
      Buffer.from('\u{10000}'),
      // The same as two encoded surrogates.
      Buffer.from([0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]),
      Buffer.from('\ufffd'),
    ),
  );

  it('are the same if they are once decoded, and no others', () => {
    fc.assert(
      fc.property(fc.array(bytesOfName, { maxLength: 40 }), (names) => {
        const texts = names.map((name) => decodeUtf8(Buffer.from(name), 0, name.length));
        const distinct = [...new Set(texts)];
        // A second WAITING of a process is refused, one of another process is not.
        const repeated = texts.findIndex((text, i) => texts.indexOf(text) < i);
        const { replay, state } = replayed(Buffer.concat(names.map((name, k) => waitingBytes(name, k))));
        expect(replay.records).toBe(repeated === -1 ? names.length : repeated);
        if (repeated === -1) expect([...state.processes.keys()]).toEqual(distinct);
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['not UTF-8', notUtf8],
    ['of one hash', () => sameFnv1a(15)],
    ['digits', digits],
  ])('cost the same whatever they are: %s', (_, names) => {
    const chosen = names(32_768);
    const plainNames = chosen.map((_, k) => Buffer.from(`process-of-a-task-${k}`));
    const [slow, fast] = [chosen, plainNames].map((each) => {
      const bytes = Buffer.concat(each.map((name) => waitingBytes(name, 0)));
      const before = performance.now();
      const { state, damage } = replayed(bytes);
      expect(damage).toBeUndefined();
      expect(state.processes.size).toBe(chosen.length);
      return performance.now() - before;
    }) as [number, number];
    // Quadratic they take seconds.
    expect(slow).toBeLessThan(10 * fast + 500);
  });

  it('are all kept when there are very many', () => {
    const names = Array.from({ length: 60_000 }, (_, k) => `process-${k}`);
    const { state, damage } = replayed(streamOf(names.map((name, k) => waiting(name, k))));
    expect(damage).toBeUndefined();
    expect([...state.processes.keys()]).toEqual(names);
    expect([...state.processes.values()].every(({ runs }, k) => runs[0]?.seq === k)).toBe(true);
  });

  it('are distinct if one begins like another', () => {
    const records = [
      waiting('web', 0),
      waiting('webs', 0),
      waiting('we', 0),
      forked('webs', 1),
      forked('web', 1),
    ];
    const { state } = replayed(streamOf(records));
    expect([...state.processes].map(([name, { runs }]) => [name, runs[0]?.state])).toEqual([
      ['web', 'FORKED'],
      ['webs', 'FORKED'],
      ['we', 'WAITING'],
    ]);
  });
});

describe('what is too much to keep', () => {
  const limits = { processes: 3, nameBytes: 40, runs: 8, statuses: 4 };
  const limited = (records: readonly CheckpointRecord[]) => {
    const replay = new Replay({ history: true, limits });
    const bytes = streamOf(records);
    replay.feed(bytes, 0, bytes.length);
    expect(replay.damage).toBeUndefined();
    expect(replay.records).toBe(records.length);
    return replay.state();
  };
  const manyRuns = (process: string, count: number) =>
    Array.from({ length: count }, (_, k) => [
      waiting(process, 2 * k),
      update({ seq: 2 * k + 1, process, state: 'FAILED', return_code: k }),
    ]).flat();

  it('of the statuses are those between the first and the last', () => {
    const status = (runner_pid: number): CheckpointRecord => ({ type: 'task_status', value: { runner_pid } });
    const pids = (count: number) => {
      const state = limited(Array.from({ length: count }, (_, k) => status(k)));
      return [state.statuses.map(({ runner_pid }) => runner_pid), state.statuses_left_out];
    };
    expect(pids(4)).toEqual([[0, 1, 2, 3], undefined]);
    expect(pids(9)).toEqual([[0, 1, 7, 8], { at: 2, count: 5 }]);
  });

  it('of the runs are those between the first and the last, and all keep their numbers', () => {
    const state = limited(manyRuns('a', 30));
    const history = state.processes.get('a');
    if (history === undefined) throw new Error('there is a process');
    expect(history).toMatchObject({ run_count: 30, failures: 30, left_out: { at: 4, count: 21 } });
    const numbered = numberedRuns(history);
    expect(numbered.map(({ n }) => n)).toEqual([0, 1, 2, 3, 25, 26, 27, 28, 29]);
    for (const { run, n } of numbered) expect(run.return_code).toBe(n);
  });

  it('shrinks what is kept of each process when there are many with many runs', () => {
    const state = limited(['a', 'b', 'c'].flatMap((name) => manyRuns(name, 12)));
    const kept = [...state.processes.values()].map((history) => numberedRuns(history).map(({ n }) => n));
    expect(kept).toEqual([
      [0, 1, 9, 10, 11],
      [0, 1, 9, 10, 11],
      [0, 1, 9, 10, 11],
    ]);
    const whole = limited(['a', 'b', 'c'].flatMap((name) => manyRuns(name, 3)));
    expect([...whole.processes.values()].map(({ runs, left_out }) => [runs.length, left_out])).toEqual(
      Array.from({ length: 3 }, () => [3, undefined]),
    );
  });

  it('of the processes are those behind the first ones', () => {
    const state = limited([
      ...['a', 'b', 'c', 'd', 'e'].map((name) => waiting(name, 0)),
      forked('c', 1),
      // Of a process that is not kept nothing is checked.
      forked('d', 7),
      { type: 'task_status', value: { state: 'KILLED' } },
    ]);
    expect([...state.processes.keys()]).toEqual(['a', 'b', 'c']);
    expect(state.processes.get('c')?.runs).toMatchObject([{ state: 'FORKED' }]);
    expect(state.statuses).toEqual([{ state: 'KILLED' }]);
    expect(state.records_left_out).toBe(3);
  });

  it('is what comes behind names that are long together', () => {
    const state = limited([waiting('x'.repeat(39), 0), waiting('y'.repeat(39), 0), waiting('z', 0)]);
    expect([...state.processes.keys()]).toEqual(['x'.repeat(39), 'y'.repeat(39)]);
    expect(state.records_left_out).toBe(1);
  });

  it('is no part of a real task', () => {
    const names = Array.from({ length: 1000 }, (_, k) => `p${k}`);
    const replay = new Replay({ history: true });
    const bytes = streamOf(names.flatMap((name) => manyRuns(name, 10)));
    replay.feed(bytes, 0, bytes.length);
    for (const { runs, left_out } of replay.state().processes.values()) {
      expect([runs.length, left_out]).toEqual([10, undefined]);
    }
    expect(REPLAY_LIMITS.runs).toBeGreaterThan(100);
  });
});

describe("a coordinator's stream", () => {
  const merged = (runner: readonly CheckpointRecord[], name: string, coordinator: Buffer) => {
    const { replay } = replayed(streamOf(runner));
    const consumer = replay.coordinator(name);
    const rest = consumer.feed(coordinator, 0, coordinator.length);
    const damage = consumer.atEnd(coordinator, rest, coordinator.length);
    return { run: replay.state().processes.get(name)?.runs.at(-1), damage, state: replay.state() };
  };

  it('says what the runner did not live to write', () => {
    const coordinator = streamOf([forked('a', 1), running('a', 2), ended('a', 3, 'FAILED', 7)]);
    const { run, damage, state } = merged([waiting('a', 0), forked('a', 1)], 'a', coordinator);
    expect(damage).toBeUndefined();
    expect(run).toEqual({
      seq: 3,
      process: 'a',
      state: 'FAILED',
      fork_time: 1.5,
      coordinator_pid: 10,
      start_time: 2.5,
      pid: 11,
      stop_time: 3.5,
      return_code: 7,
    });
    expect(state.processes.get('a')).toMatchObject({ run_count: 1, failures: 1 });
  });

  it('adds nothing that the runner knows already', () => {
    const runner = [waiting('a', 0), forked('a', 1), running('a', 2), ended('a', 3, 'SUCCESS', 0)];
    const { run, damage, state } = merged(runner, 'a', streamOf(runner.slice(1)));
    expect(damage).toBeUndefined();
    expect(state).toEqual(replayed(streamOf(runner)).state);
    expect(run?.state).toBe('SUCCESS');
  });

  it('of another process, or of a process that never waited, adds nothing', () => {
    const runner = [waiting('a', 0)];
    const before = replayed(streamOf(runner)).state;
    expect(merged(runner, 'a', streamOf([forked('b', 1)])).state).toEqual(before);
    expect(merged(runner, 'b', streamOf([forked('b', 1)])).state).toEqual(before);
    expect(merged(runner, 'b', streamOf([forked('a', 1)])).state).toEqual(before);
  });

  it('does not contradict a runner that gave the process up', () => {
    const runner = [waiting('a', 0), forked('a', 1), lost('a', 2)];
    const coordinator = streamOf([forked('a', 1), running('a', 2), ended('a', 3, 'SUCCESS', 0)]);
    const { state, damage } = merged(runner, 'a', coordinator);
    expect(damage).toBeUndefined();
    expect(state).toEqual(replayed(streamOf(runner)).state);
  });

  it('that is damaged gives the state before the damage', () => {
    const coordinator = streamOf([forked('a', 1), running('a', 2)]);
    const { run, damage } = merged([waiting('a', 0)], 'a', Buffer.concat([coordinator, Buffer.alloc(4)]));
    expect(run?.state).toBe('RUNNING');
    expect(damage).toMatchObject({ kind: 'damaged', offset: coordinator.length });
  });

  it('brings a stream that was cut where the process stood when the run ended', () => {
    fc.assert(
      fc.property(soundRecords, fc.nat(), (records, at) => {
        const cut = records.slice(0, at % (records.length + 1));
        const { replay } = replayed(streamOf(cut));
        for (const name of [...replay.state().processes.keys()]) {
          const own = records.filter(
            ({ type, value }) =>
              type === 'process_status' && value.process === name && value.state !== 'WAITING',
          );
          const stream = streamOf(own);
          replay.coordinator(name).feed(stream, 0, stream.length);
        }
        for (const [name, { runs }] of replay.state().processes) {
          const whole = replayed(streamOf(records)).state.processes.get(name)?.runs ?? [];
          expect(runs).toEqual(whole.slice(0, runs.length));
        }
      }),
      { numRuns: 200 },
    );
  });
});
