import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globTest, hasGlobCharacters, looksLikeGlob } from '../../src/discovery/pattern.js';

test.each(['web-*', '*', '*.prod.*', 'a?c', 'host-[12]', '*[!a]', 'kk*'])('%s is a glob', (word) => {
  expect(looksLikeGlob(word)).toBe(true);
});

test.each([
  'web',
  '.*',
  'web-.*',
  'web-[0-9]*',
  'web-(1|2)*',
  'a+',
  '^a*',
  'a*$',
  '\\d*',
  'a{2}*',
  'a.?',
  '[',
  '',
])('%s is none', (word) => {
  expect(looksLikeGlob(word)).toBe(false);
});

test('an open bracket alone is not a pattern', () => {
  expect(hasGlobCharacters('q[1')).toBe(false);
  expect(hasGlobCharacters('q[1]')).toBe(true);
});

describe('a glob', () => {
  const matches = (glob: string, id: string) => globTest(glob)(id);

  test('is for the whole id', () => {
    expect(matches('a*', 'ba')).toBe(false);
    expect(matches('*a', 'ab')).toBe(false);
    expect(matches('', '')).toBe(true);
  });

  test('classes, ranges, negated ones', () => {
    expect(['a1', 'a5', 'a9', 'ab'].filter((id) => matches('a[1-5]', id))).toEqual(['a1', 'a5']);
    expect(['a1', 'ab'].filter((id) => matches('a[!1-5]', id))).toEqual(['ab']);
    expect(['a1', 'ab'].filter((id) => matches('a[^1-5]', id))).toEqual(['ab']);
    expect(matches('[]]', ']')).toBe(true);
    expect(matches('[!]]', ']')).toBe(false);
    expect(matches('[\\^[]', '\\')).toBe(true);
    expect(matches('[\\^[]', '^')).toBe(true);
    expect(matches('[z-a]', 'b')).toBe(false);
    expect(matches('a[', 'a[')).toBe(true);
  });

  test('a character is a whole one', () => {
    expect(matches('?', '😀')).toBe(true);
    expect(matches('[😀]', '😀')).toBe(true);
    expect(matches('a?b', 'a\nb')).toBe(true);
  });

  test('every id matches itself, when its special characters are in brackets', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const escaped = id.replace(/[*?[]/g, '[$&]');
        expect(matches(escaped, id)).toBe(true);
        expect(matches(`${escaped}*`, `${id}more`)).toBe(true);
        expect(matches(escaped, `${id}x`)).toBe(false);
      }),
    );
  });

  test('many stars are one', () => {
    expect(matches(`${'*'.repeat(200)}x`, 'a'.repeat(250))).toBe(false);
  });
});
