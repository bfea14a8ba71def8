import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { callersOpenFiles, openFilesIn } from '../../src/host/open-files.js';

test('the limits of open files are found among those of a process', () => {
  expect(openFilesIn(readFileSync('/proc/self/limits', 'utf8'))).toEqual([
    expect.any(Number),
    expect.any(Number),
  ]);
  expect(
    openFilesIn('Max open files            256                  20000                files     \n'),
  ).toEqual([256, 20000]);
});

test.each(['', 'Max open files            unlimited            unlimited            files'])(
  'limits that are not numbers are none: %j',
  (text) => {
    expect(openFilesIn(text)).toBeUndefined();
  },
);

test('the limit of our caller is its soft one, if its hard one is ours and its soft one is lower', () => {
  const [soft, hard] = openFilesIn(readFileSync(`/proc/${process.ppid}/limits`, 'utf8')) as [number, number];
  const [ours, oursHard] = openFilesIn(readFileSync('/proc/self/limits', 'utf8')) as [number, number];
  expect(callersOpenFiles()).toBe(hard === oursHard && soft < ours ? soft : undefined);
});
