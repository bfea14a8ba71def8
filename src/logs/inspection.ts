import type { Problem } from '../errors/problem.js';
import { RUNNER } from '../layout/task-paths.js';
import { historyLeftOut } from '../task/checkpoint-problems.js';
import { type CriticalPath, criticalPath } from '../task/critical-path.js';
import { isTooDeep } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import { firstFailing, type LastOutput, whyLines } from '../task/why.js';
import { lastLines } from './last-lines.js';
import { type LogFile, listLogs } from './list-logs.js';
import type { LogTree } from './log-tree.js';
import { closedLogs } from './problems.js';

/** How much of a failing process's output is shown. */
const OUTPUT_LINES = 10;

/** Everything that is known about a task: its view, its logs, the explanation of its state, and where its time went. */
export interface Inspection {
  view: TaskView;
  logs: readonly LogFile[];
  why: readonly string[];
  criticalPath?: CriticalPath;
}

/**
 * Inspects a task and its logs. Problems with the logs are added to the view's. `goneBecause`: see `WhyOptions`; only for
 * a task elsewhere.
 */
export async function inspectTask(
  view: TaskView,
  tree: LogTree,
  now: number,
  goneBecause?: string,
): Promise<Inspection> {
  const { task_id, found } = view;
  const stream = `${found.checkpoint_dir}/${RUNNER}`;
  for (const problem of historyLeftOut(stream, view.history, view.statuses_left_out, view.root.agent?.url)) {
    view.problems.push({ ...problem, task_id });
  }
  const { files, problems } = await logsOf(view, tree);
  for (const problem of problems) view.problems.push({ ...problem, task_id });
  if (view.config !== undefined && isTooDeep(view.config.raw)) view.problems.push(tooDeep(view));
  const output = await outputOfFailing(view, files, tree);
  const why = whyLines(view, { now, output, goneBecause });
  return { view, logs: files, why, criticalPath: criticalPath(view, now) };
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

/** The end of stderr of the process to investigate, and that of stdout if stderr is empty or absent. */
async function outputOfFailing(view: TaskView, logs: readonly LogFile[], tree: LogTree): Promise<LastOutput> {
  const failing = firstFailing(view);
  const output: { stdout?: readonly string[]; stderr?: readonly string[] } = {};
  for (const stream of ['stderr', 'stdout'] as const) {
    const log = logs.find(
      (each) => each.process === failing?.process && each.run === failing.runs - 1 && each.stream === stream,
    );
    if (log === undefined) continue;
    const { lines, problem } = await lastLines(log.path, OUTPUT_LINES, tree);
    if (problem === undefined) output[stream] = lines;
    else view.problems.push({ ...problem, task_id: view.task_id, process: log.process });
    if (lines.length > 0) break;
  }
  return output;
}
