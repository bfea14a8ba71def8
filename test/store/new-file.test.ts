import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Directories } from '../../src/store/directories.js';
import { writeNewFile } from '../../src/store/new-file.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let fd: number;
let directories: Directories;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  directories = new Directories();
  fd = directories.fdWithoutLinks(dir);
});
afterEach(() => {
  directories.close();
  remove();
});

test('is written as requested, and its identity is reported before', () => {
  const text = 'ü'.repeat(100_000);
  let made: number | undefined;
  writeNewFile(fd, 'f', text, { mode: 0o640, durable: true, made: ({ ino, size }) => (made = size || ino) });
  const { mode, ino } = lstatSync(`${dir}/f`);
  expect([readFileSync(`${dir}/f`, 'utf8') === text, mode & 0o777, made]).toEqual([true, 0o640, ino]);
});

test('overwrites nothing, and follows no link', () => {
  writeFileSync(`${dir}/f`, 'old');
  symlinkSync('target', `${dir}/dangling`);
  for (const name of ['f', 'dangling']) {
    expect(() => writeNewFile(fd, name, 'new', { mode: 0o600 })).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
  }
  expect(readFileSync(`${dir}/f`, 'utf8')).toBe('old');
  expect(() => lstatSync(`${dir}/target`)).toThrow();
});
