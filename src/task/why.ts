import { isTerminalProcessState, isTerminalTaskState, type ProcessStatus } from '../checkpoint/records.js';
import type { ProblemCode } from '../errors/codes.js';
import type { Stream } from '../layout/log-paths.js';
import type { Reason } from '../layout/reasons.js';
import { duration, timestamp } from '../text/age.js';
import { endedWithTask, endingOf, isLate } from './ending.js';
import { predecessors } from './ordering.js';
import { describeReturnCode } from './return-code.js';
import type { ProcessConfig } from './task-file.js';
import { isUnstarted, type ProcessView, type TaskView } from './view.js';

/**
 * The process to investigate: the one that failed first, of those whose last run failed by itself; if there is none, a
 * final process that failed.
 */
export function firstFailing(view: TaskView): ProcessView | undefined {
  const { failed, failedFinal } = endsOf(view);
  return earliest(failed) ?? earliest(failedFinal);
}

function earliest(processes: readonly ProcessView[]): ProcessView | undefined {
  const time = ({ stop_time }: ProcessView) =>
    Number.isFinite(stop_time) ? (stop_time as number) : Infinity;
  return processes.reduce<ProcessView | undefined>(
    (first, process) => (first === undefined || time(process) < time(first) ? process : first),
    undefined,
  );
}

/** The processes of a task, by how their last runs ended. */
interface ProcessEnds {
  readonly isFinal: (process: string) => boolean;
  /** Those that failed by themselves, before the task began to end. */
  readonly failed: readonly ProcessView[];
  readonly failedFinal: readonly ProcessView[];
  /** Those that failed or were killed because the task was ended. */
  readonly withTask: ReadonlySet<ProcessView>;
}

function endsOf({ statuses, processes, config }: TaskView): ProcessEnds {
  const ending = endingOf(statuses);
  const final = new Set(config?.processes.filter((process) => process.final).map(({ name }) => name));
  const failed: ProcessView[] = [];
  const failedFinal: ProcessView[] = [];
  const withTask = new Set<ProcessView>();
  for (const process of processes) {
    const { state } = process;
    if (state !== 'FAILED' && state !== 'KILLED') continue;
    if (endedWithTask(process, final.has(process.process), ending)) withTask.add(process);
    else if (state === 'FAILED') {
      // Without a task file, a process that ends late by itself is a final one.
      const isFinal = final.has(process.process) || isLate(process, ending);
      (isFinal ? failedFinal : failed).push(process);
    }
  }
  return { isFinal: (process) => final.has(process), failed, failedFinal, withTask };
}

/** The last lines of a log; undefined if there is none or it could not be read. */
export type LastOutput = Readonly<Partial<Record<Stream, readonly string[]>>>;

export interface WhyOptions {
  /** Milliseconds since the epoch. */
  now: number;
  /** Of the process that `firstFailing` returns. */
  output: LastOutput;
  /** What shows that the runner is gone, if it is: nobody holds its lock, or for a task elsewhere its executor is gone, unless this says something else. */
  goneBecause?: string;
}

/** How many processes with the same fate are named; the others are counted. */
const MOST_NAMED = 3;

/** At least two lines are folded into one. */
function folded(lines: readonly string[], rest: (count: number) => string): readonly string[] {
  if (lines.length <= MOST_NAMED + 1) return lines;
  return [...lines.slice(0, MOST_NAMED), rest(lines.length - MOST_NAMED)];
}

/**
 * Explains the state of a task, in lines for display: what the verdict means, which process failed first and how,
 * how much of the failure budget is used, and what each process waits for. Names are as they were read: escape
 * them before they are shown.
 */
export function whyLines(
  view: TaskView,
  { now, output, goneBecause = becauseOf(view) }: WhyOptions,
): string[] {
  const ends = endsOf(view);
  return [
    ...verdictLines(view, now, goneBecause),
    ...reasonLines(view),
    ...failureLines(view, ends, output),
    ...endedLines(view, ends),
    ...budgetLines(view, ends),
    ...waitingLines(view, ends, now),
  ];
}

const NO_LOCK = 'nobody holds the lock on the checkpoint';

/** What stands for the lock, which only the host of a task sees. */
export const EXECUTOR_GONE = 'its executor is not among those that the agent runs';

function becauseOf({ root }: TaskView): string {
  return root.agent === undefined ? NO_LOCK : EXECUTOR_GONE;
}

