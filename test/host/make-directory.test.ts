import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errnoOf } from '../../src/errors/errors.js';
import { makeDirectory } from '../../src/host/make-directory.js';
import { tempDir } from '../e2e/harness.js';

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

test('makes what is missing above, and says whether it was there', () => {
  const path = join(temp.path, 'a/b/c');
  expect(makeDirectory(path)).toBe(true);
  expect(statSync(path).isDirectory()).toBe(true);
  expect(makeDirectory(path)).toBe(false);
  mkdirSync(join(temp.path, 'real'));
  symlinkSync(join(temp.path, 'real'), join(temp.path, 'link'));
  expect(makeDirectory(join(temp.path, 'link'))).toBe(false);
  expect(makeDirectory(join(temp.path, 'link/below'))).toBe(true);
});

test.each([
  ['file', 'EEXIST'],
  ['file/below', 'ENOTDIR'],
  ['broken', 'ENOENT'],
  // Where nobody can make a directory, root neither.
  ['/proc/none/below', 'ENOENT'],
])('of %s says %s', (name, errno) => {
  writeFileSync(join(temp.path, 'file'), '');
  symlinkSync('nothing', join(temp.path, 'broken'));
  let caught: unknown;
  try {
    makeDirectory(name.startsWith('/') ? name : join(temp.path, name));
  } catch (error) {
    caught = errnoOf(error);
  }
  expect(caught).toBe(errno);
});
