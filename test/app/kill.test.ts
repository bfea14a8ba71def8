import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EndableTask } from '../../src/app/end-task.js';
import { type KillOptions, killTasks } from '../../src/app/kill.js';
import type { FoundTask } from '../../src/discovery/found.js';
import type { Problem } from '../../src/errors/problem.js';
import { Host } from '../../src/host/host.js';
import { TaskReader } from '../../src/task/reader.js';
import { tempDir } from '../e2e/harness.js';
import { makeProc, Records, writeTask } from '../task/trees.js';

let temp: ReturnType<typeof tempDir>;
let root: string;
let host: Host;
let ended: string[];
/** What ending a task says. */
let left: Problem[];
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  host = Host.local({ proc: makeProc(`${temp.path}/proc`, { locks: '' }) });
  ended = [];
  left = [];
  for (const id of ['web-1', 'web-2', 'db-1']) active(id);
  writeTask(root, 'web-0', { runner: new Records().status('ACTIVE').status('SUCCESS'), phase: 'finished' });
});
afterEach(() => temp.remove());

const active = (id: string) => writeTask(root, id, { runner: new Records().status('ACTIVE') });

/** A task that has no runner, and ends when it is told. */
function endable(found: FoundTask): EndableTask {
  return {
    mayExecute: false,
    look: () => new TaskReader(found, { history: false }).read(host),
    signalRunner: () => ({ kind: 'no-runner' }),
    isHalted: () => false,
    waitForRunner: () => Promise.reject(new Error('there is none')),
    takeOver: () => Promise.reject(new Error('not here')),
    async endOrphan({ state }, ending) {
      ended.push(found.task_id);
      for (const each of left) ending.problems.push(each);
      ending.signalled.push(7);
      if (found.task_id === 'db-1') throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      writeTask(root, found.task_id, { runner: new Records().status('ACTIVE').status(state) });
    },
    endLeftovers: () => ({ signalled: [], problems: [] }),
  };
}

type Told = { asked: string[]; progress: unknown[] };

function kill(words: string[], rest: Partial<KillOptions> = {}, answer: boolean | undefined = undefined) {
  const told: Told = { asked: [], progress: [] };
  const options = { now: false, lose: false, graceMs: 1000, yes: false, dryRun: false };
  const result = killTasks(
    { ...options, roots: { root: [root] }, words, ...rest },
    {
      confirmation: {
        canAsk: answer !== undefined,
        confirm(question, shown) {
          told.asked.push(question, ...shown.map(({ task_id }) => task_id));
          return answer === true;
        },
      },
      progress: {
        start: (what) => told.progress.push(what),
        update: ({ done, total }) => told.progress.push([done, total]),
        stop: () => told.progress.push('stop'),
        during: (_, work) => work(),
      },
      task: endable,
    },
  );
  return { result, told };
}

test('a process that was left alone, which may be the task’s, makes the answer partial', async () => {
  left = [{ code: 'signal-refused', severity: 'warning', message: 'process 8 was left alone' }];
  const { tasks, problems, exitCode } = await kill(['web-1']).result;
  expect(tasks).toMatchObject([{ now: 'KILLED' }]);
  expect(problems).toMatchObject([{ code: 'signal-refused', severity: 'error' }]);
  expect(exitCode).toBe(5);
});

test('a task that is named is ended without a question', async () => {
  const { result, told } = kill(['web-1']);
  expect(await result).toEqual({
    tasks: [{ task_id: 'web-1', root, was: 'ACTIVE', now: 'KILLED', signalled: [7], already: false }],
    planned: [],
    problems: [],
    exitCode: 0,
  });
  expect(told).toEqual({
    asked: [],
    progress: ['ending task web-1', 'ending task web-1, waiting for its processes', [1, 1], 'stop'],
  });
});

describe('what a pattern means', () => {
  test('is asked about, and ended after a yes', async () => {
    const { result, told } = kill(['web-.*'], {}, true);
    const { tasks } = await result;
    expect(told.asked).toEqual(['End 2 tasks?', 'web-1', 'web-2']);
    // What was over before was not meant.
    expect(tasks.map(({ task_id, now }) => [task_id, now])).toEqual([
      ['web-1', 'KILLED'],
      ['web-2', 'KILLED'],
    ]);
    expect(told.progress).toEqual(['ending 2 tasks', [1, 2], [2, 2], 'stop']);
  });

  test('stays after a no', async () => {
    await expect(kill(['web-.*'], {}, false).result).rejects.toMatchObject({
      code: 'not-confirmed',
      exitCode: 1,
    });
    expect(ended).toEqual([]);
  });

  test('stays if nobody can be asked', async () => {
    await expect(kill(['web-.*']).result).rejects.toMatchObject({
      code: 'confirmation-needed',
      message: 'the pattern matches 2 tasks: web-1, web-2',
      exitCode: 2,
    });
    expect(ended).toEqual([]);
  });

  test('is ended without a question with `yes`', async () => {
    const { result, told } = kill(['web-.*'], { yes: true }, false);
    expect((await result).tasks).toHaveLength(2);
    expect(told.asked).toEqual([]);
  });
});

test('a dry run ends nothing, and says what it would', async () => {
  const { planned, tasks, exitCode } = await kill(['web-.*', 'web-0'], { dryRun: true }).result;
  expect(planned.map(({ task_id }) => task_id)).toEqual(['web-1', 'web-2']);
  expect(tasks.map(({ task_id, already }) => [task_id, already])).toEqual([
    ['web-1', false],
    ['web-2', false],
    ['web-0', true],
  ]);
  expect([ended, exitCode]).toEqual([[], 0]);
});

test('that all were over is told', async () => {
  const { tasks, exitCode } = await kill(['web-0']).result;
  expect(tasks).toMatchObject([{ task_id: 'web-0', was: 'SUCCESS', now: 'SUCCESS', already: true }]);
  expect([ended, exitCode]).toEqual([[], 0]);
});

test('a task that cannot be ended is a problem, and the others are ended', async () => {
  const { tasks, problems, exitCode } = await kill(['.*-1'], { yes: true }).result;
  expect(tasks.map(({ task_id, now }) => [task_id, now])).toEqual([
    ['db-1', 'ACTIVE'],
    ['web-1', 'KILLED'],
  ]);
  expect(problems).toMatchObject([{ code: 'kill-failed', task_id: 'db-1' }]);
  expect(exitCode).toBe(5);
});

test('a word that means no task beside others that do', async () => {
  const { tasks, problems, exitCode } = await kill(['web-1', 'nothing']).result;
  expect(tasks).toHaveLength(1);
  expect(problems).toMatchObject([{ code: 'task-not-found' }]);
  expect(exitCode).toBe(1);
});

test('no word that means a task', async () => {
  await expect(kill(['web']).result).rejects.toMatchObject({ code: 'task-not-found', exitCode: 1 });
});
