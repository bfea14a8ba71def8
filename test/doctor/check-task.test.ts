import { expect, test } from 'vitest';
import { checkEnd } from '../../src/doctor/check-end.js';
import { checkTask, type HostProbe } from '../../src/doctor/check-task.js';
import { ran, START, taskView } from '../views/task-views.js';

const HOST: HostProbe = {
  now: START + 60_000,
  bootTimeMs: START - 1000,
  hostname: 'agent-1',
  process: () => undefined,
  runnerStart: () => undefined,
  seesLocks: true,
  knowsUser: () => true,
  isAbsent: () => false,
};

test('a dead runner that kept why it gave up', () => {
  const reasons = [
    { time_ms: START, code: 'process-not-started', message: 'no room', process: 'p' },
    {
      time_ms: START + 1000,
      code: 'checkpoint-write-failed',
      message: 'the runner has given up: no space left',
    },
  ];
  const [dead] = checkTask(taskView({ verdict: 'runner-gone', reasons, silent_since_ms: START }), HOST);
  expect(dead?.evidence.map(({ path, text }) => [path, text]).slice(1)).toEqual([
    [
      '/var/run/thermos/checkpoints/hello-1/reasons',
      '2014-05-13T16:53:21Z: the runner has given up: no space left (checkpoint-write-failed)',
    ],
  ]);
});

test('a stopped runner is the process that started exactly when it did, or else one that is as old as its record', () => {
  const view = taskView({
    verdict: 'ok',
    runner: { pid: 7, uid: 0, alive: true },
    state_timestamp_ms: START,
  });
  const codes = (startTimeMs: number, exact?: number | 'earlier-boot') => {
    const process = () => ({ state: 'T', command: 'thermos', startTimeMs, startTimeTicks: 500 });
    const symptoms = [...checkTask(view, { ...HOST, process, runnerStart: () => exact })];
    return symptoms.map(({ code }) => code).filter((code) => code !== 'clock-skew');
  };
  expect(codes(START + 3_600_000, 500)).toEqual(['runner-stopped']);
  expect(codes(START, 501)).toEqual([]);
  expect(codes(START, 'earlier-boot')).toEqual([]);
  expect(codes(START)).toEqual(['runner-stopped']);
  expect(codes(START + 3_600_000)).toEqual([]);
});

test('a coordinator that is stopped is found by its pid and its start', () => {
  const live = ran('web', { state: 'RUNNING', coordinator_pid: 9, fork_time: START / 1000 });
  const view = taskView({ processes: [live, ran('done')] });
  const found = (startTimeMs: number, state = 'T') => {
    const process = (pid: number) =>
      pid === 9 || pid === 11 ? { state, command: 'coordinator', startTimeMs, startTimeTicks: 1 } : undefined;
    const symptoms = [...checkTask(view, { ...HOST, process })];
    return symptoms.filter(({ code }) => code === 'coordinator-stopped').map(({ evidence }) => evidence);
  };
  expect(found(START + 500)).toEqual([
    [{ path: '/proc/9/stat', text: 'pid 9 (coordinator), of process web, is in state T' }],
  ]);
  expect([found(START, 'S'), found(START + 60_000)]).toEqual([[], []]);
});

test('a failed task: the advice leads to output that is there, and to none if there is none', () => {
  const failed = taskView({ state: 'FAILED', phase: 'finished' });
  const adviceFor = (output: Parameters<typeof checkEnd>[2]) => [...checkEnd(failed, [], output)][0]?.advice;
  expect(adviceFor({ process: 'my job', stream: 'stdout' })).toEqual([
    "read its output: thermos tail --stdout hello-1 'my job'",
  ]);
  expect(adviceFor(undefined)).toEqual([]);
});
