import { expect, test } from 'vitest';
import type { ProcessStatus, TaskStatus } from '../../src/checkpoint/records.js';
import { type TimelineSources, timelineOf } from '../../src/doctor/timeline.js';
import { START, taskView } from '../views/task-views.js';

const HEADER = {
  task_id: 't',
  launch_time_ms: START,
  user: 'www',
  hostname: 'node-1',
  sandbox: '/s',
};
const history = (process: string, ...runs: ProcessStatus[]) =>
  new Map([[process, { process, runs, run_count: runs.length, failures: 0 }]]);
const at = (seconds: number) => START / 1000 + seconds;
const status = (state: TaskStatus['state'], seconds: number, runner_pid = 10): TaskStatus => ({
  state,
  timestamp_ms: START + seconds * 1000,
  runner_pid,
});

const lines = (given: Parameters<typeof taskView>[0], sources: Partial<TimelineSources> = {}) =>
  timelineOf(taskView({ header: HEADER, launch_time_ms: START, ...given }), {
    now: START + 100_000,
    bootTimeMs: START - 1000,
    ...sources,
  }).map(({ time_ms, process, run, what }) =>
    [time_ms === undefined ? '-' : (time_ms - START) / 1000, process && `${process}[${run}]`, what]
      .filter((part) => part !== undefined)
      .join(' '),
  );

test('a task that was taken over, ran twice and ended', () => {
  const statuses = [
    status('ACTIVE', 1),
    status('ACTIVE', 5, 11),
    status('ACTIVE', 6, 11),
    status('FAILED', 9, 11),
  ];
  const runs: ProcessStatus[] = [
    { state: 'LOST', fork_time: at(2), coordinator_pid: 20, start_time: at(3), pid: 21 },
    {
      state: 'FAILED',
      fork_time: at(6.5),
      coordinator_pid: 22,
      start_time: at(7),
      pid: 23,
      stop_time: at(8),
      return_code: 7,
    },
  ];
  const given = {
    statuses,
    history: history('p', ...runs),
    state: 'FAILED' as const,
    phase: 'finished' as const,
  };
  expect(lines(given, { movedMs: START + 9_500 })).toEqual([
    '0 launched as www on node-1, sandbox /s',
    '1 runner 10 starts the task: ACTIVE',
    '2 p[0] coordinator 20 is forked',
    '3 p[0] starts, pid 21',
    '- p[0] is lost: its coordinator died before it could say how it ended',
    '5 runner 11 takes over: ACTIVE',
    '6 the task is ACTIVE (recorded again)',
    '6.5 p[1] coordinator 22 is forked',
    '7 p[1] starts, pid 23',
    '8 p[1] fails: exit code 7',
    '9 the task is FAILED',
    '9.5 the task file is moved to tasks/finished',
  ]);
});

test('a file of a copied tree, whose time has whole seconds, was moved after the task ended', () => {
  const given = { statuses: [status('ACTIVE', 1), status('SUCCESS', 9.7)], state: 'SUCCESS' as const };
  expect(lines({ ...given, phase: 'finished' }, { movedMs: START + 9_000 }).slice(-2)).toEqual([
    '9.7 the task is SUCCESS',
    '9 the task file is moved to tasks/finished',
  ]);
});

test('a dead runner: its last sign of life, the boot since, and now', () => {
  const given = {
    statuses: [status('ACTIVE', 1)],
    verdict: 'host-rebooted' as const,
    silent_since_ms: START + 30_000,
    leftovers: [],
  };
  expect(lines(given, { bootTimeMs: START + 60_000 })).toEqual([
    '0 launched as www on node-1, sandbox /s',
    '1 runner 10 starts the task: ACTIVE',
    '30 last sign of life of the runner',
    '60 this host boots',
    '100 now: no runner is alive',
  ]);
  expect(lines({ ...given, silent_since_ms: START + 70_000 }, { bootTimeMs: START + 60_000 })).toContain(
    '70 the stream is written or copied, after its runner died',
  );
});

