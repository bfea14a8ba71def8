import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareTasks, isSame } from '../../src/task/compare.js';
import { config, history, ODD_SECONDS, processView, START, taskView } from '../views/task-views.js';

const NOW = START + 60_000;

const changes = (a: object, b: object) => compareTasks({ config: config(a) }, { config: config(b) }, NOW);

describe('config', () => {
  const CONFIG = {
    name: 'etl',
    max_failures: 1,
    resources: { cpu: 1, ram: 1024 },
    processes: [
      { name: 'fetch', cmdline: 'curl x' },
      { name: 'load', cmdline: 'load', logger: { mode: 'rotate', rotate: { backups: 5 } } },
    ],
    constraints: [{ order: ['fetch', 'load'] }],
  };

  test('the order of fields, processes and constraints does not matter', () => {
    const other = {
      constraints: [{ order: ['fetch', 'load'] }, { order: ['fetch', 'load'] }],
      processes: [CONFIG.processes[1], { cmdline: 'curl x', name: 'fetch' }],
      resources: { ram: 1024, cpu: 1 },
      max_failures: 1,
      name: 'etl',
    };
    const comparison = changes(CONFIG, other);
    expect(comparison).toEqual({ config: [] });
    expect(isSame(comparison)).toBe(true);
  });

  test('settings of the task, processes, their settings down to the last field, and the order', () => {
    const other = {
      name: 'etl',
      max_failures: 2,
      resources: { cpu: 1, ram: 2048, gpu: 0 },
      processes: [
        { name: 'load', cmdline: 'load -f', logger: { mode: 'rotate', rotate: {} } },
        { name: 'report', cmdline: 'true' },
      ],
      constraints: [{ order: ['load', 'report'] }],
    };
    const comparison = changes(CONFIG, other);
    expect(comparison.config).toEqual([
      { field: 'max_failures', change: 'changed', a: 1, b: 2 },
      { field: 'resources.ram', change: 'changed', a: 1024, b: 2048 },
      { field: 'resources.gpu', change: 'added', b: 0 },
      { process: 'fetch', change: 'removed' },
      { process: 'report', change: 'added' },
      { process: 'load', field: 'cmdline', change: 'changed', a: 'load', b: 'load -f' },
      { process: 'load', field: 'logger.rotate.backups', change: 'removed', a: 5 },
      { process: 'load', field: 'logger.rotate', change: 'added', b: {} },
      { field: 'order', change: 'removed', a: ['fetch', 'load'] },
      { field: 'order', change: 'added', b: ['load', 'report'] },
    ]);
    expect(isSame(comparison)).toBe(false);
  });

  test('of several processes with one name, the last one counts, as in a run', () => {
    const twice = {
      processes: [
        { name: 'a', cmdline: 'x' },
        { name: 'a', cmdline: 'y' },
      ],
    };
    expect(changes(twice, { processes: [{ name: 'a', cmdline: 'y' }] }).config).toEqual([]);
  });

  test('nothing is said without a task file', () => {
    expect(compareTasks({ view: taskView() }, { config: config({}) }, NOW)).toEqual({ config: undefined });
  });

  test('whatever is in a task file: equal to itself, and backwards the opposite', () => {
    const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'order');
    const task = fc.record(
      {
        name: fc.jsonValue(),
        resources: fc.jsonValue(),
        processes: fc.array(
          fc.oneof(fc.record({ name, cmdline: fc.jsonValue(), logger: fc.jsonValue() }), fc.jsonValue()),
        ),
        constraints: fc.array(fc.record({ order: fc.array(name) })),
      },
      { requiredKeys: ['processes'] },
    );
    fc.assert(
      fc.property(task, task, (a, b) => {
        expect(changes(a, a).config).toEqual([]);
        const there = changes(a, b).config ?? [];
        const back = changes(b, a).config ?? [];
        const turned = back.map(({ a: x, b: y, change, ...rest }) => ({
          ...rest,
          change: change === 'added' ? 'removed' : change === 'removed' ? 'added' : change,
          a: y,
          b: x,
        }));
        const key = (change: object) =>
          JSON.stringify(Object.entries(change).sort(([x], [y]) => (x < y ? -1 : 1)));
        expect(turned.map(key).sort()).toEqual(
          there.map((each) => key({ ...each, a: each.a, b: each.b })).sort(),
        );
      }),
    );
  });
});

