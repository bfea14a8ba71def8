import { linkSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSameMark, SANDBOX_MARK } from '../../src/layout/sandbox-mark.js';
import { readSandboxMark, sandboxMarkOf, writeSandboxMark } from '../../src/lifecycle/sandbox-mark.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let remove: () => void;

beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  mkdirSync(`${dir}/root`);
  mkdirSync(`${dir}/sandbox`);
});
afterEach(() => remove());

const place = () => ({ root: `${dir}/root`, taskId: 'a' });

test('is read as it was written, and tells the root by its real path and its inode', () => {
  symlinkSync(`${dir}/root`, `${dir}/link`);
  writeSandboxMark(`${dir}/sandbox`, { root: `${dir}/link`, taskId: 'a' });
  const { dev, ino } = statSync(`${dir}/root`);
  expect(readSandboxMark(`${dir}/sandbox`)).toMatchObject({
    mark: { task_id: 'a', root: `${dir}/root`, dev, ino },
    uid: process.geteuid?.(),
    nlink: 1,
  });
});

test('a root in the place of the marked one is another', () => {
  const before = sandboxMarkOf(place());
  renameSync(`${dir}/root`, `${dir}/moved`);
  mkdirSync(`${dir}/root`);
  const after = sandboxMarkOf(place());
  expect(before && after && isSameMark(before, after)).toBe(false);
});

test('overwrites nothing and follows no link', () => {
  writeFileSync(`${dir}/precious`, 'precious');
  symlinkSync(`${dir}/precious`, `${dir}/sandbox/${SANDBOX_MARK}`);
  writeSandboxMark(`${dir}/sandbox`, place());
  expect(readFileSync(`${dir}/precious`, 'utf8')).toBe('precious');
  expect(readSandboxMark(`${dir}/sandbox`)).toBeUndefined();
  symlinkSync(`${dir}/sandbox`, `${dir}/way`);
  expect(() => writeSandboxMark(`${dir}/way`, place())).toThrow(/symbolic link/);
});

test('a second name of it shows', () => {
  writeSandboxMark(`${dir}/sandbox`, place());
  linkSync(`${dir}/sandbox/${SANDBOX_MARK}`, `${dir}/again`);
  expect(readSandboxMark(`${dir}/sandbox`)?.nlink).toBe(2);
});

test('anything else of the name is none', () => {
  writeFileSync(`${dir}/sandbox/${SANDBOX_MARK}`, 'x'.repeat(100_000));
  expect(readSandboxMark(`${dir}/sandbox`)).toBeUndefined();
  expect(readSandboxMark(`${dir}/none`)).toBeUndefined();
});
