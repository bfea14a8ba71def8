import { TICKS_PER_SECOND } from '../host/process-stat.js';
import type { ProcessRow } from '../host/process-table.js';

/** The original's tolerance, see `isSameProcess`. */
const TOLERANCE_MS = 10_000;

/** What the stream says of a run: whose session it was and what was started in it. Times in seconds. */
export interface RunTrace {
  readonly coordinatorPid: number;
  readonly forkTime: number;
  readonly pid?: number;
  readonly startTime?: number;
}

/** The same in the words of the stream. */
export interface RecordedRun {
  readonly coordinator_pid: number;
  readonly fork_time: number;
  readonly pid?: number;
  readonly start_time?: number;
}

export interface Identity {
  /** The task's user. */
  readonly uid: number;
  readonly bootTimeMs: number;
  /** Ourselves and others that are never the task's. */
  readonly spared: ReadonlySet<number>;
  /** Does the process hold the lock of a process's stream of this task? */
  readonly isCoordinator: (pid: number) => boolean;
  /** Has the process an environment, a root or outputs that only processes of this task have? */
  readonly isMarked: (pid: number) => boolean;
}

export interface OwnProcesses {
  /** Certainly the task's, coordinators first. */
  readonly own: readonly ProcessRow[];
  /** In a session that has the number of one of the task's, but nothing else says that they are its. */
  readonly doubtful: readonly ProcessRow[];
}

/**
 * Which of the processes belong to runs of a task, daemons too that left their session and their parent. A pid
 * alone proves nothing. Proof is: a coordinator that holds the lock of its own stream, or is the task's user's (root's
 * is for a moment only) and started when the stream says (the clock may have been set since), its session and all that
 * descend from it; the recorded command with its start and owner; else the mark of the task, the task's user and a
 * start after the run's, in no session of somebody else who lives.
 */
export function ownProcesses(
  rows: readonly ProcessRow[],
  runs: readonly RunTrace[],
  identity: Identity,
): OwnProcesses {
  const { uid, bootTimeMs, spared, isCoordinator, isMarked } = identity;
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const startMs = (row: ProcessRow) => bootTimeMs + (row.startTimeTicks * 1000) / TICKS_PER_SECOND;
  const began = (row: ProcessRow, seconds: number) => Math.abs(startMs(row) - seconds * 1000) < TOLERANCE_MS;
  const since = (row: ProcessRow, seconds: number) => startMs(row) > seconds * 1000 - TOLERANCE_MS;
  const isUsers = (row: ProcessRow) => uid === 0 || row.uid === uid;

  const coordinators = new Set<ProcessRow>();
  const own = new Set<ProcessRow>();
  const doubtful = new Set<ProcessRow>();
  const leaderless = new Map<number, RunTrace>();
  for (const run of runs) {
    const leader = byPid.get(run.coordinatorPid);
    const isKnown = (row: ProcessRow) =>
      isUsers(row)
        ? began(row, run.forkTime) || isCoordinator(row.pid)
        : row.uid === 0 && isCoordinator(row.pid);
    if (leader === undefined) leaderless.set(run.coordinatorPid, run);
    else if (leader.session === leader.pid && isKnown(leader)) coordinators.add(leader);
    const command = run.pid === undefined ? undefined : byPid.get(run.pid);
    if (command && run.startTime !== undefined && began(command, run.startTime) && isUsers(command)) {
      own.add(command);
    }
  }
  const sessions = new Set([...coordinators].map(({ pid }) => pid));
  for (const row of rows) {
    if (sessions.has(row.session) && !coordinators.has(row)) own.add(row);
    const run = leaderless.get(row.session);
    if (run === undefined || own.has(row) || !since(row, run.forkTime) || !isUsers(row)) continue;
    if (isMarked(row.pid)) own.add(row);
    else doubtful.add(row);
  }
  const first = Math.min(...runs.map(({ forkTime }) => forkTime));
  if (runs.length > 0) {
    for (const row of rows) {
      if (own.has(row) || coordinators.has(row) || doubtful.has(row)) continue;
      if (row.uid !== uid || !since(row, first) || !isMarked(row.pid)) continue;
      const leader = byPid.get(row.session);
      if (leader === undefined || leader === row || own.has(leader) || isMarked(leader.pid)) own.add(row);
    }
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const row of rows) {
      const parent = byPid.get(row.parent);
      if (parent === undefined || !own.has(parent) || own.has(row) || coordinators.has(row)) continue;
      own.add(row);
      doubtful.delete(row);
      grown = true;
    }
  }
  const certain = [...coordinators, ...own].filter(({ pid }) => !spared.has(pid));
  return { own: certain, doubtful: [...doubtful].filter(({ pid }) => !spared.has(pid)) };
}
