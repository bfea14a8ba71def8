import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  PROCESS_STATES,
  type ProcessStatus,
  TASK_STATES,
  type TaskStatus,
} from '../../src/checkpoint/records.js';
import { type CriticalPath, criticalPath } from '../../src/task/critical-path.js';
import type { TaskView } from '../../src/task/view.js';
import {
  config,
  history,
  ODD_MILLISECONDS,
  ODD_SECONDS,
  processView,
  START,
  taskView,
} from '../views/task-views.js';

const NOW = START + 60_000;

interface Run extends ProcessStatus {
  /** Seconds since the launch of the task. */
  from?: number;
  to?: number;
}

const seconds = (after: number | undefined) => (after === undefined ? undefined : START / 1000 + after);

function runOf({ from, to, ...status }: Run): ProcessStatus {
  return {
    state: to === undefined ? 'RUNNING' : 'SUCCESS',
    fork_time: seconds(from),
    start_time: seconds(from),
    stop_time: seconds(to),
    ...status,
  };
}

/** A task whose processes ran so; it ended after `end` seconds, or runs. */
function ranTask(
  runs: Record<string, Run[]>,
  task: object,
  end?: number,
  given: Partial<TaskView> = {},
): TaskView {
  const names = Object.keys(runs);
  const statuses: TaskStatus[] = [{ state: 'ACTIVE', timestamp_ms: START }];
  if (end !== undefined) statuses.push({ state: 'SUCCESS', timestamp_ms: START + end * 1000 });
  const all = new Map(names.flatMap((name) => [...history(name, ...(runs[name] as Run[]).map(runOf))]));
  return taskView({
    header: { launch_time_ms: START },
    state: end === undefined ? 'ACTIVE' : 'SUCCESS',
    statuses,
    history: all,
    processes: names.map((name) =>
      processView(name, { ...(all.get(name)?.runs.at(-1) as object), runs: runs[name]?.length }),
    ),
    config: config({ processes: names.map((name) => ({ name })), ...task }),
    ...given,
  });
}

/** `wait+process(run,between)` for each step, in seconds. */
function written(path: CriticalPath | undefined): string {
  const time = (milliseconds: number) => String(milliseconds / 1000);
  if (path === undefined) return 'none';
  const steps = path.steps.map(({ process, wait_ms, run_ms, between_ms }) => {
    const between = between_ms === 0 ? '' : `,${time(between_ms)}`;
    return `${wait_ms === 0 ? '' : `${time(wait_ms)}+`}${process}(${time(run_ms)}${between})`;
  });
  return `${time(path.duration_ms)}: ${steps.join(' ')} +${time(path.rest_ms)}`;
}

const path = (...words: Parameters<typeof ranTask>) => written(criticalPath(ranTask(...words), NOW));

