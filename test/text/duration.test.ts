import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors/errors.js';
import { duration } from '../../src/text/age.js';
import { DURATION_HELP, durationOf, parseDuration } from '../../src/text/duration.js';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

test.each([
  ['90', 90 * S],
  ['0.5', 500],
  ['0', 0],
  ['90s', 90 * S],
  ['0.5s', 500],
  ['500ms', 500],
  ['5m', 5 * M],
  ['1h30m', 1.5 * H],
  ['1.5h', 1.5 * H],
  ['1.1h', 3_960_000],
  ['2d', 2 * D],
  ['2D5H', 53 * H],
  ['1d2h3m4s', 26 * H + 3 * M + 4 * S],
  ['30m1h', 1.5 * H],
  ['1w', 7 * D],
  ['2y20d', 750 * D],
  ['90secs', 90 * S],
  ['15mins', 15 * M],
  ['1.5hrs', 1.5 * H],
  ['2days', 2 * D],
  ['1weeks', 7 * D],
  ['0ns', 0],
  ['1500us', 2],
  ['P1D', D],
  ['P2DT5H', 53 * H],
  ['P1W', 7 * D],
  ['PT30M', 30 * M],
  ['PT1H30M', 1.5 * H],
  ['PT0.5S', 500],
  ['P1DT1S', D + S],
  ['pt90s', 90 * S],
])('%s is %d ms', (text, milliseconds) => {
  expect(durationOf(text)).toBe(milliseconds);
});

const NONE = [
  '',
  's',
  'd',
  '-1s',
  '-90',
  '1 s',
  ' 90',
  '90\n',
  '1x',
  '1h30',
  '2d 5h',
  'forever',
  '1e3',
  '1e3s',
  '0x10',
  '.5s',
  '1.s',
  'Infinity',
  'NaN',
  '5constructor',
  '5__proto__',
  'P',
  'PT',
  'P1',
  'P1Y',
  'P1M',
  'P1DT',
  'PT5D',
  'P5H',
  'P5H2D',
  'PT1H1H',
  'P1ms',
  'TP1D',
  '1dT5h',
  '１s',
  `${'9'.repeat(400)}d`,
  '9007199254741s',
];

test.each(NONE)('%j is none', (text) => {
  expect(durationOf(text)).toBeUndefined();
});

describe('what a flag is given', () => {
  test('is refused with what is right', () => {
    expect(() => parseDuration('soon', 'timeout')).toThrow(
      expect.objectContaining({
        code: 'usage',
        exitCode: 2,
        message: "--timeout takes a duration such as 90s, 1h30m, 2d or P1D, not 'soon'",
      }),
    );
    expect(() => parseDuration('soon', 'max-age', { code: 'bad-age' })).toThrow(
      expect.objectContaining({ code: 'bad-age', exitCode: 2 }),
    );
  });

  test.each([
    ['0', false],
    ['99ms', false],
    ['100ms', true],
    ['P1D', true],
    ['86400.001', false],
  ])('lies between the bounds: %s', (text, isRight) => {
    const parse = () => parseDuration(text, 'interval', { least: '100ms', most: '1d' });
    if (isRight) expect(parse()).toBe(durationOf(text));
    else expect(parse).toThrow(`--interval takes a duration from 100ms to 1d, not '${text}'`);
  });

  test('is what the help says', () => {
    const examples = DURATION_HELP.match(/P?T?\d\S*?(?=[,.;:]?(\s|$))/g);
    expect(examples).toEqual(['500ms', '90s', '1.5h', '1h30m', '2d', '1w', '8601', 'P1D', 'PT1H30M']);
    for (const example of examples ?? []) expect(durationOf(example)).toBeGreaterThan(0);
  });
});

describe('properties', () => {
  test('what is shown as an age is read as that age', () => {
    const ages = fc.oneof(fc.nat({ max: 20 * 365 * D }), fc.maxSafeInteger().map(Math.abs));
    fc.assert(
      fc.property(ages, (milliseconds) => {
        const read = durationOf(duration(milliseconds)) as number;
        expect(read).toBeLessThanOrEqual(milliseconds);
        expect(duration(read)).toBe(duration(milliseconds));
      }),
    );
  });

  test('units add up, whatever their order and case', () => {
    const unit = fc.constantFrom(
      ['ms', 1],
      ['s', S],
      ['m', M],
      ['h', H],
      ['d', D],
      ['w', 7 * D],
    ) as fc.Arbitrary<[string, number]>;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 1000 }), unit), { minLength: 1, maxLength: 8 }),
        (parts) => {
          const text = parts.map(([n, [name]]) => `${n}${name}`).join('');
          const sum = parts.reduce((total, [n, [, size]]) => total + n * size, 0);
          expect(durationOf(text)).toBe(sum);
          expect(durationOf(text.toUpperCase())).toBe(sum);
        },
      ),
    );
  });

  test('ISO 8601 says the same as units', () => {
    const n = fc.option(fc.nat({ max: 999 }), { nil: undefined });
    fc.assert(
      fc.property(n, n, n, n, (d, h, m, s) => {
        const part = (number: number | undefined, unit: string) =>
          number === undefined ? '' : `${number}${unit}`;
        const time = part(h, 'H') + part(m, 'M') + part(s, 'S');
        const iso = `P${part(d, 'D')}${time === '' ? '' : `T${time}`}`;
        expect(durationOf(iso)).toBe(durationOf(part(d, 'd') + time.toLowerCase()));
      }),
    );
  });

  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom('P', 'T', 's', 'ms', 'h', 'W', '.', '-', ' ', '\n', '9', '1.5', '0'),
        fc.string(),
      ),
    )
    .map((pieces) => pieces.join(''));

  test('anything is a number from 0 on that is exact, or refused as a usage error', () => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
        let value = 0;
        try {
          value = parseDuration(text, 'timeout');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
        expect(Number.isSafeInteger(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 600 },
    );
  });

  test.each(['9', '1.', '1.5', '1s', '1h1m', 'P', 'P1D', 'PT', 'T1', '1.5ms '])(
    'a long text of %j takes no time',
    (piece) => {
      const long = piece.repeat(200_000 / piece.length);
      const before = process.cpuUsage();
      for (const text of [long, `P${long}`, `PT${long}`, `${long}!`, `P1DT${long}!`]) durationOf(text);
      const { user } = process.cpuUsage(before);
      expect(user).toBeLessThan(3_000_000);
    },
  );
});
