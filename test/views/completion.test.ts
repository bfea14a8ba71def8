import { expect, test } from 'vitest';
import { processSummary, taskSummary } from '../../src/views/completion.js';
import { processView, START, taskView } from './task-views.js';

const NOW = START + 7_380_000;

test('a task is its state, its verdict if that is not ok, its age and its user', () => {
  const task = taskView({ state: 'ACTIVE', verdict: 'ok', state_timestamp_ms: START, user: 'web' });
  expect(taskSummary(task, NOW)).toBe('ACTIVE, 2h3m, web');
  expect(taskSummary({ ...task, verdict: 'runner-gone' }, NOW)).toBe('ACTIVE, runner-gone, 2h3m, web');
  const unknown = { ...task, state: 'UNKNOWN' as const, state_timestamp_ms: undefined, user: undefined };
  expect(taskSummary({ ...unknown, owner: 'root' }, NOW)).toBe('UNKNOWN, root');
});

test('a running process is its run, how long it has run, and its pid', () => {
  const running = processView('web', { runs: 3, start_time: START / 1000, pid: 4711 });
  expect(processSummary(running, NOW)).toBe('run 2, 2h3m, pid 4711');
  expect(processSummary(processView('web', { runs: 1 }), NOW)).toBe('run 0');
});
