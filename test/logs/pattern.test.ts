import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it, test } from 'vitest';
import { UsageError } from '../../src/errors/errors.js';
import { LineFilter } from '../../src/logs/line-filter.js';
import { linePattern } from '../../src/logs/pattern.js';

/** Regular expressions, of the parts that are compiled differently. */
const atom = fc.constantFrom(
  ...[
    'a',
    'b',
    'ab',
    'ü',
    '€',
    '😀',
    '.',
    '^',
    '$',
    '\\b',
    '\\B',
    '\\d',
    '\\w',
    '\\s',
    '\\S',
    '[^a]',
    '[ab]',
    '[ü-€]',
  ],
  ...[
    '(?i:A)',
    '(?i:ss)',
    '\\pL',
    '\\x00',
    'error',
    'task',
    'kiß',
    '\\A',
    '\\z',
    '(?m:^)',
    '(?s:.)',
    '[[:alpha:]]',
    '\\n',
    '\ufffd',
  ],
);
const pattern = fc.letrec<{ re: string }>((tie) => ({
  re: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc.tuple(tie('re'), tie('re')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('re'), tie('re')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('re'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?'))
      .map(([a, times]) => `(${a})${times}`),
  ),
})).re;

const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    'A',
    'ab',
    ' ',
    '1',
    'ü',
    '€',
    '😀',
    'error',
    'eRRor',
    'TaS',
    'task',
    'K',
    'kiß',
    '\u212a',
    'ſ',
    '\r',
    '\t',
    '\0',
    '\n',
    '\n',
    '\ufffd',
  ].map((text) => Buffer.from(text)),
  ...[[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f], [0x80], [0xc0, 0x80]].map((bytes) => Buffer.from(bytes)),
);
const log = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.concat(pieces));

/** Lines with their newlines, in Latin-1. */
function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function chosen(
  bytes: Buffer,
  grep?: readonly string[],
  exclude?: readonly string[],
  ignoreCase = false,
): string {
  const filter = new LineFilter({
    grep: grep && linePattern('grep', grep, ignoreCase),
    exclude: exclude && linePattern('exclude', exclude, ignoreCase),
  });
  let text = '';
  let last = 0;
  filter.each(bytes, (from, to) => {
    expect(from >= last && to > from).toBe(true);
    last = to;
    text += bytes.toString('latin1', from, to);
  });
  return text;
}

/** The simple way: each line by itself. */
function simply(bytes: Buffer, grep?: readonly string[], exclude?: readonly string[], flags = 0): string {
  const one = (texts: readonly string[], line: string) =>
    texts.some((text) => RE2JS.compile(text, flags).test(Buffer.from(line.replace(/\n$/, ''), 'latin1')));
  return linesOf(bytes)
    .filter(
      (line) => (grep === undefined || one(grep, line)) && (exclude === undefined || !one(exclude, line)),
    )
    .join('');
}

describe('the lines that are chosen', () => {
  it('are those that re2js finds when it gets one line at a time', () => {
    fc.assert(
      fc.property(
        log,
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (bytes, texts, ignoreCase) => {
          const flags = ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
          expect(chosen(bytes, texts, undefined, ignoreCase)).toBe(simply(bytes, texts, undefined, flags));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are without those that are excluded', () => {
    fc.assert(
      fc.property(
        log,
        fc.option(fc.array(pattern, { minLength: 1, maxLength: 2 }), { nil: undefined }),
        fc.array(pattern, { minLength: 1, maxLength: 2 }),
        (bytes, grep, exclude) => {
          expect(chosen(bytes, grep, exclude)).toBe(simply(bytes, grep, exclude));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('are found in any case, in long logs too', () => {
    const words = ['Timeout', 'TIMEOUT', 'time out', 'ta\u017fk', 'TASK', 'Größe', 'GRÖSSE', 'refused'];
    const lines = Array.from(
      { length: 5_000 },
      (_, i) => `INFO ${i} ${words[i % 977] ?? 'other'} took ${i} ms\n`,
    );
    const bytes = Buffer.from(lines.join(''));
    const found = (...texts: string[]) => chosen(bytes, texts, undefined, true);
    for (const texts of [
      ['timeout'],
      ['tImeOut|ReFused'],
      ['task'],
      ['gröss'],
      ['out took \\d+0 '],
      ['in'],
      ['no.*fo'],
    ])
      expect(found(...texts)).toBe(simply(bytes, texts, undefined, RE2JS.CASE_INSENSITIVE));
    expect(found('timeout').split('\n')).toHaveLength(13);
  });

  it('are never missed for a letter outside ASCII that becomes one of ASCII', () => {
    const letters = RE2JS.compile('[a-z]', RE2JS.CASE_INSENSITIVE);
    const folded: string[] = [];
    for (let code = 0x80; code <= 0x1ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const letter = String.fromCodePoint(code);
      if (letters.test(letter)) folded.push(letter);
    }
    expect(folded).toEqual(['\u017f', '\u212a']);
  });

  it('are found by literals in long logs too', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `2026 INFO request ${i} took ${i % 311} ms\n`);
    const bytes = Buffer.from(lines.join(''));
    for (const texts of [['request 77'], ['took 310 ms'], ['77', '99'], ['nothing'], ['took 31\\d ms$']]) {
      expect(chosen(bytes, texts)).toBe(
        lines.filter((line) => new RegExp(texts.join('|'), 'm').test(line)).join(''),
      );
    }
  });

  it('take linear time, whatever the expression and the line are', () => {
    const evil = Buffer.from(`${'a'.repeat(1_000_000)}!\n`);
    for (const text of ['(a+)+$', '(a|a)*b', '(.*)(.*)(.*)[xy]z', 'a.{40}b'])
      expect(chosen(evil, [text])).toBe('');
    expect(chosen(evil, ['(a+)+!$'])).toBe(evil.toString());
    const states = Buffer.from(Array.from({ length: 20_000 }, (_, i) => ((i * 7919) % 13 < 6 ? 97 : 98)));
    expect(chosen(states, ['a[ab]{14}c'])).toBe('');
  });
});

test.each([
  ['a(b', 'a ( without its ) at character 2'],
  ['a)b', 'a ) without its ( at character 2'],
  ['(a[)]|\\(', 'a ( without its ) at character 1'],
  ['x[z-a]', 'invalid character class range z-a at character 3'],
  ['\\*a|*b', 'missing argument to repetition operator * at character 5'],
  ['a**', 'invalid nested repetition operator ** at character 2'],
  ['ab[c', 'missing closing ] [c at character 3'],
  ['(?=a)', 'invalid or unsupported Perl syntax (?= at character 1'],
  ['(a)\\1', 'invalid escape sequence \\1 at character 4'],
  ['ab\\', 'trailing backslash at end of expression at character 3'],
  ['a{1001}', 'invalid repeat count {1001} at character 2'],
])('%s: says where it is wrong', (text, where) => {
  const grep = () => linePattern('grep', ['fine', text], false);
  expect(grep).toThrow(UsageError);
  expect(grep).toThrow(`--grep takes a regular expression, and '${text}' is not one: ${where}`);
});

test('spans to highlight are those of the characters, and a long line ends some time', () => {
  const spans = (texts: string[], line: string) => linePattern('highlight', texts, false).spans(line);
  expect(spans(['b+', 'ü'], 'abbüb')).toEqual([
    [1, 3],
    [3, 4],
    [4, 5],
  ]);
  expect(spans(['x*'], 'ab')).toEqual([]);
  expect(spans(['a'], 'a'.repeat(1_000_000))).toHaveLength(1000);
});
