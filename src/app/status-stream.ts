import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import type { Problem } from '../errors/problem.js';
import { eachView, type TaskReading, type TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { exitCodeOfLook, lookAtTasks, type StatusQuery } from './status.js';
import { passes, type TaskFilter } from './task-order.js';

/** Finds all tasks of several hosts, and gives those of each as soon as it has them. */
export interface EachSearch extends TaskReading {
  findEach(
    take: (found: { tasks: readonly FoundTask[]; problems: readonly Problem[] }) => Promise<void>,
  ): Promise<Selection>;
}

export interface StreamPorts {
  task(view: TaskView): void;
  /** A problem of the search; each task has its own. */
  problem(problem: Problem): void;
}

/** What was passed on. */
export interface StreamEnd {
  readonly tasks: number;
  readonly roots: number;
  /** How many agents were asked; undefined if this host was. */
  readonly agents?: number;
  /** Those of the search and of the tasks. */
  readonly problems: readonly Problem[];
  readonly exitCode: number;
}

/** Passes the requested tasks on as hosts give them: those of one host in their order, the hosts as they answer. */
export async function streamTasks(
  filter: TaskFilter,
  search: EachSearch,
  ports: StreamPorts,
): Promise<StreamEnd> {
  const problems: Problem[] = [];
  let tasks = 0;
  const reported = new Set<Problem>();
  const report = (problem: Problem) => {
    if (reported.has(problem)) return;
    reported.add(problem);
    problems.push(problem);
    ports.problem(problem);
  };
  const selection = await search.findEach(async (found) => {
    for (const problem of found.problems) report(problem);
    const possible =
      filter.only === 'active' ? found.tasks.filter(({ phase }) => phase === 'active') : found.tasks;
    await eachView(search.views(possible), (view) => {
      if (!passes(view, filter)) return;
      tasks += 1;
      for (const problem of view.problems) problems.push(problem);
      ports.task(view);
    });
  });
  for (const problem of selection.problems) report(problem);
  return {
    ...{ tasks, problems, roots: selection.roots.length, agents: selection.agents?.length },
    exitCode: exitCodeOfLook(tasks, selection),
  };
}

/**
 * The same for this host, and for words: which tasks they mean is known when all hosts have answered. Rejects as
 * `lookAtTasks`.
 */
export async function streamFound(
  query: StatusQuery,
  search: TaskSearch,
  ports: StreamPorts,
): Promise<StreamEnd> {
  let tasks = 0;
  const answer = await lookAtTasks(query, search, (view) => {
    tasks += 1;
    ports.task(view);
  });
  for (const problem of answer.problemsOfSearch) ports.problem(problem);
  const { problems, exitCode, roots, agents } = answer;
  return { tasks, roots: roots.length, agents: agents?.length, problems, exitCode };
}
