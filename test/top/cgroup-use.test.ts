import fc from 'fast-check';
import { expect, test } from 'vitest';
import { useBetween, useSinceMade } from '../../src/top/cgroup-use.js';
import type { CgroupReading } from '../../src/top/model.js';

const before = {
  identity: '1:1',
  cpuMs: 500,
  throttledMs: 100,
  periods: 10,
  throttledPeriods: 5,
  oomKills: 1,
};
const after = {
  identity: '1:1',
  cpuMs: 1500,
  throttledMs: 350,
  periods: 30,
  throttledPeriods: 10,
  oomKills: 2,
};

test('cores, throttled time and kills of an interval', () => {
  expect(useBetween(before, after, 2000)).toEqual({
    cpu: 0.5,
    throttledMs: 250,
    throttledShare: 0.25,
    oomKills: 1,
  });
});

test('a cgroup that was made again, and a single reading, say nothing', () => {
  expect(useBetween(before, { ...after, identity: '1:2' }, 2000)).toEqual({});
  expect(useBetween(undefined, after, 2000)).toEqual({});
  expect(useBetween(before, undefined, 2000)).toEqual({});
});

test('a counter that went back says nothing, and the others do', () => {
  expect(useBetween(before, { ...after, cpuMs: 10, periods: 1 }, 2000)).toEqual({
    cpu: undefined,
    throttledMs: 250,
    throttledShare: undefined,
    oomKills: 1,
  });
});

test('without a period there is no share', () => {
  expect(useBetween(before, { ...before }, 2000).throttledShare).toBeUndefined();
  expect(useBetween(before, { ...before }, 2000).throttledMs).toBe(0);
});

test('an interval that is not one gives no cores', () => {
  for (const interval of [0, -5, Number.NaN]) expect(useBetween(before, after, interval).cpu).toBeUndefined();
});

test('since it was made: of a container or a service, and not of one that others may have used before', () => {
  expect(useSinceMade({ ...after, isWhole: true })).toEqual({
    throttledMs: 350,
    oomKills: 2,
    throttledShare: 1 / 3,
  });
  expect(useSinceMade({ ...after, isWhole: false })).toEqual({});
  expect(useSinceMade(undefined)).toEqual({});
});

test('nothing is ever negative, infinite or not a number', () => {
  const counter = fc.option(fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true })), { nil: undefined });
  const counters: fc.Arbitrary<Pick<CgroupReading, keyof typeof before>> = fc.record({
    identity: fc.constantFrom('1', '2'),
    cpuMs: counter,
    throttledMs: counter,
    periods: counter,
    throttledPeriods: counter,
    oomKills: counter,
  });
  fc.assert(
    fc.property(counters, counters, fc.integer({ min: -10, max: 10_000 }), (one, other, interval) => {
      for (const value of Object.values(useBetween(one, other, interval))) {
        if (value !== undefined) expect(value).toBeGreaterThanOrEqual(0);
      }
      const { throttledShare } = useBetween(one, other, interval);
      if (throttledShare !== undefined) expect(throttledShare).toBeLessThanOrEqual(1);
    }),
  );
});
