import {
  isTerminalProcessState,
  isTerminalTaskState,
  type ProcessState,
  type ProcessStatus,
} from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import { NotFoundError } from '../errors/errors.js';
import { mayRunAgain } from './run-again.js';
import type { TaskView } from './view.js';

/** What is waited for: that a process comes into a state. */
export interface Condition {
  process: string;
  state: ProcessState;
}

/** `never`: it can't happen any more, and why. */
export type Standing = { kind: 'pending' } | { kind: 'met' } | { kind: 'never'; why: string };

const PENDING: Standing = { kind: 'pending' };

/** True when nothing will be written about the task any more: its end is recorded and its runner is done. */
export function isOver({ state, phase, runner }: TaskView): boolean {
  return isTerminalTaskState(state) && (phase === 'finished' || runner?.alive !== true);
}

/**
 * How a condition stands. A state that a run has passed through counts (who SUCCEEDED was RUNNING), so that none
 * is missed between two looks; of the runs only those from `since` on, the one that was the latest when the
 * waiting began. Throws NotFoundError for a process that is not in the task.
 */
export function standingOf(view: TaskView, { process, state }: Condition, since: number): Standing {
  const known = view.processes.find((each) => each.process === process);
  if (known === undefined) {
    // Without the task file, a process is known from its first record on.
    if (view.config === undefined && !isOver(view)) return PENDING;
    const names = view.processes.map((each) => each.process).join(', ');
    throw new NotFoundError(
      'process-not-found',
      `task ${view.task_id} has no process ${process}`,
      names === '' ? undefined : `there are ${names}`,
    );
  }
  if (state === 'WAITING' && known.runs === 0) return { kind: 'met' };
  const history = view.history.get(process);
  const runs = history === undefined ? [] : numberedRuns(history);
  if (runs.some(({ run, n }) => n >= since && passed(run, state))) return { kind: 'met' };
  const settings = view.config?.processes.find(({ name }) => name === process);
  if (
    isOver(view) ||
    (view.runner?.alive === true && !mayRunAgain(known, settings, view.state === 'ACTIVE'))
  ) {
    return { kind: 'never', why: `process ${process} is ${known.state} and will not be run again` };
  }
  return PENDING;
}

/** Which run of a process is the latest, to be given to `standingOf` later. */
export function latestRun(view: TaskView, { process }: Condition): number {
  return (view.processes.find((each) => each.process === process)?.runs ?? 0) - 1;
}

function passed(run: ProcessStatus, state: ProcessState): boolean {
  if (isTerminalProcessState(state)) return run.state === state;
  if (state === 'WAITING') return true;
  return state === 'FORKED' ? run.coordinator_pid !== undefined : run.pid !== undefined;
}
