import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ContainerReading, ContainerSampler, ratesBetween } from '../../src/top/containers.js';
import type { SampledTask } from '../../src/top/model.js';

const TASK: SampledTask = {
  ...{ key: 'k', task_id: 't', root: '/root', asked: {}, isForeign: true, isHidden: false },
  runs: [{ process: 'p', run: 2, pid: 7 }],
};
const READING: ContainerReading = { frameworkId: 'F', executorId: 'thermos-t', limits: {} };

function samples(...readings: (Partial<ContainerReading> | undefined)[]) {
  const sampler = new ContainerSampler();
  return readings.map((reading, i) => {
    const given = reading === undefined ? [] : [['k', { ...READING, ...reading }] as const];
    const moment = { timeMs: 1000 * i, monotonicMs: 1000 * i, tasks: [TASK] };
    return sampler.sample({ ...moment, readings: new Map(given) });
  });
}

test('rates are over the time between two readings, by the clock of the agent', () => {
  const [first, second] = samples(
    { timestamp: 10, cpuSeconds: 5, throttledSeconds: 1, periods: 10, throttledPeriods: 1 },
    { timestamp: 14, cpuSeconds: 7, throttledSeconds: 1.5, periods: 30, throttledPeriods: 6, rssBytes: 9 },
  );
  expect(first?.tasks[0]?.cpu).toBeUndefined();
  expect(first?.intervalMs).toBe(0);
  expect(second?.intervalMs).toBe(1000);
  expect(second?.tasks[0]).toMatchObject({ cpu: 0.5, throttledMs: 500, throttledShare: 0.25, rssBytes: 9 });
  expect(second?.tasks[0]?.processes).toEqual([{ process: 'p', run: 2, pid: 7 }]);
});

test('a reading that an agent gives twice keeps the rate; one that is missing has none', () => {
  const all = samples(
    { timestamp: 1, cpuSeconds: 1 },
    { timestamp: 2, cpuSeconds: 3 },
    { timestamp: 2, cpuSeconds: 3 },
    undefined,
    { timestamp: 4, cpuSeconds: 3 },
  );
  expect(all.map(({ tasks: [task] }) => task?.cpu)).toEqual([undefined, 2, 2, undefined, undefined]);
});

test('a container that was started again, or a clock that was set back, gives no rate', () => {
  const last = { ...READING, timestamp: 5, cpuSeconds: 100 };
  expect(ratesBetween(last, { ...READING, timestamp: 6, cpuSeconds: 1 })?.cpu).toBeUndefined();
  expect(ratesBetween(last, { ...READING, timestamp: 4, cpuSeconds: 101 })).toBeUndefined();
  expect(ratesBetween(undefined, last)).toBeUndefined();
});

describe('whatever two readings say', () => {
  const number = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined });
  const reading = fc.record({
    ...{ timestamp: number, cpuSeconds: number, throttledSeconds: number },
    ...{ periods: number, throttledPeriods: number },
  });

  test('rates are finite and not negative, or not known', () => {
    fc.assert(
      fc.property(reading, reading, (a, b) => {
        const rates = ratesBetween({ ...READING, ...a }, { ...READING, ...b });
        for (const rate of Object.values(rates ?? {})) {
          expect(rate === undefined || (Number.isFinite(rate) && rate >= 0)).toBe(true);
        }
        expect(rates?.throttledShare ?? 0).toBeLessThanOrEqual(1);
      }),
    );
  });
});
