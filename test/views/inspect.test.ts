import { describe, expect, test } from 'vitest';
import { splitAt } from '../../src/text/width.js';
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
    State:      ACTIVE since 2014-05-13T16:53:20Z
    Verdict:    ok
    Runner:     pid 77, uid 0, alive
    Silent for: 5s

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

    DETAILS
      Name:       hello
      Phase:      active
      Launched:   2014-05-13T16:53:20Z
      User:       www-data (uid 33), files owned by root
      Host:       agent-1
      Ports:      http=8080
      Resources:  cpu 0.5, ram 64MiB, disk 1KiB
      Limits:     max_failures 2, max_concurrency unlimited, finalization_wait 30s
      Root:       /var/run/thermos
      Sandbox:    /sandbox
      Logs in:    /sandbox/.logs
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

    PROCESSES
      PROCESS  STATE    RUNS  FAILURES  PID  EXIT   TOOK  STARTED
      a        SUCCESS     1         0   12     0  0.25s     2h2m

    COMMANDS
      a  -

    STATUSES
      TIME                  STATE   RUNNER_PID  RUNNER_UID
      2014-05-13T16:53:20Z  ACTIVE          77           0

    DETAILS
      Phase:      finished
      Runner:     pid -, uid -, cannot be seen from here
      Launched:   2014-05-13T16:53:20Z (2h3m ago)
      User:       www-data (uid 33), files owned by root
      Host:       agent-1
      Limits:     max_failures -, max_concurrency unlimited, finalization_wait -
      Agent:      S0
      Framework:  F0
      Executor:   thermos-hello-1
      Container:  c
      Root:       /var/run/thermos
      Sandbox:    /copy/sandbox
      recorded:   /mnt/sandbox
      Logs in:    /mnt/logs (missing)
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

    WHY
      Who knows.

    DETAILS
      Phase:      active
      Root:       /var/run/thermos
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
  expect(onTerminal).toContain('  and 20 earlier runs: --verbose shows them\n');
  expect(numbers(inspectText({ view, logs: [], why: [] }, PIPE))).toHaveLength(30);
  expect(numbers(inspectText({ view, logs: [], why: [] }, TTY, { verbose: true }))).toHaveLength(30);
});

