import { expect, test } from 'vitest';
import { failureOf } from '../../src/cli/failure.js';
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
