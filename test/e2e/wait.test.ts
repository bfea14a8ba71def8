import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FIXTURES, thermos } from './harness.js';
import { type LoggedTask, LoggedTasks, type Running } from './logged-task.js';
import { expectContract } from './tasks.js';

const tasks = new LoggedTasks();

/** A task whose runner lives, and a `wait` for it. */
async function waiting(task: LoggedTask, ...args: string[]): Promise<Running> {
  await task.run();
  return tasks.start(['wait', '--root', task.root, task.id, ...args]);
}

describe('a task that is over', () => {
  test.each([
    ['SUCCESS', 0],
    ['FAILED', 1],
    ['KILLED', 3],
    ['LOST', 4],
  ] as const)('%s is exit code %d', (state, status) => {
    const task = tasks.task();
    task.start('web').update('web', 'SUCCESS').end(state);
    expect(thermos(['wait', '--root', task.root, task.id])).toEqual({
      stdout: `task-1: ${state}\n`,
      stderr: '',
      status,
      signal: null,
    });
  });

  test('as a document', () => {
    const task = tasks.task();
    task.end('FAILED');
    const { stdout, status } = thermos(['wait', '--json', '--root', task.root, task.id]);
    const document = JSON.parse(stdout);
    expectContract('wait', document);
    expect(document).toMatchObject({ met: true, task: { task_id: 'task-1', state: 'FAILED' } });
    expect(status).toBe(1);
  });
});

describe('a task that runs', () => {
  test('is waited for', async () => {
    const task = tasks.task();
    const wait = await waiting(task);
    task.start('web').update('web', 'SUCCESS');
    await task.killRunner();
    task.end('SUCCESS');
    expect(await wait.ended).toBe(0);
    expect(wait.stdout).toBe('task-1: SUCCESS\n');
  });

  test('a runner that dies is told of, and waited on', async () => {
    const task = tasks.task();
    const wait = await waiting(task);
    await task.killRunner();
    await wait.until(({ stderr }) => stderr.includes('no runner is alive'));
    task.end('LOST');
    expect(await wait.ended).toBe(4);
  });

  test('a task that is removed is not there any more', async () => {
    const task = tasks.task();
    const wait = await waiting(task);
    await task.killRunner();
    await wait.until(({ stderr }) => stderr.includes('no runner is alive'));
    rmSync(task.root, { recursive: true });
    mkdirSync(task.root);
    expect(await wait.ended).toBe(1);
    expect(wait.stderr).toContain('task task-1 was removed');
  });

  test('a timeout ends the waiting', async () => {
    const task = tasks.task();
    const wait = await waiting(task, '--timeout', '50ms', '--json');
    expect(await wait.ended).toBe(124);
    const document = JSON.parse(wait.stdout);
    expectContract('error', document);
    expect(document.error).toMatchObject({ code: 'timeout', message: 'timed out: task task-1 is ACTIVE' });
  });
});

describe('--for', () => {
  test('ends at the state', async () => {
    const task = tasks.task();
    const wait = await waiting(task, '--for', 'process=web:RUNNING');
    task.start('web');
    expect(await wait.ended).toBe(0);
    expect(wait.stdout).toBe('task-1: process web is or was RUNNING\n');
  });

  test('all of several', async () => {
    const task = tasks.task(['a', 'b:c']);
    const wait = await waiting(task, '--for', 'process=a:SUCCESS', '--for', 'process=b:c:success');
    task.start('a').update('a', 'SUCCESS').start('b:c').update('b:c', 'SUCCESS');
    expect(await wait.ended).toBe(0);
  });

  test('what cannot happen any more is a no', async () => {
    const task = tasks.task();
    const wait = await waiting(task, '--for', 'process=web:SUCCESS', '--json');
    task.start('web').update('web', 'FAILED');
    expect(await wait.ended).toBe(1);
    const document = JSON.parse(wait.stdout);
    expectContract('wait', document);
    expect(document).toMatchObject({
      met: false,
      why: 'process web is FAILED and will not be run again',
      task: { state: 'ACTIVE' },
    });
  });

  test.each(['web:RUNNING', 'process=web', 'process=web:RUNING', 'process=:RUNNING', ''])(
    '%j is refused',
    (text) => {
      expect(thermos(['wait', 'x', '--for', text]).status).toBe(2);
    },
  );
});

describe('which task', () => {
  const root = join(FIXTURES, 'host', 'root');

  test('only a whole id', () => {
    const { stderr, status } = thermos(['wait', '--root', root, 'no-such']);
    expect(stderr).toContain("no task matches 'no-such'");
    expect(status).toBe(1);
  });

  test('a pattern must mean one', () => {
    const { stderr, status } = thermos(['wait', '--root', root, '.*']);
    expect(stderr).toMatch(/'\.\*' matches \d+ tasks/);
    expect(status).toBe(2);
  });

  test('a beginning is no id', () => {
    tasks.task(['web'], 'kk-10').end('SUCCESS');
    expect(thermos(['wait', '--root', join(tasks.path, 'root'), 'kk-1']).status).toBe(1);
  });
});
