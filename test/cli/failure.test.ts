import { expect, test } from 'vitest';
import { failureOf, sentence } from '../../src/cli/failure.js';
import { NotFoundError, SystemError, UsageError } from '../../src/errors/errors.js';

test.each([
  [new UsageError('bad-pattern', 'x', 'y'), { code: 'bad-pattern', message: 'x', hint: 'y', exitCode: 2 }],
  [new NotFoundError('task-not-found', 'x'), { code: 'task-not-found', message: 'x', exitCode: 1 }],
  [new SystemError('config-unreadable', 'x'), { code: 'config-unreadable', message: 'x', exitCode: 5 }],
  [
    Object.assign(new UsageError('usage', 'x'), { usage: 'u' }),
    { code: 'usage', message: 'x', usage: 'u', exitCode: 2 },
  ],
])('%s is told as it is', (error, failure) => {
  expect(failureOf(error)).toEqual(failure);
});

test.each([
  [new TypeError('x is not a function')],
  ['a string'],
  [undefined],
  [null],
  [{ oclif: { exit: 2 } }],
])('%s is a bug, with an exit code of its own', (thrown) => {
  expect(failureOf(thrown)).toMatchObject({ code: 'bug', exitCode: 10 });
});

test('on a terminal, lines are broken between words, but never in a command', () => {
  const text = 'hint: see the tasks, and the roots: thermos status --root /a/b; thermos roots --root /a/b';
  expect(sentence(text, undefined)).toBe(`${text}\n`);
  expect(sentence(text, 40)).toBe(
    [
      'hint: see the tasks, and the roots:',
      'thermos status --root /a/b;',
      'thermos roots --root /a/b',
      '',
    ].join('\n'),
  );
  expect(sentence(`error: ${'x'.repeat(50)} y`, 20)).toBe(`error:\n${'x'.repeat(50)}\ny\n`);
  expect(sentence('a\u001b[2J b', 80)).toBe('a\\e[2J b\n');
});
