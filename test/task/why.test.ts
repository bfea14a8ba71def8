import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROCESS_STATES, TASK_STATES } from '../../src/checkpoint/records.js';
import type { Reason } from '../../src/layout/reasons.js';
import type { TaskView } from '../../src/task/view.js';
import { firstFailing, type LastOutput, reasonOfRun, reasonText, whyLines } from '../../src/task/why.js';
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
  return whyLines(taskView(given), { now: NOW, output: stderr === undefined ? {} : { stderr } });
}

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

describe('a process that the end of the task ended', () => {
  const CLEANING = START + 10_000;
  const since = CLEANING / 1000;
  const statuses = (...states: [string, number][]) =>
    states.map(([state, timestamp_ms]) => ({ state, timestamp_ms })) as TaskView['statuses'];
  const killed = {
    state: 'KILLED' as const,
    phase: 'finished' as const,
    statuses: statuses(['ACTIVE', START], ['CLEANING', CLEANING], ['KILLED', CLEANING + 900]),
  };
  const jvm = (given: object = {}) =>
    ran('jvm', {
      state: 'FAILED',
      return_code: 143,
      failures: 1,
      max_failures: 1,
      stop_time: since + 0.4,
      ...given,
    });
  const task = config({ max_failures: 1, processes: [{ name: 'jvm' }] });

  test('did not fail: a JVM exits with 143 on SIGTERM', () => {
    const lines = why({ ...killed, processes: [jvm()], config: task });
    expect(lines.slice(1)).toEqual(['Process jvm was ended with the task: exit code 143.']);
    expect(firstFailing(taskView({ ...killed, processes: [jvm()], config: task }))).toBeUndefined();
  });

  test('whatever its exit code is, and however the task ends', () => {
    const finished = { ...killed, state: 'SUCCESS' as const };
    expect(why({ ...finished, processes: [jvm({ return_code: 1 })] }).slice(1)).toEqual([
      'Process jvm was ended with the task: exit code 1.',
    ]);
  });

  test('is not what failed first, and does not count', () => {
    const bad = ran('bad', {
      state: 'FAILED',
      return_code: 7,
      failures: 1,
      max_failures: 1,
      stop_time: since - 1,
    });
    const two = config({ max_failures: 1, processes: [{ name: 'jvm' }, { name: 'bad' }] });
    const failed = { ...killed, state: 'FAILED' as const, config: two };
    expect(why({ ...failed, processes: [jvm(), bad] }).slice(1)).toEqual([
      'Process bad failed first: run 0, exit code 7, at 2014-05-13T16:53:29Z.',
      'Process jvm was ended with the task: exit code 143.',
      'Process bad: 1 of 1 allowed failures used, so it is not run again.',
      'Task: 1 of 1 allowed failed processes used, so the task fails.',
    ]);
    expect(why({ ...failed, state: 'KILLED', processes: [bad] }).at(-1)).toBe(
      'Task: 1 of 1 allowed failed processes used.',
    );
  });

  test.each<[number, string]>([
    [-15, 'signal 15, SIGTERM'],
    [-9, 'signal 9, SIGKILL'],
    [-1, 'return code -1, by the runner'],
  ])('return code %d', (return_code, how) => {
    const processes = [jvm({ state: 'KILLED', return_code, failures: 0 })];
    expect(why({ ...killed, processes }).slice(1)).toEqual([`Process jvm was ended with the task: ${how}.`]);
    const early = [jvm({ state: 'KILLED', return_code: -1, failures: 0, stop_time: since - 1 })];
    expect(why({ ...killed, processes: early })[1]).toBe('Process jvm was killed: signal 1, SIGHUP.');
  });

  test('in the millisecond in which the end began, only if it looks like it', () => {
    const processes = (return_code: number) => [jvm({ return_code, stop_time: since })];
    expect(why({ ...killed, processes: processes(143) })[1]).toContain('was ended with the task');
    expect(why({ ...killed, processes: processes(1) })[1]).toContain('failed first');
  });

  test('is not a final process that fails: that one is named, but not as the cause', () => {
    const last = jvm({ process: 'last', start_time: since + 0.1, return_code: 3 });
    const finalizing = statuses(['ACTIVE', START], ['CLEANING', CLEANING], ['FINALIZING', CLEANING + 50]);
    const line =
      'Process last failed, which does not change how the task ends: run 0, exit code 3, at 2014-05-13T16:53:30.400Z.';
    const given = { ...killed, statuses: finalizing, processes: [last] };
    expect(
      why({ ...given, config: config({ processes: [{ name: 'last', final: true }] }) }, ['oh']),
    ).toContain(line);
    expect(why(given, ['oh']).slice(1)).toEqual([
      line,
      'Its stderr ends with:',
      '  | oh',
      'Process last: 1 of 1 allowed failures used, so it is not run again.',
    ]);
  });

  test('of whatever records: a process that ended after it is never the one that failed first', () => {
    const time = fc.integer({ min: 0, max: 30 });
    const processes = fc.array(
      fc.record({
        state: fc.constantFrom(...PROCESS_STATES),
        stop: time,
        code: fc.constantFrom(1, 7, 143, -1, -15),
      }),
    );
    const began = fc.array(fc.tuple(fc.constantFrom(...TASK_STATES), time), { maxLength: 6 });
    fc.assert(
      fc.property(processes, began, fc.array(fc.boolean()), (ends, states, final) => {
        const given = statuses(...states.map(([state, at]): [string, number] => [state, START + at * 1000]));
        const view = {
          statuses: given,
          processes: ends.map(({ state, stop, code }, i) =>
            ran(`p${i}`, { state, return_code: code, failures: 1, stop_time: START / 1000 + stop }),
          ),
          config: config({ processes: ends.map((_, i) => ({ name: `p${i}`, final: final[i] === true })) }),
        };
        const first = given.find(({ state }) =>
          ['CLEANING', 'FINALIZING', 'KILLED', 'LOST'].includes(String(state)),
        );
        const named = why(view).find((line) => line.includes('failed first'));
        if (named === undefined || first === undefined) return;
        const { stop } = ends[Number(/^Process p(\d+)/.exec(named)?.[1])] as { stop: number };
        expect(START + stop * 1000).toBeLessThanOrEqual(Number(first.timestamp_ms));
      }),
    );
  });
});

