import { describe, expect, test } from 'vitest';
import { expectedOf, mesosStateOf, parseRetained, reconcileAction } from '../../src/gc/reconcile.js';

describe('the table of the GC executor', () => {
  test.each([
    ['active', 'RUNNING', 'none'],
    ['active', 'ASSIGNED', 'none'],
    ['active', 'STARTING', 'none'],
    ['active', 'FINISHED', 'kill'],
    ['active', 'LOST', 'kill'],
    ['active', undefined, 'kill'],
    ['finished', 'RUNNING', 'send-final-state'],
    ['finished', 'STARTING', 'send-final-state'],
    ['finished', 'KILLED', 'none'],
    ['finished', undefined, 'collect'],
    ['absent', 'RUNNING', 'send-lost'],
    ['absent', 'DRAINING', 'send-lost'],
    ['absent', 'ASSIGNED', 'none'],
    ['absent', 'PENDING', 'none'],
    ['absent', 'FAILED', 'none'],
  ] as const)('%s, expected %s: %s', (local, status, action) => {
    expect(reconcileAction(local, expectedOf(status))).toBe(action);
  });
});

test.each([
  ['ACTIVE', 'TASK_RUNNING'],
  ['CLEANING', 'TASK_RUNNING'],
  ['SUCCESS', 'TASK_FINISHED'],
  ['FAILED', 'TASK_FAILED'],
  ['KILLED', 'TASK_KILLED'],
  ['LOST', 'TASK_LOST'],
  ['UNKNOWN', 'TASK_LOST'],
])('%s is %s', (state, expected) => {
  expect(mesosStateOf(state)).toBe(expected);
});

test('names in any case and numbers of the IDL; ids as they are', () => {
  const retained = parseRetained('{"a":"running","b":3,"__proto__":"LOST","../x":"ASSIGNED"}', 'f');
  expect([...retained]).toEqual([
    ['a', 'RUNNING'],
    ['b', 'FINISHED'],
    ['__proto__', 'LOST'],
    ['../x', 'ASSIGNED'],
  ]);
});

test.each(['', '[]', 'null', '"x"', '{"a":"WELL"}', '{"a":99}', '{"a":null}', '{"a":"toString"}'])(
  'refused: %s',
  (text) => {
    expect(() => parseRetained(text, 'f')).toThrow(
      expect.objectContaining({ code: 'bad-retained', exitCode: 2 }),
    );
  },
);
