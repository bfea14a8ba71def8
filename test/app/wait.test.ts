import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answered, type Pause, type WaitAnswer, type WaitOptions, waitForTask } from '../../src/app/wait.js';
import { DirectoryWatcher } from '../../src/store/directory-watcher.js';
import type { Changes } from '../../src/task/changes.js';
import type { TaskGatherer, TaskSource } from '../../src/task/gatherer.js';
import { tempDir } from '../e2e/harness.js';
import { RAN, Records, writeTask } from '../task/trees.js';
import { gatheredHere, gatheredLate, treeOf } from './gatherers.js';
import type { MemoryTasks } from './memory-tasks.js';

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

interface Waiting extends Partial<WaitOptions> {
  changes: Changes;
  /** Resolves to the exit code of a signal. */
  signal?: Promise<number>;
  notices?: string[];
  now?: () => number;
}

function wait(
  word: string,
  gatherer: TaskGatherer,
  {
    changes,
    signal = new Promise(() => {}),
    notices = [],
    conditions = [],
    timeout,
    now = () => performance.now(),
  }: Waiting,
): Promise<WaitAnswer | number> {
  return waitForTask(
    word,
    { conditions, timeout },
    {
      gatherer,
      changes,
      pause: (until) => Promise.race([until.then(() => undefined), signal]),
      now,
      notice: (text) => notices.push(text),
    },
  );
}

/** A task of one process that runs on another host. */
function running(records = new Records().status('ACTIVE').process('web', 'WAITING', 'FORKED', 'RUNNING')) {
  const task = { name: 't', processes: [{ name: 'web' }] };
  writeTask(join(temp.path, 'root'), 't', { task, runner: records });
  const late = gatheredLate(temp.path).gatherer;
  late.alive.add('t');
  return { late, append: appender(late, records) };
}

/** The gatherer of a host that does not answer. */
function silent(late: MemoryTasks, what: 'find' | 'read'): TaskGatherer {
  return {
    ...late,
    find: what === 'find' ? () => new Promise(() => {}) : late.find.bind(late),
    source: (task) => ({ ...late.source(task), read: () => new Promise(() => {}) }),
    views: late.views,
    all: late.all,
    board: late.board,
    processNames: late.processNames,
  };
}

/** Appends to the stream of the task what is added to its records. */
function appender(late: MemoryTasks, records: Records) {
  let written = records.bytes().length;
  return (add: (records: Records) => Records) => {
    const bytes = add(records).bytes();
    late.files.append(join(temp.path, 'root/checkpoints/t/runner'), bytes.subarray(written));
    written = bytes.length;
  };
}

/** Changes, and what resolves when the task was seen for the first time. */
function announced(late: MemoryTasks) {
  const changes = late.changes();
  const watch = changes.watch.bind(changes);
  const seen = new Promise<void>((resolve) => {
    changes.watch = (directory) => {
      resolve();
      return watch(directory);
    };
  });
  return { changes, seen };
}

function endTask(late: MemoryTasks): void {
  const tasks = join(temp.path, 'root/tasks');
  late.files.rename(join(tasks, 'active/t'), join(tasks, 'finished/t'));
  late.alive.delete('t');
}

test.each(['host-ok-1', 'host-bad', 'host-kill'])(
  'a task that is over is over everywhere: %s',
  async (id) => {
    const here = await wait(id, gatheredHere(treeOf('host'), temp.path).gatherer, {
      changes: new DirectoryWatcher(),
    });
    const { gatherer } = gatheredLate(treeOf('host'));
    const changes = gatherer.changes();
    expect(await wait(id, gatherer, { changes })).toEqual(here);
    expect(here).toMatchObject({ met: true, view: { task_id: id } });
    expect(changes.closed).toBe(true);
  },
);

