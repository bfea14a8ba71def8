import { isTerminalTaskState } from '../checkpoint/records.js';
import { LAYOUTS } from '../layout/layouts.js';
import type { Expected, ReconcileAction } from './reconcile.js';
import type { Silence, Subject } from './subject.js';

/** How to finalize a task whose runner died. */
export interface Finalization {
  was: string;
  becomes: string;
  /** False: it is over, and only its task file remains to be moved. */
  record: boolean;
  /** The pid of its live runner, which is asked to end it; only for the scheduler. */
  signal?: number;
}

/** How gc treats a task: it may be collected (with `always` regardless of the limits), is finalized, or left alone. */
export type Disposition =
  | { kind: 'over'; always?: string }
  | { kind: 'finalize'; reason: string; finalization: Finalization }
  | { kind: 'left' };

type Facts = Pick<
  Subject,
  | 'phase'
  | 'state'
  | 'layout'
  | 'marked'
  | 'stream'
  | 'taskFile'
  | 'damaged'
  | 'headless'
  | 'runnerPid'
  | 'launchedAt'
>;

const LEFT: Disposition = { kind: 'left' };

/** A runner that was started more recently may not have reported to the scheduler yet (gc_executor.py). */
export const LEAST_KILL_AGE_MS = 10 * 60_000;

/** The disposition of a task without a scheduler. `pulled`: nothing is left of its executor. Pure, like all here. */
export function dispositionOf(
  task: Facts,
  silence: Silence,
  pulled: boolean,
  ago: (since: number) => string,
): Disposition {
  if (task.phase === 'finished') return { kind: 'over', always: always(task, pulled) };
  if (silence.state !== 'silent') return LEFT;
  const flaw = streamFlaw(task);
  if (flaw !== undefined) return { kind: 'over', always: `${flaw}, silent for ${ago(silence.since)}` };
  return orphan(task, 'LOST', `its runner is gone, silent for ${ago(silence.since)}`);
}

/** The disposition of a task that the scheduler wants to end or no longer knows. */
export function dispositionForScheduler(
  task: Facts,
  silence: Silence,
  action: ReconcileAction,
  expected: Expected | string,
  now: number,
): Disposition {
  if (action === 'collect') return { kind: 'over', always: 'the scheduler does not know it' };
  if (action !== 'kill') return LEFT;
  const reason = `the scheduler lists it as ${expected}`;
  if (now - (task.launchedAt ?? silence.since) < LEAST_KILL_AGE_MS) return LEFT;
  if (silence.state === 'alive') {
    const finalization: Finalization = { was: task.state, becomes: 'KILLED', record: false };
    if (task.runnerPid !== undefined) finalization.signal = task.runnerPid;
    return { kind: 'finalize', reason, finalization };
  }
  const flaw = streamFlaw(task);
  if (flaw === undefined) return orphan(task, 'KILLED', reason);
  return now - silence.since >= LEAST_KILL_AGE_MS ? { kind: 'over', always: `${reason}; ${flaw}` } : LEFT;
}

/** Why a finished task goes regardless of the limits, if it does. */
function always({ marked, stream, taskFile, layout }: Facts, pulled: boolean): string | undefined {
  if (marked) return 'an earlier gc of it was interrupted';
  if (stream === 'absent' && taskFile !== undefined) return 'its checkpoint is gone already';
  return pulled && !LAYOUTS[layout].ownsSandboxes ? "its executor's directory is gone" : undefined;
}

function orphan({ state }: Facts, becomes: string, reason: string): Disposition {
  const over = isTerminalTaskState(state);
  return {
    kind: 'finalize',
    reason: over ? `it is over (${state}), but ${reason}` : reason,
    finalization: { was: state, becomes: over ? state : becomes, record: !over },
  };
}

/** Why no runner can continue the stream and nobody can end the task properly, if so. */
export function streamFlaw({
  stream,
  headless,
  damaged,
}: Pick<Subject, 'stream' | 'headless' | 'damaged'>): string | undefined {
  if (stream === 'absent') return 'it has no stream';
  if (stream === 'odd') return 'its stream is not a regular file';
  if (damaged) return 'its stream is corrupt';
  return headless ? 'its stream has no header' : undefined;
}
