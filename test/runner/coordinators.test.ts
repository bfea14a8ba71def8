import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { processTable } from '../../src/host/process-table.js';
import type { CoordinatorPrograms, NewTask, RunSettings } from '../../src/runner/api.js';
import { openTask, takeOver } from '../../src/runner/runner.js';
import type { RunnableTask } from '../../src/runner/task-document.js';
import { faultyCoordinator } from '../coordinator/variants.js';
import { tempDir } from '../e2e/harness.js';
import { writerThat } from './faulty-writer.js';
import { HAS_NATIVE, recordsOf, SETTINGS, storyOf, taskOf } from './harness.js';

/** What the two coordinators have in common, and what only the one in C can do. */

const { coordinator: NATIVE } = SETTINGS;
const SCRIPT: CoordinatorPrograms = { script: NATIVE.script };

let temp: ReturnType<typeof tempDir>;
beforeEach(({ skip }) => {
  temp = tempDir();
  if (!HAS_NATIVE) skip('the coordinator in C was not built');
});
afterEach(() => temp.remove());

const isRoot = process.getuid?.() === 0;

function newTask(task: RunnableTask, name = 'one'): NewTask {
  const place = join(temp.path, name);
  return { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), task };
}

const streamOf = ({ root }: NewTask) => join(root, 'checkpoints/task/runner');
const processesOf = (spec: NewTask) => storyOf(recordsOf(streamOf(spec))).processes;
const isAlive = (pid: number) => processTable().some((row) => row.pid === pid);
const ONCE = ['0 WAITING', '1 FORKED', '2 RUNNING', '3 SUCCESS 0'];

/** Resolves when the condition holds; the test's own time is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('both coordinators', () => {
  /** What comes of a task with each of them, its paths left out. */
  async function outcomes(
    task: RunnableTask,
    prepare: (spec: NewTask) => void = () => {},
    settings: Partial<RunSettings> = {},
  ): Promise<unknown[]> {
    const all: unknown[] = [];
    for (const coordinator of [NATIVE, SCRIPT]) {
      const spec = newTask(task, coordinator === SCRIPT ? 'script' : 'native');
      mkdirSync(spec.sandbox, { recursive: true });
      prepare(spec);
      const { state, problems } = await openTask(spec, { ...SETTINGS, ...settings, coordinator }).run();
      const said = problems.map(({ code, message }) =>
        `${code}: ${message}`.replaceAll(spec.sandbox, 'SANDBOX'),
      );
      all.push({ state, said, story: storyOf(recordsOf(streamOf(spec))) });
    }
    return all;
  }

  const logs = (path: string) => (spec: NewTask) => {
    mkdirSync(join(spec.sandbox, '.logs', path, '..'), { recursive: true });
    writeFileSync(join(spec.sandbox, '.logs', path), 'in the way');
  };

  test.each<[string, RunnableTask, (spec: NewTask) => void, string]>([
    [
      'a file in place of the directory of a process',
      taskOf([{ name: 'p', cmdline: 'true' }]),
      logs('p'),
      "ENOTDIR: not a directory, mkdir 'SANDBOX/.logs/p/0'",
    ],
    [
      'a file in place of the directory of a run',
      taskOf([{ name: 'p', cmdline: 'true' }]),
      logs('p/0'),
      "EEXIST: file already exists, mkdir 'SANDBOX/.logs/p/0'",
    ],
    [
      'a directory in place of a log',
      taskOf([{ name: 'p', cmdline: 'true' }]),
      (spec) => mkdirSync(join(spec.sandbox, '.logs/p/0/stdout'), { recursive: true }),
      "EISDIR: illegal operation on a directory, open 'SANDBOX/.logs/p/0/stdout'",
    ],
    [
      'a directory in place of a log that rotates',
      taskOf([{ name: 'p', cmdline: 'true', logger: { mode: 'rotate' } }]),
      (spec) => mkdirSync(join(spec.sandbox, '.logs/p/0/stderr'), { recursive: true }),
      "EISDIR: illegal operation on a directory, open 'SANDBOX/.logs/p/0/stderr'",
    ],
    [
      'a command line that is too long',
      taskOf([{ name: 'p', cmdline: `: ${'x'.repeat(200_000)}` }]),
      () => {},
      'spawn E2BIG',
    ],
  ])('refuse %s in the same words', async (_, task, prepare, words) => {
    const [native, script] = await outcomes(task, prepare);
    expect(native).toMatchObject({
      state: 'FAILED',
      said: [`process-not-started: process "p" cannot be started: ${words}`],
    });
    expect(native).toEqual(script);
  });

  test('record the same of the same', async () => {
    const task = taskOf([
      { name: 'ok', cmdline: 'echo out; echo err >&2' },
      { name: 'fails', cmdline: 'exit 3' },
      { name: 'dies', cmdline: 'kill -9 $$', max_failures: 0, final: true },
    ]);
    const [native, script] = await outcomes(task, undefined, { maxRuns: 2 });
    expect(native).toEqual(script);
  });

  test.skipIf(!isRoot)(
    'run a command in a new root as another user with the groups that it has',
    async () => {
      const cmdline = 'echo $(</proc/self/status) | grep -oE "(Uid|Gid|Groups):[ 0-9]*"';
      const seen: string[] = [];
      for (const coordinator of [NATIVE, SCRIPT]) {
        for (const chroot of [false, true]) {
          const spec = { ...newTask(taskOf([{ name: 'p', cmdline }]), `${seen.length}`), user: 'nobody' };
          mkdirSync(spec.sandbox, { recursive: true });
          // All of this machine, but as another directory.
          if (chroot) spec.sandbox = '/';
          const settings = { ...SETTINGS, coordinator, chroot };
          await openTask({ ...spec, logDir: join(temp.path, `logs-${seen.length}`) }, settings).run();
          seen.push(readFileSync(join(temp.path, `logs-${seen.length}`, 'p/0/stdout'), 'utf8'));
        }
      }
      expect(new Set(seen).size).toBe(1);
      expect(seen[0]).toMatch(
        /^Uid: 65534 65534 65534 65534 *\nGid: 65534 65534 65534 65534 *\nGroups: 65534/,
      );
    },
  );

  test.each([
    ['in C', 'in TypeScript', NATIVE, SCRIPT],
    ['in TypeScript', 'in C', SCRIPT, NATIVE],
  ])('one %s goes on under a runner that starts those %s', async (_, __, first, second) => {
    const cmdline = 'echo >> ran; until [ -e go ]; do sleep 0.01; done';
    const order = { constraints: [{ order: ['one', 'two'] }] };
    const spec = newTask(
      taskOf(
        [
          { name: 'one', cmdline },
          { name: 'two', cmdline: 'true' },
        ],
        order,
      ),
    );
    const writer = writerThat({
      before: (records) => {
        if (records.some(({ value }) => 'state' in value && value.state === 'RUNNING'))
          throw new Error('the runner ends here');
      },
    });
    const lost = openTask(spec, { ...SETTINGS, coordinator: first, writer });
    await expect(lost.run()).rejects.toThrow('the runner ends here');
    const next = takeOver(spec, { ...SETTINGS, coordinator: second });
    const running = next.run();
    await until(() => existsSync(join(spec.sandbox, 'ran')));
    writeFileSync(join(spec.sandbox, 'go'), '');
    expect(await running).toEqual({ state: 'SUCCESS', problems: [] });
    expect(processesOf(spec)).toEqual({ one: ONCE, two: ONCE });
    expect(readFileSync(join(spec.sandbox, 'ran'), 'utf8')).toBe('\n');
  });
});

