import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pace } from '../../src/top/pace.js';

test('work takes no more than a twentieth of the time, however it is cut', () => {
  const steps = fc.array(
    fc.record({ work: fc.double({ min: 0, max: 50, noNaN: true }), ends: fc.boolean() }),
    {
      maxLength: 50,
    },
  );
  fc.assert(
    fc.property(steps, (given) => {
      let now = 0;
      let worked = 0;
      let longest = 0;
      const pace = new Pace(
        () => now,
        (ms) => {
          now += ms;
        },
      );
      pace.begin();
      for (const { work, ends } of given) {
        now += work;
        worked += work;
        longest = Math.max(longest, work);
        if (ends) {
          pace.end();
          pace.begin();
        } else pace.proceed();
      }
      pace.end();
      // What was done since the last rest is not paid for yet: less than a slice, and the last steps.
      expect(worked - now / 20).toBeLessThanOrEqual(5 + 51 * longest);
      pace.begin();
      pace.proceed();
      now += 5;
      worked += 5;
      pace.proceed();
      expect(worked).toBeLessThanOrEqual(now / 20 + 0.001);
    }),
  );
});

test('short work does not rest', () => {
  let now = 0;
  let rests = 0;
  const pace = new Pace(
    () => now,
    () => {
      rests += 1;
    },
  );
  pace.begin();
  now += 4;
  expect(pace.proceed()).toBe(true);
  expect(rests).toBe(0);
  now += 1;
  pace.proceed();
  expect(rests).toBe(1);
});
