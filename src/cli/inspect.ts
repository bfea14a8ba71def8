import { noSuchTask, type RootFlags, tasksToLookAt } from '../app/search.js';
import { encodeInspect } from '../contracts/encode-task.js';
import { NotFoundError, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { RUNNER } from '../layout/task-paths.js';
import { lastLines } from '../logs/last-lines.js';
import { type LogFile, listLogs } from '../logs/list-logs.js';
import { logAccess } from '../logs/log-access.js';
import { closedLogs } from '../logs/log-files.js';
import type { LogAccess } from '../logs/open-log.js';
import { firstDenied } from '../store/denied.js';
import { historyLeftOut } from '../task/checkpoint-problems.js';
import { TaskReader } from '../task/reader.js';
import { isTooDeep } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import { firstFailing, whyLines } from '../task/why.js';
import { type Inspection, inspectText } from '../views/inspect.js';
import type { Style } from '../views/parts/style.js';
import { type ConfigFlags, mayMeanConfig, meansConfig } from './config-target.js';
import type { Terminal } from './terminal.js';

/** How much of a failing process's stderr is shown. */
const STDERR_LINES = 10;

export interface InspectAnswer {
  document: object;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode?: number;
}

/** What is known of the task or the config that the word means; see `inspectTask` and `inspectConfig`. */
export async function inspectTarget(
  word: string | undefined,
  flags: RootFlags & ConfigFlags,
  terminal: Terminal,
): Promise<InspectAnswer> {
  if (word === undefined) return inspectTask(word, flags, terminal.now());
  if (!meansConfig(word, flags)) {
    try {
      return inspectTask(word, flags, terminal.now());
    } catch (error) {
      if (!(error instanceof NotFoundError) || !mayMeanConfig(word)) throw error;
    }
  }
  const { inspectConfig } = await import('./config.js');
  return inspectConfig(word, flags, terminal);
}

/**
 * All that is known of the one task that the word means. If its id stands in several roots the text has all of
 * them, the document the one that was launched last. Throws NotFoundError and, if the word means several ids,
 * UsageError `ambiguous-task`.
 */
export function inspectTask(word: string | undefined, flags: RootFlags, now: number): InspectAnswer {
  const selection = tasksToLookAt(flags, word === undefined ? [] : [word]);
  if (selection.unmatched.length > 0) throw noSuchTask(selection);
  const ids = [...new Set(selection.selected.map(({ task_id }) => task_id))].sort();
  if (ids.length !== 1) throw notOneTask(word, ids);
  const host = Host.local();
  const inspections = selection.selected
    .map((found) => new TaskReader(found, { history: true }).read(host))
    .sort((a, b) => Number(b.launch_time_ms ?? 0) - Number(a.launch_time_ms ?? 0))
    .map((view) => inspect(view, now));
  const [latest, ...others] = inspections as [Inspection, ...Inspection[]];
  for (const { view } of others) latest.view.problems.push(alsoIn(view));
  return {
    document: encodeInspect(latest.view, [...latest.logs], [...latest.why]),
    text: (style) => inspections.map((inspection) => inspectText(inspection, style)).join('\n'),
    problems: [...selection.problems, ...inspections.flatMap(({ view }) => view.problems)],
  };
}

/** The error for a word that means no task, or several. */
export function notOneTask(word: string | undefined, ids: readonly string[]): UsageError {
  if (ids.length === 0) return new UsageError('task-missing', 'no task is named, and there is none here');
  const listed = `${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}`;
  if (word === undefined) return new UsageError('task-missing', 'no task is named', `there are ${listed}`);
  return new UsageError('ambiguous-task', `'${word}' means ${ids.length} tasks`, `name one of ${listed}`);
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

/** A task with its logs and why it is as it is; what is wrong with the logs becomes a problem of the view. */
export function inspect(view: TaskView, now: number): Inspection {
  const { log_dir, task_id } = view;
  const stream = `${view.found.checkpoint_dir}/${RUNNER}`;
  for (const problem of historyLeftOut(stream, view.history, view.statuses_left_out)) {
    view.problems.push({ ...problem, task_id });
  }
  const names = view.processes.filter(({ runs }) => runs > 0).map(({ process }) => process);
  const access = logAccess(view, process.geteuid?.() ?? 0);
  const { files, problems } = logsOf(log_dir, access, names, task_id);
  for (const problem of problems) view.problems.push({ ...problem, task_id });
  if (view.config !== undefined && isTooDeep(view.config.raw)) view.problems.push(tooDeep(view));
  return { view, logs: files, why: whyLines(view, { now, stderr: stderrOfFailing(view, files, access) }) };
}

/** What can't be looked into is told once, not for each process. */
function logsOf(
  logDir: TaskView['log_dir'],
  access: LogAccess,
  processes: readonly string[],
  task_id: string,
) {
  const nothing = { files: [], problems: [] };
  if (logDir === undefined || processes.length === 0) return nothing;
  const closed = firstDenied(logDir.path);
  if (closed !== undefined) return { ...nothing, problems: [closedLogs(task_id, closed)] };
  return logDir.found ? listLogs({ path: logDir.path, access }, processes) : nothing;
}

function tooDeep({ task_id, found }: TaskView): Problem {
  return {
    code: 'task-file-damaged',
    severity: 'error',
    message: `the task file ${found.task_file} is nested too deeply to be shown whole`,
    path: found.task_file,
    task_id,
  };
}

/** Undefined if no process failed, or there is no log of it to read. */
function stderrOfFailing(view: TaskView, logs: readonly LogFile[], access: LogAccess): string[] | undefined {
  const failing = firstFailing(view);
  const log = logs.find(
    ({ process, run, stream }) =>
      process === failing?.process && run === failing.runs - 1 && stream === 'stderr',
  );
  if (log === undefined) return undefined;
  const { lines, problem } = lastLines(log.path, STDERR_LINES, access);
  if (problem === undefined) return lines;
  view.problems.push({ ...problem, task_id: view.task_id, process: log.process });
  return undefined;
}
