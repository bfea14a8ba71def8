import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordLister } from '../../src/checkpoint/follow.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import { tempDir } from '../e2e/harness.js';
import { readStreamAt } from './streams.js';

const RECORDS: CheckpointRecord[] = [
  { type: 'task_status', value: { state: 'ACTIVE', timestamp_ms: 1, runner_pid: 2, runner_uid: 3 } },
  { type: 'runner_header', value: { task_id: 'a', sandbox: '/s', ports: { http: 80 } } },
  { type: 'process_status', value: { seq: 0, process: 'p', state: 'WAITING' } },
];

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

describe('CheckpointWriter', () => {
  it('writes what the reader reads, behind what is there', () => {
    const path = join(dir, 'runner');
    for (const part of [RECORDS.slice(0, 1), RECORDS.slice(1)]) {
      const fd = openSync(path, 'a');
      const writer = new CheckpointWriter(fd);
      for (const record of part) writer.append(record);
      closeSync(fd);
    }
    const read: CheckpointRecord[] = [];
    expect(readStreamAt(path, new RecordLister((record) => read.push(record))).damage).toBeUndefined();
    expect(read).toEqual(RECORDS);
  });

  it('writes many at once, or none of them', () => {
    const path = join(dir, 'runner');
    const fd = openSync(path, 'a');
    new CheckpointWriter(fd).appendAll([]);
    new CheckpointWriter(fd).appendAll(RECORDS);
    closeSync(fd);
    const read: CheckpointRecord[] = [];
    readStreamAt(path, new RecordLister((record) => read.push(record)));
    expect(read).toEqual(RECORDS);
    const before = readFileSync(path);
    const reader = openSync(path, 'r');
    expect(() => new CheckpointWriter(reader).appendAll(RECORDS)).toThrow();
    closeSync(reader);
    expect(readFileSync(path)).toEqual(before);
  });

  it('writes while the disk is busy, and tells what is durable', async () => {
    const path = join(dir, 'runner');
    const fd = openSync(path, 'a');
    const writer = new CheckpointWriter(fd);
    for (const record of RECORDS) {
      writer.write([record]);
      await new Promise<void>((resolve, reject) =>
        writer.sync((error) => (error === undefined ? resolve() : reject(error))),
      );
    }
    const read: CheckpointRecord[] = [];
    readStreamAt(path, new RecordLister((record) => read.push(record)));
    expect(read).toEqual(RECORDS);
    writer.write(RECORDS);
    writer.sync(() => expect.unreachable());
    writer.close();
    await new Promise<void>((resolve) => new CheckpointWriter(fd).sync(() => resolve()));
    closeSync(fd);
  });

  it('says why nothing is durable', async () => {
    // A device that cannot be synced.
    const fd = openSync('/dev/null', 'a');
    const writer = new CheckpointWriter(fd);
    writer.write(RECORDS);
    expect(await new Promise((resolve) => writer.sync(resolve))).toMatchObject({
      code: 'checkpoint-write-failed',
      message: 'cannot write to the checkpoint: invalid argument',
    });
    closeSync(fd);
  });

  it('removes what it cannot write completely', () => {
    const path = join(dir, 'runner');
    writeFileSync(path, 'before');
    const fd = openSync(path, 'r');
    expect(() => new CheckpointWriter(fd).append(RECORDS[0] as CheckpointRecord)).toThrow();
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('before');
  });

  it('says that the device is full', () => {
    const fd = openSync('/dev/full', 'a');
    expect(() => new CheckpointWriter(fd).append(RECORDS[0] as CheckpointRecord)).toThrow(
      /no space left on device/,
    );
    closeSync(fd);
  });
});
