import { expect, test } from 'vitest';
import { UiActions } from '../../src/cli/ui-actions.js';
import type { TaskView } from '../../src/task/view.js';

const viewOf = (task_id: string, more: object = {}) =>
  ({ task_id, root: { path: '/r', readable: true }, ...more }) as unknown as TaskView;
let now = Date.UTC(2026, 0, 1, 12, 3, 4);
const actionsOf = () =>
  new UiActions({ now: () => now } as never, () => {
    throw new Error('nothing is sampled');
  });

test.each([
  ['t', '--no-namespaces'],
  ['t', '-u'],
  ['--help', 'p'],
])('no shell is opened where exec would take a name for a flag: task %s, process %s', (task, process) => {
  const actions = actionsOf();
  expect(actions.exec(viewOf(task), process)).toBe('redraw');
  expect(actions.news.join()).toContain('begins with a dash');
});

test('of a task that is over, kill says so and asks nothing; with processes left, it asks', () => {
  const actions = actionsOf();
  const over = { phase: 'finished', state: 'SUCCESS', leftovers: [] };
  expect(actions.kill(viewOf('t', over))).toBe('redraw');
  expect(actions.news).toEqual(['12:03:04 task t is over: SUCCESS']);
  expect(actions.kill(viewOf('t', { ...over, leftovers: [4711] }))).toMatchObject({
    question: 'End task t?',
  });
});

test('what was done is told with its time, for a minute', () => {
  const actions = actionsOf();
  actions.kill(viewOf('t', { phase: 'finished', state: 'FAILED', leftovers: [] }));
  now += 59_000;
  expect(actions.news).toEqual(['12:03:04 task t is over: FAILED']);
  now += 1000;
  expect(actions.news).toEqual([]);
});
