import { expect, test } from 'vitest';
import { runnerExitOf } from '../../src/cli/runner-exit.js';
import { ConfigError } from '../../src/config/program.js';
import type { ProblemCode } from '../../src/errors/codes.js';
import { SystemError, UsageError } from '../../src/errors/errors.js';

const config = (code: ProblemCode, ...problems: ProblemCode[]) =>
  new ConfigError('validate', code, 'wrong', {
    problems: problems.map((each) => ({ code: each, severity: 'error', message: 'wrong' })),
  });

test.each<[string, unknown, number]>([
  ['a wrong command line', new UsageError('usage', ''), 2],
  ['a task that is over', new UsageError('task-finished', ''), 0],
  ['an unknown user', new UsageError('user-unknown', ''), 104],
  ['an unbound port', config('port-unbound'), 101],
  ['several unbound ports', config('config-invalid', 'port-unbound', 'port-unbound'), 101],
  [
    'an unbound port of a task that is not valid',
    config('config-invalid', 'port-unbound', 'ref-unbound'),
    102,
  ],
  ['an unbound port beside another error', config('port-unbound', 'ref-unbound'), 102],
  ['a task that is not valid', config('config-invalid'), 102],
  ['a task that no runner can order', new UsageError('task-invalid', ''), 102],
  ['a task with the id of another', new UsageError('task-differs', ''), 102],
  ['an id that cannot be one', new UsageError('task-id-invalid', ''), 102],
  ['a task that cannot be read', config('config-missing'), 101],
  ['a second runner', new UsageError('task-running', ''), 103],
  ['a sandbox that cannot be used', new UsageError('sandbox-unusable', ''), 101],
  ['a stream that cannot be written', new SystemError('checkpoint-write-failed', ''), 101],
  ['a bug', new TypeError('x is not a function'), 103],
])('%s', (_, error, exitCode) => {
  expect(runnerExitOf(error)).toBe(exitCode);
});
