import { expect, test } from 'vitest';
import { mayPrecede, startsAgree } from '../../src/host/start-time.js';

const S = 1000;

test.each([
  [100 * S, 100 * S, true],
  [100 * S, 109.9 * S, true],
  [109.9 * S, 100 * S, true],
  [100 * S, 110 * S, false],
  [110 * S, 100 * S, false],
  [100 * S, Number.NaN, false],
  [100 * S, Number.POSITIVE_INFINITY, false],
])('starts at %d and %d agree: %s', (a, b, agree) => {
  expect(startsAgree(a, b)).toBe(agree);
});

test.each([
  [100 * S, 200 * S, true],
  [110 * S, 100 * S, true],
  [110.1 * S, 100 * S, false],
  [100 * S, Number.NaN, false],
])('%d may precede %d: %s', (one, other, may) => {
  expect(mayPrecede(one, other)).toBe(may);
});