describe('the first 23 lines of a terminal, which a pager shows first', () => {
  const screen = (text: string) =>
    text
      .split('\n')
      .flatMap((line) => splitAt(line, 80))
      .slice(0, 23)
      .join('\n');
  const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
  const stderr = Array.from({ length: 10 }, (_, i) => `  | ${String(i).repeat(200)}`);
  const statuses = Array.from({ length: 50 }, (_, i) => ({
    state: 'ACTIVE' as const,
    timestamp_ms: START + i * 1000,
  }));

  test('hold the end of the stderr of what failed first, and what it means', () => {
    const view = taskView({
      task_id: `1412345678901-www-data-prod-site-4-${'ea0c7ddc'.repeat(8)}`,
      phase: 'finished',
      state: 'FAILED',
      processes: names.map((name, i) => (i === 150 ? ran(name, { state: 'FAILED' }) : processView(name))),
      config: config({ processes: names.map((name) => ({ name })) }),
      statuses,
    });
    const why = [
      'The task ended FAILED at 2014-05-13T16:53:20Z.',
      'Process p150 failed first: run 0, exit code 1, at 2014-05-13T16:53:23Z.',
      'Its stderr ends with:',
      ...stderr,
      '  | Error: no such release',
      'Process p150: 1 of 1 allowed failures used, so it is not run again.',
      'Task: 1 of 1 allowed failed processes used, so the task fails.',
      ...names.slice(0, 3).map((name) => `Process ${name} never started: it needed x.`),
      '196 more processes never started.',
    ];
    const text = inspectText({ view, logs: [], why }, TTY);
    expect(screen(text)).toMatchInlineSnapshot(`
      "Task:       1412345678901-www-data-prod-site-4-ea0c7ddcea0c7ddcea0c7ddcea0c7ddce
      a0c7ddcea0c7ddcea0c7ddcea0c7ddc
      State:      FAILED since 2014-05-13T16:53:20Z (2h3m ago)
      Verdict:    ok

      WHY
        The task ended FAILED at 2014-05-13T16:53:20Z.
        Process p150 failed first: run 0, exit code 1, at 2014-05-13T16:53:23Z.
        Its stderr ends with:
          | …
          | 88888888888888888888888888888888888888888888888888888888888888888888888888
          | 88888888888888888888888888888888888888888888888888888888888888888888888888
          | 8888888888888888888888888888888888888888888888888888
          | 99999999999999999999999999999999999999999999999999999999999999999999999999
          | 99999999999999999999999999999999999999999999999999999999999999999999999999
          | 9999999999999999999999999999999999999999999999999999
          | Error: no such release
        Process p150: 1 of 1 allowed failures used, so it is not run again.
        Task: 1 of 1 allowed failed processes used, so the task fails.
        Process p0 never started: it needed x.
        Process p1 never started: it needed x.
        Process p2 never started: it needed x.
        196 more processes never started."
    `);
    // Not on the first screen, but not far either.
    expect(text.split('\n').length).toBeLessThan(110);
    expect(text).toContain('  p150     FAILED ');
    expect(text).toContain('  and 188 more processes, never started: --verbose shows them\n');
    expect(text).toContain('  and 40 earlier statuses: --verbose shows them\n');
    expect(text).toContain('  and 181 more lines: --verbose shows them\n');
    const whole = inspectText({ view, logs: [], why }, TTY, { verbose: true });
    for (const name of names) expect(whole).toContain(`\n  ${name} `);
    expect(whole).not.toContain('--verbose');
    expect(whole.match(/^ {2}2014-05-13T.*ACTIVE/gm)).toHaveLength(50);
  });

  test('hold what runs now, of a task that runs, and what it waits for', () => {
    const view = taskView({
      processes: names.map((name, i) => {
        if (i === 3) return ran(name, { state: 'FAILED', runs: 3, failures: 3, return_code: 1 });
        if (i < 10) return ran(name);
        return i < 13 ? ran(name, { state: 'RUNNING', stop_time: undefined }) : processView(name);
      }),
      statuses,
    });
    const why = [
      'The runner (pid 77) is alive; the task has been ACTIVE since 2014-05-13T16:53:20Z.',
      'Process p3 failed first: run 2, exit code 1, at 2014-05-13T16:53:23Z.',
      'Its stderr ends with:',
      ...stderr,
      'Process p3: 3 of 9 allowed failures used.',
      ...names.slice(13, 16).map((name) => `Process ${name} waits for p12 (RUNNING).`),
      '184 more processes wait.',
    ];
    expect(screen(inspectText({ view, logs: [], why }, TTY))).toMatchInlineSnapshot(`
      "Task:       hello-1
      State:      ACTIVE since 2014-05-13T16:53:20Z (2h3m ago)
      Verdict:    ok
      Runner:     pid 77, uid 0, alive
      Silent for: 5s

      WHY
        The runner (pid 77) is alive; the task has been ACTIVE since
          2014-05-13T16:53:20Z.
        Process p3 failed first: run 2, exit code 1, at 2014-05-13T16:53:23Z.
        Its stderr ends with:
          | …
          | 99999999999999999999999999999999999999999999999999999999999999999999999999
        and 7 more lines: --verbose shows them

      PROCESSES
        PROCESS  STATE    RUNS  FAILURES  PID  EXIT   TOOK  STARTED
        p3       FAILED      3         3   12     1  0.25s     2h2m
        p10      RUNNING     1         0   12     0   2h2m     2h2m
        p11      RUNNING     1         0   12     0   2h2m     2h2m
        p12      RUNNING     1         0   12     0   2h2m     2h2m
        p13      WAITING     0         0    -     -      -        -
        p14      WAITING     0         0    -     -      -        -"
    `);
  });
});

test('names that are wider than their column go on in the next line', () => {
  const long = 'install_the_long_named_process_of_the_site';
  const view = taskView({
    processes: [ran(long)],
    history: history(long, { state: 'FAILED' }, { state: 'SUCCESS' }),
    config: config({ processes: [{ name: long, cmdline: 'true' }] }),
  });
  const logs = [{ process: long, run: 0, stream: 'stdout' as const, path: `/s/${long}/0/stdout`, bytes: 1 }];
  const text = inspectText({ view, logs, why: [] }, { ...TTY, paint: COLOURED });
  const lines = namedColours(text)
    .replace(/<[^>]*>/g, '')
    .split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => line.startsWith('  PROCESS '))).toHaveLength(3);
  expect(text).not.toContain('…');
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