describe('outcome and durations', () => {
  const second = START / 1000;
  const run = (from: number, to: number, state: 'SUCCESS' | 'FAILED' = 'SUCCESS') => ({
    state,
    fork_time: second + from,
    start_time: second + from,
    stop_time: second + to,
  });

  const A = taskView({
    header: { launch_time_ms: START },
    state: 'SUCCESS',
    statuses: [{ state: 'SUCCESS', timestamp_ms: START + 10_000 }],
    history: new Map([...history('load', run(0, 2)), ...history('old', run(0, 1))]),
    processes: [
      processView('load', { ...run(0, 2), runs: 1, return_code: 0 }),
      processView('old', { ...run(0, 1), runs: 1 }),
    ],
  });
  const B = taskView({
    header: { launch_time_ms: START },
    state: 'FAILED',
    statuses: [{ state: 'FAILED', timestamp_ms: START + 20_000 }],
    history: history('load', run(0, 4, 'FAILED'), run(9, 11.4, 'FAILED')),
    processes: [processView('load', { ...run(9, 11.4, 'FAILED'), runs: 2, failures: 2, return_code: 7 })],
  });

  test('how the task and the processes that both have ended, and how long all their runs took', () => {
    const { outcome, durations } = compareTasks({ view: A }, { view: B }, NOW);
    expect(outcome).toEqual([
      { field: 'state', a: 'SUCCESS', b: 'FAILED' },
      { process: 'load', field: 'state', a: 'SUCCESS', b: 'FAILED' },
      { process: 'load', field: 'return_code', a: 0, b: 7 },
      { process: 'load', field: 'runs', a: 1, b: 2 },
      { process: 'load', field: 'failures', a: 0, b: 2 },
    ]);
    expect(durations).toEqual([
      { a_ms: 10_000, b_ms: 20_000, factor: 2 },
      { process: 'load', a_ms: 2000, b_ms: 6400, factor: 3.2 },
    ]);
  });

  test('times are no difference, and what is not over has none', () => {
    const slow = { ...A, statuses: [{ state: 'SUCCESS' as const, timestamp_ms: START + 99_000 }] };
    expect(isSame(compareTasks({ view: A }, { view: slow }, NOW))).toBe(true);
    const running = taskView({ processes: [processView('load', { state: 'RUNNING', runs: 1 })] });
    const { durations } = compareTasks({ view: A }, { view: running }, NOW);
    expect(durations).toEqual([
      { a_ms: 10_000, b_ms: undefined, factor: undefined },
      { process: 'load', a_ms: 2000, b_ms: undefined, factor: undefined },
    ]);
  });

  test('whatever the times are: whole milliseconds and finite factors', () => {
    const time = fc.oneof(
      fc.constantFrom(...ODD_SECONDS),
      fc.double({ min: second, max: second + 10, noNaN: true }),
    );
    fc.assert(
      fc.property(time, time, time, (fork_time, start_time, stop_time) => {
        const status = { state: 'SUCCESS' as const, fork_time, start_time, stop_time };
        const odd = {
          ...A,
          history: history('load', status),
          processes: [processView('load', { ...status, runs: 1 })],
        };
        for (const pair of compareTasks({ view: A }, { view: odd }, NOW).durations ?? []) {
          for (const value of [pair.a_ms ?? 0, pair.b_ms ?? 0])
            expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
          expect(Number.isFinite(pair.factor ?? 0)).toBe(true);
        }
      }),
    );
  });
});
