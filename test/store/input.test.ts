import { execFileSync, spawn } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInput } from '../../src/store/input.js';
import { tempDir } from '../e2e/harness.js';

let temp: { path: string; remove: () => void };
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const MANY = 'é'.repeat(100_000);

test('a file and a pipe that a person named are read to their end', () => {
  const file = `${temp.path}/file`;
  writeFileSync(file, MANY);
  expect(readInput(file, 1e6)).toBe(MANY);

  const pipe = `${temp.path}/pipe`;
  execFileSync('mkfifo', [pipe]);
  spawn('sh', ['-c', 'cat "$0" >"$1"', file, pipe], { stdio: 'ignore' });
  expect(readInput(pipe, 1e6)).toBe(MANY);
});

test('more than is asked for is refused before it is all read', () => {
  const file = `${temp.path}/file`;
  writeFileSync(file, 'x');
  truncateSync(file, 2 ** 40);
  expect(() => readInput(file, 1e6)).toThrow('more than the 1000000 bytes');
  expect(() => readInput('/dev/zero', 1e6)).toThrow('more than the 1000000 bytes');
  expect(() => readInput(`${temp.path}/none`, 1e6)).toThrow('ENOENT');
});
