import { describe, expect, test } from 'vitest';
import type { TaskView } from '../../src/task/view.js';
import { widthOf } from '../../src/text/width.js';
import {
  progressLines,
  runChangeText,
  type Summary,
  summaryText,
  taskChangeText,
} from '../../src/views/run.js';
import {
  COLOURED,
  config,
  namedColours,
  PIPE,
  processView,
  ran,
  START,
  TTY,
  taskView,
} from './task-views.js';

describe('progress', () => {
  const many = (count: number) =>
    taskView({
      launch_time_ms: START,
      processes: Array.from({ length: count }, (_, i) =>
        i % 10 === 9
          ? ran(`p${i}`, { state: 'RUNNING', stop_time: undefined, return_code: undefined })
          : ran(`p${i}`),
      ),
    });

  test('says how far the task is', () => {
    const view = taskView({
      launch_time_ms: TTY.now - 12_000,
      config: config({ processes: [{ name: 'again', max_failures: 3 }] }),
      processes: [
        ran('done'),
        ran('again', { state: 'FAILED', failures: 1, return_code: 7 }),
        ran('web', { state: 'RUNNING', stop_time: undefined, return_code: undefined }),
        processView('later'),
      ],
    });
    const [first, titles, ...rows] = progressLines(view, TTY, 24);
    expect(first).toBe('hello-1  ACTIVE      ███░░░░░░░░░  1 of 4 done, 1 running, 1 failed, 12s');
    expect(titles).toMatch(/^PROCESS +STATE +RUNS/);
    expect(rows).toHaveLength(4);
  });

  test('does not count as failed what the end of the task ended', () => {
    const failed = (name: string, stop_time: number) =>
      ran(name, { state: 'FAILED', failures: 1, return_code: 143, stop_time });
    const view = taskView({
      state: 'CLEANING',
      statuses: [
        { state: 'ACTIVE', timestamp_ms: START },
        { state: 'CLEANING', timestamp_ms: START + 5000 },
      ],
      processes: [failed('jvm', START / 1000 + 6), failed('bad', START / 1000 + 4)],
    });
    expect(progressLines(view, TTY, 24)[0]).toContain('2 of 2 done, 1 failed, ');
  });

  test.each([1, 5, 21, 22, 500])('of %d processes fits in 24 lines of 80 columns', (count) => {
    const lines = progressLines(many(count), TTY, 24);
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80);
  });

  test.each([1, 8, 20, 43, 60])('is cut to a terminal of %d columns', (width) => {
    for (const line of progressLines(many(5), { ...TTY, width }, 24)) {
      expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });

  const bad = (name: string, stop_time: number) =>
    ran(name, { state: 'FAILED', return_code: 1, failures: 1, stop_time });
  const live = (name: string) =>
    ran(name, { state: 'RUNNING', stop_time: undefined, return_code: undefined });
  const namesIn = (lines: string[]) => lines.slice(2, -1).map((line) => line.split(' ')[0]);
  const series = (count: number, of: (i: number) => ReturnType<typeof ran>) =>
    Array.from({ length: count }, (_, i) => of(i));

  test('keeps failed processes in view however many run, in the order of the task', () => {
    const processes = [
      ...series(50, (i) => ran(`done${i}`)),
      ...series(50, (i) => live(`run${i}`)),
      bad('broken', 9),
      ...series(50, (i) => processView(`later${i}`)),
    ];
    const lines = progressLines(taskView({ processes }), TTY, 10);
    expect(namesIn(lines)).toEqual(['run0', 'run1', 'run2', 'run3', 'run4', 'run5', 'broken']);
    expect(lines.at(-1)).toBe('and 144 more processes: 44 running, 50 waiting, 50 done');
  });

  test('keeps some that run however many failed, and of these the first', () => {
    const processes = [...series(50, (i) => live(`run${i}`)), ...series(50, (i) => bad(`bad${i}`, 100 - i))];
    const lines = progressLines(taskView({ processes }), TTY, 12);
    expect(namesIn(lines)).toEqual([
      ...['run0', 'run1', 'run2'],
      ...['bad44', 'bad45', 'bad46', 'bad47', 'bad48', 'bad49'],
    ]);
    expect(lines.at(-1)).toBe('and 91 more processes: 44 failed or killed, 47 running');
  });

  test('has no control characters of names', () => {
    const view = taskView({ task_id: 'a\u001b[2J', processes: [ran('b\nc')] });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
    expect(progressLines(view, TTY, 24).join('')).not.toMatch(/[\u0000-\u001f]/);
  });

  test('without Unicode it is drawn with ASCII', () => {
    expect(progressLines(many(1), { ...TTY, unicode: false }, 24)[0]).toContain('[############]');
  });
});

