import { expect, test } from 'vitest';
import { parseDuration } from '../../src/cli/durations.js';

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['0.5s', 500],
  ['250ms', 250],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['0', 0],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text, 'timeout')).toBe(milliseconds);
});

test.each(['', 's', '-1s', '1 s', '1x', '1h30', 'forever', '1e3', 'Infinity'])('%j is none', (text) => {
  expect(() => parseDuration(text, 'timeout')).toThrow(`--timeout ${text} is not a duration`);
});
