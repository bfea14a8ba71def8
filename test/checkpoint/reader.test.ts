import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordIn } from '../../src/checkpoint/codec.js';
import { RecordScanner } from '../../src/checkpoint/framing.js';
import { CheckpointFile } from '../../src/checkpoint/reader.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { Replay } from '../../src/checkpoint/replay.js';
import { tempDir } from '../e2e/harness.js';
import { soundRecords, streamOf } from './arbitraries.js';
import { opening, readStreamAt } from './streams.js';

let dir: string;
let remove: () => void;
let path: string;

beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  path = join(dir, 'runner');
});
afterEach(() => remove());

function atOnce(bytes: Buffer) {
  const replay = new Replay({ history: true });
  replay.feed(bytes, 0, bytes.length);
  return replay.state();
}

const status = (runner_pid: number): CheckpointRecord => ({
  type: 'task_status',
  value: { state: 'ACTIVE', runner_pid },
});
const header = (sandbox: string): CheckpointRecord => ({ type: 'runner_header', value: { sandbox } });

describe('a stream on disk', () => {
  it('longer than what is read at once is read to its end', () => {
    const records = Array.from({ length: 50_000 }, (_, k) => status(k));
    writeFileSync(path, streamOf(records));
    const replay = new Replay({ history: true });
    const { damage, stat } = readStreamAt(path, replay);
    expect(damage).toBeUndefined();
    expect(replay.bytes).toBe(stat.size);
    expect(replay.state().statuses.map(({ runner_pid }) => runner_pid)).toEqual(records.map((_, k) => k));
  });

  it('may hold records longer than what is read at once', () => {
    const sizes = [262_000, 262_144, 3_000_000, 10, 600_000];
    const records = sizes.flatMap((size, k) => [header('x'.repeat(size)), status(k)]);
    writeFileSync(path, streamOf(records));
    const found: CheckpointRecord[] = [];
    const scanner = new RecordScanner((decoder) => {
      found.push(recordIn(decoder));
      return undefined;
    });
    expect(readStreamAt(path, scanner).damage).toBeUndefined();
    expect(found).toEqual(records);
  });

  it.each([0, 1, 3, 4, 5, 40, 41])('cut short %d bytes into a record says where and what', (bytes) => {
    const first = streamOf([status(1)]);
    const second = streamOf([header('y'.repeat(500_000))]);
    writeFileSync(path, Buffer.concat([first, second.subarray(0, bytes)]));
    const { damage } = readStreamAt(path, new Replay({ history: true }));
    expect(damage?.offset).toBe(bytes === 0 ? undefined : first.length);
    expect(damage?.kind).toBe(bytes === 0 ? undefined : 'incomplete');
  });

  it('that is damaged in its middle is read up to there', () => {
    const good = streamOf(Array.from({ length: 20_000 }, (_, k) => status(k)));
    writeFileSync(path, Buffer.concat([good, Buffer.alloc(4), good]));
    const replay = new Replay({ history: false });
    expect(readStreamAt(path, replay).damage).toMatchObject({ kind: 'damaged', offset: good.length });
    expect(replay.records).toBe(20_000);
  });

  it('may be empty', () => {
    writeFileSync(path, '');
    const replay = new Replay({ history: true });
    expect(readStreamAt(path, replay).damage).toBeUndefined();
    const { processes, ...state } = replay.state();
    expect(state).toEqual({ header: null, statuses: [] });
    expect(processes.size).toBe(0);
  });

  it('with many holes is read up to its first megabyte, whatever follows them', () => {
    const good = streamOf([status(1)]);
    const size = 200 << 20;
    writeFileSync(path, good);
    truncateSync(path, size);
    const replay = new Replay({ history: true });
    // Zeros are damage.
    expect(readStreamAt(path, replay).damage).toMatchObject({ kind: 'damaged', offset: good.length });
    const long = Buffer.alloc(4);
    long.writeUInt32BE(60 << 20);
    writeFileSync(path, Buffer.concat([good, long]));
    truncateSync(path, size);
    expect(readStreamAt(path, new Replay({ history: true })).damage).toEqual({
      kind: 'damaged',
      offset: good.length,
      reason: expect.stringMatching(`of ${size} bytes only [0-9]+ are on disk`),
      sparse: true,
    });
  });

  it('may be reached by a link', () => {
    writeFileSync(join(dir, 'real'), streamOf([status(5)]));
    symlinkSync('real', path);
    const replay = new Replay({ history: true });
    readStreamAt(path, replay);
    expect(replay.records).toBe(1);
  });
});

