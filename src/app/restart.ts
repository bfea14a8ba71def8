import { isLiveProcessState, isTerminalTaskState } from '../checkpoint/records.js';
import { MAX_RUNS } from '../config/planner.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { FoundTask } from '../discovery/found.js';
import { SystemError, ThermosError } from '../errors/errors.js';
import { EXIT, type ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Processes } from '../lifecycle/processes.js';
import type { FoundRunner } from '../lifecycle/runner-process.js';
import type { Changes } from '../task/changes.js';
import type { TaskSource } from '../task/gatherer.js';
import { mayRunAgain } from '../task/run-again.js';
import type { ProcessView, TaskView } from '../task/view.js';
import type { Confirmation } from './confirmation.js';
import { type FoundProcess, findProcess, notRunning, openRun, type ProcessWords } from './one-process.js';
import type { Progress } from './progress.js';
import { type Interrupted, type Replaced, replaceRun } from './replace-run.js';
import type { Pause } from './wait.js';

export interface RestartOptions extends ProcessWords {
  /** How long the process may take to end after SIGTERM; milliseconds. */
  readonly graceMs: number;
  /** How long to wait for the next run beyond `min_duration`; milliseconds. Undefined: not at all. */
  readonly waitMs: number | undefined;
  /** Who asks, for those who look at the task later. */
  readonly by: string;
}

export interface RestartPorts {
  readonly confirmation: Confirmation<readonly TaskView[]>;
  readonly progress: Progress;
  source(found: FoundTask): TaskSource;
  /** Closed at the end. */
  readonly changes: Changes;
  readonly pause: Pause;
  /** Milliseconds since the epoch. */
  now(): number;
  notice(text: string): void;
  readonly processes: Processes;
}

/** A run of a process, as it is recorded. */
export interface RunNow {
  readonly run: number;
  readonly state: ProcessView['state'];
  readonly pid?: number;
}

export interface Restarted {
  readonly task_id: string;
  readonly root: string;
  readonly process: string;
  readonly was: { readonly run: number; readonly pid: number };
  /** `killed`: it did not end in time. */
  readonly ended: 'terminated' | 'killed';
  /** The next run; undefined if nobody waited for it. */
  readonly now?: RunNow;
  readonly signalled: readonly number[];
  readonly problems: readonly Problem[];
}

/** The death of a runner changes no file, so the state is read again after this time at the latest. */
const LOOK_MS = 1000;

/**
 * Ends the run of a process of a live task so that its runner runs it again without counting a failure, and waits for the
 * next run. Resolves to the exit code of a signal that comes first. Rejects as `findProcess`, `openRun` and `replaceRun`;
 * with SystemError `restart-refused` if the process would not run again; with `process-not-restarted` if the old run ended
 * but no next one can come; with `timeout` if it does not come in time.
 */
export async function restartProcess(
  options: RestartOptions,
  ports: RestartPorts,
): Promise<Restarted | ExitCode> {
  const question = (taskId: string) => `Restart process ${options.process} of ${taskId}?`;
  const look = (task: FoundTask) => ports.source(task).read();
  const found = await findProcess(options, look, question, ports.confirmation);
  const { view, process } = found;
  const why = whyNoRestart(view, process);
  if (why !== undefined) throw why;
  const { task, run, index } = openRun(found, ports.processes);
  let replaced: Replaced | Interrupted;
  try {
    refuseRunner(task.runner(), view);
    ports.progress.start(`ending run ${index} of ${process.process}`);
    replaced = await replaceRun({ task, run, index }, options, ports);
  } finally {
    task.close();
  }
  const ends = `run ${index} of process ${process.process}`;
  if ('interrupted' in replaced) {
    if (replaced.wasAsked)
      ports.notice(`interrupted: ${ends} was sent SIGTERM; its end counts as if it had ended by itself`);
    return replaced.interrupted as ExitCode;
  }
  const now = options.waitMs === undefined ? undefined : await nextRun(found, index, options.waitMs, ports);
  if (typeof now === 'number') {
    ports.notice(`interrupted: ${ends} ended, and its runner starts the next one`);
    return now as ExitCode;
  }
  const { task_id, root } = view;
  const { ended, signalled, problems } = replaced;
  return {
    task_id,
    root: root.path,
    process: process.process,
    was: { run: index, pid: run.pid },
    ended,
    now,
    signalled,
    problems: [...found.problems, ...problems],
  };
}