describe('the coordinator in C', () => {
  test('adopts what daemonizes, which ends with the task in any session and with any environment', async () => {
    // In a session of its own, with nothing of the task in its environment or among its files.
    const daemon = 'cd /; exec env -i /bin/sleep 1000 < /dev/null > /dev/null 2>&1';
    const cmdline = `setsid bash -c '(echo $BASHPID > pid.new; mv pid.new pid.daemon; ${daemon}) & '
      until [ -e pid.daemon ]; do sleep 0.01; done`;
    const spec = newTask(taskOf([{ name: 'p', cmdline }]));
    expect(await openTask(spec, SETTINGS).run()).toEqual({ state: 'SUCCESS', problems: [] });
    const pid = Number(readFileSync(join(spec.sandbox, 'pid.daemon'), 'utf8'));
    expect(isAlive(pid)).toBe(false);
    expect(processesOf(spec)).toEqual({ p: ONCE });
  });

  test('neither records an end late nor blocks the next run because of what daemonized', async () => {
    const cmdline = 'setsid sleep 1000 > /dev/null 2>&1 & echo >> ran; [ $(wc -l < ran) = 3 ]';
    const spec = newTask(taskOf([{ name: 'p', cmdline, max_failures: 5 }]));
    expect(await openTask(spec, SETTINGS).run()).toEqual({ state: 'SUCCESS', problems: [] });
    expect(processesOf(spec).p?.filter((line) => line.includes('FORKED'))).toEqual([
      '1 FORKED',
      '5 FORKED',
      '9 FORKED',
    ]);
    const left = processTable().filter(({ pid }) => readCommand(pid).includes(spec.sandbox));
    expect(left).toEqual([]);
  });

  test('makes leftovers recognizable where records alone prove nothing', async () => {
    const place = join(temp.path, 'mesos/slaves/S/frameworks/F/executors/E/runs/R');
    mkdirSync(join(place, 'checkpoints'), { recursive: true });
    const daemon = 'cd /; exec env -i /bin/sleep 1000 < /dev/null > /dev/null 2>&1';
    const cmdline = `(echo $BASHPID > pid.a; exec sleep 1000) & setsid bash -c '(echo $BASHPID > pid.b; ${daemon}) & '
      until [ -s pid.a -a -s pid.b ]; do sleep 0.01; done`;
    const task = taskOf([{ name: 'p', cmdline }]);
    const spec = { root: join(place, 'checkpoints'), taskId: 'task', sandbox: join(place, 'sandbox'), task };
    expect(await openTask(spec, SETTINGS).run()).toEqual({ state: 'SUCCESS', problems: [] });
    const pids = ['a', 'b'].map((name) => Number(readFileSync(join(spec.sandbox, `pid.${name}`), 'utf8')));
    expect(pids.filter(isAlive)).toEqual([]);
  });

  function readCommand(pid: number): string {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8');
    } catch {
      return '';
    }
  }

  test('is replaced by the one in TypeScript, with one remark, if it cannot be executed', async () => {
    const native = join(temp.path, 'coordinator');
    for (const [content, mode] of [
      ['', 0o644],
      ['\x7fELF of another machine', 0o755],
      ['#!/bin/sh\nexit 1\n', 0o755],
    ] as const) {
      writeFileSync(native, content);
      chmodSync(native, mode);
      const names = ['a', 'b', 'c', 'd', 'e'];
      const spec = newTask(
        taskOf(names.map((name) => ({ name, cmdline: 'true' }))),
        `mode-${content.length}`,
      );
      const notes: string[] = [];
      const settings = { ...SETTINGS, coordinator: { ...SCRIPT, native } };
      const events = { note: (text: string) => notes.push(text) };
      expect(await openTask(spec, settings, events).run()).toEqual({ state: 'SUCCESS', problems: [] });
      expect(processesOf(spec)).toEqual(Object.fromEntries(names.map((name) => [name, ONCE])));
      expect(notes).toEqual([
        expect.stringMatching(/^\/.*coordinator .*; Node watches the processes instead$/),
      ]);
    }
  });

  test('is not replaced if nothing else is wanted', async () => {
    const spec = newTask(taskOf([{ name: 'p', cmdline: 'true' }]));
    const coordinator = { ...SCRIPT, native: '/nowhere/coordinator', nativeOnly: true };
    await expect(openTask(spec, { ...SETTINGS, coordinator }).run()).rejects.toMatchObject({
      code: 'install-incomplete',
    });
  });

  test('waits for a console that is not read, for a while', async () => {
    const logger = { destination: 'both' };
    const spec = newTask(taskOf([{ name: 'p', cmdline: 'seq 20000', logger }]));
    mkdirSync(spec.sandbox, { recursive: true });
    const { spawnSync } = await import('node:child_process');
    const fifo = join(spec.sandbox, 'fifo');
    spawnSync('mkfifo', [fifo]);
    // It blocks whoever writes more than it holds.
    const fd = openSync(fifo, 'r+');
    const { state } = await openTask(spec, { ...SETTINGS, console: { stdout: fd, stderr: fd } }).run();
    closeSync(fd);
    expect(state).toBe('SUCCESS');
    expect(readFileSync(join(spec.sandbox, '.logs/p/0/stdout'), 'utf8').split('\n')).toHaveLength(20_001);
  });
});

