import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxMates } from '../../src/lifecycle/sandbox-mates.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';

let temp: ReturnType<typeof tempDir>;
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  task('t', { sandbox: '/s' });
});
afterEach(() => temp.remove());

function task(id: string, header: { sandbox?: string; log_dir?: string }, file?: object | string): void {
  writeTask(root, id, {
    runner: new Records().status('ACTIVE').header({ task_id: id, ...header }),
    task: file ?? { name: id, processes: [{ name: `${id}-p`, cmdline: 'true' }] },
  });
}

const mates = () => new SandboxMates({ root, taskId: 't' }, '/s', '/s/.logs');

test('the same sandbox or the same logs make mates; what they may have is their processes', () => {
  task('same', { sandbox: '/s' });
  task('logs', { sandbox: '/other', log_dir: '/s/.logs' });
  task('else', { sandbox: '/else' });
  const has = mates().processes();
  expect(['same-p', 'logs-p', 'else-p', 't-p'].map((name) => has?.(name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('one whose task file says nothing may have any', () => {
  task('same', { sandbox: '/s' }, 'no JSON');
  expect(mates().processes()?.('anything')).toBe(true);
});

test('there are none where nobody shares, and none where nothing can be listed', () => {
  task('else', { sandbox: '/else' });
  expect(mates().processes()).toBeUndefined();
  rmSync(`${root}/tasks/active`, { recursive: true });
  expect(mates().processes()).toBeUndefined();
});

test('one that has no header yet is looked at again', () => {
  writeTask(root, 'late', { runner: null });
  const looking = mates();
  expect(looking.processes()).toBeUndefined();
  task('late', { sandbox: '/s' });
  expect(looking.processes()?.('late-p')).toBe(true);
});
