import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ends } from '../../src/checkpoint/ends.js';

const limits = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.integer({ min: 0, max: 20 })), { minLength: 1 });

describe('the ends of a list', () => {
  it('are the first and the last of it, and how many are missing where', () => {
    fc.assert(
      fc.property(limits, (steps) => {
        const ends = new Ends<number>();
        const all: number[] = [];
        let limit = 40;
        for (const [count, wanted] of steps) {
          if (wanted * 2 < limit) {
            limit = wanted * 2;
            ends.trim(limit);
          }
          for (let i = 0; i < count; i++) {
            ends.push(all.length, limit);
            all.push(all.length);
          }
          const half = limit / 2;
          const { kept, gap } = ends.list(limit);
          expect(ends.held).toBeLessThanOrEqual(Math.ceil(limit * 1.5));
          if (all.length <= limit) expect(kept.length + (gap?.count ?? 0)).toBe(all.length);
          else {
            expect(kept).toEqual([...all.slice(0, half), ...(half === 0 ? [] : all.slice(-half))]);
            expect(gap).toEqual({ at: half, count: all.length - limit });
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are all of it up to the limit', () => {
    const ends = new Ends<number>();
    for (let i = 0; i < 10; i++) ends.push(i, 10);
    expect(ends.list(10)).toEqual({ kept: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], gap: undefined });
    ends.push(10, 10);
    expect(ends.list(10)).toEqual({ kept: [0, 1, 2, 3, 4, 6, 7, 8, 9, 10], gap: { at: 5, count: 1 } });
  });

  it('of none are nothing', () => {
    const ends = new Ends<number>();
    for (let i = 0; i < 10; i++) ends.push(i, 0);
    expect(ends.list(0)).toEqual({ kept: [], gap: { at: 0, count: 10 } });
  });
});
