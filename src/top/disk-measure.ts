import { isWithin } from '../store/paths.js';
import { TreeUsage, type TreeUsageOptions } from '../store/tree-usage.js';

/** Where a task writes. */
export interface DiskPlaces {
  readonly sandbox?: string;
  readonly log_dir?: string;
}

/** What the directories of a task occupy. */
export interface DiskSize {
  readonly bytes: number;
  /** Some of it could not be read, or was too much to count: there is at least so much. */
  readonly atLeast?: true;
}

/** The outermost of the places, each once. Pure. */
export function outermost({ sandbox, log_dir }: DiskPlaces): string[] {
  const places = [...new Set([sandbox, log_dir].filter((path) => path !== undefined))];
  return places.filter((path) => !places.some((other) => other !== path && isWithin(path, other)));
}

/** Measures sandbox and logs; undefined if neither can be. Never throws. */
export function measureDisk(places: DiskPlaces, options: TreeUsageOptions): DiskSize | undefined {
  const usage = new TreeUsage(options);
  const paths = outermost(places);
  let failed = 0;
  for (const path of paths) {
    try {
      usage.add(path);
    } catch {
      // It was removed, or may not be entered.
      failed += 1;
    }
  }
  if (failed === paths.length) return undefined;
  return { bytes: usage.bytes, atLeast: usage.complete && failed === 0 ? undefined : true };
}

/** What one look may take, of all tasks together: what is left then is a lower bound, or is not known. */
export interface DiskBudget {
  readonly ms: number;
  readonly entries: number;
}

/**
 * Measures tasks at once, within a budget that they share. `clock`: monotonic, in milliseconds; `atMs` is when the
 * measurement of a task ended. The first ones cannot use the time up: each has its part of what is left.
 */
export function measureAll<T extends DiskPlaces>(
  tasks: readonly T[],
  { ms, entries }: DiskBudget,
  clock: () => number,
): Map<T, DiskSize & { readonly atMs: number }> {
  const found = new Map<T, DiskSize & { readonly atMs: number }>();
  const end = clock() + ms;
  for (const [i, task] of tasks.entries()) {
    const start = clock();
    const until = start + Math.max(0, end - start) / (tasks.length - i);
    const size = measureDisk(task, { most: entries, proceed: () => clock() < until });
    if (size !== undefined) found.set(task, { ...size, atMs: clock() });
  }
  return found;
}
