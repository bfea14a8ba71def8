import { describe, expect, test } from 'vitest';
import type { TaskView } from '../../src/task/view.js';
import { describeReturnCode, firstFailing, whyLines } from '../../src/task/why.js';
import {
  config,
  ODD_MILLISECONDS,
  ODD_SECONDS,
  processView,
  ran,
  START,
  taskView,
} from '../views/task-views.js';

const NOW = START + 60_000;
const END = START / 1000 + 2;

function why(given: Partial<TaskView>, stderr?: string[]): string[] {
  return whyLines(taskView(given), { now: NOW, stderr });
}

test.each<[number | undefined, string]>([
  [undefined, ''],
  [0, 'exit code 0'],
  [7, 'exit code 7'],
  [128, 'exit code 128'],
  [137, 'exit code 137 (from a shell: its command was killed by signal 9, SIGKILL)'],
  [143, 'exit code 143 (from a shell: its command was killed by signal 15, SIGTERM)'],
  [255, 'exit code 255'],
  [-9, 'signal 9, SIGKILL'],
  [-15, 'signal 15, SIGTERM'],
  [-64, 'signal 64'],
  [-1, 'ended by the runner (return code -1), or signal 1, SIGHUP'],
  [-(2 ** 31), 'signal 2147483648'],
])('return code %s: %s', (code, words) => {
  expect(describeReturnCode(code)).toBe(words);
});

describe('the verdict', () => {
  test.each<[string, Partial<TaskView>, string[]]>([
    ['alive', {}, ['The runner (pid 77) is alive; the task has been ACTIVE since 2014-05-13T16:53:20Z.']],
    [
      'alive, pid not recorded',
      { runner: { alive: true }, state: 'CLEANING' },
      ['The runner is alive; the task has been CLEANING since 2014-05-13T16:53:20Z.'],
    ],
    ['over', { state: 'SUCCESS', phase: 'finished' }, ['The task ended SUCCESS at 2014-05-13T16:53:20Z.']],
    [
      'gone',
      { verdict: 'runner-gone', silent_since_ms: START },
      [
        'The runner (pid 77) is gone: nobody holds the lock on the checkpoint; its checkpoint has been silent for 1m.',
      ],
    ],
    [
      'gone, its process alive',
      {
        verdict: 'runner-gone',
        silent_since_ms: undefined,
        leftovers: [12],
        processes: [ran('p', { state: 'RUNNING' }), ran('q', { state: 'FORKED', pid: undefined })],
      },
      [
        'The runner (pid 77) is gone: nobody holds the lock on the checkpoint.',
        'Still alive in this task: pid 12.',
        'Process p was RUNNING when the runner died; its pid 12 is still alive.',
        'Process q was FORKED when the runner died; its pid 11 is not alive.',
      ],
    ],
    [
      'over, not moved',
      { verdict: 'runner-gone', state: 'KILLED' },
      ['The task ended KILLED, but its task file was never moved to tasks/finished.'],
    ],
    [
      'rebooted',
      { verdict: 'host-rebooted', silent_since_ms: START },
      [
        'The runner (pid 77) is gone: it took over at 2014-05-13T16:53:20Z, before this host was started; its checkpoint has been silent for 1m.',
      ],
    ],
    [
      'leftovers',
      { verdict: 'leftovers', state: 'FAILED', phase: 'finished', leftovers: [5, 6] },
      [
        'The task is over (FAILED), but some of its processes are still alive.',
        'Still alive in this task: pid 5, 6.',
      ],
    ],
    [
      'foreign',
      { verdict: 'foreign-pids' },
      [
        'The runner (pid 77) runs in another pid namespace (a container): the recorded pids mean nothing on this host.',
      ],
    ],
    [
      'unreadable',
      { verdict: 'unknown', found: { ...taskView().found, unreadable: true } },
      ['The sandbox of the task cannot be entered: only the name of the task is known.'],
    ],
    [
      'damaged',
      {
        verdict: 'unknown',
        problems: [{ code: 'checkpoint-damaged', severity: 'error', message: 'it is broken' }],
      },
      ['The state of the task is unknown: it is broken.'],
    ],
    [
      'an end that was not recorded',
      { verdict: 'unknown', phase: 'finished', state: 'CLEANING' },
      [
        'The task file is in tasks/finished, but the checkpoint ends with CLEANING: its end was not recorded.',
      ],
    ],
    ['dark', { verdict: 'unknown' }, ['The state of the task cannot be determined from here.']],
  ])('%s', (_what, given, lines) => {
    expect(why(given)).toEqual(lines);
  });
});

