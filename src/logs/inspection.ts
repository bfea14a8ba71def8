import type { Problem } from '../errors/problem.js';
import { RUNNER } from '../layout/task-paths.js';
import { historyLeftOut } from '../task/checkpoint-problems.js';
import { isTooDeep } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import { firstFailing, whyLines } from '../task/why.js';
import { lastLines } from './last-lines.js';
import { type LogFile, listLogs } from './list-logs.js';
import type { LogTree } from './log-tree.js';
import { closedLogs } from './problems.js';

/** How much of a failing process's stderr is shown. */
const STDERR_LINES = 10;

/** Everything that is known about a task: its view, its logs, and the explanation of its state. */
export interface Inspection {
  view: TaskView;
  logs: readonly LogFile[];
  why: readonly string[];
}

/** Inspects a task and its logs. Problems with the logs are added to the view's. */
export async function inspectTask(view: TaskView, tree: LogTree, now: number): Promise<Inspection> {
  const { task_id, found } = view;
  const stream = `${found.checkpoint_dir}/${RUNNER}`;
  for (const problem of historyLeftOut(stream, view.history, view.statuses_left_out)) {
    view.problems.push({ ...problem, task_id });
  }
  const { files, problems } = await logsOf(view, tree);
  for (const problem of problems) view.problems.push({ ...problem, task_id });
  if (view.config !== undefined && isTooDeep(view.config.raw)) view.problems.push(tooDeep(view));
  const stderr = await stderrOfFailing(view, files, tree);
  return { view, logs: files, why: whyLines(view, { now, stderr }) };
}

/** A directory that can't be read is reported once, not for each process. */
async function logsOf({ log_dir, processes, task_id }: TaskView, tree: LogTree) {
  const nothing = { files: [], problems: [] };
  const names = processes.filter(({ runs }) => runs > 0).map(({ process }) => process);
  if (log_dir === undefined || names.length === 0) return nothing;
  const closed = await tree.denied(log_dir.path);
  if (closed !== undefined) return { ...nothing, problems: [closedLogs(task_id, closed)] };
  return log_dir.found ? listLogs({ path: log_dir.path, tree }, names) : nothing;
}

function tooDeep({ task_id, found }: TaskView): Problem {
  return {
    code: 'task-file-damaged',
    severity: 'error',
    message: `the task file ${found.task_file} is nested too deeply to be shown in full`,
    path: found.task_file,
    task_id,
  };
}

/** Undefined if no process failed, or the process that failed has no readable log. */
async function stderrOfFailing(
  view: TaskView,
  logs: readonly LogFile[],
  tree: LogTree,
): Promise<string[] | undefined> {
  const failing = firstFailing(view);
  const log = logs.find(
    ({ process, run, stream }) =>
      process === failing?.process && run === failing.runs - 1 && stream === 'stderr',
  );
  if (log === undefined) return undefined;
  const { lines, problem } = await lastLines(log.path, STDERR_LINES, tree);
  if (problem === undefined) return lines;
  view.problems.push({ ...problem, task_id: view.task_id, process: log.process });
  return undefined;
}
