import fc from 'fast-check';
import { expect, test } from 'vitest';
import { size } from '../../src/text/size.js';

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
