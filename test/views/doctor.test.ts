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

test('a healthy host is an empty text', () => {
  expect(doctorText(document({}), TTY)).toBe('');
});

test('advice that several findings share is given once, below the last of them', () => {
  const other = { ...FINDING, what: 'other', advice: ['only here', 'first this'] };
  const text = doctorText(document({ findings: [FINDING, other] }), PIPE);
  expect(text.match(/^ {2}→ .*/gm)).toEqual(['  → then that', '  → only here', '  → first this']);
  expect(text.indexOf('first this')).toBeGreaterThan(text.indexOf('other'));
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

    TIME                       AFTER  PROCESS  WHAT
    2014-05-13T16:53:20Z      +0.00s  -        launched
    -                              -  p[0]     is lost
    2014-05-13T16:53:21.500Z  +1.50s  p[1]     starts
    2014-05-13T17:53:20Z         +1h  -        now

    error: 2 tasks recorded as running, but no runner is alive (runner-dead)
      /r/checkpoints/a/runner: ACTIVE
      /log:12: dead
      /stream at byte 99: torn
      pid 5
      > first this
      > then that
    "
  `);
});

test('a terminal gets ten lines of evidence, a pipe all', () => {
  const evidence = Array.from({ length: 500 }, (_, i) => ({ text: `line ${i}` }));
  const finding = { ...FINDING, evidence };
  expect(doctorText(document({ findings: [finding] }), TTY)).toContain(
    '  and 490 more: pipe the output or use --json to see them\n',
  );
  expect(doctorText(document({ findings: [finding] }), PIPE).split('\n')).toHaveLength(504);
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