describe('the output of the process that failed', () => {
  const failing = { processes: [ran('p', { state: 'FAILED', return_code: 7 })] };
  const said = (output: LastOutput) => whyLines(taskView(failing), { now: NOW, output }).slice(2);

  test.each<[string, LastOutput, string[]]>([
    ['stderr', { stderr: ['a'], stdout: ['b'] }, ['Its stderr ends with:', '  | a']],
    [
      'stdout, if stderr is empty',
      { stderr: [], stdout: ['b'] },
      ['Its stderr is empty; its stdout ends with:', '  | b'],
    ],
    ['stdout, if there is no stderr', { stdout: ['b'] }, ['Its stdout ends with:', '  | b']],
    ['none', { stderr: [], stdout: [] }, ['Its stderr and stdout are empty.']],
    ['no stdout', { stderr: [] }, ['Its stderr is empty.']],
    ['no logs', {}, []],
  ])('%s', (_what, output, lines) => {
    expect(said(output)).toEqual(lines);
  });
});

describe('the reasons that were kept', () => {
  const reason = (code: string, message: string, rest: Partial<Reason> = {}): Reason => ({
    time_ms: START + 5000,
    code,
    message,
    ...rest,
  });
  const over = { state: 'KILLED' as const, phase: 'finished' as const };

  test('who asked for the end: a user, rather than the signal that its runner got', () => {
    const signal = reason('task-killed', 'SIGUSR1');
    expect(why({ ...over, reasons: [signal] })[1]).toBe(
      'It was asked to end at 2014-05-13T16:53:25Z, by SIGUSR1.',
    );
    const reasons = [signal, reason('task-killed', 'thermos kill', { by: 'root' })];
    expect(why({ ...over, reasons }).slice(1)).toEqual([
      'It was asked to end at 2014-05-13T16:53:25Z, by thermos kill, user root.',
    ]);
    expect(reasonText(taskView({ ...over, reasons }))).toBe('thermos kill, user root');
    expect(reasonText(taskView(over))).toBeUndefined();
  });

  test('who restarted a process, not that its coordinator was killed', () => {
    const lost = ran('c', { state: 'LOST', stop_time: undefined, runs: 2 });
    const reasons = [
      reason('process-restarted', 'thermos restart', { process: 'c', run: 1, by: 'root' }),
      reason('process-lost', 'its coordinator (pid 11) was killed by SIGKILL', { process: 'c', run: 1 }),
    ];
    expect(why({ processes: [lost], reasons }).slice(1)).toEqual([
      'Run 1 of process c was restarted at 2014-05-13T16:53:25Z, by thermos restart, user root.',
    ]);
    const again = { ...lost, runs: 3 };
    expect(why({ processes: [again], reasons }).at(-1)).toMatch(/^Process c was lost: /);
    expect(reasonOfRun('c', 1, { state: 'LOST' }, reasons)).toBe('thermos restart, user root');
  });

  test('why a process could not be started, was lost, is not run again', () => {
    const failed = (name: string) => processView(name, { state: 'FAILED', runs: 2, failures: 1 });
    const given = {
      state: 'FAILED' as const,
      phase: 'finished' as const,
      processes: [failed('a'), failed('b'), ran('c', { state: 'LOST', stop_time: undefined })],
      reasons: [
        reason('process-not-started', 'no such file', { process: 'a', run: 0 }),
        reason('process-not-started', 'no room', { process: 'b', run: 1 }),
        reason('process-lost', 'its coordinator (pid 11) was killed by SIGKILL', { process: 'c', run: 0 }),
        reason('process-run-cap', 'it ran 100 times', { process: 'c', run: 99 }),
        reason('process-not-started', 'forged', { process: 'not in the task' }),
      ],
    };
    expect(why(given).slice(1, 5)).toEqual([
      'Process b could not be started: no room.',
      'Process c is not run again: it ran 100 times.',
      'Process a failed first: run 1, it could not be started: no such file.',
      'Process c was lost: its coordinator (pid 11) was killed by SIGKILL.',
    ]);
    expect(why(given).join('\n')).not.toContain('forged');
    expect(reasonText(taskView(given))).toBe('process a, run 1, it could not be started: no such file');
  });

  test('anything else is reported as it is', () => {
    const reasons = [reason('checkpoint-write-failed', 'the runner has given up: no space left')];
    expect(why({ verdict: 'runner-gone', reasons })).toContain(
      'Reported at 2014-05-13T16:53:25Z: the runner has given up: no space left.',
    );
    const many = Array.from({ length: 50 }, () => reason('x', 'y', { process: 'p' }));
    expect(why({ reasons: many, processes: [ran('p')] }).slice(-1)).toEqual(['47 more reports.']);
  });
});

