import type { CriticalPath, PathStep } from '../../task/critical-path.js';
import { elapsed } from '../../text/age.js';
import { proseRows } from './prose.js';
import type { Style } from './style.js';

/** How many steps at the beginning and at the end of a longer chain a terminal shows. */
const MOST = { first: 3, last: 3 };

/**
 * How long a task took, what took most of it, and the chain that determined it, as rows: `Critical path: 41s, 38s of it
 * in load (fetch → load → publish)`. None for a chain of no time.
 */
export function criticalPathRows(
  { duration_ms, steps, rest_ms }: CriticalPath,
  style: Style,
  { soFar, fold }: { soFar: boolean; fold: boolean },
): string[] {
  if (duration_ms === 0) return [];
  const waits = steps.reduce((sum, { wait_ms }) => sum + wait_ms, 0);
  const slowest = steps.reduce((most, step) => (spanOf(step) > spanOf(most) ? step : most));
  const [most, where] = (
    [
      [spanOf(slowest), inProcess(slowest)],
      [waits, steps.length === 1 ? 'before it started' : 'in waits'],
      [rest_ms, 'after the last process'],
    ] as const
  ).reduce((largest, part) => (part[0] > largest[0] ? part : largest));
  const isClear = steps.length === 1 && most === spanOf(slowest);
  const chain = isClear ? '' : ` (${chainOf(steps, style, fold)})`;
  const name = soFar ? 'Critical path so far' : 'Critical path';
  return proseRows([`${name}: ${elapsed(duration_ms)}, ${elapsed(most)} of it ${where}${chain}`], style);
}

function spanOf({ run_ms, between_ms }: PathStep): number {
  return run_ms + between_ms;
}

function inProcess({ process, runs, run_ms, between_ms }: PathStep): string {
  if (between_ms <= run_ms) return `in ${process}`;
  return `in ${process}, mostly between its ${runs} runs`;
}

function chainOf(steps: readonly PathStep[], { unicode }: Style, fold: boolean): string {
  const names = steps.map(({ process }) => process);
  const left = names.length - MOST.first - MOST.last;
  if (fold && left > 1) names.splice(MOST.first, left, `${left} more`);
  return names.join(unicode ? ' → ' : ' -> ');
}