function verdictLines(view: TaskView, now: number, goneBecause: string): string[] {
  const { verdict, runner, state, leftovers } = view;
  const who = runner?.pid === undefined ? 'The runner' : `The runner (pid ${runner.pid})`;
  const silent =
    view.silent_since_ms === undefined
      ? ''
      : `; its checkpoint has been silent for ${duration(now - view.silent_since_ms)}`;
  const alive = leftovers.length > 0 ? [`Still alive in this task: pid ${leftovers.join(', ')}.`] : [];
  switch (verdict) {
    case 'runner-gone':
      if (isTerminalTaskState(state)) {
        return [`The task ended ${state}, but its task file was never moved to tasks/finished.`, ...alive];
      }
      return [`${who} is gone: ${goneBecause}${silent}.`, ...alive];
    case 'host-rebooted':
      return [
        `${who} is gone: it took over at ${timestamp(view.state_timestamp_ms)}, before this host was started${silent}.`,
        ...alive,
      ];
    case 'leftovers':
      return [`The task is over (${state}), but some of its processes are still alive.`, ...alive];
    case 'foreign-pids':
      return [
        `${who} runs in another pid namespace (a container): the recorded pids mean nothing on this host.`,
      ];
    case 'unknown':
      return [unknownReason(view)];
    case 'ok':
      if (isTerminalTaskState(state))
        return [`The task ended ${state} at ${timestamp(view.state_timestamp_ms)}.`];
      return [`${who} is alive; the task has been ${state} since ${timestamp(view.state_timestamp_ms)}.`];
  }
}

function unknownReason(view: TaskView): string {
  if (view.found.unreadable)
    return 'The sandbox of the task cannot be entered: only the name of the task is known.';
  const problem = view.problems.find(({ severity }) => severity === 'error');
  if (problem !== undefined) return `The state of the task is unknown: ${problem.message}.`;
  if (isUnstarted(view)) {
    const runner = 'its runner is about to record its first status, or died before it could';
    return `The task has not started: ${runner}. gc removes what is left of it after --orphan-age.`;
  }
  if (view.phase === 'finished') {
    return `The task file is in tasks/finished, but the checkpoint ends with ${view.state}: its end was not recorded.`;
  }
  return 'The state of the task cannot be determined from here.';
}

/** Why a task did not succeed, in a few words; undefined if that is not known. Pure. */
export function reasonText(view: TaskView): string | undefined {
  if (view.state !== 'FAILED') return requestOf(view)?.words;
  const process = earliest(endsOf(view).failed);
  return process && `process ${process.process}, ${howItFailed(process, view.reasons)}`;
}

function howItFailed(process: ProcessView, reasons: readonly Reason[]): string {
  const { pid, runs, return_code } = process;
  const run = `run ${runs - 1}`;
  if (pid === undefined) {
    const known = reasonFor(process.process, runs - 1, 'process-not-started', reasons);
    return `${run}, it could not be started${known === undefined ? '' : `: ${known.message}`}`;
  }
  const how = describeReturnCode(return_code);
  return how === '' ? run : `${run}, ${how}`;
}

/** Who asked for the end of a run, to restart its process: such a run is recorded as LOST. Pure. */
export function restartOf(process: string, run: number, reasons: readonly Reason[]): Reason | undefined {
  return reasons.findLast((each) => each.code === RESTART && each.process === process && each.run === run);
}

function byUser({ by }: Reason): string {
  return by === undefined ? '' : `, user ${by}`;
}

/** Why a run ended, if its stream does not say: it could not be started, was lost, or restarted. Pure. */
export function reasonOfRun(
  process: string,
  run: number,
  { state, pid }: ProcessStatus,
  reasons: readonly Reason[],
): string | undefined {
  if (state === 'LOST') {
    const restart = restartOf(process, run, reasons);
    if (restart !== undefined) return `${restart.message}${byUser(restart)}`;
    return reasonFor(process, run, 'process-lost', reasons)?.message;
  }
  if (state !== 'FAILED' || pid !== undefined) return undefined;
  return reasonFor(process, run, 'process-not-started', reasons)?.message;
}

/** The latest reason of this kind for the end of a process; its last run may only record that it is not tried again. */
function reasonFor(
  process: string,
  run: number,
  code: ProblemCode,
  reasons: readonly Reason[],
): Reason | undefined {
  return reasons.findLast(
    (each) => each.code === code && each.process === process && (each.run ?? run) >= run - 1,
  );
}

/** Who or what asked for the end of a task: the user, if one of the reasons names one. */
function requestOf({ reasons }: TaskView): { words: string; reason: Reason } | undefined {
  const all = reasons.filter(({ code }) => REQUESTS.includes(code));
  const reason = all.find(({ by }) => by !== undefined) ?? all[0];
  if (reason === undefined) return undefined;
  return { reason, words: `${reason.message}${byUser(reason)}` };
}

const REQUESTS: readonly string[] = ['task-killed', 'task-lost'] satisfies ProblemCode[];
const RESTART = 'process-restarted' satisfies ProblemCode;
/** Part of what is said about their processes. */
const OF_PROCESSES: readonly string[] = ['process-not-started', 'process-lost'] satisfies ProblemCode[];

