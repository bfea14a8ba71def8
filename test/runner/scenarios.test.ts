import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import type { NewTask, Runner } from '../../src/runner/api.js';
import { openTask, takeOver } from '../../src/runner/runner.js';
import type { RunnableTask } from '../../src/runner/task-document.js';
import { tempDir } from '../e2e/harness.js';
import { writerThat } from './faulty-writer.js';
import {
  type CorpusCase,
  corpusCase,
  IS_SECOND,
  recordsOf,
  SETTINGS,
  type Story,
  soundCases,
  storyOf,
} from './harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(() => {
  temp = tempDir();
});
afterAll(() => temp.remove());

const isRoot = process.getuid?.() === 0;

function newTask({ name, taskId, task, header }: CorpusCase): NewTask {
  const place = join(temp.path, name);
  const { user, ports, hostname } = header;
  return {
    root: join(place, 'root'),
    taskId,
    task,
    sandbox: join(place, 'sandbox'),
    user: isRoot ? user : undefined,
    ports,
    hostname,
  };
}

function streamOf({ root, taskId }: NewTask): string {
  return join(root, 'checkpoints', taskId, 'runner');
}

/** Our records tell the same story as the original's, and begin with the same two. */
function expectSame(spec: NewTask, { records }: CorpusCase): void {
  const ours = recordsOf(streamOf(spec));
  expect(storyOf(ours)).toEqual(storyOf(records));
  expect(ours.slice(0, 2).map(({ type }) => type)).toEqual(['task_status', 'runner_header']);
  expect(existsSync(join(spec.root, 'tasks/active', spec.taskId))).toBe(false);
  const { mtimeMs } = statSync(join(spec.root, 'tasks/finished', spec.taskId));
  const last = ours.findLast(({ type }) => type === 'task_status')?.value as { timestamp_ms: number };
  expect(Math.abs(mtimeMs - last.timestamp_ms)).toBeLessThan(60_000);
}

/** Those with several streams as CASE/PART, see `corpusCase`. */
const ENDED = [
  'chain-5',
  'chain-breaks',
  'concurrency-2',
  'daemonized',
  'diamond',
  'empty-stdout',
  'ephemeral',
  'fail-retries-3',
  'fifty-processes',
  'final-on-failure',
  'final-on-success',
  'finalization-timeout',
  'host-mixed/host-bad',
  'host-mixed/host-ok-1',
  'host-mixed/host-ok-2',
  'host-mixed/other.name',
  'large-stdout',
  'logger-destinations',
  'long-task-id',
  'mesos-docker',
  'mesos-failed',
  'mesos-hello',
  'mesos-many/backup-prod-sync-0',
  'mesos-many/d0bf642d',
  'mesos-many/ffff1111',
  'mesos-many/web-1-',
  'mesos-many/web-2-',
  'mesos-relocated',
  'min-duration',
  'odd-names',
  'ports',
  'process-exit-137',
  'process-signaled',
  'rotate',
  'simplerun',
  'stderr-only',
  'success-single',
  'task-max-failures-0',
  'task-max-failures-2',
  'thirty-runs',
  'unicode',
  'user-nobody',
] as const;

/** Many starts of a coordinator, of which each has to do what it does in the others: the runner counts. */
const MANY_STARTS = ['fifty-processes', 'thirty-runs'];
const isShort = IS_SECOND && process.env.THERMOS_TEST_BOTH === undefined;

describe('tasks that run to their end', () => {
  const names = ENDED.filter((name) => !isShort || !MANY_STARTS.includes(name));
  test.concurrent.each(names)('%s', async (name) => {
    const it = corpusCase(name);
    const spec = newTask(it);
    const { problems } = await openTask(spec, SETTINGS).run();
    expect(problems).toEqual([]);
    expectSame(spec, it);
    for (const process of it.task.processes) {
      const coordinator = join(spec.root, 'checkpoints', spec.taskId, `coordinator.${process.name}`);
      const known = storyOf(recordsOf(streamOf(spec))).processes[process.name]?.filter(
        (line) => !/WAITING|LOST| -1$/.test(line),
      );
      expect(
        existsSync(coordinator) ? storyOf(recordsOf(coordinator)).processes[process.name] : undefined,
      ).toEqual(known);
    }
  });
});

/** Runs a task and does something when a record has come. */
function runUntil(
  spec: NewTask,
  isIt: (record: CheckpointRecord) => boolean,
  act: (runner: Runner) => void,
): Promise<unknown> {
  const runner = openTask(spec, SETTINGS, {
    record: (record) => {
      if (isIt(record)) setImmediate(() => act(runner));
    },
  });
  return runner.run();
}