describe('the chain that determined the duration', () => {
  const ORDER = { constraints: [{ order: ['fetch', 'load', 'publish'] }, { order: ['check', 'publish'] }] };

  test('from the end of the task back to its launch, with what it waited between', () => {
    const runs = {
      fetch: [{ from: 1, to: 3 }],
      check: [{ from: 1, to: 10 }],
      load: [{ from: 3.5, to: 40 }],
      publish: [{ from: 40, to: 41 }],
    };
    expect(path(runs, ORDER, 42)).toBe('42: 1+fetch(2) 0.5+load(36.5) publish(1) +1');
  });

  test('runs and the time between them are told apart', () => {
    const load: Run[] = [
      { from: 2, to: 4, state: 'FAILED' },
      { from: 9, to: 10, state: 'FAILED' },
      { from: 15, to: 20 },
    ];
    expect(path({ fetch: [{ from: 0, to: 2 }], load }, ORDER, 20)).toBe('20: fetch(2) load(8,10) +0');
  });

  test('processes that start at once do not wait for each other', () => {
    expect(path({ a: [{ from: 0, to: 3 }], b: [{ from: 0, to: 7 }], c: [{ from: 5, to: 6 }] }, {}, 7)).toBe(
      '7: b(7) +0',
    );
  });

  test('a final process waits for all that are not', () => {
    const task = { processes: [{ name: 'a' }, { name: 'b' }, { name: 'end', final: true }] };
    const runs = { a: [{ from: 0, to: 3 }], b: [{ from: 0, to: 7 }], end: [{ from: 8, to: 9 }] };
    expect(path(runs, task, 9)).toBe('9: b(7) 1+end(1) +0');
  });

  test('with max_concurrency, a process waits for the one that makes room for it', () => {
    const runs = { a: [{ from: 0, to: 3 }], b: [{ from: 0, to: 7 }], c: [{ from: 3, to: 9 }] };
    expect(path(runs, { max_concurrency: 2 }, 9)).toBe('9: a(3) c(6) +0');
    expect(path(runs, { max_concurrency: 3 }, 9)).toBe('9: 3+c(6) +0');
  });

  test('an ephemeral process, and one that was ended with the task, did not determine it', () => {
    const task = { processes: [{ name: 'work' }, { name: 'log', ephemeral: true }, { name: 'web' }] };
    const killed = { state: 'KILLED' as const, return_code: -15 };
    const runs = {
      work: [{ from: 0, to: 5, state: 'FAILED' as const }],
      log: [{ from: 0, to: 6, ...killed }],
      web: [{ from: 0, to: 7, ...killed }],
    };
    const statuses: TaskStatus[] = [
      { state: 'ACTIVE', timestamp_ms: START },
      { state: 'CLEANING', timestamp_ms: START + 5500 },
      { state: 'FAILED', timestamp_ms: START + 8000 },
    ];
    expect(path(runs, task, 8, { state: 'FAILED', statuses })).toBe('8: work(5) +3');
    const { web } = runs;
    expect(path({ web }, { processes: [{ name: 'web' }] }, 8, { state: 'KILLED', statuses })).toBe(
      '8: web(7) +1',
    );
  });

  test('of a task that runs: so far, at the end the one that has run longest', () => {
    const runs = { fetch: [{ from: 0, to: 2 }], load: [{ from: 2 }], other: [{ from: 5 }] };
    expect(path(runs, ORDER)).toBe('60: fetch(2) load(58) +0');
    const again: Run[] = [
      { from: 0, to: 2, state: 'FAILED' },
      { state: 'WAITING', from: undefined, to: undefined },
    ];
    expect(path({ a: again }, {})).toBe('60: a(2,58) +0');
  });

  test('of a task whose runner died: until its last record', () => {
    const runs = { fetch: [{ from: 0, to: 2 }], load: [{ from: 3 }] };
    expect(path(runs, ORDER, undefined, { verdict: 'runner-gone' })).toBe('3: fetch(2) 1+load(0) +0');
  });

  test('without a task file: the one that ended last', () => {
    const runs = { a: [{ from: 0, to: 2 }], b: [{ from: 2, to: 5 }] };
    expect(path(runs, {}, 5, { config: undefined })).toBe('5: 2+b(3) +0');
  });

  test('a task of which nothing ran, or no time is known, has none', () => {
    expect(path({}, {}, 5)).toBe('none');
    expect(path({ a: [] }, {}, 5, { history: new Map() })).toBe('none');
    expect(path({ a: [{ state: 'LOST' }] }, {}, 5)).toBe('none');
  });
});

/** A task without cycles: each process may wait for some of those before it. */
const PLAN = fc
  .array(
    fc.record({ takes: fc.integer({ min: 1, max: 1000 }), after: fc.array(fc.nat(20), { maxLength: 4 }) }),
    { minLength: 1, maxLength: 20 },
  )
  .map((all) =>
    all.map(({ takes, after }, i) => ({ takes, after: i === 0 ? [] : after.map((each) => each % i) })),
  );

type Plan = { takes: number; after: number[] }[];

function planned(plan: Plan, starts: readonly number[], most: number): TaskView {
  const runs = Object.fromEntries(
    plan.map(({ takes }, i) => [
      `p${i}`,
      [{ from: (starts[i] as number) / 1000, to: ((starts[i] as number) + takes) / 1000 }],
    ]),
  );
  const constraints = plan.flatMap(({ after }, i) => after.map((each) => ({ order: [`p${each}`, `p${i}`] })));
  const end = Math.max(...plan.map(({ takes }, i) => (starts[i] as number) + takes));
  return ranTask(runs, { constraints, max_concurrency: most }, end / 1000);
}