test('what the Mesos agent says of it', () => {
  const updates = [{ state: 'TASK_FAILED', message: 'Executor terminated', timestamp: at(40) }];
  expect(
    lines(
      { statuses: [status('ACTIVE', 1)], verdict: 'runner-gone', leftovers: [5], silent_since_ms: undefined },
      {
        updates: { path: '/meta/task.updates', updates },
        sentinel: { path: '/meta/executor.sentinel', mtimeMs: START + 41_000 },
      },
    ).slice(2),
  ).toEqual([
    '40 the agent reports TASK_FAILED: Executor terminated',
    '41 the agent has seen the end of the executor',
    '100 now: no runner is alive; still running: pid 5',
  ]);
});

test('times that are none stand behind what came before them', () => {
  const runs: ProcessStatus[] = [
    {
      state: 'SUCCESS',
      coordinator_pid: 1,
      fork_time: Number.NaN,
      pid: 2,
      start_time: Infinity,
      stop_time: at(2),
    },
  ];
  const statuses = [{ state: 'ACTIVE' as const }, { ...status('SUCCESS', 3), timestamp_ms: 2n ** 62n }];
  const story = lines({ statuses, history: history('p', ...runs), state: 'SUCCESS', phase: 'finished' });
  expect(story).toEqual([
    '0 launched as www on node-1, sandbox /s',
    '- a runner starts the task: ACTIVE',
    '- p[0] coordinator 1 is forked',
    '- p[0] starts, pid 2',
    '2 p[0] succeeds',
    expect.stringContaining('runner 10 takes over: SUCCESS'),
  ]);
});

test('a process that could not be started has its place in the order', () => {
  const story = lines({ statuses: [status('ACTIVE', 1)], history: history('p', { state: 'FAILED' }) });
  expect(story[1]).toBe('- p[0] fails');
});

test('what its runner and those who ended it knew, and a process that the end of the task ended', () => {
  const given = {
    statuses: [status('ACTIVE', 1), status('CLEANING', 5), status('KILLED', 6)],
    state: 'KILLED' as const,
    history: history('p', {
      state: 'FAILED',
      fork_time: at(1.5),
      coordinator_pid: 20,
      start_time: at(2),
      pid: 21,
      stop_time: at(5.5),
      return_code: 143,
    }),
    reasons: [
      { time_ms: START + 1200, code: 'process-not-started', message: 'no room', process: 'q', run: 0 },
      { time_ms: START + 4900, code: 'task-killed', message: 'thermos kill', by: 'root' },
      { time_ms: START + 4950, code: 'constructor', message: 'anything' },
    ],
  };
  expect(lines(given).slice(2, -1)).toEqual([
    '1.2 q[0] cannot be started: no room',
    '1.5 p[0] coordinator 20 is forked',
    '2 p[0] starts, pid 21',
    '4.9 asked to end by thermos kill, user root',
    '4.95 anything',
    '5 the task is CLEANING',
    '5.5 p[0] is ended with the task: exit code 143',
  ]);
});

test('a restart is told in the place of the loss that it is recorded as', () => {
  const restart = { code: 'process-restarted', message: 'thermos restart', by: 'root' };
  const loss = { code: 'process-lost', message: 'its coordinator (pid 20) was killed by SIGKILL' };
  const given = {
    history: history(
      'p',
      { state: 'LOST', fork_time: at(1.5), coordinator_pid: 20, start_time: at(2), pid: 21 },
      { state: 'LOST', fork_time: at(4), coordinator_pid: 22, start_time: at(4), pid: 23 },
    ),
    reasons: [
      { time_ms: START + 3000, ...restart, process: 'p', run: 0 },
      { time_ms: START + 3010, ...loss, process: 'p', run: 0 },
      { time_ms: START + 5000, ...loss, process: 'p', run: 1 },
    ],
  };
  expect(lines(given).filter((line) => line.includes('p['))).toEqual([
    '1.5 p[0] coordinator 20 is forked',
    '2 p[0] starts, pid 21',
    '3 p[0] is ended to run again, by thermos restart, user root',
    '4 p[1] coordinator 22 is forked',
    '4 p[1] starts, pid 23',
    '- p[1] is lost: its coordinator died before it could say how it ended',
    '5 p[1] is lost: its coordinator (pid 20) was killed by SIGKILL',
  ]);
});

test('a stream without anything', () => {
  expect(lines({ header: null, statuses: [], launch_time_ms: undefined, verdict: 'unknown' })).toEqual([
    '100 now: the task has not started',
  ]);
});
