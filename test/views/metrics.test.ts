import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROCESS_STATES } from '../../src/checkpoint/records.js';
import { VERDICTS } from '../../src/task/verdict.js';
import type { TaskView } from '../../src/task/view.js';
import { Metrics } from '../../src/views/metrics.js';
import { NASTY, ODD_MILLISECONDS, processView, ran, START, taskView } from './task-views.js';

const SCRAPE = { version: '1.0.0', roots: 2, problems: [], durationMs: 250 };

function textOf(views: readonly TaskView[], perTask = false, scrape: object = {}): string {
  const metrics = new Metrics({ perTask });
  for (const view of views) metrics.add(view);
  return metrics.text({ ...SCRAPE, ...scrape });
}

/**
 * The samples of a text, by https://prometheus.io/docs/instrumenting/exposition_formats/: HELP and TYPE once before the
 * samples of a metric, each series once.
 */
function samplesOf(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true);
  const samples = new Map<string, number>();
  const seen = new Set<string>();
  let current = '';
  let helped = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const [, comment, name = ''] = /^# (HELP|TYPE) ([a-z_]+) .+$/.exec(line) ?? [];
    if (comment === 'HELP') {
      expect(seen.has(name)).toBe(false);
      helped = name;
      continue;
    }
    if (comment === 'TYPE') {
      expect([line, helped]).toEqual([`# TYPE ${name} gauge`, name]);
      seen.add(name);
      current = name;
      continue;
    }
    const label = String.raw`[a-z_]+="(?:[^\\"\n]|\\[\\"n])*"`;
    const sample = new RegExp(
      String.raw`^(([a-z_]+)(?:\{${label}(?:,${label})*\})?) (-?[0-9.]+(?:e[+-]?[0-9]+)?)$`,
    );
    const [, series = '', metric, value] = sample.exec(line) ?? [];
    expect([line, metric]).toEqual([line, current]);
    expect([series, samples.has(series)]).toEqual([series, false]);
    samples.set(series, Number(value));
  }
  return samples;
}

const TASKS = [
  taskView({
    task_id: 'a',
    processes: [ran('x', { failures: 2 }), processView('y')],
    silent_since_ms: START + 1000,
  }),
  taskView({
    task_id: 'b',
    verdict: 'runner-gone',
    state_timestamp_ms: START + 5000,
    silent_since_ms: START,
  }),
  taskView({
    task_id: 'c',
    phase: 'finished',
    state: 'FAILED',
    processes: [ran('x', { state: 'FAILED', failures: 1 })],
  }),
  taskView({ task_id: 'd', state: 99, state_timestamp_ms: undefined }),
];

test('tasks by state and verdict, their times, failures, and how the scrape went', () => {
  const samples = samplesOf(
    textOf(TASKS, false, { problems: [{ severity: 'error' }, { severity: 'warning' }] }),
  );
  expect(samples.get('thermos_build_info{version="1.0.0"}')).toBe(1);
  expect(samples.get('thermos_tasks{state="ACTIVE",verdict="ok"}')).toBe(1);
  expect(samples.get('thermos_tasks{state="ACTIVE",verdict="runner-gone"}')).toBe(1);
  expect(samples.get('thermos_tasks{state="FAILED",verdict="ok"}')).toBe(1);
  expect(samples.get('thermos_tasks{state="UNKNOWN",verdict="ok"}')).toBe(1);
  expect(samples.get('thermos_tasks{state="LOST",verdict="ok"}')).toBe(0);
  expect(samples.get('thermos_task_state_oldest_timestamp_seconds{state="ACTIVE"}')).toBe(START / 1000);
  expect(samples.get('thermos_task_state_newest_timestamp_seconds{state="ACTIVE"}')).toBe(START / 1000 + 5);
  expect(samples.has('thermos_task_state_newest_timestamp_seconds{state="LOST"}')).toBe(false);
  expect(samples.get('thermos_active_processes{state="WAITING"}')).toBe(1);
  expect(samples.get('thermos_active_processes{state="FAILED"}')).toBe(0);
  expect(samples.get('thermos_failed_runs')).toBe(3);
  expect(samples.get('thermos_active_checkpoint_oldest_change_timestamp_seconds')).toBe(START / 1000);
  expect(samples.get('thermos_roots')).toBe(2);
  expect(samples.get('thermos_scrape_problems{severity="error"}')).toBe(1);
  expect(samples.get('thermos_scrape_duration_seconds')).toBe(0.25);
});

test('the number of series does not depend on the tasks, unless it is asked for', () => {
  const size = (views: readonly TaskView[], perTask = false) => samplesOf(textOf(views, perTask)).size;
  const many = Array.from({ length: 500 }, (_, i) => taskView({ task_id: `task-${i}` }));
  expect(size(many)).toBe(size(many.slice(0, 1)));
  expect(size([])).toBe(8 * VERDICTS.length + PROCESS_STATES.length + 6);
  expect(size(many, true)).toBe(size(many) + 1000);
});

test('of each task: when it entered its state, and its failed runs', () => {
  const samples = samplesOf(textOf(TASKS, true));
  const labels = 'task_id="c",root="/var/run/thermos"';
  expect(samples.get(`thermos_task_failed_runs{${labels}}`)).toBe(1);
  expect(
    samples.get(
      `thermos_task_state_timestamp_seconds{${labels},user="www-data",name="hello",state="FAILED",verdict="ok"}`,
    ),
  ).toBe(START / 1000);
});

test('whatever the names and times are, it is the format, and no two names become one', () => {
  const name = fc.oneof(
    fc.constantFrom(NASTY, '\n', '\\n', '\\', '\\\\', '"', 'a"} 1\nx{b="', '\ud800', '\\u{d800}'),
    fc.string({ unit: 'binary' }),
  );
  const time = fc.oneof(fc.constantFrom(...ODD_MILLISECONDS), fc.double());
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1 }), name, time, (ids, user, odd) => {
      const views = ids.map((task_id) =>
        taskView({
          task_id,
          user,
          name: user,
          state_timestamp_ms: odd as number,
          silent_since_ms: Number(odd),
        }),
      );
      const series = [...samplesOf(textOf(views, true)).keys()];
      expect(series.filter((each) => each.startsWith('thermos_task_failed_runs')).length).toBe(ids.length);
    }),
  );
});

/** The judge is asked where it is installed. */
test('promtool, if it is here, finds nothing to say', () => {
  for (const text of [textOf([]), textOf([...TASKS, taskView({ task_id: NASTY })], true)]) {
    const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    if (error === undefined) expect([stdout + stderr, status]).toEqual(['', 0]);
    else expect(error).toMatchObject({ code: 'ENOENT' });
  }
});
