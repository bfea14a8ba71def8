import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localTasks } from '../../src/app/local-tasks.js';
import { Host } from '../../src/host/host.js';
import type { TaskGatherer } from '../../src/task/gatherer.js';
import { tempDir } from '../e2e/harness.js';
import { makeProc, RAN, Records, writeTask } from '../task/trees.js';

let temp: ReturnType<typeof tempDir>;
let root: string;
let gatherer: TaskGatherer;
beforeEach(() => {
  temp = tempDir();
  root = join(temp.path, 'root');
  const proc = makeProc(join(temp.path, 'proc'), { locks: '' });
  gatherer = localTasks({ root: [root] }, () => Host.local({ proc, passwd: '/nonexistent' }));
});
afterEach(() => temp.remove());

async function only() {
  const [task, ...others] = await gatherer.all();
  expect(others).toEqual([]);
  if (task === undefined) throw new Error('there is no task');
  return task;
}

describe('a source', () => {
  test('reads on, and finds the task file again when it has moved', async () => {
    const records = new Records().status('ACTIVE').process('p', ...RAN);
    const directory = writeTask(root, 't', { runner: records });
    const source = gatherer.source(await only());
    expect([source.streams, source.taskFiles]).toEqual([directory, join(root, 'tasks/active')]);
    expect(await source.read()).toMatchObject({ phase: 'active', state: 'ACTIVE', verdict: 'runner-gone' });
    const before = records.bytes().length;
    appendFileSync(join(directory, 'runner'), records.status('SUCCESS').bytes().subarray(before));
    renameSync(join(root, 'tasks/active/t'), join(root, 'tasks/finished/t'));
    const view = await source.read();
    expect(view).toMatchObject({ phase: 'finished', state: 'SUCCESS', verdict: 'ok', name: 't' });
    expect(view.found.task_file).toBe(join(root, 'tasks/finished/t'));
    expect(view.statuses).toHaveLength(2);
  });

  test('says of a task without a trace that it was removed', async () => {
    const directory = writeTask(root, 't');
    const source = gatherer.source(await only());
    rmSync(directory, { recursive: true });
    expect((await source.read()).removed).toBe(false);
    rmSync(join(root, 'tasks/active/t'));
    expect((await source.read()).removed).toBe(true);
  });
});

test('processes are named by the task file and by their streams', async () => {
  writeTask(root, 't', {
    task: { name: 't', processes: [{ name: 'web' }, { name: 'log' }] },
    coordinators: { web: Buffer.alloc(0), old: Buffer.alloc(0) },
  });
  const names = await gatherer.processNames(await only());
  expect(names.slice(0, 2)).toEqual(['web', 'log']);
  expect(new Set(names)).toEqual(new Set(['web', 'log', 'old']));
});

test('a task that has neither file has no names, and is no error', async () => {
  mkdirSync(join(root, 'checkpoints/bare'), { recursive: true });
  mkdirSync(join(root, 'tasks/active'), { recursive: true });
  expect(await gatherer.processNames(await only())).toEqual([]);
});

test('words mean more to who looks than to who changes', async () => {
  for (const id of ['kk-1', 'kk-10']) writeTask(root, id);
  const ids = async (mode: 'look' | 'change') =>
    (await gatherer.find(['kk'], mode)).selected.map(({ task_id }) => task_id);
  expect(await ids('look')).toEqual(['kk-1', 'kk-10']);
  expect(await ids('change')).toEqual([]);
});
