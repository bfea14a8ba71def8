import {
  isTerminalProcessState,
  isTerminalTaskState,
  type ProcessState,
  type ProcessStatus,
} from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import { mayRunAgain } from './run-again.js';
import { unknownProcess } from './unknown-process.js';
import type { TaskView } from './view.js';

/** What to wait for: a process reaches a state. */
export interface Condition {
  process: string;
  state: ProcessState;
}

/** `never`: the condition can no longer be met, and why. */
export type ConditionState = { kind: 'pending' } | { kind: 'met' } | { kind: 'never'; why: string };

const PENDING: ConditionState = { kind: 'pending' };

/** True when nothing more will be written about the task: its end is recorded and its runner is done. */
export function isOver({ state, phase, runner }: TaskView): boolean {
  return isTerminalTaskState(state) && (phase === 'finished' || runner?.alive !== true);
}

/**
 * The state of a condition. A state that a run has passed through counts (a SUCCEEDED run was RUNNING), so that none
 * is missed between two reads. Only runs from number `since` on count: the latest run when the wait began.
 * Throws NotFoundError for a process that is not in the task.
 */
export function conditionState(view: TaskView, { process, state }: Condition, since: number): ConditionState {
  const known = view.processes.find((each) => each.process === process);
  if (known === undefined) {
    // Without the task file, a process is unknown until its first record.
    if (view.config === undefined && !isOver(view)) return PENDING;
    throw unknownProcess(view, process);
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

/** The number of the latest run of a process, to pass to `conditionState` later. */
export function latestRun(view: TaskView, { process }: Condition): number {
  return (view.processes.find((each) => each.process === process)?.runs ?? 0) - 1;
}

function passed(run: ProcessStatus, state: ProcessState): boolean {
  if (isTerminalProcessState(state)) return run.state === state;
  if (state === 'WAITING') return true;
  return state === 'FORKED' ? run.coordinator_pid !== undefined : run.pid !== undefined;
}
