import { beforeEach, describe, expect, test } from 'vitest';
import {
  type EndableTask,
  type EndOptions,
  endTask,
  isDone,
  RUNNER_GRACE_MS,
  SLACK_MS,
} from '../../src/app/end-task.js';
import { NotFoundError, SystemError, UsageError } from '../../src/errors/errors.js';
import type { SignalResult } from '../../src/lifecycle/runner-process.js';
import type { TaskView } from '../../src/task/view.js';
import { config, taskView } from '../views/task-views.js';

const GRACEFUL: EndOptions = { now: false, lose: false, graceMs: 30_000 };
const FINAL = config({ processes: [{ name: 'bye', cmdline: 'true', final: true }] });

interface Script {
  view?: Partial<TaskView>;
  mayExecute?: boolean;
  /** The answers to signals, in order; then none is left. */
  signals?: SignalResult[];
  /** What is seen of the runner after each signal. */
  waits?: ('over' | 'gone' | 'lives')[];
  /** Something keeps its runner from running, for good. */
  isHalted?: boolean;
  /** Thrown when the task is taken over, or run by us. */
  refusal?: Error;
  failure?: Error;
  /** Thrown when it is ended by its streams. */
  damage?: Error;
}

/** A task that does what the script says, and keeps account of what is asked of it. */
class ScriptedTask implements EndableTask {
  readonly asked: unknown[] = [];
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = { ...script, signals: [...(script.signals ?? [])], waits: [...(script.waits ?? [])] };
  }

  get mayExecute(): boolean {
    return this.#script.mayExecute ?? true;
  }

  look(): TaskView {
    return taskView(this.#script.view);
  }

  signalRunner(signal: string): SignalResult {
    this.asked.push(signal);
    return this.#script.signals?.shift() ?? { kind: 'no-runner' };
  }

  async waitForRunner(mostMs: number): Promise<'over' | 'gone' | 'lives'> {
    this.asked.push(mostMs);
    return this.#script.waits?.shift() ?? 'lives';
  }

  isHalted(): boolean {
    return this.#script.isHalted ?? false;
  }

  async takeOver() {
    this.asked.push('take over');
    if (this.#script.refusal !== undefined) throw this.#script.refusal;
    return {
      kill: (request: object) => {
        this.asked.push(request);
      },
      run: async () => {
        if (this.#script.failure !== undefined) throw this.#script.failure;
        return { state: 'KILLED' as const, problems: [] };
      },
    };
  }

  async endOrphan(...[request, ending]: Parameters<EndableTask['endOrphan']>): Promise<void> {
    this.asked.push(['end orphan', request]);
    ending.signalled.push(7);
    if (this.#script.damage !== undefined) throw this.#script.damage;
  }

  endLeftovers() {
    this.asked.push('end leftovers');
    return { signalled: [8], problems: [] };
  }
}

/** What is said to be waited for. */
const waited: string[] = [];
beforeEach(() => waited.splice(0));

async function ended(script: Script, how: EndOptions = GRACEFUL) {
  const task = new ScriptedTask(script);
  const { signalled, problems } = await endTask(task.look(), how, task, (what) => waited.push(what));
  return { asked: task.asked, signalled, problems: problems.map(({ code }) => code) };
}

const sent = (pid: number): SignalResult => ({ kind: 'sent', pid });

describe('a task with a live runner', () => {
  test('that ends it when it is asked; what outlives it is killed', async () => {
    expect(await ended({ signals: [sent(5)], waits: ['over'] })).toEqual({
      asked: ['SIGUSR1', 30_000, 'end leftovers'],
      signalled: [5, 8],
      problems: [],
    });
  });

  test('gets the grace that it gives to processes, and a moment more', async () => {
    const how = { ...GRACEFUL, graceMs: RUNNER_GRACE_MS };
    const { asked } = await ended({ signals: [sent(5)], waits: ['over'] }, how);
    expect(asked[1]).toBe(RUNNER_GRACE_MS + SLACK_MS);
  });

  test('that is ending it already is waited for', async () => {
    expect(await ended({ signals: [{ kind: 'ending' }], waits: ['over'] })).toMatchObject({
      asked: ['SIGUSR1', 30_000, 'end leftovers'],
      signalled: [8],
    });
  });

  test('that does not do as it was asked is killed, and the task ended without its final processes', async () => {
    expect(
      await ended({ view: { config: FINAL }, signals: [sent(5), sent(5)], waits: ['lives', 'gone'] }),
    ).toEqual({
      asked: [
        'SIGUSR1',
        30_000,
        'SIGKILL',
        SLACK_MS,
        ['end orphan', { state: 'KILLED', wait: 30, now: true }],
      ],
      signalled: [5, 5, 7],
      problems: [],
    });
  });

  test('that ended it at last, after it was out of time', async () => {
    const { asked } = await ended({ signals: [sent(5), { kind: 'ending' }], waits: ['lives', 'over'] });
    expect(asked.slice(2)).toEqual(['SIGKILL', SLACK_MS, 'end leftovers']);
  });

  test('that cannot be ended is a problem', async () => {
    expect(await ended({ signals: [sent(5), sent(5)], waits: ['lives', 'lives'] })).toMatchObject({
      asked: ['SIGUSR1', 30_000, 'SIGKILL', SLACK_MS],
      problems: ['kill-refused'],
    });
  });

  test('that dies of the request leaves the task to us', async () => {
    const { asked, signalled } = await ended({
      view: { config: FINAL },
      signals: [sent(5)],
      waits: ['gone'],
    });
    expect(asked.slice(2)).toEqual(['take over', { state: 'KILLED', wait: 30, now: false }]);
    expect(waited).toEqual(['its runner', 'its processes']);
    expect(signalled).toEqual([5]);
  });

  test('that was stopped is continued, has its time, and it is said', async () => {
    const halt = 'stopped';
    expect(await ended({ signals: [{ ...sent(5), halt }], waits: ['over'] } as Script)).toEqual({
      asked: ['SIGUSR1', SLACK_MS, 'end leftovers'],
      signalled: [5, 8],
      problems: ['runner-stopped'],
    });
    expect(waited).toEqual(['its runner, which was stopped']);
    const { asked } = await ended({ signals: [{ ...sent(5), halt }], waits: ['lives', 'over'] } as Script);
    expect(asked).toEqual(['SIGUSR1', SLACK_MS, 30_000 - SLACK_MS, 'end leftovers']);
  });

  test('that does not run whatever is done is killed soon, and the task ended gracefully by us', async () => {
    const { asked, problems } = await ended({
      view: { config: FINAL },
      signals: [{ ...sent(5), halt: 'traced' } as SignalResult, sent(5)],
      waits: ['lives', 'gone'],
      isHalted: true,
    });
    const takenOver = ['take over', { state: 'KILLED', wait: 30, now: false }];
    expect(asked).toEqual(['SIGUSR1', SLACK_MS, 'SIGKILL', SLACK_MS, ...takenOver]);
    expect(problems).toEqual(['runner-stopped']);
  });

  test('that was stopped and is killed at once is not continued', async () => {
    const signals = [{ ...sent(5), halt: 'stopped' } as SignalResult];
    expect(await ended({ signals, waits: ['gone'] }, { ...GRACEFUL, now: true })).toMatchObject({
      asked: ['SIGKILL', SLACK_MS, ['end orphan', { state: 'KILLED', wait: 30, now: true }]],
      problems: [],
    });
  });

  test('that is not certainly the one is not signalled', async () => {
    expect(await ended({ signals: [{ kind: 'refused', why: 'its lock is held by process 9' }] })).toEqual({
      asked: ['SIGUSR1'],
      signalled: [],
      problems: ['kill-refused'],
    });
  });

  test('is killed at once with `now`', async () => {
    const { asked } = await ended({ signals: [sent(5)], waits: ['gone'] }, { ...GRACEFUL, now: true });
    expect(asked).toEqual(['SIGKILL', SLACK_MS, ['end orphan', { state: 'KILLED', wait: 30, now: true }]]);
  });

  test('is asked to lose its task by another signal', async () => {
    const { asked } = await ended({ signals: [sent(5)], waits: ['over'] }, { ...GRACEFUL, lose: true });
    expect(asked[0]).toBe('SIGUSR2');
  });
});

describe('a task without a runner', () => {
  test('is taken over, for its final processes; what lives of it is signalled', async () => {
    expect(await ended({ view: { config: FINAL, leftovers: [11, 12] } })).toEqual({
      asked: ['SIGUSR1', 'take over', { state: 'KILLED', wait: 30, now: false }],
      signalled: [11, 12],
      problems: [],
    });
  });

  test.each([
    ['with `now`', { ...GRACEFUL, now: true }, { state: 'KILLED', wait: 30, now: true }],
    ['with no grace', { ...GRACEFUL, graceMs: 0 }, { state: 'KILLED', wait: 0, now: false }],
    ['that is to be lost', { ...GRACEFUL, lose: true }, { state: 'LOST', wait: 0, now: false }],
  ])('%s is ended by its streams', async (_, how, request) => {
    const { asked } = await ended({ view: { config: FINAL } }, how);
    expect(asked.slice(1)).toEqual([['end orphan', request]]);
  });

  test('whose files may be those of a container: none of its commands are run', async () => {
    const request = { state: 'KILLED', wait: 30, now: false };
    expect(await ended({ view: { config: FINAL }, mayExecute: false })).toEqual({
      asked: ['SIGUSR1', ['end orphan', request]],
      signalled: [7],
      problems: ['final-not-run'],
    });
    const { problems } = await ended({ view: { config: config({}) }, mayExecute: false });
    expect(problems).toEqual([]);
  });

  test('and without a task file is ended by its streams, and that is said', async () => {
    expect(await ended({})).toEqual({
      asked: ['SIGUSR1', ['end orphan', { state: 'KILLED', wait: 30, now: false }]],
      signalled: [7],
      problems: ['task-incomplete'],
    });
    const damaged = { code: 'task-file-damaged', severity: 'error', message: 'no JSON' } as const;
    expect((await ended({ view: { problems: [damaged] } })).problems).toEqual(['task-file-damaged']);
  });

  test('whose task file cannot be executed is ended by its streams', async () => {
    const refusal = new UsageError('task-invalid', 'a process has no command line');
    const { asked, problems } = await ended({ view: { config: FINAL }, refusal });
    expect(asked.slice(1)).toEqual(['take over', ['end orphan', { state: 'KILLED', wait: 30, now: false }]]);
    expect(problems).toEqual(['task-invalid']);
  });

  test('that is run again meanwhile is not ended', async () => {
    const refusal = new UsageError('task-running', 'a runner lives');
    const { asked, problems } = await ended({ view: { config: FINAL }, refusal });
    expect(asked).toEqual(['SIGUSR1', 'take over']);
    expect(problems).toEqual(['task-running']);
  });

  test('that ended by itself meanwhile is no problem', async () => {
    const refusal = new UsageError('task-finished', 'it is over');
    expect((await ended({ view: { config: FINAL }, refusal })).problems).toEqual([]);
  });

  // A word that means no task exits 1 and no more; a task that went while it was ended is something that was not done.
  test('that vanished meanwhile is not one that was never meant', async () => {
    const refusal = new NotFoundError('task-not-found', 'there is no task web');
    expect((await ended({ view: { config: FINAL }, refusal })).problems).toEqual(['task-vanished']);
  });

  test('of which nothing can be recorded: what was signalled is told, and why', async () => {
    const failure = new SystemError('checkpoint-write-failed', 'no space left');
    expect(await ended({ view: { config: FINAL, leftovers: [11] }, failure })).toMatchObject({
      signalled: [11],
      problems: ['checkpoint-write-failed'],
    });
    const damage = new SystemError('checkpoint-damaged', 'damaged at byte 3');
    expect(await ended({ damage }, { ...GRACEFUL, now: true })).toMatchObject({
      signalled: [7],
      problems: ['checkpoint-damaged'],
    });
  });

  test('an error of the system is a problem, one of ours is not caught', async () => {
    const damage = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    expect((await ended({ damage })).problems).toEqual(['task-incomplete', 'kill-failed']);
    await expect(ended({ damage: new TypeError('undefined is not a function') })).rejects.toThrow(TypeError);
  });
});

test('what outlives a task that is over is killed, and nothing else happens', async () => {
  expect(await ended({ view: { phase: 'finished', state: 'SUCCESS', leftovers: [8] } })).toEqual({
    asked: ['end leftovers'],
    signalled: [8],
    problems: [],
  });
});

test('a task is done when it is over and nothing of it lives', () => {
  expect(isDone(taskView({ phase: 'finished' }))).toBe(true);
  expect(isDone(taskView({ phase: 'finished', leftovers: [8] }))).toBe(false);
  expect(isDone(taskView({ phase: 'active' }))).toBe(false);
});
