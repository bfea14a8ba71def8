import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors/errors.js';
import { parseTime } from '../../src/text/time.js';

const NOW = Date.UTC(2026, 10, 27, 2, 0, 0);

describe('a time as a flag has it', () => {
  test.each([
    ['2h', NOW - 7_200_000],
    ['1d12h', NOW - 36 * 3_600_000],
    ['90s', NOW - 90_000],
    ['PT1H30M', NOW - 5_400_000],
    ['0', 0],
    ['1400000000', 1_400_000_000_000],
    ['1400000000.25', 1_400_000_000_250],
    ['2014-05-13T16:53:20Z', 1_400_000_000_000],
    ['2014-05-13t16:53:20.123z', 1_400_000_000_123],
    ['2014-05-13 18:53:20+02:00', 1_400_000_000_000],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ])('%s', (text, expected) => {
    expect(parseTime(text, 'since', NOW)).toBe(expected);
  });

  test.each([
    '',
    'yesterday',
    '-5',
    '2h30',
    '5 m',
    '24:00',
    '1:5',
    '12:60',
    '2014-05-13',
    '2014-05-13T16:53:20',
    '2014-02-30T00:00:00Z',
    '2014-05-13T25:00:00Z',
    '2014-05-13T16:53:20+99:00',
    '9'.repeat(400),
  ])('%j is not one', (text) => {
    expect(() => parseTime(text, 'since', NOW)).toThrow(UsageError);
    expect(() => parseTime(text, 'since', NOW)).toThrow(/^--since takes a time such as /);
  });

  test.each(['00:00', '9:05', '14:30', '23:59', '02:00:01'])(
    '%s is when a clock here showed it last',
    (text) => {
      const time = parseTime(text, 'since', NOW);
      const [hours, minutes, seconds = 0] = text.split(':').map(Number);
      const shown = new Date(time);
      expect([shown.getHours(), shown.getMinutes(), shown.getSeconds()]).toEqual([hours, minutes, seconds]);
      expect(time <= NOW && time > NOW - 25 * 3_600_000).toBe(true);
    },
  );

  test('every time that the program writes is read', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          expect(parseTime(date.toISOString(), 'since', NOW)).toBe(date.getTime());
          expect(parseTime(date.toISOString().replace(/\.\d+Z/, 'Z'), 'since', NOW)).toBe(
            Math.floor(date.getTime() / 1000) * 1000,
          );
        },
      ),
    );
  });
});
