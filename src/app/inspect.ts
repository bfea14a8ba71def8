import type { FoundTask } from '../discovery/found.js';
import type { Problem } from '../errors/problem.js';
import { type Inspection, inspectTask } from '../logs/inspection.js';
import type { LogsOf } from '../logs/log-tree.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { taskFileProblems } from '../task/task-schema.js';
import type { TaskView } from '../task/view.js';
import { noSuchTask, notOneTask } from './search.js';

export interface InspectPorts {
  gatherer: TaskGatherer;
  logsOf: LogsOf;
  /** Milliseconds since the epoch. */
  now: number;
  /** The word means no part of an id, because it may mean something else. */
  strictly?: boolean;
}

export interface InspectAnswer {
  /** The id's tasks in several roots, the one launched last first; its problems name the others. */
  inspections: readonly [Inspection, ...Inspection[]];
  problems: readonly Problem[];
}

/**
 * The one task that the word matches, in each root that has it, the one launched last first; with the problems of the
 * search. Rejects with NotFoundError and, if the word matches several ids, UsageError `ambiguous-task`.
 */
export async function viewsNamed(
  word: string | undefined,
  { gatherer, strictly = false }: Pick<InspectPorts, 'gatherer' | 'strictly'>,
): Promise<{ views: [TaskView, ...TaskView[]]; problems: readonly Problem[] }> {
  const selection = await gatherer.find(
    word === undefined ? [] : [word],
    strictly ? 'look-strictly' : 'look',
  );
  if (selection.unmatched.length > 0) throw noSuchTask(selection);
  const ids = [...new Set(selection.selected.map(({ task_id }) => task_id))].sort();
  if (ids.length !== 1) throw notOneTask(word, ids);
  const views = await Promise.all(selection.selected.map((found) => gatherer.source(found).read()));
  for (const { config, found, problems } of views) {
    if (config === undefined) continue;
    for (const problem of taskFileProblems(config.raw, found.task_file, found.task_id))
      problems.push(problem);
  }
  views.sort((a, b) => Number(b.launch_time_ms ?? 0) - Number(a.launch_time_ms ?? 0));
  const [latest, ...others] = views as [TaskView, ...TaskView[]];
  for (const other of others) latest.problems.push(alsoIn(other));
  return { views: [latest, ...others], problems: selection.problems };
}

/** Everything known about the one task that the word matches; rejects as `viewsNamed`. */
export async function inspectNamed(
  word: string | undefined,
  { logsOf, now, ...ports }: InspectPorts,
): Promise<InspectAnswer> {
  const { views, problems } = await viewsNamed(word, ports);
  const all = await Promise.all(
    views.map((view) => inspectTask(view, logsOf(view), now + (view.root.ahead_ms ?? 0))),
  );
  return {
    inspections: all as [Inspection, ...Inspection[]],
    problems: [...problems, ...all.flatMap(({ view }) => view.problems)],
  };
}

/** Everything known about a task that is found already. */
export async function inspectFound(
  found: FoundTask,
  { gatherer, logsOf, now }: Omit<InspectPorts, 'strictly'>,
): Promise<Inspection> {
  const view = await gatherer.source(found).read();
  return inspectTask(view, logsOf(view), now);
}

function alsoIn({ task_id, root }: TaskView): Problem {
  return {
    code: 'task-in-several-roots',
    severity: 'warning',
    message: `task ${task_id} is in ${root.path} too`,
    path: root.path,
    task_id,
  };
}
