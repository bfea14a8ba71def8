import { describe, expect, test } from 'vitest';
import { inspectText } from '../../src/views/inspect.js';
import {
  COLOURED,
  CONTROL,
  config,
  history,
  NASTY,
  namedColours,
  ODD_MILLISECONDS,
  ODD_SECONDS,
  PIPE,
  processView,
  ran,
  START,
  TTY,
  taskView,
} from './task-views.js';

const CONFIG = config({
  name: 'hello',
  max_failures: 2,
  max_concurrency: 0,
  finalization_wait: 30,
  resources: { cpu: 0.5, ram: 64 * 1024 * 1024, disk: 1024 },
  processes: [
    { name: 'fetch', cmdline: 'curl -O x' },
    { name: 'build', cmdline: 'cd x\nmake\n\tinstall' },
    { name: 'check', cmdline: 'true', ephemeral: true },
    { name: 'serve', cmdline: 'serve', daemon: true },
    { name: 'clean', cmdline: 'rm -r x', final: true },
  ],
  constraints: [{ order: ['fetch', 'build', 'serve'] }, { order: ['fetch', 'check', 'serve'] }],
});

const VIEW = taskView({
  config: CONFIG,
  processes: [
    ran('fetch'),
    ran('build', { state: 'FAILED', return_code: 2, runs: 2, failures: 2, max_failures: 2 }),
    ran('check', { state: 'RUNNING', stop_time: undefined, return_code: undefined }),
    processView('serve'),
    processView('clean'),
  ],
  history: new Map([
    ...history('fetch', { seq: 3, state: 'SUCCESS', pid: 5, return_code: 0, start_time: 1, stop_time: 2 }),
    ...history(
      'build',
      {
        seq: 3,
        state: 'FAILED',
        pid: 5,
        return_code: 2,
        start_time: START / 1000,
        stop_time: START / 1000 + 90,
      },
      {
        seq: 7,
        state: 'FAILED',
        pid: 6,
        return_code: 2,
        start_time: START / 1000 + 100,
        stop_time: START / 1000 + 101,
      },
    ),
  ]),
});

const LOGS = [
  { process: 'fetch', run: 0, stream: 'stdout' as const, path: '/sandbox/.logs/fetch/0/stdout', bytes: 2048 },
  { process: 'fetch', run: 0, stream: 'stderr' as const, path: '/elsewhere/stderr', bytes: 0 },
];

test('a task, on a pipe', () => {
  expect(inspectText({ view: VIEW, logs: LOGS, why: ['Because.', '  | so'] }, PIPE)).toMatchInlineSnapshot(`
    "Task:       hello-1
    Name:       hello
    State:      ACTIVE since 2014-05-13T16:53:20Z
    Verdict:    ok
    Phase:      active
    Runner:     pid 77, uid 0, alive
    Silent for: 5s
    Launched:   2014-05-13T16:53:20Z
    User:       www-data (uid 33), files owned by root
    Host:       agent-1
    Ports:      http=8080
    Resources:  cpu 0.5, ram 64MiB, disk 1KiB
    Limits:     max_failures 2, max_concurrency unlimited, finalization_wait 30s
    Root:       /var/run/thermos
    Sandbox:    /sandbox
    Logs in:    /sandbox/.logs

    WHY
      Because.
        | so

    PROCESSES
      PROCESS  STATE    RUNS  FAILURES  PID  EXIT   TOOK               STARTED
      fetch    SUCCESS     1         0   12     0  0.25s  2014-05-13T16:53:21Z
      build    FAILED      2       2/2   12     2  0.25s  2014-05-13T16:53:21Z
      check    RUNNING     1         0   12     -      -  2014-05-13T16:53:21Z
      serve    WAITING     0         0    -     -      -                     -
      clean    WAITING     0         0    -     -      -                     -

    RUNS
      PROCESS  RUN  STATE   PID  EXIT  STARTED                TOOK
      build      0  FAILED    5     2  2014-05-13T16:53:20Z  1m30s
      build      1  FAILED    6     2  2014-05-13T16:55:00Z  1.00s

    ORDERING
      fetch SUCCESS
      ├─ build FAILED
      └─ check RUNNING (ephemeral)
         └─ serve WAITING (daemon) also after build
      clean WAITING (final)

    COMMANDS
      fetch: curl -O x
      build:
        cd x
        make
        \\tinstall
      check: true
      serve: serve
      clean: rm -r x

    STATUSES
      TIME                  STATE   RUNNER_PID  RUNNER_UID
      2014-05-13T16:53:20Z  ACTIVE          77           0

    LOGS
      PROCESS  RUN  STREAM  SIZE  FILE
      fetch      0  stdout  2KiB  fetch/0/stdout
      fetch      0  stderr    0B  /elsewhere/stderr
    "
  `);
});

test('on a terminal, in a sandbox copied from a Mesos agent', () => {
  const view = taskView({
    layout: 'mesos',
    phase: 'finished',
    state: 'SUCCESS',
    name: 'hello-1',
    processes: [ran('a')],
    ports: {},
    runner: { alive: null },
    sandbox: { path: '/copy/sandbox', recorded: '/mnt/sandbox', found: true },
    log_dir: { path: '/mnt/logs', recorded: '/mnt/logs', found: false },
    mesos: { agent_id: 'S0', framework_id: 'F0', executor_id: 'thermos-hello-1', container_id: 'c' },
    config: config({ processes: [{ name: 'a' }] }),
  });
  expect(inspectText({ view, logs: [], why: [] }, { ...TTY, unicode: false })).toMatchInlineSnapshot(`
    "Task:       hello-1
    State:      SUCCESS since 2014-05-13T16:53:20Z (2h3m ago)
    Verdict:    ok
    Phase:      finished
    Runner:     pid -, uid -, cannot be seen from here
    Launched:   2014-05-13T16:53:20Z (2h3m ago)
    User:       www-data (uid 33), files owned by root
    Host:       agent-1
    Limits:     max_failures -, max_concurrency unlimited, finalization_wait -
    Root:       /var/run/thermos
    Sandbox:    /copy/sandbox
    recorded:   /mnt/sandbox
    Logs in:    /mnt/logs (missing)
    Agent:      S0
    Framework:  F0
    Executor:   thermos-hello-1
    Container:  c

    PROCESSES
      PROCESS  STATE    RUNS  FAILURES  PID  EXIT   TOOK  STARTED
      a        SUCCESS     1         0   12     0  0.25s     2h2m

    COMMANDS
      a  -

    STATUSES
      TIME                  STATE   RUNNER_PID  RUNNER_UID
      2014-05-13T16:53:20Z  ACTIVE          77           0
    "
  `);
});

