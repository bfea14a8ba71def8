import { expect, test } from 'vitest';
import type { DoctorDocument } from '../../src/contracts/doctor.js';
import { doctorText } from '../../src/views/doctor.js';
import { COLOURED, CONTROL, NASTY, namedColours, PIPE, START, TTY } from './task-views.js';

const CHECKED = { roots: 1, tasks: 1, agents: 0 };
const document = (given: Partial<DoctorDocument>): DoctorDocument => ({
  findings: [],
  checked: CHECKED,
  problems: [],
  ...given,
});
const FINDING: DoctorDocument['findings'][number] = {
  code: 'runner-dead',
  severity: 'error',
  what: '2 tasks recorded as running, but no runner is alive',
  evidence: [
    { path: '/r/checkpoints/a/runner', text: 'ACTIVE', task_id: 'a' },
    { path: '/log', line: 12, text: 'dead', task_id: 'b' },
    { path: '/stream', offset: 99, text: 'torn' },
    { text: 'pid 5' },
  ],
  advice: ['first this', 'then that'],
  task_ids: ['a', 'b'],
};

test('a healthy host is an empty text on a pipe, and said to be one on a terminal', () => {
  expect(doctorText(document({}), PIPE)).toBe('');
  const text = (parts: Partial<DoctorDocument>) => doctorText(document(parts), TTY);
  expect(text({ checked: { roots: 1, tasks: 1, agents: 0 } })).toBe(
    'Nothing wrong was found: 1 task, 1 root.\n',
  );
  expect(text({ checked: { roots: 2, tasks: 0, agents: 1 } })).toBe(
    'Nothing wrong was found: 0 tasks, 2 roots, 1 agent.\n',
  );
  const problems = [{ code: 'not-checked', severity: 'warning', message: 'agent a did not answer' }] as const;
  expect(text({ checked: { roots: 1, tasks: 3, agents: 0 }, problems: [...problems] })).toBe(
    'Nothing wrong was found in what could be read: 3 tasks, 1 root.\n',
  );
  expect(text({ checked: { roots: 0, tasks: 0, agents: 0 } })).toBe('');
});

test('advice that several findings share is given once, below the last of them', () => {
  const other = { ...FINDING, what: 'other', advice: ['only here', 'first this'] };
  const text = doctorText(document({ findings: [FINDING, other] }), PIPE);
  expect(text.match(/^ {2}→ .*/gm)).toEqual(['  → then that', '  → only here', '  → first this']);
  expect(text.indexOf('first this')).toBeGreaterThan(text.indexOf('other'));
});

test('on a narrow terminal sentences are wrapped, and a command is whole on a row of its own', () => {
  const command = `thermos kill --root '/a root' ${'task-'.repeat(8)}`;
  const finding = {
    ...FINDING,
    what: 'the disk of the sandboxes of all tasks is full',
    evidence: [],
    advice: [
      `to end it, with all that it started: ${command}`,
      'read the log of the agent for its name',
      'wait',
    ],
  };
  expect(doctorText(document({ findings: [finding] }), { ...TTY, width: 40 }).split('\n')).toEqual([
    'error: the disk of the sandboxes of all',
    '       tasks is full (runner-dead)',
    '  → to end it, with all that it started:',
    `    ${command}`,
    '  → read the log of the agent for its',
    '    name',
    '  → wait',
    '',
  ]);
});

test('what, evidence with its place, what to do', () => {
  expect(
    doctorText(
      document({ findings: [FINDING, { ...FINDING, severity: 'note', evidence: [], advice: [] }] }),
      PIPE,
    ),
  ).toMatchInlineSnapshot(`
    "error: 2 tasks recorded as running, but no runner is alive (runner-dead)
      /r/checkpoints/a/runner: ACTIVE
      b: /log:12: dead
      /stream at byte 99: torn
      pid 5
      → first this
      → then that

    note: 2 tasks recorded as running, but no runner is alive (runner-dead)
    "
  `);
});

