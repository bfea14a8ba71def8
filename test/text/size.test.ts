import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors/errors.js';
import { parseSize, size } from '../../src/text/size.js';

test.each([
  [0, '0B'],
  [1023, '1023B'],
  [1024, '1KiB'],
  [1536, '1.5KiB'],
  [10 * 1024, '10KiB'],
  [1023 * 1024, '1023KiB'],
  [1023.6 * 1024, '1MiB'],
  [1024 ** 2, '1MiB'],
  [51_000_000, '49MiB'],
  [1024 ** 3, '1GiB'],
  [4.2 * 1024 ** 3, '4.2GiB'],
  [1024n ** 4n, '1TiB'],
  [2 ** 63, '8EiB'],
  [-1, '<unknown>'],
  [Number.NaN, '<unknown>'],
  [undefined, '-'],
])('%s bytes is %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});

test('is short, whatever the size', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n }), (bytes) => {
      expect(size(bytes)).toMatch(/^(\d{1,4}|\d\.\d)([KMGTPE]iB|B)$/);
    }),
  );
});

test.each([
  ['20G', 20 * 1024 ** 3],
  ['20GB', 20 * 1024 ** 3],
  ['20GiB', 20 * 1024 ** 3],
  ['1.5k', 1536],
  ['500M', 500 * 1024 ** 2],
  ['2T', 2 * 1024 ** 4],
  ['0B', 0],
  ['1024b', 1024],
])('%s are %d bytes', (text, bytes) => {
  expect(parseSize(text, 'max-space')).toBe(bytes);
});

test.each([
  '',
  '20',
  'G',
  '20 G',
  '-1G',
  '1X',
  '1iB',
  '1e9B',
  '.5G',
  `${'9'.repeat(30)}P`,
  `${'9'.repeat(400)}B`,
])('%j is no size', (text) => {
  expect(() => parseSize(text, 'max-space')).toThrow(
    expect.objectContaining({
      code: 'bad-size',
      exitCode: 2,
      message: `--max-space takes a size such as 20G, 500MB or 1024B, not '${text}'`,
    }),
  );
});

describe('a size', () => {
  test('that is shown is read as that size', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 52 }), (bytes) => {
        expect(size(parseSize(size(bytes), 'max-space'))).toBe(size(bytes));
      }),
    );
  });

  test('is exact and not below 0, whatever was given, or refused as a usage error', () => {
    const nearly = fc
      .array(fc.oneof(fc.constantFrom('9', '1.5', 'K', 'iB', 'B', 'p', '.', ' '), fc.string()))
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(nearly, (text) => {
        let bytes = 0;
        try {
          bytes = parseSize(text, 'max-space');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
        expect(Number.isSafeInteger(bytes)).toBe(true);
        expect(bytes).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });
});