describe('a task that runs elsewhere', () => {
  test('is waited for until its end is recorded and its file has moved', async () => {
    const { late, append } = running();
    const answer = wait('t', late, { changes: late.changes() });
    append((records) => records.process('web', 'SUCCESS').status('SUCCESS'));
    endTask(late);
    expect(await answer).toMatchObject({ exitCode: 0, view: { state: 'SUCCESS', phase: 'finished' } });
  });

  test('is heard of as soon as something changes there', async () => {
    const { late, append } = running();
    const { changes, seen } = announced(late);
    // No time is ever over: it goes on when it is told that something has changed.
    const { changes: next } = changes;
    changes.changes = () => next.call(changes, 2 ** 30);
    const condition = { process: 'web', state: 'FAILED' as const };
    const answer = wait('t', late, { changes, conditions: [condition] });
    await seen;
    append((records) => records.process('web', 'FAILED'));
    expect(await answer).toMatchObject({ exitCode: 0, met: true });
  });

  test('what cannot happen any more is a no, and why', async () => {
    const { late, append } = running();
    const condition = { process: 'web', state: 'SUCCESS' as const };
    append((records) => records.process('web', 'FAILED'));
    expect(await wait('t', late, { changes: late.changes(), conditions: [condition] })).toMatchObject({
      exitCode: 1,
      met: false,
      why: 'process web is FAILED and will not be run again',
    });
  });

  test('that its runner died is said once, and a new runner waited for', async () => {
    const { late, append } = running();
    late.alive.clear();
    const notices: string[] = [];
    const { changes, seen } = announced(late);
    const answer = wait('t', late, { changes, notices });
    await seen;
    late.alive.add('t');
    append((records) => records.status('ACTIVE').process('web', 'SUCCESS').status('SUCCESS'));
    endTask(late);
    expect(await answer).toMatchObject({ exitCode: 0 });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('no runner is alive');
  });

  test('that was removed is gone', async () => {
    const { late } = running();
    const { changes, seen } = announced(late);
    const answer = wait('t', late, { changes });
    await seen;
    late.files.remove(join(temp.path, 'root/tasks/active/t'));
    late.files.remove(join(temp.path, 'root/checkpoints/t'));
    await expect(answer).rejects.toMatchObject({ code: 'task-removed' });
  });

  test('is waited for no longer than was asked', async () => {
    const { late } = running();
    let ms = 0;
    const read = async (source: TaskSource) => {
      const view = await source.read();
      ms = 60_000;
      return view;
    };
    const slow: TaskGatherer = {
      ...silent(late, 'read'),
      source: (task) => ({ ...late.source(task), read: () => read(late.source(task)) }),
    };
    const answer = wait('t', slow, { changes: late.changes(), timeout: 60_000, now: () => ms });
    await expect(answer).rejects.toMatchObject({
      code: 'timeout',
      message: 'timed out: task t is ACTIVE',
      exitCode: 124,
    });
  });
});

describe('a host that does not answer', () => {
  test.each(['find', 'read'] as const)('%s: the time is over all the same', async (what) => {
    const { late } = running();
    const answer = wait('t', silent(late, what), { changes: late.changes(), timeout: 30 });
    await expect(answer).rejects.toMatchObject({
      code: 'timeout',
      message: 'timed out: there was no answer for t',
    });
  });

  test.each(['find', 'read'] as const)('%s: a signal ends it', async (what) => {
    const { late } = running();
    const signal = new Promise<number>((resolve) => setTimeout(() => resolve(130), 30));
    expect(await wait('t', silent(late, what), { changes: late.changes(), signal })).toBe(130);
  });
});

test('one task has to be meant, here and elsewhere', async () => {
  const gatherers = [gatheredHere(treeOf('host'), temp.path).gatherer, gatheredLate(treeOf('host')).gatherer];
  for (const gatherer of gatherers) {
    const changes = () => gatheredLate(treeOf('host')).gatherer.changes();
    await expect(wait('host-.*', gatherer, { changes: changes() })).rejects.toMatchObject({
      code: 'ambiguous-task',
    });
    await expect(wait('host', gatherer, { changes: changes() })).rejects.toMatchObject({
      code: 'task-not-found',
    });
  }
});

test('a run that ended before the waiting began does not count', async () => {
  const records = new Records().status('ACTIVE').process('web', ...RAN, 'WAITING', 'FORKED');
  const { late } = running(records);
  const condition = { process: 'web', state: 'SUCCESS' as const };
  const answer = wait('t', late, { changes: late.changes(), conditions: [condition], timeout: 50 });
  await expect(answer).rejects.toMatchObject({ code: 'timeout' });
});

const patient: Pause = async (until) => {
  await until;
  return undefined;
};
const interrupted: Pause = async () => 130;
const never: Pause = () => {
  throw new Error('nothing had to be waited for');
};

describe('an answer', () => {
  test('that is there is not waited for', async () => {
    expect(await answered({ a: 1 }, never)).toEqual({ a: 1 });
  });

  test('that is late is waited for', async () => {
    expect(await answered(sleep(5, { a: 1 }), patient)).toEqual({ a: 1 });
  });

  test('is waited for also by who pauses for a moment only', async () => {
    expect(await answered(sleep(20, { a: 1 }), async () => undefined)).toEqual({ a: 1 });
  });

  test('that fails is thrown', async () => {
    await expect(answered(Promise.reject(new Error('no')), patient)).rejects.toThrow('no');
  });

  test('is given up for a signal, and may fail then', async () => {
    const failing = sleep(5).then(() => Promise.reject(new Error('too late')));
    expect(await answered(failing, interrupted)).toBe(130);
    await sleep(20);
  });
});
