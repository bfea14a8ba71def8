import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beDaemon, type DaemonProcess, startDaemon } from '../../src/app/daemon.js';
import { NO_PROGRESS } from '../../src/app/progress.js';
import { type BegunTask, type Control, type Endable, type RunPorts, runToItsEnd } from '../../src/app/run.js';
import { type RunSpec, runSpec } from '../../src/app/run-spec.js';
import { failureOf } from '../../src/cli/failure.js';
import { EXIT, type ExitCode } from '../../src/errors/exit-codes.js';
import type { KillRequest } from '../../src/runner/api.js';
import { tempDir } from '../e2e/harness.js';
import { SETTINGS } from '../runner/harness.js';

let temp: ReturnType<typeof tempDir>;
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
});
afterEach(() => temp.remove());

function spec(...processes: { name: string; cmdline: string; logger?: object; final?: boolean }[]): RunSpec {
  const document = { name: 't', processes, finalization_wait: 30 };
  const prepared = { path: 't', taskId: 't', user: 'me', ports: {}, document, settings: [], problems: [] };
  return runSpec(prepared, { roots: { root: [root] }, preserveEnv: false, maxRuns: 100, logger: {} });
}

/** Whoever may ask for the end: a test. */
class FakeControl implements Control {
  signalled: ExitCode | undefined;
  task: Endable | undefined;
  isClosed = false;
  readonly notice: (text: string) => void;

  constructor(notice: (text: string) => void) {
    this.notice = notice;
  }

  attach(task: Endable): void {
    this.task = task;
  }

  close(): void {
    this.isClosed = true;
  }
}

interface Stage {
  control?: FakeControl;
  shown?: BegunTask;
  /** What came to the viewer, in order. */
  readonly viewed: string[];
}

function ports(stage: Stage, isShown = true): RunPorts {
  return {
    now: Date.now,
    coordinator: SETTINGS.coordinator,
    control(notice) {
      stage.control = new FakeControl(notice);
      return stage.control;
    },
    console: { stdout: 2, stderr: 2 },
    show(task) {
      stage.shown = task;
      if (!isShown) return undefined;
      return {
        notice: (text) => stage.viewed.push(text),
        end: async () => void stage.viewed.push('end'),
        close: () => void stage.viewed.push('close'),
      };
    },
  };
}

describe('a task that is run to its end', () => {
  test('is shown meanwhile, and seen as it is then', async () => {
    const stage: Stage = { viewed: [] };
    const { view, problems, exitCode } = await runToItsEnd(
      spec({ name: 'a', cmdline: 'echo hello' }),
      ports(stage),
    );
    expect(view).toMatchObject({ task_id: 't', phase: 'finished', state: 'SUCCESS', verdict: 'ok' });
    expect(view.history.get('a')).toBeDefined();
    expect([problems, exitCode]).toEqual([[], EXIT.ok]);
    expect(stage.shown).toEqual({
      root,
      taskId: 't',
      resumed: false,
      hasConsole: false,
      destination: 'file',
    });
    expect(stage.viewed).toEqual(['end', 'close']);
    expect(stage.control?.isClosed).toBe(true);
    expect(readFileSync(`${root}/sandboxes/t/.logs/a/0/stdout`, 'utf8')).toBe('hello\n');
  });

  test('that fails exits 1, shown or not', async () => {
    const stage: Stage = { viewed: [] };
    const { view, exitCode } = await runToItsEnd(spec({ name: 'a', cmdline: 'exit 3' }), ports(stage, false));
    expect([view.state, exitCode]).toEqual(['FAILED', EXIT.no]);
  });

  test('knows that processes write to the console', async () => {
    const stage: Stage = { viewed: [] };
    const logger = { destination: 'console' };
    await runToItsEnd(
      spec({ name: 'a', cmdline: 'true', logger }, { name: 'b', cmdline: 'true' }),
      ports(stage),
    );
    expect(stage.shown?.hasConsole).toBe(true);
  });

  test.each([
    ['asked by a person', EXIT.interrupted, EXIT.interrupted],
    ['asked by a program', undefined, EXIT.killed],
  ])('and is %s to end', async (_, signalled, code) => {
    const stage: Stage = { viewed: [] };
    const over = runToItsEnd(spec({ name: 'a', cmdline: 'exec sleep 1000' }), ports(stage));
    while (!existsSync(`${root}/sandboxes/t/.logs/a/0/stdout`)) await sleep(10);
    const { control } = stage;
    if (control === undefined) throw new Error('nobody has the control');
    control.signalled = signalled;
    control.notice('ending t');
    control.task?.kill({ state: 'KILLED', now: true });
    const { view, exitCode } = await over;
    expect([view.state, exitCode]).toEqual(['KILLED', code]);
    expect(stage.viewed).toEqual(['ending t', 'end', 'close']);
  });

  test('that cannot be opened gives the control back, and is not shown', async () => {
    const stage: Stage = { viewed: [] };
    await runToItsEnd(spec({ name: 'a', cmdline: 'true' }), ports(stage));
    const again: Stage = { viewed: [] };
    await expect(runToItsEnd(spec({ name: 'a', cmdline: 'true' }), ports(again))).rejects.toMatchObject({
      code: 'task-finished',
    });
    expect(again.control?.isClosed).toBe(true);
    expect(again.shown).toBeUndefined();
  });
});

