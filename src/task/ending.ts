import type { ProcessStatus, TaskStatus } from '../checkpoint/records.js';

/** The states that a task only has once its processes are being ended. FAILED and SUCCESS say nothing about how. */
const BEGINS: readonly unknown[] = ['CLEANING', 'FINALIZING', 'KILLED', 'LOST'];

/** When a task began to end, in milliseconds since the epoch. */
export interface Ending {
  /** From here on, the runner ends what still runs. */
  readonly sinceMs: number;
  /** From here on, final processes run. */
  readonly finalizingMs?: number;
}

/** Undefined for a task that is not being ended, or whose stream has no time for it. Pure. */
export function endingOf(statuses: readonly TaskStatus[]): Ending | undefined {
  const sinceMs = timeOf(statuses.find(({ state }) => BEGINS.includes(state)));
  if (sinceMs === undefined) return undefined;
  return { sinceMs, finalizingMs: timeOf(statuses.find(({ state }) => state === 'FINALIZING')) };
}

function timeOf(status: TaskStatus | undefined): number | undefined {
  return status?.timestamp_ms === undefined ? undefined : Number(status.timestamp_ms);
}

type EndedRun = Pick<ProcessStatus, 'state' | 'start_time' | 'stop_time' | 'return_code'>;

/** 128 + SIGTERM: what a shell reports for a command that ended by it, and what a JVM exits with. */
const TERMINATED = 143;

/**
 * True if a run ended after its task began to end: then it was asked or forced to, whatever its exit code is. Not for a
 * final process, which only starts then. Pure.
 */
export function endedWithTask(run: EndedRun, isFinal: boolean, ending: Ending | undefined): boolean {
  const { state, start_time, stop_time, return_code } = run;
  if (ending === undefined || stop_time === undefined || isFinal) return false;
  const { sinceMs, finalizingMs } = ending;
  if (finalizingMs !== undefined && start_time !== undefined && inMs(start_time) > finalizingMs) return false;
  if (isLate(run, ending)) return true;
  // Within one millisecond, a process may have failed first, or have been very quick to obey.
  return inMs(stop_time) === sinceMs && (state === 'KILLED' || return_code === TERMINATED);
}

/** True if a run ended after its task began to end, for whatever reason. Pure. */
export function isLate({ stop_time }: EndedRun, ending: Ending | undefined): boolean {
  return ending !== undefined && stop_time !== undefined && inMs(stop_time) > ending.sinceMs;
}

/** Rounded down, as the original does with the time of a status; a time in seconds is not exact. */
function inMs(seconds: number): number {
  return Math.floor(seconds * 1000 + 0.001);
}
