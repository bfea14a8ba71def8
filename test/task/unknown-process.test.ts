import { expect, test } from 'vitest';
import { unknownProcess } from '../../src/task/unknown-process.js';
import type { ProcessView } from '../../src/task/view.js';

const viewOf = (names: readonly string[]) => ({
  task_id: 't',
  processes: names.map((process) => ({ process }) as ProcessView),
});

test.each([
  ['a name that is near', ['web', 'db'], 'wbe', undefined, 'did you mean web?'],
  ['any other name', ['web', 'db'], 'x', undefined, 'its processes are web, db'],
  ['a task without processes', [], 'x', undefined, undefined],
  ['a near name that may be a command', ['web'], 'wbe', 'or y', 'did you mean web? or y'],
  ['a name that may be a command', ['web'], 'x', 'or y', 'its processes are web; or y'],
  ['a name that can only be a command', [], 'x', 'or y', 'or y'],
])('the hint for %s', (_, names, name, more, hint) => {
  const error = unknownProcess(viewOf(names), name, more);
  expect([error.code, error.exitCode, error.message]).toEqual([
    'process-not-found',
    1,
    `task t has no process '${name}'`,
  ]);
  expect(error.hint).toBe(hint);
});

test('the hint lists no more than a person reads of the processes of a hostile task', () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `${'p'.repeat(1000)}${i}`);
  expect(unknownProcess(viewOf(names), 'x').hint?.length).toBeLessThan(6000);
});