test('next to nothing', () => {
  const view = taskView({
    state: 'UNKNOWN',
    verdict: 'unknown',
    state_timestamp_ms: undefined,
    launch_time_ms: undefined,
    name: undefined,
    user: undefined,
    uid: undefined,
    hostname: undefined,
    owner: undefined,
    sandbox: undefined,
    log_dir: undefined,
    ports: undefined,
    runner: undefined,
    statuses: [],
    silent_since_ms: undefined,
  });
  expect(inspectText({ view, logs: [], why: ['Who knows.'] }, PIPE)).toMatchInlineSnapshot(`
    "Task:       hello-1
    State:      UNKNOWN
    Verdict:    unknown
    Phase:      active
    Root:       /var/run/thermos

    WHY
      Who knows.
    "
  `);
});

test('in colour', () => {
  const text = namedColours(inspectText({ view: VIEW, logs: LOGS, why: ['x'] }, { ...TTY, paint: COLOURED }));
  expect(text).toContain('<bold>WHY</bold>\n');
  expect(text).toContain(
    '<dim>State:      </dim><cyan>ACTIVE</cyan> since 2014-05-13T16:53:20Z (2h3m ago)\n',
  );
  expect(text).toContain('build <red>FAILED</red>\n');
});

test('of very many runs a terminal shows the last ten, a pipe all', () => {
  const runs = Array.from({ length: 30 }, (_, i) => ({ seq: i, state: 'FAILED' as const, pid: 1000 + i }));
  const view = taskView({ history: history('p', ...runs) });
  const numbers = (text: string) => [...text.matchAll(/^ {2}p +(\d+) {2}FAILED/gm)].map(([, n]) => Number(n));
  const onTerminal = inspectText({ view, logs: [], why: [] }, TTY);
  expect(numbers(onTerminal)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  expect(onTerminal).toContain('  and 20 earlier runs: pipe the output or use --json to see them\n');
  expect(numbers(inspectText({ view, logs: [], why: [] }, PIPE))).toHaveLength(30);
});

describe('whatever a checkpoint holds', () => {
  test('names are escaped, wherever they stand', () => {
    const place = { path: NASTY, recorded: `${NASTY}!`, found: false };
    const view = taskView({
      task_id: NASTY,
      name: `${NASTY}n`,
      user: NASTY,
      owner: NASTY,
      hostname: NASTY,
      ports: { [NASTY]: 1 },
      sandbox: place,
      log_dir: place,
      root: { path: NASTY, layout: 'mesos', source: NASTY, readable: true },
      mesos: { agent_id: NASTY, framework_id: NASTY, executor_id: NASTY, container_id: NASTY },
      processes: [ran(NASTY)],
      history: history(NASTY, { state: 'FAILED' }, { state: 'WAITING' }),
      config: config({
        name: NASTY,
        processes: [
          { name: NASTY, cmdline: NASTY },
          { name: `${NASTY}2`, cmdline: `a\n${NASTY}` },
          { name: `${NASTY}3` },
        ],
        constraints: [{ order: [NASTY, `${NASTY}2`] }, { order: [`${NASTY}3`, `${NASTY}2`] }],
      }),
    });
    const logs = [{ process: NASTY, run: 0, stream: 'stdout' as const, path: NASTY, bytes: 1 }];
    for (const style of [PIPE, TTY])
      expect(inspectText({ view, logs, why: [NASTY] }, style)).not.toMatch(CONTROL);
  });

  test('times that are none never end it', () => {
    for (const seconds of ODD_SECONDS) {
      const run = { state: 'SUCCESS' as const, start_time: seconds, stop_time: 1, fork_time: seconds };
      const view = taskView({ processes: [ran('p', run)], history: history('p', run, run) });
      for (const style of [PIPE, TTY])
        expect(inspectText({ view, logs: [], why: [] }, style)).toContain('SUCCESS');
    }
    for (const milliseconds of ODD_MILLISECONDS) {
      const statuses = [{ state: 'ACTIVE' as const, timestamp_ms: milliseconds }];
      const given = { state_timestamp_ms: milliseconds, launch_time_ms: milliseconds, statuses };
      const view = taskView({ ...given, silent_since_ms: Number(milliseconds) });
      for (const style of [PIPE, TTY])
        expect(inspectText({ view, logs: [], why: [] }, style)).toContain('ACTIVE');
    }
  });

  test('a task file with numbers that make no sense', () => {
    const odd = config({
      resources: { cpu: -1, ram: -5, disk: 1e300, gpu: 0.1 },
      max_failures: -3,
      max_concurrency: -1,
      finalization_wait: -1e300,
    });
    expect(inspectText({ view: taskView({ config: odd }), logs: [], why: [] }, PIPE)).toContain(
      'Resources:  cpu -1, ram <unknown>, disk ',
    );
  });
});
