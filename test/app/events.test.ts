import { describe, expect, test } from 'vitest';
import { type EventOptions, followEvents } from '../../src/app/events.js';
import type { FoundTask } from '../../src/discovery/found.js';
import type { Selection } from '../../src/discovery/select.js';
import type { Problem } from '../../src/errors/problem.js';
import type { TaskTransition, TransitionLook } from '../../src/task/transition-watch.js';
import { foundTask } from '../task/trees.js';

function selection(tasks: FoundTask[], unmatched: string[] = [], problems: Problem[] = []): Selection {
  return {
    roots: [{ path: '/root', layout: 'host', source: 'test', readable: true }],
    tasks,
    problems,
    selected: tasks,
    unmatched: unmatched.map((word) => ({ word, near: [] })),
  };
}

const ACTIVE = [foundTask('/root', 't')];
const transition = (state: TaskTransition['state'], time_ms = 1): TaskTransition => ({
  ...{ task_id: 't', root: (ACTIVE[0] as FoundTask).root, state, time_ms },
});
const problem = (code: Problem['code'], message: string): Problem => ({ code, message, severity: 'error' });

/** Looks that come late, as from another host; after the last one, nobody reads any more. */
class Told {
  readonly taken: string[] = [];
  readonly problems: string[] = [];
  active: number | undefined;
  closed = false;
  readonly exitCode: Promise<number>;

  constructor(looks: Partial<TransitionLook>[], options: Partial<EventOptions> = {}, interruptedAt = 0) {
    let next = 0;
    let pauses = 0;
    this.exitCode = followEvents(
      { follow: true, ...options },
      {
        watch: {
          look: async () => ({ transitions: [], problems: [], more: false, ...looks[next++] }),
          changes: async () => {},
          close: () => {
            this.closed = true;
          },
        },
        pause: async (until) => {
          pauses += 1;
          if (interruptedAt > 0 && pauses >= interruptedAt) return 130;
          await until;
          return undefined;
        },
        take: async (transitions) => {
          for (const { state } of transitions) this.taken.push(String(state));
        },
        report: (problems) => {
          for (const { severity, message } of problems) this.problems.push(`${severity}: ${message}`);
        },
        answering: (agents) => {
          for (const agent of agents) this.problems.push(`${agent} answers again`);
        },
        started: (tasks) => {
          this.active = tasks;
        },
        isClosed: () => next >= looks.length,
      },
    );
  }
}

const FIRST = { selection: selection(ACTIVE) };

test('each transition is passed on, until nobody reads any more', async () => {
  const told = new Told([
    FIRST,
    { transitions: [transition('CLEANING')] },
    { transitions: [transition('LOST')] },
  ]);
  expect(await told.exitCode).toBe(0);
  expect([told.taken, told.active, told.closed]).toEqual([['CLEANING', 'LOST'], 1, true]);
});

test('of some states only those', async () => {
  const all = ['ACTIVE', 'FAILED', 'RUNNING', 99].map((state) => transition(state as never));
  const told = new Told([{ ...FIRST, transitions: all }], { states: ['FAILED', 'RUNNING'] });
  expect(await told.exitCode).toBe(0);
  expect(told.taken).toEqual(['FAILED', 'RUNNING']);
});

test.each([1, 2, 3, 4, 5])('a signal ends it, whatever it waits for (%d)', async (interruptedAt) => {
  const told = new Told([FIRST, {}, {}, {}], {}, interruptedAt);
  expect([await told.exitCode, told.closed]).toEqual([130, true]);
});

test('a problem is told once', async () => {
  const problems = [problem('checkpoint-damaged', 'damaged')];
  const told = new Told([
    { ...FIRST, problems },
    { problems },
    { problems: [problem('checkpoint-damaged', 'other')] },
  ]);
  await told.exitCode;
  expect(told.problems).toEqual(['error: damaged', 'error: other']);
});

describe('what is not there', () => {
  test('may come: a warning', async () => {
    const missing = problem('root-missing', '--root /root does not exist');
    const told = new Told([{ selection: selection([], ['web'], [missing]) }]);
    expect(await told.exitCode).toBe(0);
    expect(told.problems).toEqual([
      'warning: --root /root does not exist',
      "warning: no task matches 'web' in /root",
    ]);
  });

  test('is not told when a root is just being made', async () => {
    const empty: Problem = { code: 'root-empty', severity: 'warning', message: 'not a root' };
    const told = new Told([FIRST, { selection: selection([], [], [empty]) }]);
    await told.exitCode;
    expect(told.problems).toEqual([]);
  });

  test('is an error if nothing is followed', async () => {
    await expect(
      new Told([{ selection: selection([], ['web']) }], { follow: false }).exitCode,
    ).rejects.toThrow("no task matches 'web' in /root");
  });
});

describe('what is recorded already', () => {
  const exitCode = (...looks: Partial<TransitionLook>[]) => new Told(looks, { follow: false }).exitCode;

  test('0: there was a transition; 1: there was none', async () => {
    expect(await exitCode({ ...FIRST, transitions: [transition('LOST')] })).toBe(0);
    expect(await exitCode(FIRST)).toBe(1);
  });

  test('5: something could not be read; 1: a word matches nothing', async () => {
    const transitions = [transition('LOST')];
    expect(await exitCode({ ...FIRST, transitions, problems: [problem('checkpoint-damaged', 'x')] })).toBe(5);
    expect(await exitCode({ selection: selection(ACTIVE, ['web']), transitions })).toBe(1);
    const missing = problem('root-missing', 'no root');
    expect(await exitCode({ selection: selection(ACTIVE, [], [missing]), transitions })).toBe(0);
  });

  test('is read to its end, in as many looks as it takes', async () => {
    const more = { transitions: [transition('ACTIVE')], more: true };
    const told = new Told([{ ...FIRST, ...more }, more, { transitions: [transition('LOST')] }, {}], {
      follow: false,
    });
    expect(await told.exitCode).toBe(0);
    expect(told.taken).toEqual(['ACTIVE', 'ACTIVE', 'LOST']);
  });
});

test('an agent that does not answer is told once, and again after it did', async () => {
  const down = {
    selection: selection(ACTIVE, [], [{ ...problem('agent-unreachable', 'gone'), agent: 'A' }]),
  };
  const other = { problems: [{ ...problem('checkpoint-damaged', 'damaged'), agent: 'B' }] };
  const told = new Told([down, down, { ...FIRST, ...other, answering: ['A'] }, { ...down, ...other }]);
  await told.exitCode;
  expect(told.problems).toEqual(['error: gone', 'A answers again', 'error: damaged', 'error: gone']);
});
