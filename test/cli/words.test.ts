import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dashed, hasFlag, type KnownFlag, splitCommand, valuedSwitch } from '../../src/cli/words.js';

const FLAGS: Record<string, KnownFlag> = {
  json: { takesValue: false },
  root: { takesValue: true },
  'mesos-root': { takesValue: true },
  'no-follow': { takesValue: false },
};
const flagOf = (name: string) => (Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined);

describe('dashed', () => {
  test.each([
    ['--mesos_root /a_b', '--mesos-root /a_b'],
    ['--mesos_root=/a_b', '--mesos-root=/a_b'],
    ['--no_follow my_task', '--no-follow my_task'],
    ['--root --no_follow', '--root --no_follow'],
    ['--root=--no_follow --no_follow', '--root=--no_follow --no-follow'],
    ['--not_known --json', '--not_known --json'],
    ['--__proto__ --constructor', '--__proto__ --constructor'],
    ['--no_follow -- --no_follow', '--no-follow -- --no_follow'],
    ['--root -- --no_follow', '--root -- --no_follow'],
    ['--mesos_root', '--mesos-root'],
    ['-n 5 a_b', '-n 5 a_b'],
  ])('%s is %s', (given, wanted) => {
    expect(dashed(given.split(' '), flagOf)).toEqual(wanted.split(' '));
  });

  test('keeps the number of words, and all words that are no flags', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('--mesos_root', '--', '--json', '--no_follow=x'));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const result = dashed(words, flagOf);
        expect(result).toHaveLength(words.length);
        for (const [i, each] of words.entries()) {
          if (!each.startsWith('--')) expect(result[i]).toBe(each);
        }
      }),
    );
  });
});

describe('splitCommand', () => {
  test.each([
    ['status a', [], 'status', ['a']],
    ['--json status a', ['--json'], 'status', ['a']],
    ['--root /r --json status', ['--root', '/r', '--json'], 'status', []],
    ['--root=/r status', ['--root=/r'], 'status', []],
    ['--mesos_root /r status', ['--mesos_root', '/r'], 'status', []],
    ['--bogus status', [], '--bogus', ['status']],
    ['--json', ['--json'], undefined, []],
    ['--root', ['--root'], undefined, []],
    ['-- status', [], '--', ['status']],
  ])('%s', (given, before, word, after) => {
    expect(splitCommand(given.split(' '), flagOf)).toEqual({ before, word, after });
  });

  test('no words', () => {
    expect(splitCommand([], flagOf)).toEqual({ before: [], word: undefined, after: [] });
  });
});

test('hasFlag looks before -- only', () => {
  expect(hasFlag(['a', '-h'], '--help', '-h')).toBe(true);
  expect(hasFlag(['--', '-h'], '--help', '-h')).toBe(false);
});

test('valuedSwitch finds a value where none is taken', () => {
  expect(valuedSwitch(['--root=/x', '--json=false'], flagOf)).toBe('--json=false');
  expect(valuedSwitch(['--no_follow=1'], flagOf)).toBe('--no_follow=1');
  expect(valuedSwitch(['--root=/x', '--bogus=1', '--', '--json=1'], flagOf)).toBeUndefined();
});
