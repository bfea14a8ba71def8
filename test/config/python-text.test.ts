import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dict, Float } from '../../src/config/model.js';
import {
  floatRepr,
  floatText,
  parseFloating,
  parseInteger,
  pythonRepr,
  pythonText,
} from '../../src/config/python-text.js';

describe('floatText', () => {
  // Each as CPython 2.7.18 prints it.
  it.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-2.5, '-2.5'],
    [0.1 + 0.2, '0.3'],
    [1 / 3, '0.333333333333'],
    [1e10, '10000000000.0'],
    [1e11, '1e+11'],
    [12345678901.25, '12345678901.2'],
    [123456789012, '1.23456789012e+11'],
    [99999999999.9, '99999999999.9'],
    [999999999999.4, '9.99999999999e+11'],
    [0.0001, '0.0001'],
    [0.00001234, '1.234e-05'],
    [1e16, '1e+16'],
    [1e100, '1e+100'],
    [5e-324, '4.94065645841e-324'],
    [Number.NaN, 'nan'],
    [Number.NEGATIVE_INFINITY, '-inf'],
  ])('%d', (x, text) => {
    expect(floatText(x)).toBe(text);
  });

  it('says the number to twelve digits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const near = Number(floatText(x));
        expect(Math.abs(near - x)).toBeLessThanOrEqual(Math.abs(x) * 5.1e-12 + 5e-324);
      }),
    );
  });
});

describe('floatRepr', () => {
  it.each([
    [0.1 + 0.2, '0.30000000000000004'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1.5e-7, '1.5e-07'],
  ])('%d', (x, text) => {
    expect(floatRepr(x)).toBe(text);
  });

  it('means the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Object.is(Number(floatRepr(x)), x)).toBe(true);
      }),
    );
  });
});

it.each([
  ['4', 4n],
  [' 7 ', 7n],
  ['-2', -2n],
  ['+3', 3n],
  ['007', 7n],
  ['36893488147419103232', 2n ** 65n],
  ['', undefined],
  ['5.5', undefined],
  ['0x10', undefined],
  ['1e3', undefined],
  ['1_000', undefined],
  ['- 1', undefined],
])('int(%j)', (text, value) => {
  expect(parseInteger(text)).toBe(value);
});

it.each([
  ['5e-1', 0.5],
  ['.5', 0.5],
  ['5.', 5],
  [' 1 ', 1],
  ['nan', Number.NaN],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['', undefined],
  ['0x1', undefined],
  ['1_0.0', undefined],
  ['e5', undefined],
])('float(%j)', (text, value) => {
  expect(parseFloating(text)).toBe(value);
});

it('prints values as Python does', () => {
  const dict = new Dict([
    ['a', [1n, new Float(2), true, null, "it's"]],
    [3n, 'x\n\\\u0001'],
  ]);
  expect(pythonRepr(dict)).toBe(`{'a': [1, 2.0, True, None, "it's"], 3: 'x\\n\\\\\\x01'}`);
  expect(pythonText(new Float(0.1 + 0.2))).toBe('0.3');
  expect(pythonText('text')).toBe('text');
});

it('a million digits are no number that takes long', () => {
  expect(parseFloating(`${'1'.repeat(1_000_000)}x`)).toBeUndefined();
  expect(() => parseInteger('1'.repeat(1_000_000))).toThrow(/1,000,000 digits of an integer are too many/);
});
