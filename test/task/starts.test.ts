import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeBoot, encodeStart, MOST_STARTS_BYTES } from '../../src/layout/starts.js';
import { readStarts } from '../../src/task/starts.js';
import { tempDir } from '../e2e/harness.js';

const UID = process.getuid?.() ?? 0;
const TEXT = `${encodeBoot('boot')}${encodeStart({ pid: 7, time: 1.5, ticks: 9 })}`;
let temp: ReturnType<typeof tempDir>;
let path: string;
beforeEach(() => {
  temp = tempDir();
  path = join(temp.path, 'starts');
});
afterEach(() => temp.remove());

const read = (trusted = new Set([0, UID])) => readStarts(temp.path, { below: temp.path }, trusted, 'boot');

test('a file of the runner is believed; without one there is nothing to say', () => {
  expect(read()).toEqual({ starts: expect.anything() });
  expect(read().starts.all()).toEqual([]);
  writeFileSync(path, TEXT, { mode: 0o644 });
  const { starts, problem } = read();
  expect([starts.of(7, 1.5), problem]).toEqual([9, undefined]);
});

test.each<[string, () => void, RegExp]>([
  ['that everybody can write', () => chmodSync(path, 0o666), /can be written by everybody$/],
  ['with another name', () => linkSync(path, join(temp.path, 'other')), /has another name/],
  ['that is huge', () => truncateSync(path, MOST_STARTS_BYTES + 1), /more than the 4194304 that are read$/],
  [
    'that is a link',
    () => {
      rmSync(path);
      writeFileSync(join(temp.path, 'target'), TEXT, { mode: 0o644 });
      symlinkSync('target', path);
    },
    /symbolic link/,
  ],
  [
    'that is a pipe',
    () => {
      rmSync(path);
      spawnSync('mkfifo', [path]);
    },
    /not a regular file$/,
  ],
  [
    'that is a directory',
    () => {
      rmSync(path);
      mkdirSync(path);
    },
    /not a regular file$/,
  ],
])('a file %s is not believed, and told', (_what, spoil, message) => {
  writeFileSync(path, TEXT, { mode: 0o644 });
  spoil();
  const { starts, problem } = read();
  expect(starts.all()).toEqual([]);
  expect(problem).toMatchObject({ code: 'starts-unreadable', severity: 'warning', path });
  expect(problem?.message).toMatch(message);
});

test('a file of somebody else is not believed', () => {
  writeFileSync(path, TEXT, { mode: 0o644 });
  if (UID === 0) chownSync(path, 4711, 4711);
  const { starts, problem } = read(UID === 0 ? new Set([0]) : new Set([0, UID + 1]));
  expect(starts.all()).toEqual([]);
  expect(problem?.message).toMatch(/belongs to uid \d+$/);
});
