import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visible } from '../../src/text/escape.js';

test.each([
  ['a\nb\r\t\0', 'a\\nb\\r\\t\\0'],
  ['\u001b[31mred\u001b[0m', '\\e[31mred\\e[0m'],
  ['\u007f\u009b1m', '\\u{7f}\\u{9b}1m'],
  ['\u2028\u2029', '\\u{2028}\\u{2029}'],
  ['\ud800x\udfff', '\\u{d800}x\\u{dfff}'],
  ['', ''],
])('%j is shown as %s', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

/** By what makes them unseen. */
const UNSEEN: Record<string, number[]> = {
  'without width': [0x200b, 0x200c, 0x200d, 0x2060, 0xfeff, 0x00ad, 0x034f, 0x180e, 0x2063, 0x1bca0],
  'of direction': [0x061c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069],
  'fillers of scripts': [0x115f, 0x1160, 0x3164, 0xffa0, 0x17b4, 0x17b5, 0x16fe4, 0x13441],
  'selecting a form': [0x180b, 0x180f, 0xfe00, 0xfe0f, 0xe0100, 0xe01ef],
  tags: [0xe0001, 0xe0020, 0xe0041, 0xe007f],
  blanks: [0x00a0, 0x1680, 0x2000, 0x2003, 0x2009, 0x202f, 0x205f, 0x2800, 0x3000, 0x1d159],
  'annotations and stand-ins': [0xfff9, 0xfffb, 0xfffc, 0x1d173],
  'without a meaning': [0xe000, 0xf8ff, 0x100000, 0xffff, 0x1ffff, 0x0378],
};

describe.each(Object.entries(UNSEEN))('%s', (_, points) => {
  test.each(points.map((point) => [point.toString(16), String.fromCodePoint(point)]))('U+%s', (hex, char) => {
    expect(visible(`web${char}`)).toBe(`web\\u{${hex}}`);
    expect(visible(`${char}web`)).toBe(`\\u{${hex}}web`);
  });
});

test.each([
  'my task',
  'Größe–1',
  'e\u0301te\u0301',
  '日本語',
  'हिन्दी',
  'ภาษาไทย',
  'العربية',
  'עִבְרִית',
  'русский',
  '한국어',
  '😀🇪🇺',
  'C:\\temp\\new',
  '\ufffd',
])('%s stays as it is', (text) => {
  expect(visible(text)).toBe(text);
});

test('what is joined of several is taken apart: the joiner could stand anywhere', () => {
  expect(visible('👩\u200d💻')).toBe('👩\\u{200d}💻');
});

test('a mark does not combine with what precedes the text', () => {
  expect(visible('\u0301\u0302web')).toBe('\\u{301}\\u{302}web');
});

/** The same, said once more in other words: what has no ink. */
const INKLESS = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Object.values(UNSEEN).flat()).map((point) => String.fromCodePoint(point)),
    fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
    fc.constantFrom('a', ' ', '-', 'é', '\u0301', '\ud800', '\udc00'),
  ),
  maxLength: 12,
});

test('nothing that is shown is unseen', () => {
  fc.assert(fc.property(anyText, (text) => !INKLESS.test(visible(text))));
});

test('what is shown is shown as it is', () => {
  fc.assert(fc.property(anyText, (text) => visible(visible(text)) === visible(text)));
});

test('two texts without a backslash are never shown alike', () => {
  // What was escaped is unambiguous: the text can be restored.
  const short: Record<string, string> = { n: '\n', r: '\r', t: '\t', e: '\u001b', '0': '\0' };
  const read = (shown: string) =>
    shown.replace(/\\(?:u\{([\da-f]+)\}|(.))/g, (_, hex: string | undefined, char: string) =>
      hex === undefined ? (short[char] as string) : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
  fc.assert(
    fc.property(
      anyText.filter((text) => !text.includes('\\')),
      (text) => read(visible(text)) === text,
    ),
  );
});
