import { expect, test } from 'vitest';
import { finishWords, foreignWords, userWords, withoutEvidence } from '../../src/gc/words.js';

const words = { duration: (ms: number) => `${ms}ms` };

test('when a task ended, and what says so if not its status', () => {
  expect(finishWords(5, 'status', words)).toBe('finished 5ms ago');
  expect(finishWords(-5, 'status', words)).toBe('finished 0ms ago');
  expect(finishWords(5, 'task-file', words)).toBe('finished 5ms ago by the time of its task file');
  expect(finishWords(5, 'stream-file', words)).toBe('finished 5ms ago by the time of its stream');
});

test('who owns and who uses it', () => {
  expect(foreignWords(0, [5, 6])).toBe('it belongs to uid 0, but its checkpoint can be written by uid 5, 6');
  expect(userWords({ pid: 7, how: 'works in it' })).toBe('process 7 works in it');
});

test('what can’t be shown is kept with the words that remove it, and an empty directory for nothing', () => {
  expect(withoutEvidence({ why: 'x' }, 'data', '/s p')).toEqual({
    verdict: 'kept',
    why: "nothing shows that it is the task's own: x",
    hint: "remove it with --sandbox '/s p', or leave it with --keep-data",
    holds: true,
  });
  expect(withoutEvidence({ why: 'x' }, 'logs', '/s').hint).toBe(
    'remove it with --sandbox /s --keep-data, or leave it with --keep-logs',
  );
  expect(withoutEvidence({ why: 'x', empty: true }, 'data', '/s')).toEqual({
    verdict: 'kept',
    why: "nothing shows that it is the task's own: x",
  });
});
