import { constants } from 'node:os';
import { isTerminalProcessState, isTerminalTaskState } from '../checkpoint/records.js';
import { duration, timestamp } from '../text/age.js';
import { predecessors } from './ordering.js';
import type { ProcessConfig } from './task-file.js';
import type { ProcessView, TaskView } from './view.js';

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** How a process ended, in words: `exit code 7`, `signal 9 (SIGKILL)`. Empty if it isn't recorded. */
export function describeReturnCode(code: number | undefined): string {
  if (code === undefined) return '';
  // The runner records -1 for a process that it ended itself; a coordinator records the same for SIGHUP.
  if (code === -1) return 'ended by the runner (return code -1), or signal 1, SIGHUP';
  if (code < 0) return `signal ${-code}${named(-code)}`;
  if (code > 128 && SIGNALS.has(code - 128)) {
    return `exit code ${code} (from a shell: its command was killed by signal ${code - 128}${named(code - 128)})`;
  }
  return `exit code ${code}`;
}

function named(signal: number): string {
  const name = SIGNALS.get(signal);
  return name === undefined ? '' : `, ${name}`;
}

/** The process that failed first, of those whose last run is FAILED: the one to investigate. */
export function firstFailing(view: TaskView): ProcessView | undefined {
  const failed = view.processes.filter(({ state }) => state === 'FAILED');
  const time = ({ stop_time }: ProcessView) =>
    Number.isFinite(stop_time) ? (stop_time as number) : Infinity;
  return failed.reduce<ProcessView | undefined>(
    (first, process) => (first === undefined || time(process) < time(first) ? process : first),
    undefined,
  );
}

export interface WhyOptions {
  /** Milliseconds since the epoch. */
  now: number;
  /** The last lines of the first failing process's stderr; undefined if it could not be read. */
  stderr: readonly string[] | undefined;
}

/**
 * Explains the state of a task, in lines for display: what the verdict means, which process failed first and how,
 * how much of the failure budget is used, and what each process waits for. Names are as they were read: escape
 * them before they are shown.
 */
export function whyLines(view: TaskView, options: WhyOptions): string[] {
  return [
    ...verdictLines(view, options.now),
    ...failureLines(view, options.stderr),
    ...endedLines(view),
    ...budgetLines(view),
    ...waitingLines(view, options.now),
  ];
}

function verdictLines(view: TaskView, now: number): string[] {
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
      return [`${who} is gone: nobody holds the lock on the checkpoint${silent}.`, ...alive];
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
  if (view.phase === 'finished') {
    return `The task file is in tasks/finished, but the checkpoint ends with ${view.state}: its end was not recorded.`;
  }
  return 'The state of the task cannot be determined from here.';
}

function failureLines(view: TaskView, stderr: readonly string[] | undefined): string[] {
  const process = firstFailing(view);
  if (process === undefined) return [];
  const how = process.pid === undefined ? 'it could not be started' : describeReturnCode(process.return_code);
  const line = `Process ${process.process} failed first: run ${process.runs - 1}${how === '' ? '' : `, ${how}`}${at(process)}.`;
  if (stderr === undefined) return [line];
  if (stderr.length === 0) return [line, 'Its stderr is empty.'];
  return [line, 'Its stderr ends with:', ...stderr.map((text) => `  | ${text}`)];
}

function at({ stop_time }: ProcessView): string {
  return stop_time === undefined ? '' : `, at ${timestamp(stop_time * 1000)}`;
}

/** Lines for processes that were killed, or whose end nobody recorded. */
function endedLines(view: TaskView): string[] {
  const gone = view.verdict === 'runner-gone' || view.verdict === 'host-rebooted';
  const lines: string[] = [];
  for (const { process, state, return_code, pid, coordinator_pid } of view.processes) {
    if (state === 'KILLED') lines.push(`Process ${process} was killed: ${describeReturnCode(return_code)}.`);
    if (state === 'LOST')
      lines.push(
        `Process ${process} was lost: its coordinator died before it could record how the process ended.`,
      );
    if (!gone || (state !== 'RUNNING' && state !== 'FORKED')) continue;
    const last = pid ?? coordinator_pid;
    const alive = last !== undefined && view.leftovers.includes(last);
    lines.push(
      `Process ${process} was ${state} when the runner died; its pid ${last} is ${alive ? 'still alive' : 'not alive'}.`,
    );
  }
  return lines;
}

function budgetLines(view: TaskView): string[] {
  const lines: string[] = [];
  for (const { process, failures, max_failures, state } of view.processes) {
    if (failures === 0) continue;
    if (max_failures === undefined) lines.push(`Process ${process}: ${failures} failed runs.`);
    else if (max_failures === 0)
      lines.push(`Process ${process}: ${failures} failed runs; it may fail any number of times.`);
    else {
      const over = failures >= max_failures && state === 'FAILED' ? ', so it is not run again' : '';
      lines.push(`Process ${process}: ${failures} of ${max_failures} allowed failures used${over}.`);
    }
  }
  const allowed = view.config?.max_failures;
  const failed = failedProcesses(view).length;
  if (failed > 0 && allowed !== undefined) {
    if (allowed === 0) lines.push(`Task: ${failed} failed processes; any number may fail.`);
    else
      lines.push(
        `Task: ${failed} of ${allowed} allowed failed processes used${failed >= allowed ? ', so the task fails' : ''}.`,
      );
  }
  return lines;
}

/** Processes that won't be run again because they failed too often. */
function failedProcesses(view: TaskView): ProcessView[] {
  const ephemeral = new Set(
    view.config?.processes.filter((process) => process.ephemeral).map(({ name }) => name),
  );
  return view.processes.filter(
    ({ process, state, failures, max_failures }) =>
      state === 'FAILED' &&
      !ephemeral.has(process) &&
      (max_failures === undefined || (max_failures > 0 && failures >= max_failures)),
  );
}

function waitingLines(view: TaskView, now: number): string[] {
  const { config } = view;
  if (config === undefined) return [];
  const after = new Map(predecessors(config).map((entry) => [entry.process, entry.after]));
  const byName = new Map(view.processes.map((process) => [process.process, process]));
  const ended = isTerminalTaskState(view.state);
  const over = ended || view.verdict === 'runner-gone' || view.verdict === 'host-rebooted';
  const lines: string[] = [];
  for (const process of config.processes) {
    const current = byName.get(process.name);
    if (current === undefined) continue;
    if (current.runs === 0) {
      const needed = unmet(after.get(process.name), byName);
      lines.push(over ? neverStarted(process, needed, ended) : notYet(process, needed));
    } else if (current.state === 'WAITING' && !over) lines.push(`Process ${process.name} is about to start.`);
    else if (!over) {
      for (const each of pauseLine(process, current, now)) lines.push(each);
    }
  }
  return lines;
}

/** The predecessors that have not succeeded, with their states. */
function unmet(after: readonly string[] = [], byName: ReadonlyMap<string, ProcessView>): string {
  return after
    .filter((before) => byName.get(before)?.state !== 'SUCCESS')
    .map((before) => `${before} (${byName.get(before)?.state})`)
    .join(', ');
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
