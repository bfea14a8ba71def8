import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { type Compared, type Comparison, compareTasks, isSame } from '../task/compare.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { isTooDeep } from '../task/task-file.js';
import { viewsNamed } from './inspect.js';

/** One of the two that are compared. */
export interface Side extends Compared {
  /** The path of a config; undefined for a task on disk. */
  path?: string;
  problems: readonly Problem[];
}

export interface DiffAnswer {
  a: Side;
  b: Side;
  comparison: Comparison;
  problems: readonly Problem[];
  exitCode: number;
}

/** The task on disk that a word means, as one of the two; rejects as `viewsNamed`. */
export async function taskSide(word: string, gatherer: TaskGatherer, strictly: boolean): Promise<Side> {
  const { views, problems } = await viewsNamed(word, { gatherer, strictly });
  const [view] = views;
  const { config } = view;
  // What is too deep cannot be written either.
  const isComparable = config !== undefined && !isTooDeep(config.raw);
  return { view, config: isComparable ? config : undefined, problems: [...problems, ...view.problems] };
}

/** Compares two tasks; what cannot be compared is a problem. Exit 1 if they differ. */
export function diff(a: Side, b: Side, now: number): DiffAnswer {
  const comparison = compareTasks(a, b, now);
  const problems = [...a.problems, ...b.problems, ...withoutConfig(a), ...withoutConfig(b)];
  return { a, b, comparison, problems, exitCode: isSame(comparison) ? EXIT.ok : EXIT.no };
}

/** Without it, "no difference" is not known. */
function withoutConfig({ view, config }: Side): Problem[] {
  if (view === undefined || config !== undefined) return [];
  return [
    {
      code: 'task-file-unreadable',
      severity: 'error',
      message: `the config of task ${view.task_id} cannot be compared: it has no task file that can be read`,
      path: view.found.task_file,
      task_id: view.task_id,
    },
  ];
}
