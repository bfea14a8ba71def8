import { expect, test } from 'vitest';
import { type Comparison, compareTasks } from '../../src/task/compare.js';
import { diffText } from '../../src/views/diff.js';
import { COLOURED, CONTROL, config, NASTY, namedColours, PIPE, START, TTY, taskView } from './task-views.js';

const A = { view: taskView({ task_id: 'etl-1', state: 'SUCCESS', phase: 'finished' }) };
const B = { view: taskView({ task_id: 'etl-2', state: 'FAILED', phase: 'finished' }) };

const SCRIPT = ['set -e', 'cd /data', 'load --all', 'echo done'];

const COMPARISON: Comparison = {
  config: [
    { field: 'max_failures', change: 'changed', a: 1, b: 2 },
    { process: 'old', change: 'removed' },
    { process: 'new', change: 'added' },
    {
      process: 'load',
      field: 'cmdline',
      change: 'changed',
      a: SCRIPT.join('\n'),
      b: [...SCRIPT.slice(0, 2), 'load --new', 'check', ...SCRIPT.slice(3)].join('\n'),
    },
    { process: 'load', field: 'logger', change: 'added', b: { mode: 'rotate' } },
    { field: 'order', change: 'added', b: ['load', 'new'] },
  ],
  outcome: [
    { field: 'state', a: 'SUCCESS', b: 'FAILED' },
    { process: 'load', field: 'return_code', a: 0, b: 7 },
    { process: 'load', field: 'runs', a: 1, b: 2 },
  ],
  durations: [
    { a_ms: 41_000, b_ms: 123_000, factor: 3 },
    { process: 'load', a_ms: 38_000, b_ms: 121_600, factor: 3.2 },
    { process: 'fetch', a_ms: 2000, b_ms: 1000, factor: 0.5 },
    { process: 'check', a_ms: 1000, b_ms: 1010, factor: 1.01 },
    { process: 'slow', a_ms: 10, b_ms: 500, factor: 50 },
    { process: 'gone', a_ms: 3000 },
  ],
};

test('config, outcome and durations, on a pipe', () => {
  expect(diffText({ a: A, b: B, comparison: COMPARISON }, PIPE)).toBe(
    `A: etl-1
   SUCCESS since 2014-05-13T16:53:20Z
B: etl-2
   FAILED since 2014-05-13T16:53:20Z

CONFIG
  max_failures: 1 → 2
  - process old
  + process new
  load: cmdline:
    - load --all
    + load --new
    + check
  load: logger: - → {"mode":"rotate"}
  + load before new

OUTCOME
  PROCESS  STATE             EXIT   RUNS
  (task)   SUCCESS → FAILED  -      -
  load     -                 0 → 7  1 → 2

DURATIONS
  PROCESS      A      B  CHANGE
  (task)     41s   2m3s  3.0× slower
  load       38s   2m1s  3.2× slower
  fetch    2.00s  1.00s  2.0× faster
  check    1.00s  1.01s  -
  slow     0.01s  0.50s  50× slower
  gone     3.00s      -  -
`,
  );
});

test('on a terminal: wrapped to its width, with colours that say nothing new', () => {
  const long = {
    process: 'load',
    field: 'cmdline',
    change: 'changed' as const,
    a: `load ${'--x '.repeat(40)}end`,
    b: 'load',
  };
  const text = diffText({ a: A, b: B, comparison: { ...COMPARISON, config: [long] } }, TTY);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const painted = namedColours(diffText({ a: A, b: B, comparison: COMPARISON }, { ...TTY, paint: COLOURED }));
  expect(painted).toContain('<red>1</red> → <green>2</green>');
  expect(painted).toContain('<yellow>3.2× slower</yellow>');
  expect(painted.replaceAll(/<\/?[a-z]+>/g, '')).toBe(diffText({ a: A, b: B, comparison: COMPARISON }, TTY));
  expect(diffText({ a: A, b: B, comparison: COMPARISON }, { ...TTY, unicode: false })).toMatch(/^[ -~\n]*$/);
});

test.each<[Comparison, string]>([
  [{ config: [], outcome: [], durations: [] }, 'No difference in the config and in the outcome.'],
  [{ config: [] }, 'No difference in the config.'],
  [{ outcome: [] }, 'No difference in the outcome; the configs cannot be compared.'],
])('%j: %s', (comparison, sentence) => {
  expect(diffText({ a: A, b: B, comparison }, PIPE)).toContain(`\n\n${sentence}\n`);
});

test('two tasks of one id are told apart by their roots', () => {
  const other = taskView({ task_id: 'etl-1', root: { ...taskView().root, path: '/elsewhere' } });
  const text = diffText({ a: A, b: { view: other }, comparison: {} }, PIPE);
  expect(text).toContain('B: etl-1\n   /elsewhere\n   ACTIVE since');
});

test('names and values are escaped', () => {
  const task = (cmdline: string) =>
    config({
      [NASTY]: cmdline,
      processes: [{ name: NASTY, cmdline, [NASTY]: cmdline }],
      constraints: [{ order: [NASTY, cmdline] }],
    });
  const [a, b] = [task(`${NASTY}a\nb\u001b[1m`), task(`${NASTY}c\nb`)];
  const view = taskView({ task_id: NASTY });
  const comparison = compareTasks({ config: a }, { config: b }, START);
  for (const style of [PIPE, TTY]) {
    expect(diffText({ a: { view }, b: { path: NASTY }, comparison }, style)).not.toMatch(CONTROL);
  }
});
