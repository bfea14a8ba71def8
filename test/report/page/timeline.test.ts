import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { processesOf } from '../../../src/report/page/processes.js';
import { type Bar, barsOf, GAP, NARROWEST, timelineOf } from '../../../src/report/page/timeline.js';
import { LAUNCHED, runOf, taskOf, taskWith } from './reports.js';

const MADE = LAUNCHED + 60_000;

function timelineFor(task: ReturnType<typeof taskOf>) {
  return timelineOf(task, processesOf(task), MADE);
}

/** Inside the axis, and each after the one before it. */
function expectInOrder(bars: readonly Bar<unknown>[]): void {
  let free = 0;
  for (const { x, width, wait } of bars) {
    expect(x).toBeGreaterThanOrEqual(free - 1e-9);
    expect(width).toBeGreaterThanOrEqual(NARROWEST - 1e-9);
    expect(x + width).toBeLessThanOrEqual(100 + 1e-9);
    expect(wait).toBeGreaterThanOrEqual(0);
    expect(wait).toBeLessThanOrEqual(width + 1e-9);
    free = x + width;
  }
}

const place = fc.double({ min: 0, max: 100, noNaN: true });

test('bars never overlap, never leave the axis, and stand for every run', () => {
  const span = fc.record({ begin: place, waitEnd: place, end: place, open: fc.boolean() });
  fc.assert(
    fc.property(fc.array(span, { maxLength: 60 }), (spans) => {
      const bars = barsOf(spans.map((each, of) => ({ ...each, of })));
      expectInOrder(bars);
      expect(bars.flatMap(({ of }) => of)).toEqual(spans.map((_, i) => i));
    }),
  );
});

const seconds = fc.oneof(
  fc.double({ min: LAUNCHED / 1000, max: LAUNCHED / 1000 + 100, noNaN: true }),
  fc.constantFrom<(number | 'nan' | 'inf' | '-inf')[]>(
    0,
    -1,
    'nan',
    'inf',
    '-inf',
    2 ** 53,
    253_402_300_799,
    1e300,
    5e-324,
    LAUNCHED / 1000,
  ),
  fc.double(),
);
const status = fc.record(
  {
    state: fc.constantFrom(
      'WAITING' as const,
      'FORKED' as const,
      'RUNNING' as const,
      'SUCCESS' as const,
      'LOST' as const,
      99,
    ),
    fork_time: seconds,
    start_time: seconds,
    stop_time: seconds,
  },
  { requiredKeys: [] },
);

test('no time in a stream breaks it', () => {
  const stamps = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom('9223372036854775807', '-9223372036854775808', LAUNCHED),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(status, { maxLength: 8 }), { maxLength: 5 }),
      fc.array(
        fc.record({
          state: fc.constantFrom('ACTIVE' as const, 'CLEANING' as const, 'FAILED' as const),
          timestamp_ms: stamps,
        }),
        { maxLength: 4 },
      ),
      fc.constantFrom('ACTIVE' as const, 'FAILED' as const, 'UNKNOWN' as const),
      fc.constantFrom('ok' as const, 'runner-gone' as const),
      (runs, statuses, state, verdict) => {
        const history = Object.fromEntries(runs.map((list, i) => [`p${i}`, list]));
        const timeline = timelineFor(taskWith(history, { statuses, state, verdict }));
        if (timeline === undefined) return;
        expect(timeline.to).toBeGreaterThan(timeline.from);
        for (const { bars } of timeline.rows) expectInOrder(bars);
        expectInOrder(timeline.stages);
        expect(timeline.ticks.length).toBeLessThanOrEqual(8);
        for (const x of [...timeline.marks, ...timeline.ticks.map((tick) => tick.x)]) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(100);
        }
      },
    ),
  );
});

