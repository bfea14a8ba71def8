import type { Problem } from '../errors/problem.js';
import type { Discovery, TaskRoot } from './found.js';
import { discoverRoots, type FoundRoots, type RootOptions } from './roots.js';
import { compareTasks, listTasks } from './tasks.js';

/** Finds all roots and all tasks in them. */
export function discover(options: RootOptions): Discovery {
  const { roots, problems } = discoverRoots(options);
  return tasksOf(roots, problems);
}

/** As `discover`, with the places where other roots would appear; see `FoundRoots`. */
export function discoverWithPlaces(options: RootOptions): Discovery & Pick<FoundRoots, 'places' | 'pending'> {
  const { roots, problems, places, pending } = discoverRoots(options);
  return { ...tasksOf(roots, problems), places, pending };
}

/** The tasks of the given roots. */
export function tasksOf(roots: TaskRoot[], problems: readonly Problem[] = []): Discovery {
  const all: Discovery = { roots, tasks: [], problems: [...problems] };
  for (const root of roots) {
    const listed = listTasks(root);
    for (const task of listed.tasks) all.tasks.push(task);
    for (const problem of listed.problems) all.problems.push(problem);
  }
  all.tasks.sort(compareTasks);
  return all;
}