describe('a daemon', () => {
  test('says that its task has started, and runs it to its end', async () => {
    const stage: Stage = { viewed: [] };
    const said: string[] = [];
    await beDaemon(spec({ name: 'a', cmdline: 'true' }), {
      ...ports(stage),
      answer: (text) => said.push(text),
      failureOf,
    });
    expect(said.map((text) => JSON.parse(text))).toEqual([
      { started: { task_id: 't', root, sandbox: `${root}/sandboxes/t`, runner: { pid: process.pid } } },
    ]);
    expect(existsSync(`${root}/tasks/finished/t`)).toBe(true);
  });

  test('says why its task could not be started', async () => {
    const said: string[] = [];
    const wrong = spec({ name: 'a/b', cmdline: 'true' });
    await beDaemon(wrong, { ...ports({ viewed: [] }), answer: (text) => said.push(text), failureOf });
    expect(said.map((text) => JSON.parse(text))).toMatchObject([
      { error: { code: 'task-invalid', exitCode: 2 } },
    ]);
  });

  test('ends a task that nobody knows to have started', async () => {
    const say = () => {
      throw new Error('EPIPE');
    };
    await beDaemon(spec({ name: 'a', cmdline: 'exec sleep 1000' }), {
      ...ports({ viewed: [] }),
      answer: say,
      failureOf,
    });
    expect(existsSync(`${root}/tasks/finished/t`)).toBe(true);
  });
});

describe('whoever starts a daemon', () => {
  const started = { task_id: 't', root: '/r', sandbox: '/s', runner: { pid: 7 } };

  /** A daemon that says this, after something else has happened. */
  function start(said: string, before: (control: FakeControl, signals: string[]) => void = () => {}) {
    const signals: string[] = [];
    let control: FakeControl | undefined;
    const daemon = (): DaemonProcess => ({
      answer: (async function* () {
        before(control as FakeControl, signals);
        for (const char of said) yield char;
      })(),
      gone: Promise.resolve(),
      signal: (signal) => void signals.push(signal),
      leave: () => void signals.push('left'),
    });
    const answer = startDaemon(spec({ name: 'a', cmdline: 'true' }), {
      control(notice) {
        control = new FakeControl(notice);
        return control;
      },
      progress: NO_PROGRESS,
      spawn: daemon,
      notice: (text) => void signals.push(text),
    });
    return { answer, signals, isClosed: () => control?.isClosed };
  }

  test('learns that its task has started', async () => {
    const { answer, signals, isClosed } = start(JSON.stringify({ started }));
    expect(await answer).toEqual(started);
    expect([signals, isClosed()]).toEqual([['left'], true]);
  });

  test('learns why it has not', async () => {
    const error = { code: 'task-running', message: 'it runs', hint: 'wait', exitCode: 2, problems: [] };
    await expect(start(JSON.stringify({ error })).answer).rejects.toMatchObject(error);
    await expect(start('').answer).rejects.toMatchObject({ code: 'runner-died' });
  });

  test.each([
    [{ state: 'KILLED' }, EXIT.terminated, 'SIGTERM', EXIT.terminated],
    [{ state: 'KILLED' }, undefined, 'SIGTERM', EXIT.killed],
    [{ state: 'LOST' }, undefined, 'SIGUSR2', EXIT.lost],
  ] as const)('passes on %j (%s)', async (request, signalled, signal, exitCode) => {
    const { answer, signals } = start(JSON.stringify({ started }), (control) => {
      control.signalled = signalled;
      control.notice('ending t');
      control.task?.kill(request as KillRequest);
    });
    await expect(answer).rejects.toMatchObject({ code: 'interrupted', exitCode });
    expect(signals).toEqual(['ending t', signal, 'left']);
  });
});