/** Reasons that are not part of another line. */
function reasonLines(view: TaskView): string[] {
  const request = requestOf(view);
  const asked =
    request === undefined
      ? []
      : [`It was asked to end at ${timestamp(request.reason.time_ms)}, by ${request.words}.`];
  const first = firstFailing(view);
  const own = new Set(view.processes.map(({ process }) => process));
  const others = view.reasons.flatMap((reason) => {
    const { code, process, message, time_ms, run } = reason;
    if (REQUESTS.includes(code)) return [];
    if (process === undefined) return [`Reported at ${timestamp(time_ms)}: ${message}.`];
    if (!own.has(process)) return [];
    if (code === RESTART) {
      const what = run === undefined ? `Process ${process}` : `Run ${run} of process ${process}`;
      return [`${what} was restarted at ${timestamp(time_ms)}, by ${message}${byUser(reason)}.`];
    }
    if (code === 'process-run-cap') return [`Process ${process} is not run again: ${message}.`];
    if (code === 'process-not-started' && process !== first?.process) {
      return [`Process ${process} could not be started: ${message}.`];
    }
    return OF_PROCESSES.includes(code) ? [] : [`Reported about process ${process}: ${message}.`];
  });
  return [...asked, ...folded(others, (count) => `${count} more reports.`)];
}

function failureLines(
  { reasons }: TaskView,
  { failed, failedFinal }: ProcessEnds,
  output: LastOutput,
): string[] {
  const first = earliest(failed);
  const process = first ?? earliest(failedFinal);
  if (process === undefined) return [];
  const what = first === undefined ? 'failed, which does not change how the task ends' : 'failed first';
  const line = `Process ${process.process} ${what}: ${howItFailed(process, reasons)}${at(process)}.`;
  return [line, ...outputLines(output)];
}

/** Many programs report their errors on stdout. */
function outputLines({ stderr, stdout }: LastOutput): string[] {
  const quoted = (lines: readonly string[]) => lines.map((text) => `  | ${text}`);
  if (stderr !== undefined && stderr.length > 0) return ['Its stderr ends with:', ...quoted(stderr)];
  if (stdout !== undefined && stdout.length > 0) {
    return [
      stderr === undefined ? 'Its stdout ends with:' : 'Its stderr is empty; its stdout ends with:',
      ...quoted(stdout),
    ];
  }
  if (stderr === undefined) return stdout === undefined ? [] : ['Its stdout is empty.'];
  return [stdout === undefined ? 'Its stderr is empty.' : 'Its stderr and stdout are empty.'];
}

function at({ stop_time }: ProcessView): string {
  return stop_time === undefined ? '' : `, at ${timestamp(stop_time * 1000)}`;
}

/** Lines for processes that were ended, or whose end nobody recorded. */
function endedLines(view: TaskView, { withTask }: ProcessEnds): string[] {
  const gone = view.verdict === 'runner-gone' || view.verdict === 'host-rebooted';
  const ended: string[] = [];
  const killed: string[] = [];
  const lost: string[] = [];
  const open: string[] = [];
  for (const each of view.processes) {
    const { process, state, return_code, pid, coordinator_pid } = each;
    if (withTask.has(each)) {
      const how = state === 'KILLED' ? describeReturnCode(return_code, true) : `exit code ${return_code}`;
      ended.push(`Process ${process} was ended with the task: ${how}.`);
    } else if (state === 'KILLED') {
      killed.push(`Process ${process} was killed: ${describeReturnCode(return_code, false)}.`);
    } else if (state === 'LOST' && restartOf(process, each.runs - 1, view.reasons) === undefined) {
      const known = reasonFor(process, each.runs - 1, 'process-lost', view.reasons);
      lost.push(
        `Process ${process} was lost: ${known?.message ?? 'its coordinator died before it could record how the process ended'}.`,
      );
    } else if (gone && (state === 'RUNNING' || state === 'FORKED')) {
      const last = pid ?? coordinator_pid;
      const alive = last !== undefined && view.leftovers.includes(last);
      open.push(
        `Process ${process} was ${state} when the runner died; its pid ${last} is ${alive ? 'still alive' : 'not alive'}.`,
      );
    }
  }
  return [
    ...folded(ended, (count) => `${count} more processes were ended with the task.`),
    ...folded(killed, (count) => `${count} more processes were killed.`),
    ...folded(lost, (count) => `${count} more processes were lost.`),
    ...folded(open, (count) => `${count} more processes were running when the runner died.`),
  ];
}

