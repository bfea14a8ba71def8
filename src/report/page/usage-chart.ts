import type { Course, CoursePoint } from '../model.js';

/** Which number of a point. */
export const VALUES = { cpu: 2, rss: 3, disk: 4 } as const;
export type Value = keyof typeof VALUES;

/** An axis of time. */
export interface TimeAxis {
  readonly from: number;
  readonly to: number;
}

/** The drawing is so wide and high; it is stretched to its place. */
export const WIDTH = 1000;
export const HEIGHT = 100;

/** Samples that follow each other are not of the same millisecond. */
const TOLERANCE_MS = 1000;

/**
 * The areas below a course, as the `d` of a path; empty without numbers. Where nothing is known, and where nothing was
 * recorded, there is nothing: a gap is not 0. `top`: the number at the upper edge. Pure.
 */
export function areasOf(
  { points, step_ms }: Course,
  value: Value,
  { from, to }: TimeAxis,
  top: number,
): string {
  const x = (time: number) => tenths((WIDTH * (time - from)) / Math.max(1, to - from));
  const y = (number: number) => tenths(HEIGHT * (1 - Math.min(1, top > 0 ? number / top : 0)));
  return stretchesOf(points, value, Math.max(TOLERANCE_MS, step_ms))
    .map((stretch) => {
      const [[begin]] = stretch as [CoursePoint];
      const steps = stretch.map((point) => `V${y(point[VALUES[value]] as number)}H${x(point[1])}`);
      return `M${x(begin)} ${HEIGHT}${steps.join('')}V${HEIGHT}Z`;
    })
    .join('');
}

/** Points that follow each other, and of which the number is known. */
function stretchesOf(points: readonly CoursePoint[], value: Value, longestGap: number): CoursePoint[][] {
  const stretches: CoursePoint[][] = [];
  let last: CoursePoint | undefined;
  for (const point of points) {
    const isKnown = point[VALUES[value]] !== null;
    const follows = last !== undefined && point[0] - last[1] <= longestGap;
    if (isKnown && follows) stretches.at(-1)?.push(point);
    else if (isKnown) stretches.push([point]);
    last = isKnown ? point : undefined;
  }
  return stretches;
}

/** The number at the upper edge: what was asked for has its place, unless it is far above everything. Pure. */
export function topOf(most: number, asked: number | undefined): number {
  return asked === undefined || asked > most * FAR ? most * AIR : Math.max(most * AIR, asked * AIR);
}

const AIR = 1.05;
const FAR = 4;

function tenths(number: number): number {
  return Math.round(number * 10) / 10;
}
