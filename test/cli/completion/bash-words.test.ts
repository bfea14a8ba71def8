import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requote, unquote } from '../../../src/cli/completion/bash-words.js';

/** What bash has for COMP_WORDBREAKS unless told otherwise. */
const BREAKS = ' \t\n"\'><=;|&(:';

test.each([
  ['plain', 'plain', undefined],
  ['a\\ b', 'a b', undefined],
  ["'a b'", 'a b', undefined],
  ["'a b", 'a b', "'"],
  ['"a $b', 'a $b', '"'],
  ['"a\\$b\\n"', 'a$b\\n', undefined],
  ['x\'y\'"z"', 'xyz', undefined],
  ["'it'\\''s'", "it's", undefined],
  ['a\\', 'a', undefined],
  ["'a\\b'", 'a\\b', undefined],
])('%s is read as %s', (word, text, open) => {
  expect(unquote(word)).toEqual({ text, open });
});

describe('requote', () => {
  test.each([
    ['hello-1', 'he', 'hello-1'],
    ['my task', 'my', 'my\\ task'],
    ['my task', 'my\\ t', 'my\\ task'],
    ['my task', "'my t", 'my task'],
    ['my task', '"my t', 'my task'],
    ['a$b`c"d', '"a', 'a\\$b\\`c\\"d'],
    ["it's", "'it", undefined],
    ["it's", '"it', "it's"],
    ["it's", 'it', "it\\'s"],
    ['role:env:task', 'role:e', 'env:task'],
    ['role:env:task', 'role', 'role:env:task'],
    ['role:env:task', "'role:e", 'role:env:task'],
    ['role:my task', 'role:my', 'my\\ task'],
    ['--state=FAILED', '--state=F', 'FAILED'],
    ['a[1]*?', 'a', 'a\\[1\\]\\*\\?'],
    ['~x', '', '\\~x'],
    ['x=~', '', 'x=\\~'],
    ['x=~', 'x=', '\\~'],
    ['a:~b', 'a:', '\\~b'],
    ['=x', '', '=x'],
    ['#x', '', '\\#x'],
    ['a!b', 'a', 'a\\!b'],
    ['a!b', '"a', undefined],
    ['a!b', "'a", 'a!b'],
    ['日本 語', '日', '日本\\ 語'],
    ['a:b c', "a:'b", 'b c'],
  ])('%s for %s', (candidate, typed, written) => {
    expect(requote(candidate, typed, BREAKS)).toBe(written);
  });

  test('a colon that is no word break stays', () => {
    expect(requote('role:env', 'role:', ' \t\n')).toBe('role:env');
  });
});

test('bash reads what is written as the candidate', () => {
  const name = fc.string({
    unit: fc.constantFrom(...'ab :=$`"\\\'!*?[]{}~#&;|<>()%^é日-'),
    minLength: 1,
    maxLength: 8,
  });
  const cases: { candidate: string; word: string }[] = [];
  fc.assert(
    fc.property(name, fc.constantFrom('', '"', "'"), fc.nat(8), (candidate, quote, typedLength) => {
      const prefix = candidate.slice(0, typedLength);
      const typed = quote + (quote === '' ? (requote(prefix, '', '') as string) : prefix);
      if (quote !== '' && /["'\\$`!]/.test(prefix)) return;
      const written = requote(candidate, typed, BREAKS);
      if (written === undefined) return;
      // Readline leaves what stands before the last break, or before and with the open quote.
      const kept = typed.slice(0, typed.length - tailLength(typed, quote));
      cases.push({ candidate, word: `${kept}${written}${quote}` });
    }),
    { numRuns: 500 },
  );
  const script = `set +H\n${cases.map(({ word }) => `printf '%s\\0' ${word}`).join('\n')}`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.split('\0').slice(0, -1)).toEqual(cases.map(({ candidate }) => candidate));
});

function tailLength(typed: string, quote: string): number {
  if (quote !== '') return typed.length - 1;
  let tail = 0;
  for (let i = 0; i < typed.length; i++) {
    if (typed[i] === '\\') {
      i++;
      tail += 2;
    } else if (':='.includes(typed[i] as string)) tail = 0;
    else tail++;
  }
  return tail;
}
