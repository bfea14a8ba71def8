import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose, type GcCandidate, type GcLimits } from '../../src/gc/policy.js';

const NOW = 1_000_000;
const WORDS = { duration: (ms: number) => `${ms}ms`, size: (bytes: number) => `${bytes}B` };
/** Without the words. */
type Finished = Omit<GcCandidate, 'since'>;
const worded = (each: Finished): GcCandidate => ({
  ...each,
  since: `finished ${NOW - each.finishedAt}ms ago`,
});
const chosen = (candidates: Finished[], limits: GcLimits) =>
  choose(candidates.map(worded), limits, NOW, WORDS).map(
    (choice) => choice?.limit ?? (choice ? 'all' : 'stays'),
  );

const oldest = { finishedAt: NOW - 300, bytes: 60 };
const middle = { finishedAt: NOW - 200, bytes: 60 };
const newest = { finishedAt: NOW - 100, bytes: 60 };

test('without a limit all go', () => {
  expect(chosen([oldest, newest], {})).toEqual(['all', 'all']);
});

test('what is older than the age goes, what is as old stays', () => {
  expect(chosen([oldest, middle, newest], { maxAge: 200 })).toEqual(['age', 'stays', 'stays']);
});

test('the newest stay, whatever their order', () => {
  expect(chosen([middle, newest, oldest], { maxTasks: 1 })).toEqual(['tasks', 'stays', 'tasks']);
  expect(chosen([newest], { maxTasks: 0 })).toEqual(['tasks']);
});

test('the space keeps the newest, where the original collected them', () => {
  expect(chosen([oldest, middle, newest], { maxSpace: 100 })).toEqual(['space', 'space', 'stays']);
  expect(chosen([oldest, middle, newest], { maxSpace: 180 })).toEqual(['stays', 'stays', 'stays']);
});

test('a small old one does not slip in behind a large one', () => {
  expect(chosen([{ ...oldest, bytes: 1 }, { ...middle, bytes: 500 }, newest], { maxSpace: 100 })).toEqual([
    'space',
    'space',
    'stays',
  ]);
});

test('what goes always goes first, and is not counted', () => {
  expect(
    chosen([{ ...newest, always: { reason: 'half of it is gone', rule: 'half of it is gone' } }, middle], {
      maxTasks: 1,
    }),
  ).toEqual(['always', 'stays']);
});

test('a task from the future is not old', () => {
  expect(chosen([{ finishedAt: NOW + 5000, bytes: 0 }], { maxAge: 0 })).toEqual(['stays']);
});

test('each one that goes has a reason', () => {
  const [choice] = choose([worded(oldest)], { maxAge: 10 }, NOW, WORDS);
  expect(choice?.reason).toBe('finished 300ms ago, more than 10ms');
});

test('no limit is exceeded by what stays, and none that stays is older than one that went for number or space', () => {
  const candidate = fc.record({
    finishedAt: fc.integer({ min: 0, max: NOW }),
    bytes: fc.integer({ min: 0, max: 1000 }),
  });
  const limits = fc.record(
    { maxAge: fc.nat(NOW), maxTasks: fc.nat(10), maxSpace: fc.nat(5000) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.array(candidate, { maxLength: 20 }),
      limits,
      (candidates, { maxAge, maxTasks, maxSpace }) => {
        const given = { maxAge, maxTasks, maxSpace };
        if (Object.values(given).every((limit) => limit === undefined)) return;
        const choices = choose(candidates.map(worded), given, NOW, WORDS);
        const stay = candidates.filter((_, i) => choices[i] === undefined);
        const gone = candidates.filter((_, i) => ['tasks', 'space'].includes(choices[i]?.limit ?? ''));
        expect(stay.length).toBeLessThanOrEqual(maxTasks ?? 20);
        expect(stay.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(
          maxSpace ?? Number.MAX_VALUE,
        );
        for (const { finishedAt } of stay) {
          expect(NOW - finishedAt).toBeLessThanOrEqual(maxAge ?? Number.MAX_VALUE);
          for (const other of gone) expect(finishedAt).toBeGreaterThanOrEqual(other.finishedAt);
        }
      },
    ),
  );
});
