import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { recordIn } from '../../src/checkpoint/codec.js';
import { RecordScanner } from '../../src/checkpoint/framing.js';
import { Replay } from '../../src/checkpoint/replay.js';
import {
  isRejection,
  loadCase,
  loadCases,
  type PlainState,
  parseExact,
  plain,
  plainRecord,
  plainState,
  type Rejection,
  readCase,
  withFailedFields,
} from './corpus.js';
import { readStreamAt } from './streams.js';

function replayed(bytes: Buffer, history = true) {
  const replay = new Replay({ history });
  const rest = replay.feed(bytes, 0, bytes.length);
  return { replay, damage: replay.atEnd(bytes, rest, bytes.length) };
}

const cases = loadCases();
const streams = cases.flatMap((from) => Object.keys(from.expected).map((path) => ({ from, path })));

describe('what the original makes of a stream', () => {
  it('is recorded for every case', () => {
    expect(cases).toHaveLength(153);
    expect(streams.filter(({ from, path }) => isRejection(from.expected[path] as Rejection))).toHaveLength(
      54,
    );
  });

  for (const { from, path } of streams) {
    const verdict = from.expected[path] as PlainState | Rejection;
    const records = from.records[path] ?? [];
    const title = `${from.name}: ${from.describes}`;
    if (isRejection(verdict)) {
      it(`${title} (rejected)`, () => {
        const replay = new Replay({ history: true });
        const { damage } = readStreamAt(join(from.dir, path), replay);
        const applied = verdict.records_before_error;
        const before = from.partial[path]?.state_before_error as PlainState;
        expect(replay.records).toBe(applied);
        expect(damage?.offset).toBe(records[applied]?.offset);
        expect(plainState(replay.state())).toEqual(withFailedFields(before, records.slice(0, applied)));
      });
    } else {
      it(title, () => {
        const replay = new Replay({ history: true });
        const { damage, stat } = readStreamAt(join(from.dir, path), replay);
        expect(damage).toBeUndefined();
        expect(replay.records).toBe(records.length);
        expect(replay.bytes).toBe(stat.size);
        expect(plainState(replay.state())).toEqual(withFailedFields(verdict, records));
      });
    }
  }
});

describe('the raw records of every stream', () => {
  for (const from of cases) {
    it(from.name, () => {
      for (const [path, expected] of Object.entries(from.records)) {
        const found: unknown[] = [];
        const scanner = new RecordScanner((decoder, offset, length) => {
          // The union names its member in `union`; one that has several names the others in `also`.
          const known = decoder.member !== 0;
          found.push({ offset, length, ...(known ? plainRecord(recordIn(decoder)) : { type: null }) });
          return undefined;
        });
        const bytes = readCase(from, path);
        const rest = scanner.feed(bytes, 0, bytes.length);
        const damage = scanner.atEnd(bytes, rest, bytes.length);
        const readable = expected.filter(({ error }) => error === undefined);
        expect(found).toEqual(
          readable.map(({ offset, length, union, fields, also }) => {
            if (union === null) return { offset, length, type: null };
            const task = also?.task_status;
            return union === 'process_status' && task !== undefined
              ? { offset, length, type: 'task_status', value: plain(task) }
              : { offset, length, type: union, value: plain(fields) };
          }),
        );
        expect(damage?.offset).toBe(expected[readable.length]?.offset);
      }
    });
  }
});

describe('the latest runs alone', () => {
  for (const { from, path } of streams) {
    it(`agree with the whole history: ${from.name}`, () => {
      const bytes = readCase(from, path);
      const whole = replayed(bytes, true);
      const latest = replayed(bytes, false);
      expect(latest.damage).toEqual(whole.damage);
      const state = whole.replay.state();
      const brief = latest.replay.state();
      expect(brief.header).toEqual(state.header);
      expect(brief.statuses).toEqual(state.statuses.slice(-1));
      expect([...brief.processes.keys()]).toEqual([...state.processes.keys()]);
      for (const [name, process] of state.processes) {
        // A run whose very first record was refused half-way is shown, and not counted.
        expect(process.run_count).toBe(process.runs.filter((run) => run.state !== undefined).length);
        expect(process.failures).toBe(process.runs.filter((run) => run.state === 'FAILED').length);
        expect(brief.processes.get(name)).toEqual({ ...process, runs: process.runs.slice(-1) });
      }
    });
  }
});

