import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
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

test('a file and a pipe that a person named are read to their end', async () => {
  const file = `${temp.path}/file`;
  writeFileSync(file, MANY);
  expect(String(readInput(file, { max: 1e6 }))).toBe(MANY);

  const pipe = `${temp.path}/pipe`;
  execFileSync('mkfifo', [pipe]);
  // It opens the pipe before it is read: a later writer is waited for only a second.
  const script = 'exec 3<>"$1"; echo ready; cat "$0" >&3';
  const writer = spawn('sh', ['-c', script, file, pipe], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(writer.stdout, 'data');
  expect(String(readInput(pipe, { max: 1e6 }))).toBe(MANY);
});

test('more than is asked for is refused before it is all read', () => {
  const file = `${temp.path}/file`;
  writeFileSync(file, 'x');
  truncateSync(file, 2 ** 40);
  expect(() => readInput(file, { max: 1e6 })).toThrow('more than 1000000 bytes');
  expect(() => readInput('/dev/zero', { max: 1e6 })).toThrow('more than 1000000 bytes');
  expect(() => readInput(`${temp.path}/none`, { max: 1e6 })).toThrow('ENOENT');
});

test('a pipe that nobody writes to is not waited for', () => {
  const pipe = `${temp.path}/pipe`;
  execFileSync('mkfifo', [pipe]);
  expect(() => readInput(pipe, { max: 9 })).toThrow(`nobody writes to the pipe ${pipe}`);
});

test('what is too long is refused in the words of who asks', () => {
  writeFileSync(`${temp.path}/file`, 'xyz');
  const tooLong = (length: number) => new Error(`${length} is too long`);
  expect(() => readInput(`${temp.path}/file`, { max: 2, tooLong })).toThrow('3 is too long');
});
