import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskView } from '../../src/task/view.js';
import { widthOf } from '../../src/text/width.js';
import type { Style } from '../../src/views/parts/style.js';
import { StatusPage, type StatusPageOptions, type Verbosity } from '../../src/views/status.js';
import {
  COLOURED,
  CONTROL,
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

function statusText(
  tasks: readonly TaskView[],
  verbosity: Verbosity,
  style: Style,
  options: Partial<StatusPageOptions> = {},
): string {
  const page = new StatusPage({ verbosity, ...options }, style);
  return page.text(tasks.map((task) => page.add(task)));
}

const TASKS = [
  taskView({
    processes: [
      ran('first'),
      ran('second', {
        state: 'RUNNING',
        stop_time: undefined,
        return_code: undefined,
        max_failures: 3,
        failures: 1,
        runs: 2,
      }),
      processView('third', { max_failures: 0 }),
    ],
  }),
  taskView({
    task_id: 'www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e',
    phase: 'finished',
    state: 'FAILED',
    verdict: 'leftovers',
    state_timestamp_ms: START + 60_123,
    ports: {},
    processes: [ran('only', { state: 'FAILED', return_code: 7, failures: 1, max_failures: 1 })],
  }),
  taskView({
    task_id: 'dark',
    state: 'UNKNOWN',
    verdict: 'unknown',
    state_timestamp_ms: undefined,
    user: undefined,
    owner: undefined,
    sandbox: undefined,
    ports: undefined,
  }),
];

test('nothing is an empty text', () => {
  for (const verbosity of [0, 1, 2, 3] as const) expect(statusText([], verbosity, TTY)).toBe('');
});

describe('on a pipe: plain, whole, absolute', () => {
  test('verbosity 0', () => {
    expect(statusText(TASKS, 0, PIPE)).toMatchInlineSnapshot(`
      "TASK                                                       PHASE     OWNER
      hello-1                                                    active    root
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  finished  root
      dark                                                       active    -
      "
    `);
  });
  test('verbosity 1', () => {
    expect(statusText(TASKS, 1, PIPE)).toMatchInlineSnapshot(`
      "TASK                                                       PHASE     STATE    VERDICT    USER      DONE  FAILED                       AGE
      hello-1                                                    active    ACTIVE   ok         www-data   1/3       0      2014-05-13T16:53:20Z
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  finished  FAILED   leftovers  www-data   0/1       1  2014-05-13T16:54:20.123Z
      dark                                                       active    UNKNOWN  unknown    -          0/0       0                         -
      "
    `);
  });
  test('verbosity 2', () => {
    expect(statusText(TASKS, 2, PIPE)).toMatchInlineSnapshot(`
      "hello-1  ACTIVE  active, since 2014-05-13T16:53:20Z
        user: www-data  owner: root  ports: http=8080
        sandbox: /sandbox

      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  FAILED  leftovers  finished, since 2014-05-13T16:54:20.123Z
        user: www-data  owner: root  ports: -
        sandbox: /sandbox

      dark  UNKNOWN  unknown  active
        user: -  owner: -  ports: -
        sandbox: -
      "
    `);
  });
  test('verbosity 3', () => {
    expect(statusText(TASKS, 3, PIPE)).toMatchInlineSnapshot(`
      "hello-1  ACTIVE  active, since 2014-05-13T16:53:20Z
        user: www-data  owner: root  ports: http=8080
        sandbox: /sandbox
        PROCESS  STATE    RUNS  FAILURES  PID  EXIT   TOOK               STARTED
        first    SUCCESS     1         0   12     0  0.25s  2014-05-13T16:53:21Z
        second   RUNNING     2       1/3   12     -      -  2014-05-13T16:53:21Z
        third    WAITING     0         0    -     -      -                     -

      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  FAILED  leftovers  finished, since 2014-05-13T16:54:20.123Z
        user: www-data  owner: root  ports: -
        sandbox: /sandbox
        PROCESS  STATE   RUNS  FAILURES  PID  EXIT   TOOK               STARTED
        only     FAILED     1       1/1   12     7  0.25s  2014-05-13T16:53:21Z

      dark  UNKNOWN  unknown  active
        user: -  owner: -  ports: -
        sandbox: -
      "
    `);
  });

  test('it does not change while time passes', () => {
    const later = { ...PIPE, now: PIPE.now + 86_400_000 };
    for (const verbosity of [0, 1, 2, 3] as const) {
      expect(statusText(TASKS, verbosity, later)).toBe(statusText(TASKS, verbosity, PIPE));
    }
  });
});

describe('on a terminal: a summary, relative times, no wider than it is', () => {
  test('verbosity 1', () => {
    expect(statusText(TASKS, 1, TTY)).toMatchInlineSnapshot(`
      "3 tasks: 2 active, 1 finished (1 FAILED); 1 leftovers, 1 unknown

      TASK                           STATE    VERDICT    USER      DONE  FAILED   AGE
      hello-1                        ACTIVE   ok         www-data   1/3       0  2h3m
      www-data-prod-site-4-ea0c7ddc  FAILED   leftovers  www-data   0/1       1  2h1m
      dark                           UNKNOWN  unknown    -          0/0       0     -
      "
    `);
  });
  test('verbosity 3', () => {
    expect(statusText(TASKS, 3, TTY)).toMatchInlineSnapshot(`
      "3 tasks: 2 active, 1 finished (1 FAILED); 1 leftovers, 1 unknown

      hello-1  ACTIVE  active, since 2h3m ago
        user: www-data  owner: root  ports: http=8080
        sandbox: /sandbox
        PROCESS  STATE    RUNS  FAILURES  PID  EXIT   TOOK  STARTED
        first    SUCCESS     1         0   12     0  0.25s     2h2m
        second   RUNNING     2       1/3   12     -   2h2m     2h2m
        third    WAITING     0         0    -     -      -        -

      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  FAILED  leftovers  finished, since 2h1m ago
        user: www-data  owner: root  ports: -
        sandbox: /sandbox
        PROCESS  STATE   RUNS  FAILURES  PID  EXIT   TOOK  STARTED
        only     FAILED     1       1/1   12     7  0.25s     2h2m

      dark  UNKNOWN  unknown  active
        user: -  owner: -  ports: -
        sandbox: -
      "
    `);
  });
  test('narrow, without UTF-8', () => {
    expect(statusText(TASKS, 1, { ...TTY, width: 70, unicode: false })).toMatchInlineSnapshot(`
      "3 tasks: 2 active, 1 finished (1 FAILED); 1 leftovers, 1 unknown

      TASK                           STATE    VERDICT    DONE  FAILED   AGE
      hello-1                        ACTIVE   ok          1/3       0  2h3m
      www-data-prod-site-4-ea0c7ddc  FAILED   leftovers   0/1       1  2h1m
      dark                           UNKNOWN  unknown     0/0       0     -
      "
    `);
  });
  const ids = ['web-0-b97dd6f9', 'web-1-9c12e5c5', 'site-4-ea0c7ddc'].map(
    (start) => `www-data-prod-${start}-e10c-56ed-8143-1cf3c547034e`,
  );
  const aurora = ids.map((task_id, i) =>
    taskView({
      task_id,
      name: i === 2 ? 'site' : 'web',
      phase: i === 0 ? 'active' : 'finished',
      state: (['ACTIVE', 'FAILED', 'LOST'] as const)[i],
      verdict: i === 0 ? 'runner-gone' : 'ok',
      processes: [ran('one')],
    }),
  );
  test('ids of Aurora at 80 columns: short, with all columns that have room', () => {
    expect(statusText(aurora, 1, TTY)).toMatchInlineSnapshot(`
      "3 tasks: 1 active, 2 finished (1 FAILED, 1 LOST); 1 runner-gone

      TASK                           STATE   VERDICT      USER      DONE  FAILED   AGE
      www-data/prod/web/0/b97dd6f9   ACTIVE  runner-gone  www-data   1/1       0  2h3m
      www-data/prod/web/1/9c12e5c5   FAILED  ok           www-data   1/1       0  2h3m
      www-data/prod/site/4/ea0c7ddc  LOST    ok           www-data   1/1       0  2h3m
      "
    `);
  });
  test('the same at 100 columns: whole, which is worth more than PHASE, USER and DONE', () => {
    expect(statusText(aurora, 1, { ...TTY, width: 100 })).toMatchInlineSnapshot(`
      "3 tasks: 1 active, 2 finished (1 FAILED, 1 LOST); 1 runner-gone

      TASK                                                       STATE   VERDICT      DONE  FAILED   AGE
      www-data-prod-web-0-b97dd6f9-e10c-56ed-8143-1cf3c547034e   ACTIVE  runner-gone   1/1       0  2h3m
      www-data-prod-web-1-9c12e5c5-e10c-56ed-8143-1cf3c547034e   FAILED  ok            1/1       0  2h3m
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  LOST    ok            1/1       0  2h3m
      "
    `);
  });
  test('the same at 50 columns: even the short ids are cut, in their middle', () => {
    expect(statusText(aurora, 1, { ...TTY, width: 50 })).toMatchInlineSnapshot(`
      "3 tasks: 1 active, 2 finished (1 FAILED, 1 LOST);
      1 runner-gone

      TASK             STATE   VERDICT      FAILED   AGE
      www-dat…97dd6f9  ACTIVE  runner-gone       0  2h3m
      www-dat…c12e5c5  FAILED  ok                0  2h3m
      www-dat…a0c7ddc  LOST    ok                0  2h3m
      "
    `);
  });
  test('wide: all columns, nothing cut', () => {
    const wide = statusText(aurora, 1, TTY, { wide: true });
    expect(wide).toMatchInlineSnapshot(`
      "3 tasks: 1 active, 2 finished (1 FAILED, 1 LOST); 1 runner-gone

      TASK                                                       PHASE     STATE   VERDICT      USER      DONE  FAILED   AGE  OWNER  ROOT
      www-data-prod-web-0-b97dd6f9-e10c-56ed-8143-1cf3c547034e   active    ACTIVE  runner-gone  www-data   1/1       0  2h3m  root   /var/run/thermos
      www-data-prod-web-1-9c12e5c5-e10c-56ed-8143-1cf3c547034e   finished  FAILED  ok           www-data   1/1       0  2h3m  root   /var/run/thermos
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  finished  LOST    ok           www-data   1/1       0  2h3m  root   /var/run/thermos
      "
    `);
    expect(
      statusText(aurora, 1, { ...TTY, width: 20 }, { wide: true })
        .split('\n')
        .slice(-5),
    ).toEqual(wide.split('\n').slice(-5));
  });
  test('nothing cut: whole ids, without the columns for which they leave no room', () => {
    expect(statusText(aurora, 1, TTY, { uncut: true })).toMatchInlineSnapshot(`
      "3 tasks: 1 active, 2 finished (1 FAILED, 1 LOST); 1 runner-gone

      TASK                                                       STATE   VERDICT      FAILED   AGE
      www-data-prod-web-0-b97dd6f9-e10c-56ed-8143-1cf3c547034e   ACTIVE  runner-gone       0  2h3m
      www-data-prod-web-1-9c12e5c5-e10c-56ed-8143-1cf3c547034e   FAILED  ok                0  2h3m
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  LOST    ok                0  2h3m
      "
    `);
    expect(statusText(aurora, 0, { ...TTY, width: 30 }, { uncut: true })).toContain(
      `${ids[0]}   active    root\n`,
    );
  });
  test('named columns are all shown, in their order', () => {
    const columns = ['age', 'phase', 'root', 'task'] as const;
    expect(statusText(aurora, 1, { ...TTY, width: 60 }, { columns })).toMatchInlineSnapshot(`
      "3 tasks: 1 active, 2 finished (1 FAILED, 1 LOST); 1
      runner-gone

       AGE  PHASE     ROOT              TASK
      2h3m  active    /var/run/thermos  www-data/prod…b/0/b97dd6f9
      2h3m  finished  /var/run/thermos  www-data/prod…b/1/9c12e5c5
      2h3m  finished  /var/run/thermos  www-data/prod…e/4/ea0c7ddc
      "
    `);
    expect(statusText(aurora, 1, PIPE, { columns: ['task', 'state'] })).toMatchInlineSnapshot(`
      "TASK                                                       STATE
      www-data-prod-web-0-b97dd6f9-e10c-56ed-8143-1cf3c547034e   ACTIVE
      www-data-prod-web-1-9c12e5c5-e10c-56ed-8143-1cf3c547034e   FAILED
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  LOST
      "
    `);
  });
  test('the rows that are drawn are chosen by the caller; the summary counts all', () => {
    const page = new StatusPage({ verbosity: 1 }, { ...TTY, width: 40 });
    const [, second] = aurora.map((task) => page.add(task));
    expect(page.parts(second === undefined ? [] : [second])).toMatchInlineSnapshot(`
      {
        "body": [
          "www-…e5c5  FAILED  ok            0  2h3m",
        ],
        "summary": [
          "3 tasks: 1 active, 2 finished (1 FAILED,",
          "1 LOST); 1 runner-gone",
        ],
        "titles": "TASK       STATE   VERDICT  FAILED   AGE",
      }
    `);
  });
  test('measured columns are shown only if they are named; what is not known is -', () => {
    const used = {
      asked: {},
      cpuAverage: 0.4321,
      rssBytes: 123 * 1024 * 1024,
      disk: { bytes: 5 * 1024 ** 3, atLeast: true } as const,
    };
    const [first] = aurora;
    const options = {
      columns: ['task', 'cpu', 'rss', 'disk'] as const,
      useOf: (task: string) => (task === first?.found.checkpoint_dir ? used : undefined),
    };
    const text = statusText(aurora, 1, PIPE, options);
    const cells = text.split('\n').map((line) => line.split(/ +/).slice(1).join(' '));
    expect(cells.slice(0, 2)).toEqual(['CPU RSS DISK', '0.43 123MiB >5GiB']);
    expect(statusText(aurora, 1, PIPE, { ...options, useOf: undefined }).split('\n')[1]).toMatch(/ - +- +-$/);
    expect(statusText(aurora, 1, PIPE, { wide: true, useOf: () => used })).not.toContain('123MiB');
  });

  test('whatever the tasks and the width: rows fit, different ids look different, columns go in their order', () => {
    const word = fc.constantFrom('www', 'data', 'www-data', 'prod', 'web', 'a-job-of-a-very-long-name', '0');
    const serial = fc.nat(0xffff).map((number) => number.toString(16).padStart(4, '0'));
    const task = fc
      .record({
        user: word,
        env: word,
        name: word,
        instance: fc.nat(20),
        serial,
        known: fc.boolean(),
        aurora: fc.boolean(),
      })
      .map(({ user, env, name, instance, serial, known, aurora }) =>
        taskView({
          task_id: aurora
            ? `${user}-${env}-${name}-${instance}-11111111-${serial}-4333-8444-555555555555`
            : `${user}-${name}-${serial}`,
          user: known ? user : 'root',
          name,
          verdict: known ? 'ok' : 'host-rebooted',
        }),
      );
    fc.assert(
      fc.property(fc.array(task, { maxLength: 40 }), fc.integer({ min: 60, max: 160 }), (tasks, width) => {
        const page = new StatusPage({ verbosity: 1 }, { ...TTY, width });
        const { summary, titles = '', body } = page.parts(tasks.map((each) => page.add(each)));
        for (const line of [...summary, titles, ...body]) expect(widthOf(line)).toBeLessThanOrEqual(width);
        const order = ['PHASE', 'USER', 'DONE'];
        const shown = titles.split(/ +/);
        const dropped = order.filter((title) => !shown.includes(title));
        expect(dropped).toEqual(order.slice(0, dropped.length));
        expect(new Set(body.map((line) => line.split(' ')[0])).size).toBe(
          new Set(tasks.map(({ task_id }) => task_id)).size,
        );
      }),
    );
  });
  test('a host where all is well has nothing odd in its summary', () => {
    expect(statusText([taskView()], 0, TTY)).toMatchInlineSnapshot(`
      "1 task: 1 active, 0 finished

      TASK     PHASE   OWNER
      hello-1  active  root
      "
    `);
  });
  test('in colour', () => {
    const style = { ...TTY, colour: 1 as const, paint: COLOURED, width: 200 };
    expect(namedColours(statusText(TASKS, 1, style))).toMatchInlineSnapshot(`
      "3 tasks: 2 active, 1 finished (1 FAILED); 1 leftovers, 1 unknown

      <bold>TASK</bold>                                                       <bold>PHASE</bold>     <bold>STATE</bold>    <bold>VERDICT</bold>    <bold>USER</bold>      <bold>DONE</bold>  <bold>FAILED</bold>   <bold>AGE</bold>
      hello-1                                                    active    <cyan>ACTIVE</cyan>   <dim>ok</dim>         www-data   1/3       0  2h3m
      www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e  finished  <red>FAILED</red>   <yellow>leftovers</yellow>  www-data   0/1       1  2h1m
      dark                                                       active    <dim>UNKNOWN</dim>  <dim>unknown</dim>    -          0/0       0     -
      "
    `);
  });
});

test('running time is counted on a terminal only if the process is known to run', () => {
  const processes = [ran('p', { state: 'RUNNING', stop_time: undefined })];
  const took = (verdict: 'ok' | 'runner-gone' | 'foreign-pids', style = TTY) =>
    / 2h2m +2h2m\n/.test(statusText([taskView({ verdict, processes })], 3, style));
  expect([took('ok'), took('foreign-pids'), took('runner-gone'), took('ok', PIPE)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

describe('whatever a checkpoint holds', () => {
  test('names are escaped', () => {
    const hostile = taskView({
      task_id: NASTY,
      user: NASTY,
      owner: NASTY,
      sandbox: { path: NASTY, recorded: NASTY, found: false },
      ports: { [NASTY]: 1 },
      processes: [ran(NASTY)],
    });
    for (const style of [PIPE, TTY, { ...TTY, width: 10 }]) {
      for (const verbosity of [0, 1, 2, 3] as const) {
        const text = statusText([hostile], verbosity, style);
        expect(text).not.toMatch(CONTROL);
        expect(text.split('\n').length).toBe(
          statusText([taskView({ processes: [ran('p')] })], verbosity, style).split('\n').length,
        );
      }
    }
  });

  test('times that are none are shown as unknown, or as numbers', () => {
    for (const seconds of ODD_SECONDS) {
      const processes = [
        ran('p', { start_time: seconds }),
        ran('q', { stop_time: seconds, state: 'RUNNING' }),
      ];
      for (const style of [PIPE, TTY])
        expect(statusText([taskView({ processes })], 3, style)).toContain('p ');
    }
    for (const state_timestamp_ms of ODD_MILLISECONDS) {
      for (const style of [PIPE, TTY])
        expect(statusText([taskView({ state_timestamp_ms })], 1, style)).toContain('hello-1');
    }
    expect(statusText([taskView({ processes: [ran('p', { start_time: Number.NaN })] })], 3, TTY)).toContain(
      '<unknown>',
    );
  });

  test('a name of megabytes does not pad other rows', () => {
    const tasks = [
      ...TASKS,
      taskView({ user: 'u'.repeat(3_000_000) }),
      taskView({ user: '\u{1f600}'.repeat(2_000_000) }),
    ];
    const text = statusText(tasks, 1, PIPE);
    expect(text.length).toBeLessThan(7_010_000);
    expect(
      statusText(tasks, 1, TTY)
        .split('\n')
        .every((line) => line.length <= 120),
    ).toBe(true);
  });

  test('states without names', () => {
    const text = statusText([taskView({ state: 99, processes: [ran('p', { state: 12 })] })], 3, PIPE);
    expect(text).toContain('hello-1  99  active');
    expect(text).toContain('p        12  ');
  });
});
