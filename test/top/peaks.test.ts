import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Peak, Peaks } from '../../src/top/peaks.js';

const MOST = 8;

function pointsOf(samples: readonly Peak[]): { points: Peak[]; stepMs: number } {
  const peaks = new Peaks(MOST);
  for (const sample of samples) peaks.add(sample);
  return { points: peaks.points(), stepMs: peaks.stepMs };
}

const number = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined });
const sample = fc
  .record({ toMs: fc.nat(1e9), length: fc.nat(5000), cpu: number, rssBytes: number, diskBytes: number })
  .map(({ length, ...rest }): Peak => ({ fromMs: Math.max(0, rest.toMs - length), ...rest }));
const NAMES = ['cpu', 'rssBytes', 'diskBytes'] as const;

const mostOf = (peaks: readonly Peak[], name: (typeof NAMES)[number]) =>
  peaks.reduce((most, { [name]: value = -1 }) => Math.max(most, value), -1);

test('few points keep the most of every number, are in order, and cover every sample', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 100 }), (samples) => {
      const { points, stepMs } = pointsOf(samples);
      expect(points.length).toBeLessThanOrEqual(MOST);
      for (const name of NAMES) expect(mostOf(points, name)).toBe(mostOf(samples, name));
      for (const { fromMs, toMs, ...use } of samples) {
        const point = points.find(
          (each) => each.fromMs <= fromMs && toMs <= each.toMs && toMs > each.toMs - stepMs,
        );
        for (const name of NAMES)
          if (use[name] !== undefined) expect(point?.[name]).toBeGreaterThanOrEqual(use[name]);
      }
      for (const [i, { toMs }] of points.entries())
        expect(points[i + 1]?.toMs ?? Infinity).toBeGreaterThan(toMs);
    }),
  );
});

test('the order of samples does not matter', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 50 }), (samples) => {
      expect(pointsOf(samples.toReversed())).toEqual(pointsOf(samples));
    }),
  );
});

test('a gap that is longer than two steps stays one', () => {
  const before = Array.from({ length: 40 }, (_, i) => ({ fromMs: i * 1000, toMs: (i + 1) * 1000, cpu: 1 }));
  const after = before.map(({ fromMs, toMs, cpu }) => ({
    fromMs: fromMs + 100_000,
    toMs: toMs + 100_000,
    cpu,
  }));
  const { points, stepMs } = pointsOf([...before, ...after]);
  const gaps = points.flatMap(({ toMs }, i) => {
    const next = points[i + 1];
    return next !== undefined && next.fromMs > toMs ? [next.fromMs - toMs] : [];
  });
  expect(gaps).toEqual([60_000]);
  expect(stepMs).toBeLessThan(60_000);
});