const isProcess =
  (state: string, seq: number) =>
  ({ type, value }: CheckpointRecord) =>
    type === 'process_status' && value.state === state && value.seq === seq;

const isStart = ({ type, value }: CheckpointRecord) => type === 'process_status' && value.state === 'RUNNING';

/** How many processes were recorded RUNNING by the original before it was asked to end the task. */
function startsOf(records: readonly CheckpointRecord[]): number {
  const asked = records.findIndex(({ type, value }) => type === 'task_status' && value.state !== 'ACTIVE');
  return records.slice(0, asked).filter(isStart).length;
}

/** The task, whose last run before the kill lasts until then, however slow this machine is. */
function lasting(task: RunnableTask, starts: number): RunnableTask {
  const isLast = `echo >> beats; [ $(wc -l < beats) -lt ${starts} ] || sleep 80`;
  const processes = task.processes.map((process) => ({
    ...process,
    cmdline: process.cmdline.replace('sleep 0.3', isLast),
  }));
  return { ...task, processes };
}

/** The task with other commands for some of its processes: they wait for a state where the original's waited for a time. */
function withCommands(task: RunnableTask, commands: Readonly<Record<string, string>>): RunnableTask {
  const processes = task.processes.map((process) => ({
    ...process,
    cmdline: commands[process.name] ?? process.cmdline,
  }));
  return { ...task, processes };
}

const KILLED = [
  ['final-on-interrupt', { state: 'KILLED' }],
  ['host-mixed/host-kill', { state: 'KILLED', now: true }],
  ['daemon-restart-interrupted', { state: 'KILLED' }],
  ['mesos-killed', { state: 'KILLED' }],
  ['mesos-lost', { state: 'LOST', wait: 0 }],
  ['final-thermos-kill', { state: 'KILLED', now: true }],
  ['thermos-kill', { state: 'KILLED', now: true }],
] as const;

describe('tasks that are killed', () => {
  test.concurrent.each(KILLED)('%s', async (name, request) => {
    const it = corpusCase(name);
    let left = startsOf(it.records);
    const spec = { ...newTask(it), task: lasting(it.task, left) };
    await runUntil(
      spec,
      (record) => isStart(record) && --left === 0,
      (runner) => runner.kill(request),
    );
    expectSame(spec, it);
  });
});

/** Recorded while they were alive, or had lost their runner: nothing more was to come for a while. */
const ALIVE = [
  'host-mixed/host-dead',
  'host-mixed/host-live',
  'live-active',
  'live-cleaning',
  'mesos-live',
  'runner-killed-left',
] as const;

describe('tasks that are alive', () => {
  test.concurrent.each(ALIVE)('%s', async (name) => {
    const it = corpusCase(name);
    // In `live-cleaning`: it fails when the other one no longer ends by SIGTERM.
    const bad = 'until [ -e deaf ]; do sleep 0.05; done; exit 1';
    const deaf = "trap '' TERM; touch deaf; while :; do sleep 0.2; done";
    const spec = { ...newTask(it), task: withCommands(it.task, { bad, deaf }) };
    const ours: CheckpointRecord[] = [];
    const text = (story: Story) =>
      JSON.stringify({ ...story, processes: Object.entries(story.processes).sort() });
    const isThere = (record: CheckpointRecord) => {
      ours.push(record);
      return text(storyOf(ours)) === text(storyOf(it.records));
    };
    await runUntil(spec, isThere, (runner) => runner.kill({ state: 'KILLED', now: true }));
    expect(storyOf(recordsOf(streamOf(spec)).slice(0, it.records.length))).toEqual(storyOf(it.records));
  });
});

/** A writer for the task's stream that fails once a record is in it: what runs goes on without a runner. */
const failingAfter = (isIt: (record: CheckpointRecord) => boolean) =>
  writerThat({
    after: (records) => {
      if (records.some(isIt)) throw new Error('the runner ends here');
    },
  });

