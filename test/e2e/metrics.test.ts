import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAILED, Records, writeTask } from '../task/trees.js';
import { placeForEach, thermos } from './harness.js';
import { unprivileged } from './tasks.js';

const temp = placeForEach();

const metrics = (words: string[] = [], uid: { uid?: number } = {}) =>
  thermos(['status', '--prometheus', '--root', temp.root, ...words], uid);

function writeTasks() {
  writeTask(temp.root, 'going');
  writeTask(temp.root, 'bad', {
    phase: 'finished',
    runner: new Records()
      .status('ACTIVE')
      .header({})
      .process('p', ...FAILED)
      .status('FAILED'),
  });
}

test('the tasks of a host as metrics; the filters act on them', () => {
  writeTasks();
  const { stdout, stderr, status } = metrics();
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('thermos_tasks{state="FAILED",verdict="ok"} 1\n');
  expect(stdout).toMatch(/^thermos_tasks\{state="ACTIVE",verdict="(runner-gone|host-rebooted)"\} 1$/m);
  expect(stdout).toContain('\nthermos_failed_runs 1\n');
  expect(stdout).not.toContain('task_id');
  expect(metrics(['--only', 'active']).stdout).toContain('\nthermos_failed_runs 0\n');
  expect(metrics(['--per-task']).stdout).toContain('thermos_task_failed_runs{task_id="bad",root="');
});

test('no tasks, and what cannot be read, are metrics too: exit 0', () => {
  const none = metrics();
  expect([none.status, none.stdout.includes('thermos_scrape_problems{severity="error"} 1\n')]).toEqual([
    0,
    true,
  ]);
  expect(none.stderr).toContain('does not exist');
  writeTasks();
  chmodSync(join(temp.root, 'checkpoints/bad/runner'), 0);
  const closed = metrics([], unprivileged());
  expect(closed.status).toBe(0);
  expect(closed.stdout).toContain('thermos_scrape_problems{severity="error"} 1\n');
});

test('a word that means no task: nothing is printed that would replace the last metrics', () => {
  writeTasks();
  expect(metrics(['nothing'])).toMatchObject({ status: 1, stdout: '' });
  expect(metrics(['--json'])).toMatchObject({ status: 2 });
  expect(thermos(['status', '--per-task'])).toMatchObject({ status: 2, stdout: '' });
});
