import type { RemoteAgent, TaskRoot } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import type { LayoutName } from '../layout/layouts.js';
import { eachView, type TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { NO_ROOT } from './root-options.js';
import { missingTasks, noSuchTask, whereAgents } from './search.js';
import { passes, type TaskFilter } from './task-order.js';

export interface StatusQuery extends TaskFilter {
  /** TASK words; none means all tasks. */
  words: readonly string[];
}

export interface StatusAnswer {
  /** The addresses of the agents that were asked; undefined if this host was. */
  agents?: readonly string[];
  roots: { path: string; layout: LayoutName; agent?: RemoteAgent; tasks: number }[];
  /** Those of the search alone: each view has its own. */
  problemsOfSearch: Problem[];
  /** Those of the search and of the tasks. */
  problems: Problem[];
  exitCode: number;
  /** What to say if nothing is shown. */
  notice?: string;
}

/**
 * Reads the tasks once and passes the requested ones to `take`, one by one, in the order of the search. Rejects with
 * NotFoundError if no word matches a task.
 */
export async function lookAtTasks(
  { words, ...filter }: StatusQuery,
  search: TaskSearch,
  take: (view: TaskView) => void,
): Promise<StatusAnswer> {
  const selection = await search.find(words, 'look');
  const { selected, roots, unmatched } = selection;
  if (unmatched.length > 0 && selected.length === 0) throw noSuchTask(selection);
  const problemsOfSearch = [...selection.problems, ...missingTasks(selection)];
  const problems = [...problemsOfSearch];
  const counts = new Map<TaskRoot, number>(roots.map((root) => [root, 0]));
  let shown = 0;
  // No reading makes a finished task active again; there may be very many.
  const possible = filter.only === 'active' ? selected.filter(({ phase }) => phase === 'active') : selected;
  await eachView(search.views(possible), (view) => {
    if (!passes(view, filter)) return;
    shown += 1;
    counts.set(view.root, (counts.get(view.root) ?? 0) + 1);
    for (const problem of view.problems) problems.push(problem);
    take(view);
  });
  return {
    agents: selection.agents,
    roots: [...counts].map(([{ path, layout, agent }, tasks]) => ({ path, layout, agent, tasks })),
    problemsOfSearch,
    problems,
    exitCode: exitCodeOfLook(shown, selection),
    notice: shown > 0 ? undefined : emptyNotice(selection),
  };
}

/** A missing root means no; an unreadable one leaves the question open. `shown`: how many tasks. */
export function exitCodeOfLook(shown: number, { problems, unmatched }: Selection): number {
  if (unmatched.length > 0) return EXIT.no;
  if (shown > 0) return EXIT.ok;
  return hasError(problems.filter(({ code }) => code !== 'root-missing')) ? EXIT.partial : EXIT.no;
}

function emptyNotice({ selected, roots, agents, problems }: Selection): string | undefined {
  if (selected.length > 0) return `None of the ${selected.length} tasks matches the filters.`;
  if (agents !== undefined) return hasError(problems) ? undefined : `No tasks on ${whereAgents(agents)}.`;
  if (roots.length === 0) return NO_ROOT;
  return `No tasks in ${roots.map(({ path }) => path).join(', ')}.`;
}
