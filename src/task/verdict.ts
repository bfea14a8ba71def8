import { isTerminalTaskState, type TaskState } from '../checkpoint/records.js';
import type { Phase } from '../layout/root-paths.js';

/** What the host says to what the streams record. */
export type Verdict = 'ok' | 'runner-gone' | 'host-rebooted' | 'leftovers' | 'foreign-pids' | 'unknown';

export interface Evidence {
  /** False if the stream could not be opened at all. */
  readable: boolean;
  phase: Phase;
  state: TaskState | number | 'UNKNOWN';
  /** Of the runner; null if nothing can be said. */
  alive: boolean | null;
  /** The recorded pids belong to another pid namespace. */
  foreign: boolean;
  /** When the last runner said that it runs, and when this host was started; milliseconds since the epoch. */
  statusTimeMs: number | undefined;
  bootTimeMs: number | undefined;
  /** Processes of the task that live on. */
  leftovers: boolean;
}

/** Compares the recorded state with the host. Pure. */
export function verdictOf(evidence: Evidence): Verdict {
  const { readable, phase, state, alive, foreign, leftovers, statusTimeMs, bootTimeMs } = evidence;
  if (!readable) return 'unknown';
  if (isTerminalTaskState(state)) {
    if (phase === 'active' && alive === false) return 'runner-gone';
    return leftovers ? 'leftovers' : 'ok';
  }
  // The task file was moved, so a runner saw the end, but the stream doesn't tell it.
  if (phase === 'finished') return leftovers ? 'leftovers' : 'unknown';
  if (foreign) return 'foreign-pids';
  if (alive === null) return 'unknown';
  if (alive) return 'ok';
  const rebooted = statusTimeMs !== undefined && bootTimeMs !== undefined && statusTimeMs < bootTimeMs;
  return rebooted ? 'host-rebooted' : 'runner-gone';
}
