import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { appendLine } from '../../src/store/append-line.js';
import type * as files from '../../src/store/open-file.js';
import { tempDir } from '../e2e/harness.js';

/** What another process does right before a file is made. */
let meanwhile = () => {};

vi.mock('../../src/store/open-file.js', async (original) => {
  const real = await original<typeof files>();
  return {
    ...real,
    openFile: (...given: Parameters<typeof files.openFile>) => {
      if (given[1]?.access === 'make') meanwhile();
      return real.openFile(...given);
    },
  };
});

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
  mkdirSync(`${temp.path}/task`);
});
afterEach(() => temp.remove());

test('a line is kept though another process makes the file at the same time', () => {
  const path = `${temp.path}/task/f`;
  meanwhile = () => writeFileSync(path, 'theirs\n');
  appendLine(path, 'ours\n', { below: temp.path, max: 1000, trusted: new Set([process.geteuid?.() ?? 0]) });
  expect(readFileSync(path, 'utf8')).toBe('theirs\nours\n');
});
