import { NotFoundError, SystemError, type ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import type { Stream } from '../layout/log-paths.js';
import { candidatesOf, type LogCandidate } from './candidate.js';
import { chooseProcesses, type RunChoice } from './choose.js';
import { Follower, type FollowShell } from './follower.js';
import type { LineMode } from './line-output.js';
import { byStart } from './log.js';
import { type LogPath, logPaths } from './log-paths.js';
import { LogPrinter, type Naming, type PrefixOf } from './log-printer.js';
import { whyNoLog } from './missing.js';
import type { TaskLogSource, TaskLogs } from './task-logs.js';

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
  /** Gives the prefix of each line if several logs are printed together; undefined: no prefix. */
  prefixOf: PrefixOf | undefined;
  json: boolean;
}

/**
 * Prints the last lines of the logs of tasks and then, when following, new lines until the logs can't grow any more.
 * Returns the exit code. Throws NotFoundError if a process or run doesn't exist, or, with the reason, if there is no
 * log at all.
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
  };
  const tasks = await readAll(sources);
  const candidates = await chooseLogs(tasks, options);
  const absent = candidates.filter(({ present }) => present.length === 0);
  const following = candidates.some(({ goesOn }) => goesOn);
  if (absent.length === candidates.length && !following) throw noLog(absent, tasks);
  // The logs can be read, so a state that can't be read is only a warning.
  for (const problem of tasks.flatMap(({ problems }) => problems))
    shell.report({ ...problem, severity: 'warning' });
  reportAbsent(absent, options.processes.length > 0, shell);

  const naming = namingOf(tasks, options.streams);
  const printer = new LogPrinter(shell, modeOf(candidates, options), naming, options.prefixOf ?? (() => ''));
  let exitCode: number = EXIT.ok;
  if (following) {
    const followed = tasks.map((task, i) => ({ task, source: sources[i] as TaskLogSource }));
    exitCode = await new Follower(followed, options, printer, shell).run(candidates);
  } else {
    const present = byStart(candidates.flatMap((candidate) => candidate.present));
    for (const log of present) await printer.open(log).start(options.lines, false);
    if (printer.printed === 0 && options.lines !== 0 && !hasError(problems)) shell.event({ kind: 'empty' });
    if (options.follow) shell.event({ kind: 'not-followed', task_ids: tasks.map(({ task_id }) => task_id) });
  }
  return exitCode === EXIT.ok && hasError(problems) ? EXIT.partial : exitCode;
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

/** Raw bytes are printed only if no second log can appear. */
function modeOf(candidates: readonly LogCandidate[], { json, prefixOf, streams }: TailOptions): LineMode {
  if (json) return 'json';
  let logs = 0;
  for (const { goesOn, present } of candidates) {
    logs += goesOn ? Math.max(present.length, streams.length) : present.length;
  }
  if (logs <= 1) return 'raw';
  return prefixOf === undefined ? 'lines' : 'prefix';
}

function namingOf(tasks: readonly TaskLogs[], streams: readonly Stream[]): Naming {
  const ids = new Set(tasks.map(({ task_id }) => task_id));
  return { root: ids.size < tasks.length, task: ids.size > 1, stream: streams.length > 1 };
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
  if (notStarted.length === 0) return;
  shell.event({
    kind: 'not-started',
    processes: notStarted.map(({ process }) => process.process),
    over: notStarted.every(({ task }) => task.done),
  });
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
