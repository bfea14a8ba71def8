import { expect, test } from 'vitest';
import { killListText } from '../../src/views/kill.js';
import { PIPE, TTY, taskView } from './task-views.js';

const id = (instance: number) =>
  `www-data-prod-frontend-${instance}-1a2b3c4${instance}-8d2f-4c11-9e0a-000000abcdef`;
const root = {
  path: '/var/lib/mesos/slaves/S0/frameworks/F0/executors/x/runs/1/checkpoints',
  layout: 'mesos' as const,
};
const tasks = [1, 2].map((instance) =>
  taskView({
    task_id: id(instance),
    user: 'www-data',
    name: 'frontend',
    root: { ...root, source: '', readable: true },
  }),
);

test('the tasks of a question are told apart on a narrow terminal: by short ids, without the user', () => {
  for (const width of [80, 60]) {
    const text = killListText(tasks, { ...TTY, width });
    expect(text).toMatch(/^TASK +STATE +VERDICT +ROOT$/m);
    for (const end of ['1a2b3c41 ', '1a2b3c42 ']) expect(text).toContain(end);
    const roots = text.split('\n').map((line) => line.trim().split(' ').at(-1));
    expect(roots.join('')).toContain(root.path);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  }
});

test('on a pipe nothing is cut', () => {
  const text = killListText(tasks, PIPE);
  expect(text).toMatch(/^TASK +STATE +VERDICT +USER +ROOT$/m);
  for (const { task_id, root } of tasks) {
    expect(text).toContain(`${task_id}  `);
    expect(text).toContain(`  ${root.path}\n`);
  }
});
