import { describe, expect, test } from 'vitest';
import { widthOf } from '../../src/text/width.js';
import { progressLines, runChangeText, summaryText, taskChangeText } from '../../src/views/run.js';
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

  test('shows running processes first when there is no room for all, in the order of the task', () => {
    const lines = progressLines(many(100), TTY, 10);
    expect(lines.at(-1)).toBe('and 93 more processes');
    expect(lines.slice(2, -1).map((line) => line.split(' ')[0])).toEqual([
      'p9',
      'p19',
      'p29',
      'p39',
      'p49',
      'p59',
      'p69',
    ]);
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
});

describe('the summary', () => {
  const ended = { launch_time_ms: START, state_timestamp_ms: START + 2310, phase: 'finished' as const };

  test('of a success is the state and the processes', () => {
    const text = summaryText(taskView({ ...ended, state: 'SUCCESS', processes: [ran('a')] }), ['no'], PIPE);
    expect(text.split('\n')[0]).toBe('hello-1: SUCCESS after 2.31s');
    expect(text).not.toContain('no\n');
  });

  test('of very many processes shows on a terminal those that did not succeed', () => {
    const processes = Array.from({ length: 500 }, (_, i) => ran(`p${i}`));
    processes[400] = ran('bad', { state: 'FAILED', return_code: 1 });
    const view = taskView({ ...ended, state: 'FAILED', processes });
    const lines = summaryText(view, [], TTY).split('\n');
    expect(lines.filter((line) => line.includes('bad '))).toHaveLength(1);
    expect(lines.at(-2)).toBe('  and 460 more processes: thermos inspect hello-1');
    expect(summaryText(view, [], PIPE).split('\n')).toHaveLength(503);
  });

  test('of a failure says why', () => {
    const view = taskView({ ...ended, state: 'FAILED', processes: [ran('a', { state: 'FAILED' })] });
    const text = namedColours(summaryText(view, ['Process a failed\u001b'], { ...PIPE, paint: COLOURED }));
    expect(text).toContain('hello-1: <red>FAILED</red> after 2.31s\n');
    expect(text).toContain('Process a failed\\e\n');
  });
});