describe('tasks that lose their runner', () => {
  async function loseRunner(spec: NewTask, isIt: (record: CheckpointRecord) => boolean): Promise<void> {
    let appended = 0;
    // The first writer is that of the task's stream; those of the processes' streams must not fail.
    const writer = (fd: number) => (appended++ === 0 ? failingAfter(isIt)(fd) : new CheckpointWriter(fd));
    await expect(openTask(spec, { ...SETTINGS, writer }).run()).rejects.toThrow('the runner ends here');
  }

  test.concurrent('runner-killed-resumed', async () => {
    const it = corpusCase('runner-killed-resumed');
    const spec = newTask(it);
    const isSecond = isProcess('RUNNING', 2);
    await loseRunner(
      spec,
      (record) => isSecond(record) && (record.value as { process: string }).process === 'second',
    );
    await openTask(spec, SETTINGS).run();
    expectSame(spec, it);
  });

  test.concurrent('kill-dead-runner', async () => {
    const it = corpusCase('kill-dead-runner');
    const spec = newTask(it);
    await loseRunner(spec, isProcess('RUNNING', 2));
    const killer = takeOver(spec, SETTINGS);
    killer.kill({ state: 'KILLED', now: true });
    await killer.run();
    expectSame(spec, it);
  });

  test.concurrent('resumed-process-lost', async () => {
    const it = corpusCase('resumed-process-lost');
    const spec = newTask(it);
    await loseRunner(spec, isProcess('RUNNING', 2));
    const records = recordsOf(streamOf(spec)).map(({ value }) => value as Record<string, number>);
    for (const { coordinator_pid, pid } of records) {
      if (coordinator_pid) process.kill(coordinator_pid, 'SIGKILL');
      if (pid) process.kill(pid, 'SIGKILL');
    }
    await openTask(spec, SETTINGS).run();
    expectSame(spec, it);
  });

  test.concurrent('resumed-in-finalizing', async () => {
    const it = corpusCase('resumed-in-finalizing');
    const post = 'if [ -f f ]; then echo p; else touch f; sleep 1000; fi';
    const spec = { ...newTask(it), task: withCommands(it.task, { post }) };
    const isRunning = isProcess('RUNNING', 2);
    await loseRunner(
      spec,
      (record) => isRunning(record) && (record.value as { process: string }).process === 'post',
    );
    while (!existsSync(join(spec.sandbox, 'f'))) await new Promise((resolve) => setTimeout(resolve, 5));
    await takeOver(spec, SETTINGS).run();
    expectSame(spec, it);
  });
});

test('coordinator-killed', async () => {
  const it = corpusCase('coordinator-killed');
  const spec = newTask(it);
  let pid = 0;
  const runner = openTask(spec, SETTINGS, {
    record: ({ type, value }) => {
      if (type !== 'process_status') return;
      if (value.seq === 1) pid = value.coordinator_pid as number;
      // Not before the command has made its mark in the sandbox.
      if (value.seq === 2) {
        const marked = setInterval(() => {
          if (!existsSync(join(spec.sandbox, 'f'))) return;
          clearInterval(marked);
          process.kill(pid, 'SIGKILL');
        }, 5);
      }
    },
  });
  await runner.run();
  expectSame(spec, it);
});

test('a process that cannot be started has FAILED, and the task says why', async () => {
  const it = corpusCase('forked-lost');
  const spec = newTask(it);
  if (!isRoot) {
    expect(() => openTask(spec, { ...SETTINGS, chroot: true })).toThrow('only root');
    return;
  }
  const { state, problems } = await openTask(spec, { ...SETTINGS, chroot: true }).run();
  expect(state).toBe('FAILED');
  expect(problems).toMatchObject([{ code: 'process-not-started', process: 'jailed' }]);
  expect(storyOf(recordsOf(streamOf(spec))).processes).toEqual({ jailed: ['0 WAITING', '1 FAILED'] });
});

test('what the command finds around it', async () => {
  const { header, ...it } = corpusCase('user-nobody');
  const spec = { ...newTask({ ...it, header, name: 'surroundings' }) };
  await openTask(spec, SETTINGS).run();
  const out = readFileSync(join(spec.sandbox, '.logs/whoami/0/stdout'), 'utf8').split('\n');
  if (isRoot) expect(out.slice(0, 2)).toEqual(['nobody', '65534']);
  expect(out[2]).toBe(spec.sandbox);
});

test('every sound case is one of these', () => {
  const others = [
    'coordinator-killed',
    'kill-dead-runner',
    'resumed-in-finalizing',
    'resumed-process-lost',
    'runner-killed-resumed',
    // Ours says that they can't be started, and ends them; the original leaves them active.
    'forked-lost',
    'user-unknown',
  ];
  const names = [...ENDED, ...KILLED.map(([name]) => name), ...ALIVE, ...others].map(
    (name) => name.split('/')[0],
  );
  expect([...new Set(names)].sort()).toEqual(soundCases().sort());
});
