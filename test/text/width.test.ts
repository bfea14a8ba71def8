import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visible } from '../../src/text/escape.js';
import {
  cutPainted,
  dropPainted,
  paintedWidth,
  screenRows,
  shortenDistinctly,
  splitAt,
  widthOf,
  wrap,
} from '../../src/text/width.js';

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

test.each([
  ['all that fit are whole', ['abc', 'abd'], 8, ['abc', 'abd']],
  ['one is cut in its middle', ['0123456789', 'x'], 7, ['012…789', 'x']],
  ['of alike ones the difference is shown', ['aaaaaaXaaaaaa', 'aaaaaaYaaaaaa'], 7, ['…aaaaX…', '…aaaaY…']],
  ['equal ones stay equal', ['aaaaaaaaaa', 'aaaaaaaaaa'], 7, ['aaa…aaa', 'aaa…aaa']],
  ['one that is the start of another', ['aaaaaaaa', 'aaaaaaaa-aaaaaaaa'], 7, ['…aaaaa', '…aaaa-…']],
  [
    'what no part tells apart is whole',
    [20, 25, 30].map((length) => 'a'.repeat(length)),
    7,
    ['a'.repeat(20), 'a'.repeat(25), '…aaaaa…'],
  ],
  ['by wide characters', ['日日日本日日日', '日日日語日日日'], 8, ['…日日本…', '…日日語…']],
])('cut distinctly: %s', (_, texts, width, cut) => {
  expect(shortenDistinctly(texts, width)).toEqual(cut);
});

test('different texts stay different however they are cut, and fit if one place tells each from all others', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '日', 'e\u0301'), maxLength: 40 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), fc.integer({ min: 5, max: 30 }), (texts, width) => {
      const cut = shortenDistinctly(texts, width);
      expect(new Set(cut).size).toBe(new Set(texts).size);
      for (const [i, each] of cut.entries()) {
        if (each !== texts[i]) expect(widthOf(each)).toBeLessThanOrEqual(width);
      }
    }),
  );
  const serial = fc.nat(9_999).map((number) => `${'x'.repeat(30)}${number + 10_000}${'x'.repeat(30)}`);
  fc.assert(
    fc.property(fc.array(serial, { maxLength: 50 }), (texts) => {
      for (const each of shortenDistinctly(texts, 12)) expect(widthOf(each)).toBeLessThanOrEqual(12);
    }),
  );
});

test.each([
  ['', 5, ['']],
  ['one two three', 7, ['one two', 'three']],
  ['one two three', Number.POSITIVE_INFINITY, ['one two three']],
  ['a 0123456789 b', 4, ['a', '0123', '4567', '89', 'b']],
])('%j wrapped at %d', (text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});

test.each([
  ['', 0],
  ['a\n', 1],
  ['a\n\nb', 3],
  ['12345\n123456\n', 3],
  // A wide character does not begin in the last column.
  ['1234日', 2],
  ['\u001b[31m12345\u001b[39m\n', 1],
  ['x'.repeat(5001), 1001],
])('text %# takes the rows that a terminal of five columns breaks it into', (text, rows) => {
  expect(screenRows(text, 5)).toBe(rows);
});

test('wrapped text loses nothing but spaces, and no line is wider', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.integer({ min: 4, max: 30 }), (given, width) => {
      const text = visible(given);
      const lines = wrap(text, width);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test.each([
  ['plain', 0, 'plain'],
  ['plain', 2, 'ain'],
  ['plain', 9, ''],
  ['\u001b[1mbold\u001b[22m and \u001b[31mred\u001b[39m', 6, '\u001b[1m\u001b[22mnd \u001b[31mred\u001b[39m'],
  // Half of a wide character is a blank.
  ['日本語', 3, ' 語'],
])('%j without its first %d columns', (line, width, rest) => {
  expect(dropPainted(line, width)).toBe(rest);
});

test('a line is as wide as its two parts', () => {
  const unit = fc.constantFrom('a', ' ', '日', 'e\u0301', '\u001b[31m', '\u001b[39m');
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 30 }), fc.nat(40), (units, width) => {
      const line = units.join('');
      const rest = paintedWidth(line) - paintedWidth(dropPainted(line, width));
      expect(rest).toBe(Math.min(width, paintedWidth(line)));
      expect(paintedWidth(cutPainted(line, width))).toBeLessThanOrEqual(width);
    }),
  );
});

test('a very long line is cut, too', () => {
  const long = '日'.repeat(100_000);
  expect(cutPainted(long, 7)).toBe('日日日');
  expect(dropPainted(long, 7)).toHaveLength(99_993);
});
