import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json } from '../../src/config/document.js';
import { JsonError, parseJson } from '../../src/config/json-text.js';
import { Dict, Float } from '../../src/config/model.js';

function failure(text: string): JsonError {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

/** As documents have integers that JSON readers would round. */
function largeAsText(_: string, value: unknown): unknown {
  const large = Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value));
  return large ? String(value) : value;
}

describe('parseJson', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(json(parseJson(text)))).toBe(JSON.stringify(JSON.parse(text), largeAsText));
      }),
    );
  });

  it('tells integers from floats, and keeps large ones', () => {
    expect(parseJson('[5, 5.0, 5e0, 36893488147419103232, -0, NaN]')).toEqual([
      5n,
      new Float(5),
      new Float(5),
      2n ** 65n,
      0n,
      new Float(Number.NaN),
    ]);
  });

  it('takes the last of keys that are equal, as Python does, and no name for a prototype', () => {
    expect(parseJson('{"a": 1, "b": 2, "a": 3, "__proto__": 4}')).toEqual(
      new Dict([
        ['a', 3n],
        ['b', 2n],
        ['__proto__', 4n],
      ]),
    );
  });

  it('passes over a byte order mark', () => {
    expect(parseJson('\ufeff"a"')).toBe('a');
  });

  it('says of every beginning of an object that it is cut off', () => {
    const whole = '{"name": "x\\u00e9", "processes": [{"n": 1.5, "ok": true}, null]}';
    for (let length = 0; length < whole.length; length++) {
      const { cut, message } = failure(whole.slice(0, length));
      // The beginning of a word or a number is not a value, and the end of one may be missing.
      if (!/[a-z\d.]$/.test(whole.slice(0, length)) && !/\\u?\w*$/.test(whole.slice(0, length))) {
        expect([whole.slice(0, length), cut, message]).toEqual([
          whole.slice(0, length),
          true,
          expect.stringContaining('cut off'),
        ]);
      }
    }
  });

  it.each([
    ['{\n"a": 1,\n}', 3, 'a name in double quotes'],
    ['{"a" 1}', 1, "':' after the name"],
    ['[1 2]', 1, "',' or ']'"],
    ['\n\n[1],', 3, 'after the end'],
    ["{'a': 1}", 1, 'double quotes'],
    ['["a\nb"]', 1, 'a newline inside is written'],
    ['["\\q"]', 1, 'means nothing'],
    ['["\\u12"]', 1, 'hexadecimal'],
    ['[01]', 1, "',' or ']'"],
    ['export(Task())', 1, 'a value'],
    ['['.repeat(100_000), 1, 'levels deep'],
  ])('refuses %j', (text, line, message) => {
    const error = failure(text);
    expect([error.line, error.message]).toEqual([line, expect.stringContaining(message)]);
  });
});
