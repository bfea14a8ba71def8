import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxSharing } from '../../src/lifecycle/sandbox-sharing.js';
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

const sharing = () => new SandboxSharing({ root, taskId: 't' }, '/s', '/s/.logs');

test('the same sandbox or the same logs make tasks that share; what they may have is their processes', () => {
  task('same', { sandbox: '/s' });
  task('logs', { sandbox: '/other', log_dir: '/s/.logs' });
  task('else', { sandbox: '/else' });
  const has = sharing().processes();
  expect(['same-p', 'logs-p', 'else-p', 't-p'].map((name) => has?.(name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('one whose task file says nothing may have any', () => {
  task('same', { sandbox: '/s' }, 'no JSON');
  expect(sharing().processes()?.('anything')).toBe(true);
});

test('there are none where nobody shares, and none where nothing can be listed', () => {
  task('else', { sandbox: '/else' });
  expect(sharing().processes()).toBeUndefined();
  rmSync(`${root}/tasks/active`, { recursive: true });
  expect(sharing().processes()).toBeUndefined();
});

test('one that has no header yet is looked at again', () => {
  writeTask(root, 'late', { runner: null });
  const looking = sharing();
  expect(looking.processes()).toBeUndefined();
  task('late', { sandbox: '/s' });
  expect(looking.processes()?.('late-p')).toBe(true);
});
