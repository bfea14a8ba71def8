import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckpointRecord, ProcessStatus } from '../../src/checkpoint/records.js';
import { Replay } from '../../src/checkpoint/replay.js';
import { anyRecord, soundRecords, streamOf } from './arbitraries.js';

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
      { numRuns: 3000 },
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
    { numRuns: 1000 },
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
    ['a leap', [...good, ended('a', 2, 'SUCCESS', 0)], /"a" can't go from FORKED to SUCCESS/],
    ['a new run while one lasts', [...good, waiting('a', 2)], /"a" can't go from FORKED to WAITING/],
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
  it('may have the same hash', () => {
    // Equal in the 30 bits of FNV-1a by which processes are found.
    const pair = ['process-9479', 'process-37612'] as const;
    const records = [
      waiting(pair[0], 0),
      waiting(pair[1], 5),
      forked(pair[0], 1),
      forked(pair[1], 6),
      running(pair[1], 7),
    ];
    const { state, damage } = replayed(streamOf(records));
    expect(damage).toBeUndefined();
    expect([...state.processes].map(([name, { runs }]) => [name, runs[0]?.seq, runs[0]?.state])).toEqual([
      [pair[0], 1, 'FORKED'],
      [pair[1], 7, 'RUNNING'],
    ]);
  });

  it('are all kept when there are very many', () => {
    const names = Array.from({ length: 60_000 }, (_, k) => `process-${k}`);
    const { state, damage } = replayed(streamOf(names.map((name, k) => waiting(name, k))));
    expect(damage).toBeUndefined();
    expect([...state.processes.keys()]).toEqual(names);
    expect([...state.processes.values()].every(({ runs }, k) => runs[0]?.seq === k)).toBe(true);
  });

  it('are told apart when one begins like another', () => {
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

  it('that is damaged gives what stands before the damage', () => {
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
