import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Key, KeyDecoder } from '../../src/cli/keys.js';

/** The keys that come from the pieces, and then nothing more. */
function keysOf(...pieces: (string | Buffer)[]): Key[] {
  const decoder = new KeyDecoder();
  const keys = pieces.flatMap((piece) => decoder.push(Buffer.from(piece as string)));
  return [...keys, ...decoder.flush()];
}

/** As words: names, and texts in quotes. */
const words = (keys: readonly Key[]) =>
  keys
    .map((key) => ('name' in key ? key.name : JSON.stringify(key.text) + (key.pasted ? ' pasted' : '')))
    .join(' ');

test.each([
  ['q', '"q"'],
  ['\u001b[A\u001b[B\u001b[C\u001b[D', 'up down right left'],
  ['\u001bOA\u001bOB\u001bOH\u001bOF', 'up down home end'],
  [
    '\u001b[5~\u001b[6~\u001b[1~\u001b[4~\u001b[7~\u001b[8~\u001b[H\u001b[F',
    'page-up page-down home end home end home end',
  ],
  ['\u001b[1;5A\u001b[5;2~', 'up page-up'],
  ['\u0003\u001a\u001c\u000c', 'interrupt suspend abort redraw'],
  ['\r\u007f\b\u0015\u0017', 'enter backspace backspace delete-line delete-word'],
  ['\u001b', 'escape'],
  ['\u001b\u001b', 'escape escape'],
  ['\u001bx', 'escape "x"'],
  ['grün 漢字', '"grün 漢字"'],
  // The wheel, also with Shift; in one report that terminals without numbers send, `q` is a column.
  ['\u001b[<64;3;4M\u001b[<65;300;4M\u001b[<68;1;1M', 'wheel-up wheel-down wheel-up'],
  ['\u001b[<64;3;4m\u001b[<66;3;4M\u001b[<2;3;4M\u001b[<999;1;1M', ''],
  ['\u001b[M`qkq', '"q"'],
  ['\u001bOM', 'enter'],
  // Function keys, mouse, focus, answers of the terminal.
  ['\u001b[[A\u001b[15~\u001bOP\u001b[<0;3;4M\u001b[I', ''],
  ['\u001b]11;rgb:0000/0000/0000\u0007\u001bP>|XTerm(390)\u001b\\\u001b[?62;22c', ''],
  ['\u001b[200~a q\r\nb\u001b[A\u0003\u001b[201~c', '"a q b[A" pasted "c"'],
  ['\u001b[200~never ends', '"never ends" pasted'],
  ['\u001b[12', ''],
  ['\u001b]never ends', ''],
  // A sequence that another key cuts off.
  ['\u001b[1\u0003', 'interrupt'],
  ['\u0000\u0001\t', ''],
])('%j are the keys %s', (bytes, expected) => {
  expect(words(keysOf(bytes))).toBe(expected);
  // Byte by byte, too.
  expect(words(together(keysOf(...[...Buffer.from(bytes)].map((byte) => Buffer.of(byte)))))).toBe(expected);
});

/** Characters that came in pieces are the same text. */
function together(keys: readonly Key[]): Key[] {
  const all: Key[] = [];
  for (const key of keys) {
    const before = all.at(-1);
    if ('text' in key && before !== undefined && 'text' in before && !key.pasted && !before.pasted) {
      all[all.length - 1] = { text: before.text + key.text };
    } else all.push(key);
  }
  return all;
}

describe('any bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
  const sequences = fc
    .array(
      fc.constantFrom('\u001b', '[', 'O', '1', ';', '~', 'A', ']', '\u0007', '\\', 'q', 'é', '200~', '201~'),
    )
    .map((parts) => Buffer.from(parts.join('')));

  test('are the same keys in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, sequences), fc.array(fc.nat(60)), (all, cuts) => {
        const ends = [...new Set([...cuts.filter((cut) => cut < all.length), all.length])].sort(
          (a, b) => a - b,
        );
        const pieces = ends.map((end, i) => all.subarray(i === 0 ? 0 : ends[i - 1], end));
        expect(together(keysOf(...pieces))).toEqual(together(keysOf(all)));
      }),
    );
  });

  test('are nothing but known keys and characters that can be seen, and then nothing is expected', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, sequences), (all) => {
        const decoder = new KeyDecoder();
        for (const key of [...decoder.push(all), ...decoder.flush()]) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          if ('text' in key) expect(key.text).not.toMatch(/^$|[\u0000-\u001f\u007f-\u009f\ufffd]/);
        }
        expect(decoder.waitMs).toBeUndefined();
      }),
    );
  });

  test('do not fill the memory, and Ctrl-C is heard after them', () => {
    for (const start of ['\u001b[200~', '\u001b]', '\u001b[']) {
      const decoder = new KeyDecoder();
      decoder.push(Buffer.from(start));
      for (let i = 0; i < 200; i++) decoder.push(Buffer.alloc(1000, start === '\u001b[' ? '1' : 'x'));
      const pasted = decoder.flush().map((key) => ('text' in key ? key.text.length : key.name));
      expect(pasted.every((length) => typeof length === 'number' && length <= 4096)).toBe(true);
      expect(decoder.push(Buffer.from('\u0003'))).toEqual([{ name: 'interrupt' }]);
    }
  });
});
