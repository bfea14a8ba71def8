import { describe, expect, test } from 'vitest';
// @ts-expect-error: no types
import { median, pairedRatio, summary } from '../scripts/bench/measure.mjs';
// @ts-expect-error: no types
import { markdownTable, plainTable, ratioRow, unmeasuredRow } from '../scripts/bench/table.mjs';

const roundsOf = (...times: [wall: number, cpu: number][]) =>
  summary(times.map(([wall, cpu]) => ({ wall, cpu })));

/** The machine is three times slower in the second round. */
const ours = roundsOf([20, 10], [60, 30], [22, 11]);
const theirs = roundsOf([10, 5], [30, 15], [11, 5.5]);

describe('the bench', () => {
  test('takes the median, between the middle two of an even number', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
    expect(ours).toMatchObject({ wall: 22, cpu: 11 });
  });

  test('compares runs with their neighbours, so that a load that comes and goes does not count', () => {
    expect(pairedRatio(ours, theirs, 'wall')).toBe(2);
    expect(pairedRatio(ours, roundsOf([10, 5], [10, 5], [11, 5.5]), 'cpu')).toBe(2);
  });

  test('a goal is reached if each of its ratios is', () => {
    expect(ratioRow('it', 'other', [ours, theirs], { cpu: 2 })).toEqual({
      what: 'it',
      measured: '22 ms',
      reference: 'other: 11 ms',
      ratio: '2.00',
      cpu: '2.00',
      goal: 'cpu <= 2',
      ok: true,
    });
    expect(ratioRow('it', 'other', [ours, theirs], { cpu: 2, wall: 1.9 })).toMatchObject({
      goal: 'cpu <= 2, wall <= 1.9',
      ok: false,
    });
    expect(ratioRow('it', 'other', [ours, theirs])).not.toHaveProperty('ok');
  });

  test('says what it could not measure, and neither yes nor NO to its goal', () => {
    const rows = [
      ratioRow('slow', 'other', [ours, theirs], { wall: 1 }),
      unmeasuredRow('absent', 'there is no a|b here', 'wall <= 1'),
    ];
    expect(markdownTable(rows).split('\n')).toEqual([
      '| what | measured | reference | ratio | cpu-ratio | goal | ok |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      '| slow | 22 ms | other: 11 ms | 2.00 | 2.00 | wall <= 1 | NO |',
      '| absent | not measured | there is no a\\|b here | - | - | wall <= 1 | - |',
    ]);
    expect(plainTable(rows).split('\n')[2]).toMatch(/^absent\s+not measured\s+there is no a\|b here\s/);
  });
});
