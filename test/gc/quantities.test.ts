import { describe, expect, test } from 'vitest';
import { parseAge, parseCount, parseSize } from '../../src/gc/quantities.js';

const HOUR = 3_600_000;

test.each([
  ['2d5h', 53 * HOUR],
  ['1d', 24 * HOUR],
  ['90m', 1.5 * HOUR],
  ['1d2h3m4s', 26 * HOUR + 184_000],
  ['0s', 0],
  ['1.5h', 1.5 * HOUR],
  ['P2DT5H', 53 * HOUR],
  ['P1W', 168 * HOUR],
  ['PT30M', HOUR / 2],
  ['P1DT1S', 24 * HOUR + 1000],
])('an age of %s', (text, milliseconds) => {
  expect(parseAge(text, 'max-age')).toBe(milliseconds);
});

test.each([
  '',
  '5',
  'd',
  '5h2d',
  '2d 5h',
  '-1d',
  'P',
  'PT',
  'P1Y',
  'P1DT',
  '1w2',
  '1e3s',
  `${'9'.repeat(400)}d`,
])('no age: %j', (text) => {
  expect(() => parseAge(text, 'max-age')).toThrow(
    expect.objectContaining({
      code: 'bad-age',
      exitCode: 2,
      hint: expect.stringContaining('--max-age 2d5h'),
    }),
  );
});

test.each([
  ['20G', 20 * 1024 ** 3],
  ['20GB', 20 * 1024 ** 3],
  ['20GiB', 20 * 1024 ** 3],
  ['1.5k', 1536],
  ['500M', 500 * 1024 ** 2],
  ['0B', 0],
])('a size of %s', (text, bytes) => {
  expect(parseSize(text, 'max-space')).toBe(bytes);
});

describe('what is refused says what is right', () => {
  test.each(['', '20', 'G', '20 G', '-1G', '1X', '1e9B', `${'9'.repeat(30)}P`])('no size: %j', (text) => {
    expect(() => parseSize(text, 'max-space')).toThrow(
      expect.objectContaining({
        code: 'bad-size',
        exitCode: 2,
        hint: expect.stringContaining('--max-space 20G'),
      }),
    );
  });

  test.each(['', '-1', '1.5', 'ten', '9'.repeat(30)])('no count: %j', (text) => {
    expect(() => parseCount(text, 'max-tasks')).toThrow(
      expect.objectContaining({ code: 'bad-count', exitCode: 2 }),
    );
  });

  test('a count', () => {
    expect(parseCount('0', 'max-tasks')).toBe(0);
  });
});
