import { isTerminalTaskState, type TaskState } from '../checkpoint/records.js';
import type { Phase } from '../layout/root-paths.js';

/** In the order of the design. */
export const VERDICTS = [
  'ok',
  'runner-gone',
  'host-rebooted',
  'leftovers',
  'foreign-pids',
  'unknown',
] as const;

/** How the host's state compares with what the streams record. */
export type Verdict = (typeof VERDICTS)[number];

/** What the verdict depends on. */
export interface VerdictFacts {
  /** False if the stream could not be opened at all. */
  readable: boolean;
  /** False if nothing is recorded: nobody can tell a runner that is about to record from one that died before it. */
  started: boolean;
  phase: Phase;
  state: TaskState | number | 'UNKNOWN';
  /** Whether the runner is alive; null if it can't be determined. */
  alive: boolean | null;
  /** The recorded pids belong to another pid namespace. */
  foreign: boolean;
  /** When the last runner recorded that it runs, and when this host booted; milliseconds since the epoch. */
  statusTimeMs: number | undefined;
  bootTimeMs: number | undefined;
  /** Whether processes of the task are still alive. */
  leftovers: boolean;
}

/** Compares the recorded state with the host. Pure. */
export function verdictOf(facts: VerdictFacts): Verdict {
  const { readable, started, phase, state, alive, foreign, leftovers, statusTimeMs, bootTimeMs } = facts;
  if (!readable) return 'unknown';
  if (isTerminalTaskState(state)) {
    if (phase === 'active' && alive === false) return 'runner-gone';
    return leftovers ? 'leftovers' : 'ok';
  }
  // The task file was moved, so a runner saw the end, but the stream doesn't record it.
  if (phase === 'finished') return leftovers ? 'leftovers' : 'unknown';
  if (foreign) return 'foreign-pids';
  if (alive === null) return 'unknown';
  if (alive) return 'ok';
  if (!started) return 'unknown';
  const rebooted = statusTimeMs !== undefined && bootTimeMs !== undefined && statusTimeMs < bootTimeMs;
  return rebooted ? 'host-rebooted' : 'runner-gone';
}
