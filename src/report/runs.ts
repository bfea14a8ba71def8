import type { InspectDocument } from '../contracts/task.js';
import { DAY, SECOND } from '../text/duration.js';

/** One run of a process, as reports show it. */
export interface ReportRun {
  process: string;
  run: number;
  /** The name of its state, or a number that has none. */
  state: string;
  return_code?: number;
  /** Milliseconds since the epoch; absent if it did not start, or has no time that can be true. */
  startMs?: number;
  /** When it ended, or when the report was made if it has not. Absent without `startMs`. */
  endMs?: number;
  /** It has times, but they cannot be true. */
  isAbsurd?: boolean;
}

/** Before Thermos was written, no task ran. */
const FIRST_MS = Date.UTC(2009, 0, 1);
/** Clocks of two hosts differ, but not by more. */
const LATEST = DAY;

/** All runs of a task that are recorded, by process, in their order. Pure. */
export function runsOf(task: InspectDocument, madeMs: number): ReportRun[] {
  return Object.entries(task.history).flatMap(([process, runs]) => {
    const gap = task.left_out?.runs?.[process];
    return runs.map(({ state = 'WAITING', return_code, start_time, stop_time }, i): ReportRun => {
      const run = gap === undefined || i < gap.at ? i : i + gap.count;
      const about = { process, run, state: String(state), ...(return_code !== undefined && { return_code }) };
      if (start_time === undefined) return about;
      const startMs = timeOf(start_time, madeMs);
      const endMs = stop_time === undefined ? Math.max(madeMs, startMs) : timeOf(stop_time, madeMs);
      return endMs >= startMs ? { ...about, startMs, endMs } : { ...about, isAbsurd: true };
    });
  });
}

/** NaN for a time that cannot be true. */
function timeOf(seconds: number | string, madeMs: number): number {
  const ms = typeof seconds === 'number' ? seconds * SECOND : Number.NaN;
  return ms >= FIRST_MS && ms <= madeMs + LATEST ? ms : Number.NaN;
}

/** `FAILED (2)`, `KILLED (signal 9)`; `RUNNING` for a state that has no return code. Pure. */
export function endText({ state, return_code }: Pick<ReportRun, 'state' | 'return_code'>): string {
  if (return_code === undefined || (state === 'SUCCESS' && return_code === 0)) return state;
  return `${state} (${return_code < -1 ? `signal ${-return_code}` : return_code})`;
}
