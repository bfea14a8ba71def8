import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutPainted, splitAt, widthOf } from '../../src/text/width.js';

test.each([
  ['', 5, ['']],
  ['abc', 3, ['abc']],
  ['abcd', 3, ['abc', 'd']],
  ['日本語', 3, ['日', '本', '語']],
  ['e\u0301e\u0301', 1, ['e\u0301', 'e\u0301']],
  ['日', 1, ['日']],
])('%j at %d', (text, width, pieces) => {
  expect(splitAt(text, width)).toEqual(pieces);
});

test('nothing is lost, and nothing is wider than it may be', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 30 }), (text, width) => {
      const pieces = splitAt(text, width);
      expect(pieces.join('')).toBe(text);
      for (const piece of pieces) expect(widthOf(piece)).toBeLessThanOrEqual(width);
    }),
  );
});

test.each([
  ['plain', 9, 'plain'],
  ['plain', 3, 'pla'],
  ['\u001b[1mbold\u001b[22m and \u001b[31mred\u001b[39m', 6, '\u001b[1mbold\u001b[22m a\u001b[31m\u001b[39m'],
  ['\u001b[32m漢字漢字\u001b[39m', 5, '\u001b[32m漢字\u001b[39m'],
  ['漢a', 1, ''],
])('%j, painted, cut to %d columns, is %j', (line, width, cut) => {
  expect(cutPainted(line, width)).toBe(cut);
});
