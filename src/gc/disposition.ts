import { isTerminalTaskState } from '../checkpoint/records.js';
import { LAYOUTS } from '../layout/layouts.js';
import type { GcReason } from './policy.js';
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
  | { kind: 'over'; always?: GcReason }
  | ({ kind: 'finalize'; finalization: Finalization } & GcReason)
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
  const silent = (rule: string): GcReason => ({ reason: `${rule}, silent for ${ago(silence.since)}`, rule });
  if (flaw !== undefined) return { kind: 'over', always: silent(flaw) };
  return orphan(task, 'LOST', silent('its runner is gone'));
}

/** The disposition of a task that the scheduler wants to end or no longer knows. */
export function dispositionForScheduler(
  task: Facts,
  silence: Silence,
  action: ReconcileAction,
  expected: Expected | string,
  now: number,
): Disposition {
  if (action === 'collect') return { kind: 'over', always: same('the scheduler does not know it') };
  if (action !== 'kill') return LEFT;
  const reason = same(`the scheduler lists it as ${expected}`);
  if (now - (task.launchedAt ?? silence.since) < LEAST_KILL_AGE_MS) return LEFT;
  if (silence.state === 'alive') {
    const finalization: Finalization = { was: task.state, becomes: 'KILLED', record: false };
    if (task.runnerPid !== undefined) finalization.signal = task.runnerPid;
    return { kind: 'finalize', ...reason, finalization };
  }
  const flaw = streamFlaw(task);
  if (flaw === undefined) return orphan(task, 'KILLED', reason);
  if (now - silence.since < LEAST_KILL_AGE_MS) return LEFT;
  return { kind: 'over', always: same(`${reason.rule}; ${flaw}`) };
}

/** Why a finished task goes regardless of the limits, if it does. */
function always({ marked, stream, taskFile, layout }: Facts, pulled: boolean): GcReason | undefined {
  if (marked) return same('an earlier gc of it was interrupted');
  if (stream === 'absent' && taskFile !== undefined) return same('its checkpoint is gone already');
  return pulled && !LAYOUTS[layout].ownsSandboxes ? same("its executor's directory is gone") : undefined;
}

/** A reason that is the same for all tasks that have it. */
function same(rule: string): GcReason {
  return { reason: rule, rule };
}

function orphan({ state }: Facts, becomes: string, { reason, rule }: GcReason): Disposition {
  const over = isTerminalTaskState(state);
  return {
    kind: 'finalize',
    reason: over ? `it is over (${state}), but ${reason}` : reason,
    rule: over ? `it is over, but ${rule}` : rule,
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
