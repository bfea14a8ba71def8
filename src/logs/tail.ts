import { NotFoundError, SystemError, type ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { backupName } from '../layout/backups.js';
import type { Stream } from '../layout/log-paths.js';
import type { Awaitable } from '../task/gatherer.js';
import { candidatesOf, type LogCandidate } from './candidate.js';
import { chooseProcesses, type RunChoice } from './choose.js';
import { Follower, type FollowShell } from './follower.js';
import type { LineChoice } from './line-filter.js';
import type { LineMode } from './line-output.js';
import { byStart, type Log } from './log.js';
import { listBackups } from './log-files.js';
import { type LogPath, logPaths } from './log-paths.js';
import { type LineStyle, LogPrinter, type Naming, type PrefixOf, startInOrder } from './log-printer.js';
import { whyNoLog } from './missing.js';
import type { TaskLogSource, TaskLogs } from './task-logs.js';
import { isAfter, isBefore, lastWritten, type TimeWindow, windowText } from './time-window.js';

/** Which logs of a task. */
export interface LogChoice {
  /** Names of processes, or globs; none means all. */
  processes: readonly string[];
  runs: RunChoice;
  streams: readonly Stream[];
}

export interface TailOptions extends LogChoice {
  /** Of each log; undefined: all. */
  lines: number | undefined;
  /** undefined: follow if one of the chosen processes runs. */
  follow: boolean | undefined;
  /** Which runs and files; undefined: all. Without chosen runs, all runs in it are. */
  window?: TimeWindow;
  /** Stops following then, by the clock of the shell. */
  stopAt?: number;
  /** Which lines; undefined: all. */
  choice?: LineChoice;
  timestamps?: LineStyle['timestamps'];
  /** How a line is drawn on a terminal, with a prefix or without. */
  draw?: (hasPrefix: boolean) => LineStyle['draw'];
  /** Gives the tasks that appeared since; given if new ones are to be followed, too. */
  newTasks?: () => Awaitable<readonly TaskLogSource[]>;
  /** Gives the prefix of each line if several logs are printed together; undefined: no prefix. */
  prefixOf: PrefixOf | undefined;
  json: boolean;
}

/**
 * Prints the last lines of the logs of tasks and then, when following, new lines until the logs can't grow any more.
 * Returns the exit code. Throws NotFoundError if a process or run doesn't exist, or, with the reason, if there is no
 * log at all, none in the window, or no line that is chosen.
 */
export async function tailLogs(
  sources: readonly TaskLogSource[],
  options: TailOptions,
  outside: FollowShell,
): Promise<number> {
  const problems: Problem[] = [];
  const shell: FollowShell = {
    ...outside,
    report: (problem) => {
      problems.push(problem);
      outside.report(problem);
    },
    event: (event) => outside.event(event, naming.task),
  };
  const tasks = await readAll(sources);
  const all = await chooseLogs(tasks, options);
  const absent = all.filter(({ present }) => present.length === 0);
  const following = all.some(({ goesOn }) => goesOn);
  if (absent.length === all.length && !following) throw noLog(absent, tasks);
  const more = following ? options : { ...options, newTasks: undefined };
  const naming = namingOf(tasks, more);
  // The logs can be read, so a state that can't be read is only a warning.
  for (const problem of tasks.flatMap(({ problems }) => problems))
    shell.report({ ...problem, severity: 'warning' });
  reportAbsent(absent, options.processes.length > 0, shell);
  const candidates = await inWindow(all, options.window, following, shell);
  for (const problem of missingStreams(candidates)) shell.report(problem);

  const printer = printerOf(candidates, naming, more, shell);
  let exitCode: number = EXIT.ok;
  if (following) {
    const followed = tasks.map((task, i) => ({ task, source: sources[i] as TaskLogSource }));
    exitCode = await new Follower(followed, options, printer, shell).run(candidates);
  } else {
    const present = byStart(candidates.flatMap((candidate) => candidate.present));
    const opened = present.map((log) => ({ open: printer.open(log), follow: false }));
    await startInOrder(opened, options.lines);
    if (printer.searched === 0 && options.lines !== 0 && !hasError(problems)) shell.event({ kind: 'empty' });
    if (options.timestamps !== undefined) shell.event({ kind: 'no-arrival' });
    if (options.follow) shell.event({ kind: 'not-followed', task_ids: tasks.map(({ task_id }) => task_id) });
  }
  if (exitCode === EXIT.ok && hasError(problems)) return EXIT.partial;
  const isSearch =
    options.choice !== undefined && options.lines !== 0 && printer.searched + printer.printed > 0;
  if (exitCode === EXIT.ok && isSearch && printer.shown === 0) {
    throw new NotFoundError('no-line-matches', `no line matches${whereSearched(printer)}`);
  }
  return exitCode;
}

function whereSearched({ found, searched, printed }: LogPrinter): string {
  const logs = found === 1 ? 'the log' : `the ${found} logs`;
  return ` in the ${Math.max(searched, printed)} bytes of ${logs}`;
}

function printerOf(
  candidates: readonly LogCandidate[],
  naming: Naming,
  options: TailOptions,
  shell: FollowShell,
): LogPrinter {
  const { choice, window, timestamps, draw, json, prefixOf } = options;
  const isSingle = countOf(candidates, options) <= 1 && options.newTasks === undefined;
  const hasPrefix = !isSingle && prefixOf !== undefined;
  const drawn = draw?.(hasPrefix);
  const isPlain = choice === undefined && timestamps === undefined && drawn === undefined;
  let mode: LineMode = 'prefix';
  if (json) mode = 'json';
  else if (isSingle && isPlain) mode = 'raw';
  else if (!hasPrefix && timestamps === undefined) mode = 'lines';
  const style = { choice, window, timestamps, draw: drawn };
  return new LogPrinter(shell, mode, naming, hasPrefix ? prefixOf : () => '', style);
}

/** What `tail --path` prints: the paths of the files instead of their contents. Throws like `tailLogs`. */
export async function findLogPaths(
  sources: readonly TaskLogSource[],
  options: LogChoice,
): Promise<{ paths: LogPath[]; problems: Problem[] }> {
  const tasks = await readAll(sources);
  const candidates = await chooseLogs(tasks, { ...options, follow: false });
  const absent = candidates.filter(({ present }) => present.length === 0);
  if (absent.length === candidates.length) throw noLog(absent, tasks);
  const { paths, problems } = await logPaths(candidates);
  const reasons = options.processes.length > 0 ? distinct(absent.map(whyAbsent)) : [];
  return { paths, problems: [...reasons, ...problems] };
}

/** Reads all sources concurrently, because they may answer late. */
function readAll(sources: readonly TaskLogSource[]): Promise<TaskLogs[]> {
  return Promise.all(sources.map((source) => source.read()));
}

async function chooseLogs(
  tasks: readonly TaskLogs[],
  options: LogChoice & Pick<TailOptions, 'follow'>,
): Promise<LogCandidate[]> {
  refuseUnreadable(tasks);
  const chosen = chooseProcesses(tasks, options.processes, options.runs);
  const follow = options.follow ?? chosen.some(({ process }) => process.running);
  return candidatesOf(chosen, options, follow);
}

/** If a task's stream can't be read, nothing is known about it, not even that a process doesn't exist. */
function refuseUnreadable(tasks: readonly TaskLogs[]): void {
  if (tasks.some(({ processes }) => processes.length > 0)) return;
  const error = tasks.flatMap(({ problems }) => problems).find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new SystemError(error.code, error.message, error.hint);
}

/** How many logs are printed or may appear. */
function countOf(candidates: readonly LogCandidate[], { streams }: TailOptions): number {
  let logs = 0;
  for (const { goesOn, present } of candidates) {
    logs += goesOn ? Math.max(present.length, streams.length) : present.length;
  }
  return logs;
}

function namingOf(tasks: readonly TaskLogs[], { streams, newTasks }: TailOptions): Naming {
  const ids = new Set<string>();
  const root = new Set<string>();
  for (const { task_id } of tasks) (ids.has(task_id) ? root : ids).add(task_id);
  return {
    root,
    task: ids.size > 1 || newTasks !== undefined,
    stream: streams.length > 1,
  };
}

/**
 * Leaves out the logs of runs and files that were written before or after the window, and says so. Throws NotFoundError
 * if that leaves none, unless more may come.
 */
async function inWindow(
  candidates: readonly LogCandidate[],
  window: TimeWindow | undefined,
  following: boolean,
  shell: FollowShell,
): Promise<LogCandidate[]> {
  if (window === undefined) return [...candidates];
  let left_out = 0;
  let written_ms: number | undefined;
  const kept: LogCandidate[] = [];
  for (const candidate of candidates) {
    const present: Log[] = [];
    for (const log of candidate.present) {
      const { isIn, last } = await whenWritten(log, window);
      if (isIn) {
        present.push(log);
        continue;
      }
      left_out += 1;
      if (last !== undefined) written_ms = Math.max(written_ms ?? 0, last);
    }
    const logs = candidate.logs.filter((log) => isOfRunIn(log, window));
    kept.push({ ...candidate, logs: candidate.goesOn ? candidate.logs : logs, present });
  }
  if (!following && kept.every(({ present }) => present.length === 0)) {
    throw new NotFoundError(
      'log-outside-window',
      `nothing was written ${windowText(window)}${lastWritten(written_ms)}`,
      'lines have no times: a log is in the window by the times of its run and of its files',
    );
  }
  shell.event({ kind: 'window', window, left_out, written_ms });
  return kept;
}

function isOfRunIn({ start, stop }: Log, window: TimeWindow): boolean {
  const end = stop === undefined ? undefined : stop * 1000;
  return !isBefore(end, window) && !isAfter(Number.isFinite(start) ? start * 1000 : undefined, window);
}

/** Whether a log may have lines of the window; if it ended before, also when, as far as that is known. */
async function whenWritten(log: Log, window: TimeWindow): Promise<{ isIn: boolean; last?: number }> {
  const ends: number[] = log.stop === undefined ? [] : [log.stop * 1000];
  const modified = await modificationOf(log);
  if (modified !== undefined) ends.push(modified);
  // What was copied since has a new time.
  const last = ends.length === 0 ? undefined : Math.min(...ends);
  if (isBefore(last, window)) return { isIn: false, last };
  return { isIn: isOfRunIn(log, window) };
}

/** When the newest file of a log was last written. */
async function modificationOf({ path, directory, source, log_dir }: Log): Promise<number | undefined> {
  const { tree } = log_dir;
  let stat = await tree.stat(path);
  if ('absent' in stat) {
    const [newest] = await listBackups(directory, source.stream, tree);
    if (newest !== undefined) stat = await tree.stat(backupName(path, newest));
  }
  return 'id' in stat ? stat.modified_ms : undefined;
}

const MOST_MISSING = 5;

/** Logs that should be beside others that are there. */
function missingStreams(candidates: readonly LogCandidate[]): Problem[] {
  const problems: Problem[] = [];
  for (const { task, process, goesOn, logs, present } of candidates) {
    if (goesOn || present.length === 0) continue;
    const missing = logs.filter((log) => !present.some(({ path }) => path === log.path));
    for (const { path } of missing.slice(0, MOST_MISSING)) problems.push(whyNoLog(task, process, path));
    if (missing.length <= MOST_MISSING) continue;
    const message = `${missing.length - MOST_MISSING} more logs of ${process.process} of ${task.task_id} are not there`;
    const about = { task_id: task.task_id, process: process.process };
    problems.push({ ...about, code: 'log-missing', severity: 'warning', message });
  }
  return problems;
}

function whyAbsent({ task, process, logs, refused }: LogCandidate): Problem {
  return refused ?? whyNoLog(task, process, logs[0]?.path);
}

/** A reason that applies to several processes is reported once. */
function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

/** Reports absent logs: all of the processes that were named, else only the unusual cases. */
function reportAbsent(absent: readonly LogCandidate[], named: boolean, shell: FollowShell): void {
  const notStarted: LogCandidate[] = [];
  const reasons: Problem[] = [];
  for (const candidate of absent) {
    const reason = whyAbsent(candidate);
    if (reason.code === 'log-not-started' && !named) notStarted.push(candidate);
    else reasons.push(reason);
  }
  for (const reason of distinct(reasons)) shell.report(reason);
  for (const task of new Set(notStarted.map(({ task }) => task))) {
    const processes = notStarted.filter((each) => each.task === task).map(({ process }) => process.process);
    shell.event({ kind: 'not-started', task_id: task.task_id, processes, over: task.done });
  }
}

/** A single reason becomes the message; several are reported beside it. */
function noLog(absent: readonly LogCandidate[], tasks: readonly TaskLogs[]): ThermosError {
  const reasons = distinct(absent.map(whyAbsent));
  const ids = tasks.map(({ task_id }) => task_id).join(', ');
  const [only] = reasons;
  if (only === undefined) {
    return new NotFoundError('no-log', `nothing is known about the processes of ${ids}, so there is no log`);
  }
  if (reasons.length > 1) return new NotFoundError('no-log', `there is no log of ${ids}`, undefined, reasons);
  const { code, message, hint, severity } = only;
  return severity === 'error' ? new SystemError(code, message, hint) : new NotFoundError(code, message, hint);
}