describe('what is not a file is refused at once', () => {
  const refused = (place: string) => () => readStreamAt(place, new Replay({ history: true }));

  it('a FIFO that nobody writes to', () => {
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    expect(refused(path)).toThrow('not a regular file');
  });

  it('an endless device', () => {
    expect(refused('/dev/zero')).toThrow('not a regular file');
  });

  it('a directory', () => {
    mkdirSync(path);
    expect(refused(path)).toThrow('not a regular file');
  });

  it('nothing, a dangling link, a loop of links', () => {
    expect(refused(path)).toThrow('ENOENT');
    symlinkSync('nowhere', path);
    expect(refused(path)).toThrow('ENOENT');
    rmSync(path);
    symlinkSync('runner', path);
    expect(refused(path)).toThrow('ELOOP');
  });
});

describe('a stream that is read again', () => {
  it('gives what reading it at once gives, whatever the steps', () => {
    fc.assert(
      fc.property(soundRecords, fc.array(fc.nat({ max: 300 }), { maxLength: 8 }), (records, steps) => {
        const bytes = streamOf(records);
        writeFileSync(path, '');
        const file = new CheckpointFile(opening(path), { history: true });
        let at = 0;
        for (const step of [...steps, bytes.length]) {
          appendFileSync(path, bytes.subarray(at, at + step));
          at = Math.min(at + step, bytes.length);
          const { damage } = file.refresh();
          expect(file.replay.state()).toEqual(atOnce(bytes.subarray(0, at)));
          expect(damage?.kind ?? 'incomplete').toBe('incomplete');
          expect(damage?.offset ?? at).toBe(file.replay.bytes);
        }
        expect(file.replay.bytes).toBe(bytes.length);
      }),
      { numRuns: 60 },
    );
  });

  it('reads only what was appended', () => {
    writeFileSync(path, streamOf([status(1)]));
    const file = new CheckpointFile(opening(path), { history: true });
    file.refresh();
    const { replay } = file;
    appendFileSync(path, streamOf([status(2)]));
    file.refresh();
    expect(file.replay).toBe(replay);
    expect(replay.state().statuses.map(({ runner_pid }) => runner_pid)).toEqual([1, 2]);
  });

  it('starts again when another file took its place', () => {
    writeFileSync(path, streamOf([status(1), status(2)]));
    const file = new CheckpointFile(opening(path), { history: true });
    file.refresh();
    writeFileSync(join(dir, 'new'), streamOf([status(7), status(8), status(9)]));
    renameSync(join(dir, 'new'), path);
    expect(file.refresh().damage).toBeUndefined();
    expect(file.replay.state().statuses.map(({ runner_pid }) => runner_pid)).toEqual([7, 8, 9]);
  });

  it('starts again when it became shorter than what was read', () => {
    const first = streamOf([status(1)]);
    writeFileSync(path, streamOf([status(1), status(2)]));
    const file = new CheckpointFile(opening(path), { history: true });
    file.refresh();
    truncateSync(path, first.length);
    expect(file.refresh().damage).toBeUndefined();
    expect(file.replay.state().statuses.map(({ runner_pid }) => runner_pid)).toEqual([1]);
  });

  it('starts again when a damaged one was replaced by a sound one', () => {
    writeFileSync(path, Buffer.concat([streamOf([status(1)]), Buffer.alloc(8)]));
    const file = new CheckpointFile(opening(path), { history: true });
    expect(file.refresh().damage?.kind).toBe('damaged');
    writeFileSync(join(dir, 'new'), streamOf([status(1), status(2)]));
    renameSync(join(dir, 'new'), path);
    expect(file.refresh().damage).toBeUndefined();
    expect(file.replay.records).toBe(2);
  });

  it('starts again when it was written again, wherever it is another and however long', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        fc.integer({ min: 0, max: 20 }),
        (count, which, more) => {
          const before = Array.from({ length: count }, (_, k) => status(k));
          const after = [...before, ...Array.from({ length: more }, (_, k) => status(1000 + k))];
          after[which % count] = status(-1);
          writeFileSync(path, streamOf(before));
          const file = new CheckpointFile(opening(path), { history: true });
          expect(file.refresh().change).toBeUndefined();
          writeFileSync(path, streamOf(after));
          expect(file.refresh()).toMatchObject({ change: 'rewritten', damage: undefined });
          expect(file.replay.state()).toEqual(atOnce(streamOf(after)));
          expect(file.refresh().change).toBeUndefined();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('starts again when a long one was written again', () => {
    const records = (from: number) => streamOf(Array.from({ length: 60_000 }, (_, k) => status(from + k)));
    writeFileSync(path, records(0));
    const file = new CheckpointFile(opening(path), { history: false });
    file.refresh();
    // Its beginning and its end are the same.
    const bytes = Buffer.concat([records(0).subarray(0, 600_000), records(500_000).subarray(600_000, -8000)]);
    writeFileSync(path, Buffer.concat([bytes, records(0).subarray(-8000)]));
    expect(file.refresh().change).toBe('rewritten');
  });

  it('goes on when it was only touched', () => {
    writeFileSync(path, streamOf([status(1)]));
    const file = new CheckpointFile(opening(path), { history: true });
    file.refresh();
    const { replay } = file;
    utimesSync(path, 1, 1);
    expect(file.refresh().change).toBeUndefined();
    expect(file.replay).toBe(replay);
  });

  it('is sound again when its damage was mended in its place', () => {
    const good = streamOf([status(1), status(2)]);
    const bad = Buffer.from(good);
    bad[good.length / 2 + 4] = 99;
    const shortened = good.subarray(0, good.length / 2);
    for (const mended of [good, shortened, Buffer.concat([good, good])]) {
      writeFileSync(path, bad);
      const file = new CheckpointFile(opening(path), { history: true });
      expect(file.refresh().damage?.kind).toBe('damaged');
      expect(file.refresh().damage?.kind).toBe('damaged');
      writeFileSync(path, mended);
      expect(file.refresh().damage).toBeUndefined();
      expect(file.replay.state()).toEqual(atOnce(mended));
    }
  });

  it('that is damaged stays so when more is appended, and is not read again', () => {
    writeFileSync(path, Buffer.concat([streamOf([status(1)]), Buffer.alloc(4)]));
    const file = new CheckpointFile(opening(path), { history: true });
    const { damage } = file.refresh();
    const { replay } = file;
    appendFileSync(path, streamOf([status(2)]));
    expect(file.refresh().damage).toEqual(damage);
    expect(file.replay).toBe(replay);
  });

  it('says when it is gone, and goes on when it is back', () => {
    writeFileSync(path, streamOf([status(1)]));
    const file = new CheckpointFile(opening(path), { history: true });
    file.refresh();
    rmSync(path);
    expect(() => file.refresh()).toThrow('ENOENT');
    writeFileSync(path, streamOf([status(3), status(4)]));
    file.refresh();
    expect(file.replay.state().statuses.map(({ runner_pid }) => runner_pid)).toEqual([3, 4]);
  });
});