test('changes are one line each', () => {
  expect(taskChangeText('web-1', 'CLEANING')).toBe('==> web-1: CLEANING <==');
  expect(runChangeText('web', 0, { state: 'RUNNING', pid: 12, start_time: 1 })).toBe(
    '==> web, run 0: RUNNING (pid 12) <==',
  );
  const end = { pid: 12, start_time: 1, stop_time: 3.5 };
  expect(runChangeText('web', 1, { ...end, state: 'SUCCESS', return_code: 0 })).toBe(
    '==> web, run 1: SUCCESS (after 2.50s) <==',
  );
  expect(runChangeText('web', 1, { ...end, state: 'FAILED', return_code: 7 })).toBe(
    '==> web, run 1: FAILED (exit code 7, after 2.50s) <==',
  );
  expect(runChangeText('web', 2, { state: 'LOST' })).toBe('==> web, run 2: LOST <==');
  expect(runChangeText('web', 2, { state: 'FAILED' }, 'no such file')).toBe(
    '==> web, run 2: FAILED (no such file) <==',
  );
});

describe('the summary', () => {
  const summary = (view: TaskView, why: readonly string[] = [], style = PIPE, given: Partial<Summary> = {}) =>
    summaryText({ view, why, reason: undefined, look: undefined, ...given }, style);
  const ended = { launch_time_ms: START, state_timestamp_ms: START + 2310, phase: 'finished' as const };

  test('of a success is the processes and, last, the state', () => {
    const view = taskView({ ...ended, state: 'SUCCESS', processes: [ran('a')] });
    const text = summary(view, ['no'], PIPE, { reason: 'no', look: 'thermos tail hello-1' });
    const lines = text.split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toBe('hello-1: SUCCESS after 2.31s');
  });

  test('of very many processes shows on a terminal those that did not succeed', () => {
    const processes = Array.from({ length: 500 }, (_, i) => ran(`p${i}`));
    processes[400] = ran('bad', { state: 'FAILED', return_code: 1 });
    const view = taskView({ ...ended, state: 'FAILED', processes });
    const lines = summary(view, [], TTY).split('\n');
    expect(lines.filter((line) => line.includes('bad '))).toHaveLength(1);
    expect(lines.at(-3)).toBe('  and 492 more processes, done');
    expect(summary(view).split('\n')).toHaveLength(503);
  });

  test('on a terminal leaves out what never started, and keeps the result in one line', () => {
    const never = Array.from({ length: 20 }, (_, i) => processView(`later${i}`));
    const bad = ran('bad', { state: 'FAILED', return_code: 1 });
    const view = taskView({ ...ended, state: 'FAILED', processes: [...never, bad] });
    const how = { reason: `process bad, run 0, it could not be started: ${'x'.repeat(100)}` };
    const lines = summary(view, [], TTY, how).split('\n');
    expect(lines[1]).toMatch(/^ {2}bad /);
    expect(lines.slice(2)).toEqual([
      '  and 20 more processes, never started',
      'hello-1: FAILED after 2.31s: process bad, run 0, it could not be started: xxxxx…',
      '',
    ]);
    expect(widthOf(lines[3] as string)).toBe(80);
    expect(summary(view, [], PIPE, how)).toContain(`started: ${'x'.repeat(100)}\n`);
    expect(summary(view, [], { ...TTY, width: 10 }, how)).toContain(': process bad, run 0, it …\n');
  });

  test('of a failure says why, and ends with the result, its reason and where to look', () => {
    const view = taskView({ ...ended, state: 'FAILED', processes: [ran('a', { state: 'FAILED' })] });
    const how = { reason: 'process a\u001b, run 0, exit code 7', look: 'thermos tail --stderr hello-1 a' };
    const text = summary(view, ['Process a failed\u001b'], { ...PIPE, paint: COLOURED }, how);
    expect(namedColours(text).split('\n').slice(2)).toEqual([
      'Process a failed\\e',
      'hello-1: <red>FAILED</red> after 2.31s: process a\\e, run 0, exit code 7',
      'see thermos tail --stderr hello-1 a',
      '',
    ]);
  });
});