function budgetLines(view: TaskView, { failed, withTask }: ProcessEnds): string[] {
  const lines: string[] = [];
  for (const each of view.processes) {
    const { process, max_failures, state } = each;
    // What the end of the task did to a process is not its failure.
    const failures = each.failures - (state === 'FAILED' && withTask.has(each) ? 1 : 0);
    if (failures <= 0) continue;
    if (max_failures === undefined) lines.push(`Process ${process}: ${failures} failed runs.`);
    else if (max_failures === 0)
      lines.push(`Process ${process}: ${failures} failed runs; it may fail any number of times.`);
    else {
      const over = failures >= max_failures && state === 'FAILED' ? ', so it is not run again' : '';
      lines.push(`Process ${process}: ${failures} of ${max_failures} allowed failures used${over}.`);
    }
  }
  const budgets = folded(lines, (count) => `${count} more processes have failed runs.`);
  const allowed = view.config?.max_failures;
  const count = outOfFailures(view, failed);
  if (count === 0 || allowed === undefined) return [...budgets];
  if (allowed === 0) return [...budgets, `Task: ${count} failed processes; any number may fail.`];
  const isFate = count >= allowed && view.state !== 'KILLED' && view.state !== 'LOST';
  return [
    ...budgets,
    `Task: ${count} of ${allowed} allowed failed processes used${isFate ? ', so the task fails' : ''}.`,
  ];
}

/** How many processes are not run again because they failed too often. */
function outOfFailures({ config }: TaskView, failed: readonly ProcessView[]): number {
  const ephemeral = new Set(config?.processes.filter((process) => process.ephemeral).map(({ name }) => name));
  return failed.filter(
    ({ process, failures, max_failures }) =>
      !ephemeral.has(process) &&
      (max_failures === undefined || (max_failures > 0 && failures >= max_failures)),
  ).length;
}

function waitingLines(view: TaskView, { isFinal }: ProcessEnds, now: number): string[] {
  const { config } = view;
  if (config === undefined) return [];
  const after = new Map(predecessors(config).map((entry) => [entry.process, entry.after]));
  const byName = new Map(view.processes.map((process) => [process.process, process]));
  const ended = isTerminalTaskState(view.state);
  const over = ended || view.verdict === 'runner-gone' || view.verdict === 'host-rebooted';
  // While a task is being ended, only its final processes run.
  const isEnding = view.state === 'CLEANING' || view.state === 'FINALIZING';
  const never: string[] = [];
  const waiting: string[] = [];
  for (const process of config.processes) {
    const current = byName.get(process.name);
    if (current === undefined) continue;
    const runsNoMore = over || (isEnding && !isFinal(process.name));
    if (current.runs === 0) {
      const needed = unmet(after.get(process.name), byName);
      if (over) never.push(neverStarted(process, needed, ended));
      else if (runsNoMore) never.push(`Process ${process.name} never started: the task is being ended.`);
      else waiting.push(notYet(process, needed));
    } else if (current.state === 'WAITING' && !runsNoMore) {
      waiting.push(`Process ${process.name} is about to start.`);
    } else if (!runsNoMore) {
      for (const each of pauseLine(process, current, now)) waiting.push(each);
    }
  }
  return [
    ...folded(never, (count) => `${count} more processes never started.`),
    ...folded(waiting, (count) => `${count} more processes wait.`),
  ];
}

/** The predecessors that have not succeeded, with their states. */
function unmet(after: readonly string[] = [], byName: ReadonlyMap<string, ProcessView>): string {
  const names = after.filter((before) => byName.get(before)?.state !== 'SUCCESS');
  const words = names.slice(0, MOST_NAMED).map((name) => `${name} (${byName.get(name)?.state})`);
  return [...words, ...(names.length > MOST_NAMED ? [`${names.length - MOST_NAMED} more`] : [])].join(', ');
}

function neverStarted({ name }: ProcessConfig, needed: string, ended: boolean): string {
  if (needed !== '') return `Process ${name} never started: it needed ${needed}.`;
  return `Process ${name} never started${ended ? '' : ': the runner died first'}.`;
}

function notYet({ name, final }: ProcessConfig, needed: string): string {
  if (needed !== '') return `Process ${name} waits for ${needed}.`;
  if (final) return `Process ${name} is final: it runs when all others are done.`;
  return `Process ${name} has not started yet.`;
}

/** A process that will run again waits until `min_duration` seconds have passed since its last run ended. */
function pauseLine({ name, min_duration }: ProcessConfig, current: ProcessView, now: number): string[] {
  if (!isTerminalProcessState(current.state) || current.state === 'SUCCESS') return [];
  if (current.stop_time === undefined || min_duration === undefined) return [];
  if (current.state === 'FAILED' && current.max_failures !== undefined) {
    if (current.max_failures > 0 && current.failures >= current.max_failures) return [];
  }
  const left = (current.stop_time + min_duration) * 1000 - now;
  return left > 0 ? [`Process ${name} runs again in ${duration(left)} (min_duration ${min_duration}s).`] : [];
}
