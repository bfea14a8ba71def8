import { describe, expect, test } from 'vitest';
import type { CheckpointState } from '../../src/checkpoint/replay.js';
import { readText, recordLine } from '../../src/views/read.js';
import {
  COLOURED,
  CONTROL,
  history,
  NASTY,
  namedColours,
  ODD_MILLISECONDS,
  ODD_SECONDS,
  PIPE,
  START,
  TTY,
} from './task-views.js';

const STATE: CheckpointState = {
  header: {
    task_id: 'hello-1',
    launch_time_ms: START,
    sandbox: '/sandbox',
    hostname: 'agent-1',
    user: 'www-data',
    uid: 33,
    ports: { http: 8080, admin: 2n ** 60n },
  },
  statuses: [{ state: 'ACTIVE', timestamp_ms: START, runner_pid: 77, runner_uid: 0 }, { state: 42 }, {}],
  processes: new Map([
    ...history(
      'flaky',
      { seq: 3, state: 'FAILED', fork_time: 1, start_time: 1.5, stop_time: 3.75, pid: 5, return_code: 1 },
      { seq: 4, state: 'WAITING' },
    ),
    ...history('lost', { state: 'LOST', fork_time: START / 1000, coordinator_pid: 8 }),
  ]),
};

test('a whole checkpoint', () => {
  expect(readText(STATE, 9, 512, PIPE)).toMatchInlineSnapshot(`
    "HEADER
      task_id      hello-1
      launch_time  2014-05-13T16:53:20Z
      hostname     agent-1
      user         www-data
      uid          33
      ports        http=8080 admin=1152921504606846976
      sandbox      /sandbox
      log_dir      -

    STATUSES
      TIME                  STATE   RUNNER_PID  RUNNER_UID
      2014-05-13T16:53:20Z  ACTIVE          77           0
      -                     42               -           -
      -                     -                -           -

    RUNS
      PROCESS  RUN  STATE    PID  EXIT  STARTED                    TOOK
      flaky      0  FAILED     5     1  1970-01-01T00:00:01.500Z  2.25s
      flaky      1  WAITING    -     -  -                             -
      lost       0  LOST       -     -  2014-05-13T16:53:20Z          -

    9 records, 512 bytes
    "
  `);
});

test('on a terminal it is the same', () => {
  expect(readText(STATE, 9, 512, TTY)).toBe(readText(STATE, 9, 512, PIPE));
});

test('nothing at all', () => {
  expect(readText({ header: null, statuses: [], processes: new Map() }, 0, 0, PIPE)).toMatchInlineSnapshot(`
    "HEADER
      <none>

    STATUSES
      <none>

    RUNS
      <none>

    0 records, 0 bytes
    "
  `);
});

test('in colour', () => {
  const text = namedColours(readText(STATE, 9, 512, { ...TTY, paint: COLOURED }));
  expect(text).toContain('<bold>HEADER</bold>');
  expect(text).toContain('<red>FAILED</red>');
  expect(text).toContain('<cyan>ACTIVE</cyan>');
});

describe('recordLine', () => {
  test('the names of the IDL, quoted unless they are one word', () => {
    const line = (value: object, type: 'process_status' | 'task_status' | 'runner_header') =>
      recordLine({ type, value } as Parameters<typeof recordLine>[0], 4, 20);
    expect(
      line({ seq: 2n ** 60n, process: 'a b', state: 'RUNNING', start_time: 1.5 }, 'process_status'),
    ).toBe('4 20 process_status seq=1152921504606846976 process="a b" state=RUNNING start_time=1.5\n');
    expect(line({ task_id: 'x', ports: { 'a:b': 1, '': 2, 'c d': 3n } }, 'runner_header')).toBe(
      '4 20 runner_header task_id=x ports={a:b:1,"":2,"c d":3}\n',
    );
    expect(line({}, 'task_status')).toBe('4 20 task_status\n');
  });

  test('control characters are escaped', () => {
    const record = { type: 'runner_header' as const, value: { task_id: NASTY, ports: { [NASTY]: 1 } } };
    expect(recordLine(record, 0, 0).slice(0, -1)).not.toMatch(CONTROL);
  });
});

test('whatever it holds, it is text', () => {
  for (const seconds of ODD_SECONDS) {
    const processes = history('p', {
      state: 'SUCCESS',
      start_time: seconds,
      stop_time: 5,
      fork_time: seconds,
    });
    expect(readText({ ...STATE, processes }, 1, 1, PIPE)).toContain('SUCCESS');
  }
  for (const timestamp_ms of ODD_MILLISECONDS) {
    const statuses = [{ state: 'ACTIVE' as const, timestamp_ms }];
    const header = { launch_time_ms: timestamp_ms, task_id: NASTY, ports: { [NASTY]: timestamp_ms } };
    const text = readText({ header, statuses, processes: history(NASTY, { state: 9 }) }, 1, 1, TTY);
    expect(text).not.toMatch(CONTROL);
  }
});
