import { expect, test } from 'vitest';
import type { Course } from '../../../src/report/model.js';
import { areasOf, topOf } from '../../../src/report/page/usage-chart.js';

const SPAN = { from: 0, to: 100_000 };
const course = (...points: Course['points']): Course => ({ step_ms: 1000, points });

test('each point is a step, and points that follow each other are one area', () => {
  const drawn = areasOf(course([0, 50_000, 1, 0, null], [50_100, 100_000, 2, 0, null]), 'cpu', SPAN, 4);
  expect(drawn).toBe('M0 100V75H500V50H1000V100Z');
});

test('neither what was not recorded nor what is not known is drawn, as 0 least of all', () => {
  const points = course(
    [0, 20_000, 1, 5, null],
    [20_000, 40_000, null, 5, null],
    [70_000, 100_000, 1, 5, null],
  );
  expect(areasOf(points, 'cpu', SPAN, 1)).toBe('M0 100V0H200V100ZM700 100V0H1000V100Z');
  expect(areasOf(points, 'rss', SPAN, 10)).toBe('M0 100V50H200V50H400V100ZM700 100V50H1000V100Z');
  expect(areasOf(points, 'disk', SPAN, 1)).toBe('');
});

test('nothing is outside, and nothing is no number', () => {
  expect(areasOf(course([0, 0, 0, 9, null]), 'cpu', { from: 0, to: 0 }, 0)).toBe('M0 100V100H0V100Z');
  expect(areasOf(course([0, 100_000, 9, 0, null]), 'cpu', SPAN, 1)).toBe('M0 100V0H1000V100Z');
});

test('what was asked for has its place, unless it is far above', () => {
  expect(topOf(1, undefined)).toBeCloseTo(1.05);
  expect(topOf(1, 2)).toBeCloseTo(2.1);
  expect(topOf(1, 0.5)).toBeCloseTo(1.05);
  expect(topOf(1, 100)).toBeCloseTo(1.05);
});
