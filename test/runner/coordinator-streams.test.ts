import { appendFileSync, closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CheckpointRecord, ProcessStatus } from '../../src/checkpoint/records.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import { CoordinatorStreams } from '../../src/runner/coordinator-streams.js';
import { RunnerRoot } from '../../src/runner/runner-root.js';
import { tempDir } from '../e2e/harness.js';

let temp: ReturnType<typeof tempDir>;
let root: RunnerRoot;
let streams: CoordinatorStreams;
let seen: unknown[];
beforeEach(() => {
  temp = tempDir();
  mkdirSync(join(temp.path, 'checkpoints/task'), { recursive: true });
  root = new RunnerRoot({ root: temp.path, taskId: 'task' });
  seen = [];
  streams = new CoordinatorStreams(root, ({ value }) => seen.push((value as ProcessStatus).seq));
});
afterEach(() => {
  root.close();
  temp.remove();
});

const pathOf = (process: string) => join(temp.path, 'checkpoints/task', `coordinator.${process}`);

function append(stream: string, ...records: readonly CheckpointRecord[]): void {
  const fd = openSync(pathOf(stream), 'a', 0o644);
  new CheckpointWriter(fd).appendAll(records);
  closeSync(fd);
}

const forked = (process: string, seq: number): CheckpointRecord => ({
  type: 'process_status',
  value: { seq, process, state: 'FORKED', fork_time: 1, coordinator_pid: 2 },
});

test('each record is given once, as it comes', () => {
  expect(streams.read('p')).toBeUndefined();
  append('p', forked('p', 1));
  streams.read('p');
  append('p', forked('p', 4), forked('p', 7));
  streams.read('p');
  streams.read('p');
  expect(seen).toEqual([1, 4, 7]);
});

test('a record of something else is passed over', () => {
  append('p', { type: 'task_status', value: { state: 'SUCCESS' } }, forked('q', 1), forked('p', 2));
  expect(streams.read('p')).toBeUndefined();
  expect(seen).toEqual([2]);
});

test('a record that is cut short is waited for', () => {
  append('p', forked('p', 1));
  appendFileSync(pathOf('p'), Buffer.from([0, 0, 0, 50, 12]));
  expect(streams.read('p')).toBeUndefined();
  expect(seen).toEqual([1]);
});

test('damage is reported once, and a stream that is whole again is read from its beginning', () => {
  append('p', forked('p', 1));
  writeFileSync(pathOf('p'), Buffer.from('\0\0\0\x04junk and more'), { flag: 'a' });
  expect(streams.read('p')).toMatchObject({ code: 'checkpoint-damaged', process: 'p', path: pathOf('p') });
  expect(streams.read('p')).toBeUndefined();
  rmSync(pathOf('p'));
  append('p', forked('p', 4));
  expect(streams.read('p')).toBeUndefined();
  expect(seen.at(-1)).toBe(4);
});

test('what is in the place of a stream, and none, is reported once', () => {
  mkdirSync(pathOf('p'));
  expect(streams.read('p')).toMatchObject({ severity: 'error', process: 'p' });
  expect(streams.read('p')).toBeUndefined();
  append('q', forked('q', 1));
  streams.read('q');
  expect(seen).toEqual([1]);
});

test('a name that leads elsewhere has no stream', () => {
  expect(streams.read('../../p')).toBeUndefined();
});
