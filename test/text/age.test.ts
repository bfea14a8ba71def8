import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { age, duration, fromSeconds, moment, timestamp } from '../../src/text/age.js';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('duration', () => {
  test.each([
    [0, '0s'],
    [999, '0s'],
    [59.9 * S, '59s'],
    [M, '1m'],
    [90 * S, '1m30s'],
    [10 * M + S, '10m'],
    [59 * M + 59 * S, '59m'],
    [H, '1h'],
    [2 * H + 13 * M, '2h13m'],
    [D - 1, '23h59m'],
    [3 * D + 4 * H, '3d4h'],
    [45 * D, '45d'],
    [730 * D + 20 * D, '2y20d'],
    [365 * D * 1200, '1200y'],
    [-5 * M, '-5m'],
    [-1, '0s'],
    [Number.NaN, '<unknown>'],
    [Number.POSITIVE_INFINITY, '<unknown>'],
    [Number.NEGATIVE_INFINITY, '<unknown>'],
    [90_000n, '1m30s'],
    [undefined, '-'],
  ])('%s ms is %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});

describe('timestamp', () => {
  test.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_400_000_000_000, '2014-05-13T16:53:20Z'],
    [1_400_000_000_123, '2014-05-13T16:53:20.123Z'],
    [1_400_000_000_120, '2014-05-13T16:53:20.120Z'],
    [1_400_000_000_122.9998, '2014-05-13T16:53:20.123Z'],
    [1_400_000_000_000n, '2014-05-13T16:53:20Z'],
    [253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
    [253_402_300_800_000, '253402300800000'],
    [-62_167_219_200_000, '0000-01-01T00:00:00Z'],
    [-62_167_219_200_001, '-62167219200001'],
    [9_223_372_036_854_775_807n, '9223372036854775807'],
    [1e300, '1e+300'],
    [Number.NaN, '<unknown>'],
    [Number.NEGATIVE_INFINITY, '<unknown>'],
    [undefined, '-'],
  ])('%s is %s', (milliseconds, text) => {
    expect(timestamp(milliseconds)).toBe(text);
  });
});

test('age counts from now; the future has a minus', () => {
  expect(age(1000, 1000 + 2 * H + 13 * M)).toBe('2h13m');
  expect(age(1000 + 3 * D, 1000)).toBe('-3d');
  expect(age(9_223_372_036_854_775_807n, 0)).toBe('-292471208y');
  expect(age(undefined, 0)).toBe('-');
});

test('moment is relative on a terminal and RFC 3339 on a pipe', () => {
  expect(moment(0, { tty: true, now: 5 * M })).toBe('5m');
  expect(moment(0, { tty: false, now: 5 * M })).toBe('1970-01-01T00:00:00Z');
});

test('fromSeconds keeps what is absent absent', () => {
  expect(fromSeconds(undefined)).toBeUndefined();
  expect(timestamp(fromSeconds(1_792_000_000.123))).toBe('2026-10-14T17:46:40.123Z');
});

test('no number makes them throw or leave a cell empty', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.bigInt()), fc.double(), (value, now) => {
      for (const text of [timestamp(value), duration(value), age(value, now)]) {
        expect(text).toMatch(/^\S+$/);
      }
    }),
  );
});
