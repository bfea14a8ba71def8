import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageRecord } from '../../src/app/usage-record.js';
import type { TaskView } from '../../src/task/view.js';
import { tempDir } from '../e2e/harness.js';

const NOW = 1_000_000;
const VIEW = { task_id: 't', root: { path: '/r' } } as TaskView;
const line = (time_ms: number, cpu: number) =>
  `${JSON.stringify({ time_ms, interval_ms: 1000, tasks: [{ task_id: 't', root: '/r', cpu, processes: [] }] })}\n`;

let dir: string;
let file: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  file = `${dir}/f`;
});
afterEach(() => remove());

const record = (limits?: { bytes: number; line: number }) => new UsageRecord(file, () => NOW, limits);
const codes = (problems: readonly { code: string }[]) => problems.map(({ code }) => code);

test('the file that was full is read before the one in its place', () => {
  writeFileSync(`${file}.1`, line(1000, 1) + line(2000, 2));
  writeFileSync(file, line(3000, 3));
  const usage = record();
  expect([usage.read(), usage.of(VIEW)?.samples, usage.of(VIEW)?.cpuMax, usage.missing()]).toEqual([
    [],
    3,
    3,
    [],
  ]);
});

test('asked again, it reads what is new, also when the file was full, cut or replaced meanwhile', () => {
  writeFileSync(file, line(1000, 1));
  const usage = record();
  const samples = () => {
    expect(usage.read()).toEqual([]);
    return usage.of(VIEW)?.samples;
  };
  expect(samples()).toBe(1);
  expect(samples()).toBe(1);
  appendFileSync(file, line(2000, 2).slice(0, 20));
  expect(samples()).toBe(1);
  appendFileSync(file, line(2000, 2).slice(20) + line(3000, 3));
  expect(samples()).toBe(3);
  appendFileSync(file, line(4000, 4));
  renameSync(file, `${file}.1`);
  writeFileSync(file, line(5000, 5));
  expect(samples()).toBe(5);
  truncateSync(file);
  appendFileSync(file, line(6, 6).slice(0, 60));
  expect(samples()).toBe(5);
});

test('lines that are no samples are left out, and said once, with the place of the first', () => {
  writeFileSync(file, `${line(1000, 1)}junk\n${line(2000, 2)}{"a":1}\n${line(NOW * 10, 9)}`);
  const usage = record();
  const [problem, ...others] = usage.read();
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code: 'record-damaged', severity: 'warning' });
  expect(problem?.message).toContain(
    `3 lines of the record are left out, the first at byte ${line(1000, 1).length} of ${file}`,
  );
  expect(usage.of(VIEW)).toMatchObject({ samples: 2, cpuMax: 2 });
});

test('of a long record, its end is read, and long lines are left out', () => {
  writeFileSync(file, line(1000, 1) + line(2000, 2) + line(3000, 3));
  const usage = record({ bytes: line(3000, 3).length * 2, line: 1000 });
  expect(codes(usage.read())).toEqual(['record-too-large']);
  expect(usage.of(VIEW)).toMatchObject({ samples: 2, fromMs: 1000 });
  const short = record({ bytes: 1e6, line: 50 });
  expect([codes(short.read()), short.of(VIEW)]).toEqual([['record-damaged'], undefined]);
});

test('what is no regular file, or a link, or not there, is said, and is no crash', () => {
  expect(codes(record().read())).toEqual(['record-unreadable']);
  mkdirSync(file);
  expect(codes(record().read())).toEqual(['record-unreadable']);
  rmSync(file, { recursive: true });
  writeFileSync(`${dir}/other`, line(1000, 1));
  symlinkSync(`${dir}/other`, file);
  expect(codes(record().read())).toEqual(['record-unreadable']);
  expect(record().missing()).toEqual([]);
});

test('a record of other tasks says that', () => {
  writeFileSync(file, line(1000, 1));
  const usage = record();
  usage.read();
  expect(usage.of({ ...VIEW, task_id: 'u' } as TaskView)).toBeUndefined();
  expect(codes(usage.missing())).toEqual(['record-empty']);
});

test('whatever the bytes are, it is read, and the lines that are samples count', () => {
  const piece = fc.oneof(
    fc.constant(Buffer.from(line(1000, 1))),
    fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.concat([Buffer.from(bytes).filter((byte) => byte !== 10), Buffer.from('\n')])),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      writeFileSync(file, Buffer.concat(pieces as Uint8Array[]));
      const usage = record();
      expect(usage.read().every(({ code }) => code === 'record-damaged')).toBe(true);
      const samples = pieces.filter((each) => each.toString() === line(1000, 1)).length;
      expect(usage.of(VIEW)?.samples ?? 0).toBe(samples);
    }),
    { numRuns: 100 },
  );
});