describe('a timeline', () => {
  test('begins when the task was launched and ends when it ended', () => {
    const timeline = timelineFor(taskWith({ main: [runOf(2, 3)] }));
    expect(timeline).toMatchObject({ from: LAUNCHED, to: LAUNCHED + 10_000, undrawn: 0, state: 'SUCCESS' });
    expect(timeline?.ticks.map(({ after }) => after)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
    const [bar] = timeline?.rows[0]?.bars ?? [];
    expect([bar?.x, bar?.wait, bar?.width].map((x) => Math.round(x ?? 0))).toEqual([15, 5, 35]);
  });

  test('has a bar for each retry', () => {
    const retries = [runOf(1, 1, 'FAILED'), runOf(3, 1, 'FAILED'), runOf(5, 1)];
    const [row] = timelineFor(taskWith({ main: retries }))?.rows ?? [];
    expect(row?.bars.map(({ of }) => of.map(({ n, state }) => `${n} ${state}`))).toEqual([
      ['0 FAILED'],
      ['1 FAILED'],
      ['2 SUCCESS'],
    ]);
  });

  test('has one bar for many retries in a row that are too short to be seen', () => {
    const retries = Array.from({ length: 1000 }, (_, i) => ({
      ...runOf(1 + i / 1000, 0.0005, 'FAILED'),
      fork_time: undefined,
    }));
    const [row] = timelineFor(taskWith({ main: retries }))?.rows ?? [];
    expect(row?.bars.length).toBeLessThan(100 / (NARROWEST + GAP));
    expect(row?.bars.flatMap(({ of }) => of)).toHaveLength(1000);
  });

  test('is not pressed into a point by one time that cannot be right', () => {
    const wrong = { ...runOf(4, 1), stop_time: 253_402_300_799 };
    const timeline = timelineFor(taskWith({ main: [runOf(1, 2)], other: [wrong] }));
    expect(timeline?.to).toBe(LAUNCHED + 10_000);
  });

  test('counts the runs that have no time', () => {
    const timeline = timelineFor(
      taskWith({ main: [{ state: 'FAILED', start_time: 'nan' }, { state: 'WAITING' }] }),
    );
    expect(timeline?.undrawn).toBe(1);
  });

  test('goes on to the present for a task that runs, with what runs', () => {
    const running = { state: 'RUNNING' as const, start_time: LAUNCHED / 1000 + 5 };
    const task = taskWith(
      { main: [running] },
      { state: 'ACTIVE', statuses: [{ state: 'ACTIVE', timestamp_ms: LAUNCHED }] },
    );
    const timeline = timelineFor(task);
    expect(timeline?.to).toBe(MADE);
    const [bar] = timeline?.rows[0]?.bars ?? [];
    expect(bar?.open).toBe(true);
    expect((bar?.x ?? 0) + (bar?.width ?? 0)).toBeCloseTo(100);
  });

  test('ends with what is known of a task whose runner is gone', () => {
    const running = { state: 'RUNNING' as const, start_time: LAUNCHED / 1000 + 20 };
    const task = taskWith(
      { main: [running] },
      { state: 'ACTIVE', verdict: 'runner-gone', statuses: [{ state: 'ACTIVE', timestamp_ms: LAUNCHED }] },
    );
    expect(timelineFor(task)?.to).toBe(LAUNCHED + 21_000);
  });

  test('marks where the task began to end', () => {
    const statuses = [
      { state: 'ACTIVE' as const, timestamp_ms: LAUNCHED },
      { state: 'CLEANING' as const, timestamp_ms: LAUNCHED + 5000 },
      { state: 'FINALIZING' as const, timestamp_ms: LAUNCHED + 8000 },
      { state: 'FAILED' as const, timestamp_ms: LAUNCHED + 10_000 },
    ];
    const timeline = timelineFor(taskOf({ statuses, state: 'FAILED' }));
    expect(timeline?.marks).toEqual([50, 80]);
    expect(timeline?.stages.map(({ of }) => of[0]?.state)).toEqual(['ACTIVE', 'CLEANING', 'FINALIZING']);
  });

  test('has the processes in the order in which they ran, and then those that did not', () => {
    const timeline = timelineFor(taskWith({ late: [runOf(5, 1)], never: [], early: [runOf(1, 1)] }));
    expect(timeline?.rows.map(({ process }) => process.name)).toEqual(['early', 'late', 'never']);
  });

  test('is not there without any time', () => {
    const task = taskWith(
      { main: [] },
      { statuses: [], launch_time_ms: undefined, state: 'UNKNOWN', verdict: 'unknown' },
    );
    expect(timelineFor(task)).toBeUndefined();
  });
});
