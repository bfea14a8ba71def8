import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  comparison,
  keyOf,
  mentions,
  passes,
  Ranking,
  SORT_KEYS,
  type TaskFilter,
  type TaskKey,
  type TaskOrder,
} from '../../src/app/task-order.js';
import type { TaskView } from '../../src/task/view.js';
import { ODD_MILLISECONDS, ran, START, taskView } from '../views/task-views.js';

function task(task_id: string, given: Partial<TaskView> & { at?: number; failed?: number } = {}): TaskView {
  const { at = 0, failed = 0, ...fields } = given;
  const processes = Array.from({ length: failed }, (_, i) => ran(`p${i}`, { state: 'FAILED' }));
  return taskView({ task_id, state_timestamp_ms: START + at, processes, ...fields });
}

const finished = { phase: 'finished', state: 'SUCCESS' } as const;
const TASKS = [
  task('new', { ...finished, at: 9 }),
  task('old', { ...finished, at: 1, user: 'alice' }),
  task('b-active', { at: 5 }),
  task('lost', { ...finished, state: 'LOST', at: 3, failed: 1 }),
  task('a-active', { at: 2, verdict: 'runner-gone', user: undefined }),
  task('failed', { ...finished, state: 'FAILED', at: 7, failed: 2 }),
  task('untimed', { ...finished, state: 'UNKNOWN', state_timestamp_ms: undefined, verdict: 'unknown' }),
];

function ordered(order: TaskOrder, limit?: number): string[] {
  const ranking = new Ranking<string>(order, limit);
  for (const view of TASKS) ranking.add(keyOf(view), view.task_id);
  return ranking.items();
}

describe('the order of tasks', () => {
  test('active ones by id, then finished ones, the newest first; a task without a time last', () => {
    const all = ['a-active', 'b-active', 'new', 'failed', 'lost', 'old', 'untimed'];
    expect(ordered({})).toEqual(all);
    expect(ordered({ reverse: true })).toEqual(all.toReversed());
  });

  test.each([
    ['age', ['new', 'failed', 'b-active', 'lost', 'a-active', 'old', 'untimed']],
    ['state', ['failed', 'lost', 'untimed', 'a-active', 'b-active', 'new', 'old']],
    ['id', ['a-active', 'b-active', 'failed', 'lost', 'new', 'old', 'untimed']],
    ['user', ['old', 'b-active', 'new', 'failed', 'lost', 'untimed', 'a-active']],
    ['failures', ['failed', 'lost', 'a-active', 'b-active', 'new', 'old', 'untimed']],
  ] as const)('by %s', (sort, ids) => {
    expect(ordered({ sort })).toEqual(ids);
    expect(ordered({ sort, reverse: true })).toEqual(ids.toReversed());
  });

  const key: fc.Arbitrary<TaskKey> = fc.record({
    task_id: fc.nat(99).map(String),
    root: fc.constantFrom('/r', '/s'),
    phase: fc.constantFrom('active', 'finished'),
    state: fc.constantFrom('ACTIVE', 'SUCCESS', 'FAILED', 'LOST', 'UNKNOWN', '99'),
    user: fc.constantFrom(undefined, '', 'alice', 'bob'),
    failed: fc.nat(2),
    timeMs: fc.constantFrom(Number.NEGATIVE_INFINITY, -1, 0, 5, Number.POSITIVE_INFINITY),
  });
  const order = fc.record({
    sort: fc.constantFrom(undefined, ...SORT_KEYS),
    reverse: fc.boolean(),
  });

  test('does not depend on the order in which tasks are read, and a limit gives its beginning', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { maxLength: 200, selector: ({ task_id, root }) => `${root} ${task_id}` }),
        order,
        fc.integer({ min: 1, max: 30 }),
        (keys, by, limit) => {
          const rank = (given: readonly TaskKey[], most?: number) => {
            const ranking = new Ranking<TaskKey>(by, most);
            for (const each of given) ranking.add(each, each);
            return { items: ranking.items(), leftOut: ranking.leftOut };
          };
          const all = rank(keys);
          expect(all.leftOut).toBe(0);
          expect(all.items.toSorted(comparison({}))).toEqual(keys.toSorted(comparison({})));
          expect(rank(keys.toReversed())).toEqual(all);
          const some = rank(keys, limit);
          expect(some.items).toEqual(all.items.slice(0, limit));
          expect(some.items.length + some.leftOut).toBe(keys.length);
        },
      ),
    );
  });

  test('times that are none do not break it', () => {
    const views = [Number.NaN, ...ODD_MILLISECONDS].map((state_timestamp_ms, i) =>
      task(`t${i}`, { ...finished, state_timestamp_ms }),
    );
    const ranking = new Ranking<string>({});
    for (const view of views) ranking.add(keyOf(view), view.task_id);
    expect(ranking.items()).toEqual(['t1', 't5', 't3', 't4', 't2', 't0']);
  });
});

describe('which tasks are shown', () => {
  const shown = (filter: TaskFilter) =>
    TASKS.filter((view) => passes(view, filter)).map(({ task_id }) => task_id);

  test('all, without a filter', () => {
    expect(shown({})).toHaveLength(TASKS.length);
  });
  test('those in a phase or state', () => {
    expect(shown({ only: 'active' })).toEqual(['b-active', 'a-active']);
    expect(shown({ state: ['LOST', 'UNKNOWN'] })).toEqual(['lost', 'untimed']);
  });
  test('failed: FAILED, LOST, or a verdict other than ok', () => {
    expect(shown({ failed: true })).toEqual(['lost', 'a-active', 'failed', 'untimed']);
  });
  test('since a time, which counts; never one of unknown time', () => {
    expect(shown({ sinceMs: START + 5 })).toEqual(['new', 'b-active', 'failed']);
    expect(shown({ sinceMs: START + 5, failed: true })).toEqual(['failed']);
  });
});

test.each([
  ['www', true],
  ['FAILED', true],
  ['web prod', true],
  ['web devel', false],
  ['www-data/prod/web/0', true],
  ['www-data-prod-web', true],
  ['', true],
  ['  ', true],
  ['alice', true],
  ['finished', true],
])('whether a task mentions %j: %j', (words, expected) => {
  const view = task('www-data-prod-web-0-b97dd6f9', { ...finished, state: 'FAILED', user: 'Alice' });
  expect(mentions(view, words)).toBe(expected);
});
