import { expect, test } from 'vitest';
import type { CriticalPath } from '../../../src/task/critical-path.js';
import { criticalPathRows } from '../../../src/views/parts/critical-path.js';
import { CONTROL, NASTY, PIPE, TTY } from '../task-views.js';

const step = (process: string, run_ms: number, wait_ms = 0, between_ms = 0, runs = 1) => ({
  process,
  runs,
  wait_ms,
  run_ms,
  between_ms,
});

const pathOf = (steps: CriticalPath['steps'], rest_ms = 0): CriticalPath => ({
  duration_ms: steps.reduce((sum, each) => sum + each.wait_ms + each.run_ms + each.between_ms, rest_ms),
  steps,
  rest_ms,
});

const line = (path: CriticalPath, soFar = false) => criticalPathRows(path, PIPE, { soFar, fold: false });

test.each<[string, CriticalPath, string]>([
  [
    'the slowest process',
    pathOf([step('fetch', 2000), step('load', 38_000), step('publish', 1000)]),
    '41s, 38s of it in load (fetch → load → publish)',
  ],
  [
    'the time between its runs',
    pathOf([step('fetch', 2000), step('load', 8000, 0, 30_000, 3)]),
    '40s, 38s of it in load, mostly between its 3 runs (fetch → load)',
  ],
  ['the waits', pathOf([step('a', 1000, 500), step('b', 1000, 3500)]), '6.00s, 4.00s of it in waits (a → b)'],
  ['the wait for the first', pathOf([step('a', 10, 990)]), '1.00s, 0.99s of it before it started (a)'],
  ['the end', pathOf([step('a', 10)], 990), '1.00s, 0.99s of it after the last process (a)'],
  ['one process and nothing else', pathOf([step('a', 12_000)]), '12s, 12s of it in a'],
])('most of it took %s', (_what, path, text) => {
  expect(line(path)).toEqual([`  Critical path: ${text}`]);
});

test('of a task that is not over: so far', () => {
  expect(line(pathOf([step('a', 12_000)]), true)).toEqual(['  Critical path so far: 12s, 12s of it in a']);
});

test('a chain of no time is not worth a line', () => {
  expect(line(pathOf([step('a', 0)]))).toEqual([]);
});

test('on a terminal, lines are wrapped and a long chain is shown in part', () => {
  const long = pathOf(Array.from({ length: 20 }, (_, i) => step(`process-${i}`, 1000)));
  expect(criticalPathRows(long, { ...TTY, unicode: false }, { soFar: false, fold: true })).toEqual([
    '  Critical path: 20s, 1.00s of it in process-0 (process-0 -> process-1 ->',
    '    process-2 -> 14 more -> process-17 -> process-18 -> process-19)',
  ]);
  const whole = criticalPathRows(long, TTY, { soFar: false, fold: false }).join(' ');
  expect(whole).toContain('process-10');
});

test('names are escaped', () => {
  expect(line(pathOf([step(NASTY, 1000), step('b', 1)])).join('\n')).not.toMatch(CONTROL);
});