/** Why a process cannot be restarted by the rules of its task; undefined if it can. Pure. */
export function whyNoRestart(view: TaskView, process: ProcessView): ThermosError | undefined {
  const { task_id, state, config, root, verdict } = view;
  const { process: name, runs } = process;
  const run = runs - 1;
  if (isTerminalTaskState(state)) return notRunning(`task ${task_id} is over: ${state}`);
  if (verdict === 'runner-gone' || verdict === 'host-rebooted') {
    const again = thermosCommand(['run', '--task-id', task_id], rootFlagsOf(root), ['CONFIG']);
    return refused(
      `task ${task_id} has no live runner that would run ${name} again`,
      `resume the task with its config: ${again}`,
    );
  }
  if (state !== 'ACTIVE')
    return refused(`task ${task_id} is ${state}: it is ending, and does not run a process again`);
  if (runs === 0) return notRunning(`process ${name} has never started: it waits for its turn`);
  if (process.state === 'FORKED' || process.state === 'WAITING')
    return notRunning(`process ${name} is not running yet: run ${run} is ${process.state}, about to start`);
  if (!isLiveProcessState(process.state)) {
    const settings = config?.processes.find((each) => each.name === name);
    if (mayRunAgain(process, settings, true))
      return notRunning(
        `process ${name} is not running: run ${run} ended ${process.state}, and its runner runs it again by itself`,
      );
    const only = 'a process that is done runs again only with its whole task';
    return notRunning(`process ${name} is done: run ${run} ended ${process.state}`, only);
  }
  if (runs >= MAX_RUNS) {
    const hint = `signal it instead: ${thermosCommand(['signal'], rootFlagsOf(root), [task_id, name, 'TERM'])}`;
    return refused(
      `process ${name} has run ${runs} times: a runner runs a process at most ${MAX_RUNS} times`,
      hint,
    );
  }
  return undefined;
}

/** A runner need not be ours to look into: that it is alive is enough. */
function refuseRunner(runner: FoundRunner, { task_id, runner: recorded }: TaskView): void {
  switch (runner.kind) {
    case 'none':
      throw refused(`the runner of task ${task_id} has just gone`);
    case 'ending':
      throw refused(`task ${task_id} is ending`);
    case 'unknown':
      if (recorded?.alive === true) return;
      throw refused(`the runner of task ${task_id} cannot be determined: ${runner.why}`);
    default:
      if (runner.halt === undefined) return;
      throw refused(
        `the runner of task ${task_id} (process ${runner.pid}) is ${runner.halt}: it would not run the process again`,
        runner.halt === 'stopped' ? `continue it: kill -CONT ${runner.pid}` : undefined,
      );
  }
}

function refused(why: string, hint?: string): SystemError {
  return new SystemError('restart-refused', why, hint);
}

/** Waits until the run after `index` is RUNNING. Resolves to the exit code of a signal that comes first. */
async function nextRun(
  { found, view, process: { process: name } }: FoundProcess,
  index: number,
  waitMs: number,
  { source: sourceOf, changes, pause, processes, progress }: RestartPorts,
): Promise<RunNow | number> {
  const settings = view.config?.processes.find((each) => each.name === name);
  const pauseMs = (settings?.min_duration ?? 0) * 1000;
  const ended = `run ${index} of process ${name} ended`;
  progress.start(`${ended}, waiting for run ${index + 1}`);
  const source = sourceOf(found);
  const deadline = processes.clock() + pauseMs + waitMs;
  try {
    for (;;) {
      const now = await source.read();
      const process = now.processes.find((each) => each.process === name);
      const run = (process?.runs ?? 0) - 1;
      // Its state may have moved on since.
      if (process !== undefined && run > index && process.start_time !== undefined)
        return { run, state: process.state, pid: process.pid };
      const why = whyNever(now, process);
      if (why !== undefined)
        throw new SystemError('process-not-restarted', `${ended}, but it is not run again: ${why}`);
      const left = deadline - processes.clock();
      if (left <= 0) {
        const next = run > index ? `run ${run} is ${process?.state}` : `run ${index + 1} has not started`;
        const message = `timed out: ${ended}, but ${next}`;
        throw new ThermosError('timeout', message, { exitCode: EXIT.timeout });
      }
      changes.watch(source.streams);
      const exitCode = await pause(changes.changes(Math.min(left, LOOK_MS)));
      if (exitCode !== undefined) return exitCode;
      changes.take();
    }
  } finally {
    changes.close();
  }
}

function whyNever(view: TaskView, process: ProcessView | undefined): string | undefined {
  const { state, verdict } = view;
  if (verdict === 'runner-gone' || verdict === 'host-rebooted') return 'the runner of the task is gone';
  if (isTerminalTaskState(state) || state === 'CLEANING' || state === 'FINALIZING')
    return `the task is ${state}`;
  if (process === undefined || isLiveProcessState(process.state)) return undefined;
  const settings = view.config?.processes.find(({ name }) => name === process.process);
  const isDone = process.state === 'SUCCESS' || process.state === 'FAILED';
  return isDone && !mayRunAgain(process, settings, true) ? `it is ${process.state}` : undefined;
}