test('processes with the same fate are named up to a number, then counted', () => {
  const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
  const given = config({ processes: names.map((name) => ({ name })) });
  const over = { state: 'FAILED' as const, phase: 'finished' as const, config: given };
  const never = why({ ...over, processes: names.map((name) => processView(name)) }).slice(1);
  expect(never).toHaveLength(4);
  expect(never.slice(-2)).toEqual(['Process p2 never started.', '17 more processes never started.']);
  const four = names.slice(0, 4).map((name) => processView(name));
  expect(why({ ...over, processes: four }).slice(1)).toHaveLength(4);
  const lost = names.map((name) => ran(name, { state: 'LOST', stop_time: undefined }));
  expect(why({ ...over, processes: lost }).at(-1)).toBe('17 more processes were lost.');
});

test('while a task is being ended, nothing waits except final processes', () => {
  const given = config({
    processes: [
      { name: 'again', min_duration: 60, max_failures: 9 },
      { name: 'late' },
      { name: 'last', final: true },
    ],
  });
  const processes = [
    ran('again', { state: 'FAILED', failures: 1, max_failures: 9, return_code: 1, stop_time: NOW / 1000 }),
    processView('late'),
    processView('last'),
  ];
  const lines = why({ state: 'CLEANING', config: given, processes });
  expect(lines.join('\n')).not.toContain('runs again');
  expect(lines.slice(-2)).toEqual([
    'Process late never started: the task is being ended.',
    'Process last is final: it runs when all others are done.',
  ]);
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