describe("the coordinators' streams merged in", () => {
  for (const { from, path } of streams) {
    const coordinators = Object.keys(from.records).filter(
      (other) => dirname(other) === dirname(path) && basename(other).startsWith('coordinator.'),
    );
    if (coordinators.length === 0) continue;
    it(`${from.name} ${basename(dirname(path))}`, () => {
      const replay = new Replay({ history: true });
      readStreamAt(join(from.dir, path), replay);
      const before = plainState(replay.state());
      // Said independently: what continues a process's sequence is laid over its last run.
      const expected = plain(before) as PlainState;
      for (const coordinator of coordinators) {
        const process = basename(coordinator).slice('coordinator.'.length);
        expect(readStreamAt(join(from.dir, coordinator), replay.coordinator(process)).damage).toBeUndefined();
        for (const { fields = {} } of from.records[coordinator] ?? []) {
          const run = expected.processes[process]?.at(-1);
          if (run?.state !== undefined && Number(fields.seq) === Number(run.seq) + 1)
            Object.assign(run, fields);
        }
      }
      const after = plainState(replay.state());
      expect(after).toEqual(expected);
      if (!from.damaged) expect(after).toEqual(before);
    });
  }
});

describe("a coordinator's stream by itself", () => {
  for (const from of cases) {
    for (const [path, records] of Object.entries(from.records)) {
      if (!basename(path).startsWith('coordinator.')) continue;
      it(`${from.name} ${basename(path)}`, () => {
        const replay = new Replay({ history: true, coordinator: true });
        expect(readStreamAt(join(from.dir, path), replay).damage).toBeUndefined();
        const { header, statuses, processes } = plainState(replay.state());
        // Each FORKED begins a run; whatever follows is laid over it.
        const runs: Record<string, unknown>[] = [];
        for (const { fields = {} } of records) {
          if (fields.state === 'FORKED') runs.push({});
          Object.assign(runs.at(-1) as object, fields);
        }
        expect({ header, statuses }).toEqual({ header: null, statuses: [] });
        expect(Object.values(processes)).toEqual(runs.length === 0 ? [] : [runs]);
      });
    }
  }
});

/** `same`: what it makes of the sound stream. `skipped`: the original was not asked, it would not have ended. */
type Verdict = PlainState | Rejection | 'same' | 'skipped';

interface SweepLine {
  offset?: number;
  bit?: number;
  length?: number;
  result: Verdict;
}

describe('a stream with one thing wrong', () => {
  const sweep = loadCase('damaged-sweep');
  const path = 'root/checkpoints/hello-1/runner';
  const sound = readCase(sweep, path);
  const lines = (file: string): SweepLine[] =>
    gunzipSync(readFileSync(join(sweep.dir, file)))
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((line) => parseExact(line) as SweepLine);

  /** The state is that of the good prefix, but for what the refused record left behind in one run. */
  function expectGoodPrefix(replay: Replay, bytes: Buffer): void {
    const good = replayed(bytes.subarray(0, replay.bytes));
    expect(good.damage).toBeUndefined();
    expect(good.replay.records).toBe(replay.records);
    const [found, prefix] = [replay.state(), good.replay.state()];
    expect(found.header).toEqual(prefix.header);
    expect(found.statuses).toEqual(prefix.statuses);
    const touched = [...found.processes.values()].filter(
      (process) => !isDeepStrictEqual(process, prefix.processes.get(process.process)),
    );
    expect(touched.length).toBeLessThanOrEqual(1);
    expect(found.processes.size - prefix.processes.size).toBeLessThanOrEqual(touched.length);
    for (const { process, runs } of touched) {
      expect(runs.slice(0, -1)).toEqual(prefix.processes.get(process)?.runs.slice(0, runs.length - 1) ?? []);
    }
  }

  function check(bytes: Buffer, verdict: Verdict): void {
    const { replay, damage } = replayed(bytes);
    if (verdict === 'skipped' || (typeof verdict === 'object' && isRejection(verdict))) {
      expect(damage?.offset).toBe(replay.bytes);
      if (verdict !== 'skipped') expect(replay.records).toBe(verdict.records_before_error);
      expectGoodPrefix(replay, bytes);
    } else {
      expect(damage).toBeUndefined();
      expect(plainState(replay.state())).toEqual(plain(verdict === 'same' ? sweep.expected[path] : verdict));
    }
  }

  function differences(file: string, damaged: (line: SweepLine) => Buffer): string[] {
    return lines(file).flatMap((line) => {
      try {
        check(damaged(line), line.result);
        return [];
      } catch (error) {
        return [`${JSON.stringify(line)}\n${error}`];
      }
    });
  }

  it('each single bit flipped', () => {
    expect(lines('sweep_bits.ndjson.gz')).toHaveLength(sound.length * 8);
    const different = differences('sweep_bits.ndjson.gz', ({ offset, bit }) => {
      const flipped = Buffer.from(sound);
      flipped[offset as number] = (flipped[offset as number] as number) ^ (1 << (bit as number));
      return flipped;
    });
    expect(different).toEqual([]);
  });

  it('cut at each length', () => {
    expect(lines('sweep_cut.ndjson.gz')).toHaveLength(sound.length);
    const different = differences('sweep_cut.ndjson.gz', ({ length }) => sound.subarray(0, length));
    expect(different).toEqual([]);
  });
});