test('the story of a task, and whose evidence it is goes without saying', () => {
  const story = [
    { time_ms: START, what: 'launched', path: '/x' },
    { what: 'is lost', process: 'p', run: 0 },
    { time_ms: START + 1500, what: 'starts', process: 'p', run: 1 },
    { time_ms: START + 3_600_000, what: 'now' },
  ];
  const task = {
    task_id: 'b',
    root: '/r',
    layout: 'host' as const,
    phase: 'active' as const,
    state: 'ACTIVE' as const,
    verdict: 'runner-gone' as const,
  };
  expect(
    doctorText(document({ task, story, findings: [FINDING] }), { ...PIPE, unicode: false }),
  ).toMatchInlineSnapshot(`
    "b  ACTIVE  runner-gone

    error: 2 tasks recorded as running, but no runner is alive (runner-dead)
      /r/checkpoints/a/runner: ACTIVE
      /log:12: dead
      /stream at byte 99: torn
      pid 5
      > first this
      > then that

    TIME                       AFTER  PROCESS  WHAT
    2014-05-13T16:53:20Z      +0.00s  -        launched
    -                              -  p[0]     is lost
    2014-05-13T16:53:21.500Z  +1.50s  p[1]     starts
    2014-05-13T17:53:20Z         +1h  -        now
    "
  `);
});

test('on a terminal: how many, then each with the place of its evidence below it, and no command broken', () => {
  const advice = [
    'end it: thermos kill 1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c5470',
  ];
  const findings = [
    { ...FINDING, advice },
    { ...FINDING, severity: 'note' as const, evidence: [], advice: [] },
  ];
  expect(doctorText(document({ findings }), { ...TTY, width: 60 })).toMatchInlineSnapshot(`
    "1 error, 1 note

    error: 2 tasks recorded as running, but no runner is alive
           (runner-dead)
      a: ACTIVE
        /r/checkpoints/a/runner
      b: dead
        /log:12
      torn
        /stream at byte 99
      and 1 more piece of evidence: --verbose shows them
      → end it:
        thermos kill 1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c5470

    note: 2 tasks recorded as running, but no runner is alive
          (runner-dead)
    "
  `);
});

test('a terminal gets three pieces of evidence of a finding about the host, a pipe all', () => {
  const evidence = Array.from({ length: 500 }, (_, i) => ({ text: `line ${i}` }));
  const finding = { ...FINDING, evidence };
  expect(doctorText(document({ findings: [finding] }), TTY)).toContain(
    '  and 497 more pieces of evidence: --verbose shows them\n',
  );
  expect(doctorText(document({ findings: [finding] }), PIPE).split('\n')).toHaveLength(504);
  expect(doctorText(document({ findings: [finding] }), TTY, { verbose: true }).split('\n')).toHaveLength(504);
});