describe('for any task', () => {
  test('whose processes start as soon as they may: the longest path, and no waits', () => {
    fc.assert(
      fc.property(PLAN, (plan) => {
        const starts: number[] = [];
        const stop = (i: number) => (starts[i] as number) + (plan[i]?.takes as number);
        for (const { after } of plan) starts.push(Math.max(0, ...after.map(stop)));
        const found = criticalPath(planned(plan, starts, 0), NOW) as CriticalPath;
        const longest = Math.max(...plan.map((_, i) => stop(i)));
        expect(found.duration_ms).toBe(longest);
        expect(found.steps.reduce((sum, { run_ms }) => sum + run_ms, 0)).toBe(longest);
      }),
    );
  });

  test('also with max_concurrency: what waits for room follows what makes it', () => {
    fc.assert(
      fc.property(PLAN, fc.integer({ min: 1, max: 4 }), (plan, most) => {
        const starts: (number | undefined)[] = plan.map(() => undefined);
        const stop = (i: number) => (starts[i] ?? Infinity) + (plan[i]?.takes as number);
        for (let now = 0; starts.includes(undefined); ) {
          const live = plan.filter((_, i) => (starts[i] ?? Infinity) <= now && stop(i) > now).length;
          const next = plan.findIndex(
            ({ after }, i) => starts[i] === undefined && after.every((each) => stop(each) <= now),
          );
          if (next >= 0 && live < most) starts[next] = now;
          else now = Math.min(...plan.map((_, i) => stop(i)).filter((time) => time > now));
        }
        const { steps } = criticalPath(planned(plan, starts as number[], most), NOW) as CriticalPath;
        expect(steps.map(({ wait_ms }) => wait_ms)).toEqual(steps.map(() => 0));
      }),
    );
  });

  const second = fc.oneof(
    fc.constantFrom(...ODD_SECONDS),
    fc.double({ min: START / 1000 - 5, max: START / 1000 + 20, noNaN: true }),
  );
  const millisecond = fc.oneof(
    fc.constantFrom(...ODD_MILLISECONDS),
    fc.integer({ min: START - 5000, max: START + 20_000 }),
  );
  const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
  const name = fc.constantFrom('a', 'b', 'c', 'd', '__proto__');
  const run = fc.record({
    state: fc.constantFrom(...PROCESS_STATES, 99),
    fork_time: optional(second),
    start_time: optional(second),
    stop_time: optional(second),
    return_code: optional(fc.constantFrom(0, 1, 143, -15)),
  });
  const status = fc.record({
    state: fc.constantFrom(...TASK_STATES, 99),
    timestamp_ms: optional(millisecond),
  });

  test('whatever its times are: whole parts that add up to the duration, no process twice', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, fc.array(run, { minLength: 1, maxLength: 4 })), {
          selector: ([of]) => of,
        }),
        fc.array(fc.array(name, { maxLength: 4 }), { maxLength: 4 }),
        fc.array(status, { maxLength: 4 }),
        optional(millisecond),
        fc.constantFrom('ok', 'runner-gone', 'unknown', 'foreign-pids'),
        fc.integer({ min: -1, max: 3 }),
        (runs, orders, statuses, launch_time_ms, verdict, max_concurrency) => {
          const view = taskView({
            header: { launch_time_ms },
            statuses,
            state: statuses.at(-1)?.state ?? 'UNKNOWN',
            verdict,
            history: new Map(runs.flatMap(([of, all]) => [...history(of, ...all)])),
            processes: runs.map(([of, all]) => processView(of, { ...all.at(-1), runs: all.length })),
            config: config({
              processes: runs.map(([of], i) => ({ name: of, final: i === 1, ephemeral: i === 2 })),
              constraints: orders.map((order) => ({ order })),
              max_concurrency,
            }),
          });
          const found = criticalPath(view, NOW);
          if (found === undefined) return;
          const { duration_ms, steps, rest_ms } = found;
          const parts = [...steps.flatMap((step) => [step.wait_ms, step.run_ms, step.between_ms]), rest_ms];
          for (const part of [duration_ms, ...parts])
            expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(duration_ms);
          expect(steps.length).toBeGreaterThan(0);
          expect(new Set(steps.map(({ process }) => process)).size).toBe(steps.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of 20,000 processes in a chain, at the same time or one after the other, in little time', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `p${i}`);
    for (const takes of [0, 1]) {
      const runs = Object.fromEntries(
        names.map((each, i) => [each, [{ from: i * takes, to: (i + 1) * takes }]]),
      );
      const task = { constraints: [{ order: names }], max_concurrency: 1 };
      const found = criticalPath(ranTask(runs, task, names.length), NOW);
      expect(found?.steps.length).toBe(takes === 0 ? 1 : 20_000);
    }
  });
});
