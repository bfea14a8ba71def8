import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import { idAt } from '../../src/logs/log-tree.js';
import { tempDir } from '../e2e/harness.js';

let temp: ReturnType<typeof tempDir>;
let directory: string;
let log: string;
let tree: LocalLogTree;
beforeEach(() => {
  temp = tempDir();
  directory = join(temp.path, 'logs', 'web', '0');
  log = join(directory, 'stdout');
  mkdirSync(directory, { recursive: true });
  tree = new LocalLogTree({ below: join(temp.path, 'logs') });
});
afterEach(() => temp.remove());

test('names of a directory, as far as they were asked for', () => {
  for (const name of ['a', 'b', 'c']) writeFileSync(join(directory, name), '');
  expect(tree.list(directory, 5)).toMatchObject({ complete: true });
  const some = tree.list(directory, 2);
  expect('names' in some && [some.names.length, some.complete]).toEqual([2, false]);
  expect(tree.list(join(directory, 'no'), 5)).toEqual({ absent: true });
  expect(tree.list(join(directory, 'a'), 5)).toMatchObject({ problem: { code: 'log-unreadable' } });
});

test('a file keeps its id when it is renamed, and an open one is read on', async () => {
  expect(tree.stat(log)).toEqual({ absent: true });
  expect(await idAt(tree, log)).toBeUndefined();
  writeFileSync(log, 'one\n');
  const id = await idAt(tree, log);
  const opened = tree.open(log);
  if (!('file' in opened)) throw new Error('it is not open');
  const { file } = opened;
  renameSync(log, `${log}.1`);
  appendFileSync(`${log}.1`, 'two\n');
  expect(await idAt(tree, `${log}.1`)).toBe(id);
  expect([file.id, file.size, await file.stat()]).toEqual([id, 4, { size: 8, deleted: false }]);
  const bytes = Buffer.alloc(8);
  expect([await file.readAt(bytes, 8, 4), bytes.toString('utf8', 0, 4)]).toEqual([4, 'two\n']);
  rmSync(`${log}.1`);
  expect(await file.stat()).toEqual({ size: 8, deleted: true });
  file.close();
});

test('nothing but a regular file of the directory is opened, and none of it is thrown', () => {
  expect(tree.open(log)).toEqual({ absent: true });
  symlinkSync('/etc/passwd', log);
  expect(tree.open(log)).toMatchObject({ problem: { code: 'log-link-refused', path: log } });
  expect('size' in tree.stat(log)).toBe(false);
  const fifo = join(directory, 'stderr');
  execFileSync('mkfifo', [fifo]);
  expect(tree.open(fifo)).toMatchObject({ problem: { code: 'log-not-a-file' } });
  expect(tree.open(directory)).toMatchObject({ problem: { code: 'log-not-a-file' } });
  symlinkSync('0', join(temp.path, 'logs', 'web', '1'));
  const linked = join(temp.path, 'logs', 'web', '1', 'stdout');
  expect(tree.stat(linked)).toMatchObject({ problem: { code: 'log-link-refused' } });
  expect(tree.open(linked)).toMatchObject({ problem: { code: 'log-link-refused' } });
});

test('no directory keeps us out that is open, or not there', () => {
  expect(tree.denied(directory)).toBeUndefined();
  expect(tree.denied(join(temp.path, 'logs'), 'web', '7')).toBeUndefined();
});