test('the first lines of a terminal hold why a task failed; its timeline shows the end', () => {
  const task = {
    task_id: 't',
    root: '/r',
    layout: 'host' as const,
    phase: 'finished' as const,
    state: 'FAILED' as const,
    verdict: 'ok' as const,
  };
  const evidence = [
    'The task ended FAILED at 2014-05-13T16:53:20Z.',
    'Process p failed first: run 0, exit code 1, at 2014-05-13T16:53:23Z.',
    'Its stderr ends with:',
    ...Array.from({ length: 10 }, (_, i) => `  | line ${i} ${'x'.repeat(80)}`),
    ...Array.from({ length: 3 }, (_, i) => `Process q${i} never started: it needed p (FAILED).`),
    '87 more processes never started.',
  ].map((text) => ({ text, task_id: 't' }));
  const story = Array.from({ length: 50 }, (_, i) => ({ time_ms: START + i * 1000, what: `event ${i}` }));
  const findings = [{ ...FINDING, what: 'the task failed', evidence, advice: ['read it'] }];
  const text = doctorText(document({ task, findings, story }), TTY);
  expect(text.split('\n').slice(0, 23).join('\n')).toMatchInlineSnapshot(`
    "t  FAILED

    error: the task failed (runner-dead)
      The task ended FAILED at 2014-05-13T16:53:20Z.
      Process p failed first: run 0, exit code 1, at 2014-05-13T16:53:23Z.
      Its stderr ends with:
        | …
        | xxxxxxxxxxxxx
        | line 7 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        | xxxxxxxxxxxxx
        | line 8 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        | xxxxxxxxxxxxx
        | line 9 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        | xxxxxxxxxxxxx
      Process q0 never started: it needed p (FAILED).
      Process q1 never started: it needed p (FAILED).
      Process q2 never started: it needed p (FAILED).
      87 more processes never started.
      → read it

    TIME                  AFTER  PROCESS  WHAT
    2014-05-13T16:53:52Z   +32s  -        event 32
    2014-05-13T16:53:53Z   +33s  -        event 33"
  `);
  expect(text).toContain('2014-05-13T16:54:09Z   +49s  -        event 49\n  and 32 earlier events: ');
  expect(doctorText(document({ task, findings, story }), TTY, { verbose: true })).not.toContain('--verbose');
});

test('of a task without findings it says so', () => {
  const task = {
    task_id: 't',
    root: '/r',
    layout: 'host' as const,
    phase: 'active' as const,
    state: 'ACTIVE' as const,
    verdict: 'ok' as const,
  };
  expect(doctorText(document({ task, story: [] }), PIPE)).toBe('t  ACTIVE\nNothing wrong was found.\n');
});

test('colour only for words that are there anyway', () => {
  const text = namedColours(doctorText(document({ findings: [FINDING] }), { ...TTY, paint: COLOURED }));
  expect(text).toContain('<red>error</red>: ');
});

test('nothing that was read reaches the terminal as it is', () => {
  const finding = {
    ...FINDING,
    what: NASTY,
    evidence: [{ path: NASTY, text: NASTY, task_id: NASTY }],
    advice: [NASTY],
  };
  const story = [{ what: NASTY, process: NASTY, run: 0 }];
  for (const style of [PIPE, TTY]) {
    expect(doctorText(document({ findings: [finding], story }), style).replaceAll('\n', '')).not.toMatch(
      CONTROL,
    );
  }
});

test('tasks of which the scheduler believes something else are a table, and nothing else is', () => {
  const row = (task_id: string, action: 'kill' | 'collect' | 'none' | 'send-lost', given = {}) => ({
    ...{ task_id, local: 'active' as const, local_state: 'ACTIVE', expected: 'FINISHED', action, ...given },
  });
  const agent = { id: 'S0', url: 'http://agent-1:5051', hostname: 'agent-1' };
  const reconcile = [
    row('a', 'kill', { agent }),
    row('b', 'none'),
    row('c', 'collect'),
    row('d', 'kill', { recent: true }),
    row('e', 'send-lost', { local: 'absent', local_state: undefined, expected: 'RUNNING' }),
  ];
  const text = (parts: Partial<DoctorDocument>, style = PIPE) => doctorText(document(parts), style);
  expect(text({ reconcile, reconcile_source: 'scheduler' })).toBe(
    `2 of 5 tasks not as the scheduler has them:
TASK  STREAM  EXPECTED  ACTION     AGENT
a     ACTIVE  FINISHED  kill       agent-1
e     absent  RUNNING   send-lost  -
`,
  );
  expect(text({ reconcile, reconcile_source: 'agents' })).toBe('');
  expect(text({ reconcile: reconcile.slice(1, 4), reconcile_source: 'master' })).toBe('');
  const many = Array.from({ length: 30 }, (_, i) => row(`t${i}`, 'kill'));
  expect(text({ reconcile: many, reconcile_source: 'master' }, TTY).trimEnd().split('\n').at(-1)).toMatch(
    / {2}and \d+ more tasks: --verbose shows them/,
  );
});