describe('the coordinator in C on a full disk', () => {
  let place: ReturnType<typeof tempDir>;
  let native: string | undefined;
  beforeAll(() => {
    place = tempDir();
    if (HAS_NATIVE) native = faultyCoordinator(place.path);
  });
  afterAll(() => place.remove());

  test('waits for room, and loses and repeats nothing', async ({ skip }) => {
    if (native === undefined) return skip('it cannot be built here');
    writeFileSync(join(place.path, 'fault'), 'p full 3\n');
    const spec = newTask(taskOf([{ name: 'p', cmdline: 'echo >> ran' }]));
    const coordinator = { ...SCRIPT, native, nativeOnly: true };
    expect(await openTask(spec, { ...SETTINGS, coordinator }).run()).toEqual({
      state: 'SUCCESS',
      problems: [],
    });
    expect(existsSync(join(place.path, 'fault'))).toBe(false);
    expect(processesOf(spec)).toEqual({ p: ONCE });
    expect(readFileSync(join(spec.sandbox, 'ran'), 'utf8')).toBe('\n');
  });

  test('starts no command whose start it cannot record: the runner ends, and can be resumed', async ({
    skip,
  }) => {
    if (native === undefined) return skip('it cannot be built here');
    writeFileSync(join(place.path, 'fault'), 'p unsynced\n');
    const spec = newTask(taskOf([{ name: 'p', cmdline: 'echo >> ran' }]));
    const settings = { ...SETTINGS, coordinator: { ...SCRIPT, native, nativeOnly: true } };
    await expect(openTask(spec, settings).run()).rejects.toMatchObject({
      code: 'checkpoint-write-failed',
      message: 'cannot write to the checkpoint: i/o error',
    });
    expect(existsSync(join(spec.sandbox, 'ran'))).toBe(false);
    expect((await openTask(spec, settings).run()).state).toBe('SUCCESS');
    expect(processesOf(spec).p).toContain('2 LOST');
    expect(readFileSync(join(spec.sandbox, 'ran'), 'utf8')).toBe('\n');
  });
});
