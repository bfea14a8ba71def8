import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkpointNamed, listRecords, readCheckpoint } from '../../src/app/read-checkpoint.js';
import { tempDir } from '../e2e/harness.js';
import { RAN, Records, writeTask } from '../task/trees.js';

let temp: ReturnType<typeof tempDir>;
let path: string;
beforeEach(() => {
  temp = tempDir();
  path = `${temp.path}/runner`;
});
afterEach(() => temp.remove());

const begun = () => new Records().status('ACTIVE').header({ task_id: 't', uid: 0 });
const over = () =>
  begun()
    .process('p', ...RAN)
    .status('SUCCESS');
const TORN = Buffer.from([0, 0, 0, 9, 12]);

/** What is given, in order: the types of records, problems by their codes. */
function receiver(onFlush: () => void = () => {}) {
  const given: string[] = [];
  return {
    given,
    record: ({ type }: { type: string }) => void given.push(type),
    replaced: ({ code }: { code: string }) => void given.push(code),
    flush: onFlush,
  };
}

describe('a checkpoint that is replayed', () => {
  test('by its path, or by the directory that it is in', () => {
    writeFileSync(path, over().bytes());
    const replayed = readCheckpoint(checkpointNamed(path));
    expect(replayed).toMatchObject({ records: 7, problems: [] });
    expect(replayed.state.statuses.map(({ state }) => state)).toEqual(['ACTIVE', 'SUCCESS']);
    expect(readCheckpoint(checkpointNamed(temp.path))).toEqual(replayed);
  });

  test('by its task, as other commands name it', () => {
    const flags = { root: [temp.path] };
    writeTask(temp.path, 'web-0', { runner: over() });
    writeTask(temp.path, 'web-1', { runner: over() });
    const stream = join(temp.path, 'checkpoints/web-0/runner');
    expect(checkpointNamed('web-0', flags).path).toBe(stream);
    expect(readCheckpoint(checkpointNamed('eb-0', flags))).toMatchObject({ records: 7 });
    expect(() => checkpointNamed('web', flags)).toThrow(expect.objectContaining({ code: 'ambiguous-task' }));
    expect(() => readCheckpoint(checkpointNamed('other', flags))).toThrow(
      expect.objectContaining({ code: 'checkpoint-missing', exitCode: 1 }),
    );
    // What is below a root is not followed.
    rmSync(stream);
    symlinkSync('../web-1/runner', stream);
    expect(() => readCheckpoint(checkpointNamed('web-0', flags))).toThrow(
      expect.objectContaining({ code: 'checkpoint-unreadable' }),
    );
  });

  test('as far as it is whole', () => {
    writeFileSync(path, over().bytes());
    appendFileSync(path, TORN);
    const { records, problems } = readCheckpoint(checkpointNamed(path));
    expect([records, problems.map(({ code }) => code)]).toEqual([7, ['checkpoint-damaged']]);
    writeFileSync(path, begun().bytes());
    appendFileSync(path, TORN);
    expect(readCheckpoint(checkpointNamed(path)).problems.map(({ code }) => code)).toEqual([
      'checkpoint-incomplete',
    ]);
  });

  test('only if it is a file that is there', () => {
    expect(() => readCheckpoint(checkpointNamed(path))).toThrow(
      expect.objectContaining({ code: 'checkpoint-missing', exitCode: 1 }),
    );
    mkdirSync(path);
    expect(() => readCheckpoint(checkpointNamed(temp.path))).toThrow(
      expect.objectContaining({ code: 'checkpoint-unreadable', exitCode: 5 }),
    );
  });
});

describe('records that are listed', () => {
  const RECORDS = ['task_status', 'runner_header', ...RAN.map(() => 'process_status'), 'task_status'];

  test('in their order', async () => {
    writeFileSync(path, over().bytes());
    const { given, ...rest } = receiver();
    expect(await listRecords(checkpointNamed(path), false, rest)).toBeUndefined();
    expect(given).toEqual(RECORDS);
  });

  test('up to the damage', async () => {
    writeFileSync(path, over().bytes());
    appendFileSync(path, TORN);
    const { given, ...rest } = receiver();
    expect(await listRecords(checkpointNamed(path), false, rest)).toMatchObject({
      code: 'checkpoint-damaged',
    });
    expect(given).toEqual(RECORDS);
  });

  test('and followed until the task is over', async () => {
    const whole = over().bytes();
    const first = begun().bytes();
    writeFileSync(path, first);
    let flushed = 0;
    const { given, ...rest } = receiver(() => {
      flushed += 1;
      if (flushed === 1) appendFileSync(path, whole.subarray(first.length));
    });
    expect(await listRecords(checkpointNamed(path), true, rest)).toBeUndefined();
    expect(given).toEqual(RECORDS);
    expect(flushed).toBeGreaterThan(0);
  });

  test('of another stream that took the place of the one that is followed', async () => {
    writeFileSync(path, begun().bytes());
    let isReplaced = false;
    const { given, ...rest } = receiver(() => {
      if (isReplaced) return;
      isReplaced = true;
      writeFileSync(`${path}.new`, over().bytes());
      renameSync(`${path}.new`, path);
    });
    expect(await listRecords(checkpointNamed(path), true, rest)).toBeUndefined();
    expect(given).toEqual(['task_status', 'runner_header', 'checkpoint-replaced', ...RECORDS]);
  });

  test('of nothing are an error, as those of what is no file', async () => {
    const { given, ...rest } = receiver();
    await expect(listRecords(checkpointNamed(path), true, rest)).rejects.toMatchObject({
      code: 'checkpoint-missing',
    });
    await expect(listRecords(checkpointNamed(path), false, rest)).rejects.toMatchObject({
      code: 'checkpoint-missing',
    });
    expect(given).toEqual([]);
  });
});
