import { expect, test } from 'vitest';
import { describeReturnCode } from '../../src/task/return-code.js';

test.each<[number | undefined, string]>([
  [undefined, ''],
  [0, 'exit code 0'],
  [7, 'exit code 7'],
  [128, 'exit code 128'],
  [137, 'exit code 137 (from a shell: its command was killed by signal 9, SIGKILL)'],
  [143, 'exit code 143 (from a shell: its command was killed by signal 15, SIGTERM)'],
  [255, 'exit code 255'],
  [-9, 'signal 9, SIGKILL'],
  [-15, 'signal 15, SIGTERM'],
  [-64, 'signal 64'],
  [-1, 'return code -1, by the runner or by SIGHUP'],
  [-(2 ** 31), 'signal 2147483648'],
])('return code %s: %s', (code, words) => {
  expect(describeReturnCode(code)).toBe(words);
});