describe('what failed', () => {
  const over = { state: 'FAILED' as const, phase: 'finished' as const };
  const failed = (name: string, given: object = {}) =>
    ran(name, { state: 'FAILED', return_code: 7, failures: 1, max_failures: 1, stop_time: END, ...given });
  const task = (...names: string[]) =>
    config({ max_failures: 1, processes: names.map((name) => ({ name })) });

  test('the one that failed first, with the end of its stderr, and the budgets', () => {
    const processes = [failed('late', { stop_time: END + 1 }), failed('early'), ran('fine')];
    const lines = why({ ...over, processes, config: task('late', 'early', 'fine') }, ['no such file', '']);
    expect(lines).toEqual([
      'The task ended FAILED at 2014-05-13T16:53:20Z.',
      'Process early failed first: run 0, exit code 7, at 2014-05-13T16:53:22Z.',
      'Its stderr ends with:',
      '  | no such file',
      '  | ',
      'Process late: 1 of 1 allowed failures used, so it is not run again.',
      'Process early: 1 of 1 allowed failures used, so it is not run again.',
      'Task: 2 of 1 allowed failed processes used, so the task fails.',
    ]);
    expect(why({ ...over, processes }, [])[2]).toBe('Its stderr is empty.');
  });

  test('one that never ran could not be started', () => {
    const processes = [processView('p', { state: 'FAILED', runs: 1, failures: 1 })];
    expect(why({ ...over, processes })).toContain('Process p failed first: run 0, it could not be started.');
  });

  test('without a time it is the first only if there is no other', () => {
    const lost = failed('lost', { stop_time: undefined });
    const odd = failed('odd', { stop_time: Number.NaN });
    const known = failed('known');
    expect(firstFailing(taskView({ processes: [lost, odd, known] }))?.process).toBe('known');
    expect(firstFailing(taskView({ processes: [lost, odd] }))?.process).toBe('lost');
    expect(firstFailing(taskView({ processes: [ran('fine')] }))).toBeUndefined();
  });

  test('a retry in budget, without limit, of an ephemeral', () => {
    const processes = [
      failed('retried', { failures: 2, max_failures: 3, state: 'RUNNING', runs: 3 }),
      failed('endless', { failures: 9, max_failures: 0, runs: 9, stop_time: 1 }),
      failed('short', { stop_time: 1 }),
      failed('old', { failures: 4, max_failures: undefined, stop_time: 1 }),
    ];
    const given = config({
      max_failures: 0,
      processes: [
        { name: 'retried' },
        { name: 'endless' },
        { name: 'short', ephemeral: true },
        { name: 'old' },
      ],
    });
    expect(why({ processes, config: given }).slice(2)).toEqual([
      'Process retried: 2 of 3 allowed failures used.',
      'Process endless: 9 failed runs; it may fail any number of times.',
      'Process short: 1 of 1 allowed failures used, so it is not run again.',
      'Process old: 4 failed runs.',
      'Task: 1 failed processes; any number may fail.',
    ]);
  });

  test('killed and lost', () => {
    const processes = [
      ran('k', { state: 'KILLED', return_code: -9 }),
      ran('l', { state: 'LOST', return_code: undefined }),
    ];
    expect(why({ state: 'KILLED', phase: 'finished', processes }).slice(1)).toEqual([
      'Process k was killed: signal 9, SIGKILL.',
      'Process l was lost: its coordinator died before it could record how the process ended.',
    ]);
  });
});

