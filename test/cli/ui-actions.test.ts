import { expect, test } from 'vitest';
import { UiActions } from '../../src/cli/ui-actions.js';
import type { TaskView } from '../../src/task/view.js';

const viewOf = (task_id: string) =>
  ({ task_id, root: { path: '/r', readable: true } }) as unknown as TaskView;

test.each([
  ['t', '--no-namespaces'],
  ['t', '-u'],
  ['--help', 'p'],
])('no shell is opened where exec would take a name for a flag: task %s, process %s', (task, process) => {
  const actions = new UiActions({} as never, () => {
    throw new Error('nothing is sampled');
  });
  expect(actions.exec(viewOf(task), process)).toBe('redraw');
  expect(actions.news.join()).toContain('begins with a dash');
});