describe('what a process waits for', () => {
  const task = config({
    processes: [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'lone' }, { name: 'last', final: true }],
    constraints: [{ order: ['a', 'c'] }, { order: ['b', 'c'] }],
  });
  const views = (a: object, b: object) => [
    ran('a', a),
    ran('b', b),
    ...['c', 'lone', 'last'].map((name) => processView(name)),
  ];
  const running = { state: 'RUNNING', stop_time: undefined };

  test('those before it that did not succeed yet', () => {
    expect(why({ config: task, processes: views({}, running) }).slice(1)).toEqual([
      'Process c waits for b (RUNNING).',
      'Process lone has not started yet.',
      'Process last is final: it runs when all others are done.',
    ]);
    expect(why({ config: task, processes: views(running, running) })[1]).toBe(
      'Process c waits for a (RUNNING), b (RUNNING).',
    );
  });

  test.each<[string, Partial<TaskView>, string]>([
    ['over', { state: 'FAILED', phase: 'finished' }, ''],
    ['its runner gone', { verdict: 'runner-gone' }, ': the runner died first'],
    ['from before the boot', { verdict: 'host-rebooted' }, ': the runner died first'],
  ])('nothing, if the task is %s', (_what, given, because) => {
    const lines = why({
      ...given,
      config: task,
      processes: views({}, { state: 'KILLED', return_code: -15 }),
    });
    expect(lines.slice(-3)).toEqual([
      'Process c never started: it needed b (KILLED).',
      `Process lone never started${because}.`,
      `Process last never started${because}.`,
    ]);
  });

  test('about to start', () => {
    const processes = [processView('a', { runs: 2, failures: 1 })];
    expect(why({ config: config({ processes: [{ name: 'a' }] }), processes }).at(-1)).toBe(
      'Process a is about to start.',
    );
  });

  test('min_duration since its last run ended', () => {
    const pause = (
      state: 'FAILED' | 'SUCCESS' | 'KILLED',
      stop_time: number | undefined,
      min = 20,
      max_failures = 5,
    ) => {
      const processes = [ran('a', { state, stop_time, failures: 1, max_failures, return_code: -3 })];
      const lines = why({ config: config({ processes: [{ name: 'a', min_duration: min }] }), processes });
      return lines.filter((line) => line.includes('runs again'));
    };
    expect(pause('FAILED', NOW / 1000 - 5)).toEqual(['Process a runs again in 15s (min_duration 20s).']);
    expect(pause('KILLED', NOW / 1000)).toEqual(['Process a runs again in 20s (min_duration 20s).']);
    expect(pause('FAILED', NOW / 1000 - 20)).toEqual([]);
    expect(pause('SUCCESS', NOW / 1000)).toEqual([]);
    expect(pause('FAILED', undefined)).toEqual([]);
    expect(pause('FAILED', Number.NaN)).toEqual([]);
    expect(pause('FAILED', NOW / 1000, 20, 1)).toEqual([]);
    expect(pause('FAILED', NOW / 1000, 20, 0)).toHaveLength(1);
  });
});

test('whatever a checkpoint holds, there are lines', () => {
  for (const verdict of [
    'ok',
    'runner-gone',
    'host-rebooted',
    'leftovers',
    'foreign-pids',
    'unknown',
  ] as const) {
    for (const seconds of ODD_SECONDS) {
      const processes = [
        ran('p', { state: 'FAILED', stop_time: seconds, start_time: seconds, failures: 1 }),
        ran('q', { state: 'KILLED', return_code: undefined }),
        ran('r', { state: 77 }),
      ];
      const task = config({
        processes: [{ name: 'p', min_duration: 1e300 }, { name: 'x' }, { name: '__proto__' }],
      });
      expect(why({ verdict, processes, config: task }, ['x']).length).toBeGreaterThan(2);
    }
    for (const milliseconds of ODD_MILLISECONDS) {
      const given = { verdict, state_timestamp_ms: milliseconds, silent_since_ms: Number(milliseconds) };
      expect(why(given)).not.toEqual([]);
    }
  }
});
