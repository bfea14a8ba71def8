import { TICKS_PER_SECOND } from '../host/process-stat.js';
import type { ProcessRow } from '../host/process-table.js';
import { mayPrecede, startsAgree } from '../host/start-time.js';

/** What the stream records about a run: its coordinator, which leads the session, and its command. Times in seconds. */
export interface RunTrace {
  readonly process: string;
  readonly coordinatorPid: number;
  readonly forkTime: number;
  readonly pid?: number;
  readonly startTime?: number;
  /** The exact starts of both, in ticks since boot, where they were kept: then the times do not count. */
  readonly coordinatorTicks?: number;
  readonly ticks?: number;
}

/** The same with the field names of the stream. */
export interface RecordedRun {
  readonly process: string;
  readonly coordinator_pid: number;
  readonly fork_time: number;
  readonly pid?: number;
  readonly start_time?: number;
}

export interface Criteria {
  /** The task's user. */
  readonly uid: number;
  /** The task is root's, by root's own record: its processes may have changed to any user. */
  readonly isAnyUsers: boolean;
  readonly bootTimeMs: number;
  /** This process and others that never belong to the task. */
  readonly spared: ReadonlySet<number>;
  /**
   * A process with the recorded pid, start and owner is the recorded one. False where root in a container, which may
   * name any process of the machine, may have written the record.
   */
  readonly recordsSuffice: boolean;
  /** Does it hold the lock of this task process's stream, by a descriptor that a stranger cannot have? */
  readonly isCoordinator: (row: ProcessRow, process: string) => boolean;
  /**
   * The starts, in ticks since boot, of coordinators that were certain before, from an earlier result. A clock that
   * was set since does not change them.
   */
  readonly starts: CoordinatorStarts;
  /** Was the process certain before? */
  readonly isKnown: (row: ProcessRow) => boolean;
  /** Does the process have outputs, an environment or a root directory that only processes of this task have? */
  readonly isMarked: (pid: number) => boolean;
  /** The same of its outputs alone. */
  readonly isLogging: (pid: number) => boolean;
  /** Is it in a pid namespace below ours? Then its pid here differs from the recorded one. */
  readonly isForeign: (pid: number) => boolean;
}

/** By the run, as `keyOf` writes it. */
export type CoordinatorStarts = ReadonlyMap<string, number>;

export interface OwnProcesses {
  /** Those that certainly belong to the task, coordinators first. */
  readonly own: readonly ProcessRow[];
  /** Those with a recorded pid or in a session with the number of one of the task's, without any other proof. */
  readonly doubtful: readonly ProcessRow[];
  /** Daemons that write to the logs of the task, but seem to be older than it. */
  readonly older: readonly ProcessRow[];
  /** Of the coordinators that are or were certain. */
  readonly starts: CoordinatorStarts;
}

/**
 * Finds the processes that belong to runs of a task, including daemons that left their session and their parent. A pid
 * alone proves nothing. These are proof:
 * - a coordinator that holds the lock of its own stream, or belongs to the task's user and started at the kept ticks,
 *   or else when the stream says (the clock may have been set since); one of root's, which is root's only for a moment,
 *   needs both;
 * - membership in its session, or descent from it, now or when it was looked at before;
 * - the recorded command with its start and owner, and the session of its coordinator while it is in it;
 * - the mark of the task and the number of its session, which no process has before the coordinator: the kernel gives
 *   no pid that is still the number of a session;
 * - the mark of the task, the task's user and a start after that of the run, unless a live stranger leads the session.
 *
 * Recorded times are those of a clock that may have been set since. How far is seen by the coordinators that are certain
 * without their time, now or earlier. If ticks were kept of a coordinator but not of its command, something prevented it:
 * the time of the command alone is then no proof.
 */
export function ownProcesses(
  rows: readonly ProcessRow[],
  runs: readonly RunTrace[],
  criteria: Criteria,
): OwnProcesses {
  const { uid, isAnyUsers, bootTimeMs, spared, recordsSuffice, isCoordinator, isMarked, isForeign } =
    criteria;
  const starts = new Map<string, number>();
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const startMs = (row: ProcessRow) => bootTimeMs + (row.startTimeTicks * 1000) / TICKS_PER_SECOND;
  const began = (row: ProcessRow, seconds: number) => startsAgree(startMs(row), seconds * 1000);
  const isUsers = (row: ProcessRow) => isAnyUsers || row.uid === uid;

  const coordinators = new Set<ProcessRow>();
  const own = new Set<ProcessRow>();
  const doubtful = new Set<ProcessRow>();
  const older = new Set<ProcessRow>();
  const leaderless = new Map<number, RunTrace>();
  const exactly = (run: RunTrace) => run.coordinatorTicks ?? criteria.starts.get(keyOf(run));
  const isLeader = (row: ProcessRow, run: RunTrace) => {
    const { forkTime, process } = run;
    if (row.session !== row.pid || !(isUsers(row) || row.uid === 0)) return false;
    const exact = exactly(run);
    const inTime = exact === undefined ? began(row, forkTime) : row.startTimeTicks === exact;
    const isCertain = isUsers(row)
      ? (inTime && recordsSuffice) || isCoordinator(row, process)
      : inTime && isCoordinator(row, process);
    return isCertain && !isForeign(row.pid);
  };
  const sessions = new Set<number>();
  for (const run of runs) {
    const leader = byPid.get(run.coordinatorPid);
    const known = exactly(run);
    if (known !== undefined) starts.set(keyOf(run), known);
    if (leader === undefined) leaderless.set(run.coordinatorPid, run);
    else if (isLeader(leader, run)) {
      coordinators.add(leader);
      sessions.add(leader.pid);
      starts.set(keyOf(run), leader.startTimeTicks);
    }
    const command = run.pid === undefined ? undefined : byPid.get(run.pid);
    if (command === undefined || run.startTime === undefined || own.has(command)) continue;
    const { ticks } = run;
    const inTime = ticks === undefined ? began(command, run.startTime) : command.startTimeTicks === ticks;
    if (!inTime || !isUsers(command) || isForeign(command.pid)) continue;
    const isInSession = command.session === run.coordinatorPid && command.startTimeTicks >= (known ?? 0);
    const isRecorded = ticks !== undefined || run.coordinatorTicks === undefined || isInSession;
    if (!(recordsSuffice && isRecorded) && !isMarked(command.pid)) {
      doubtful.add(command);
      continue;
    }
    own.add(command);
    // While it is in the session of its coordinator, no other session has that number.
    if (isInSession) sessions.add(run.coordinatorPid);
  }
  for (const row of rows) {
    if (!coordinators.has(row) && (sessions.has(row.session) || criteria.isKnown(row))) own.add(row);
    const run = leaderless.get(row.session);
    if (run === undefined || own.has(row) || !isUsers(row)) continue;
    if (row.startTimeTicks < (starts.get(keyOf(run)) ?? 0)) continue;
    if (isMarked(row.pid)) own.add(row);
    else doubtful.add(row);
  }
  const setBackMs = howFarSetBack(runs, starts, bootTimeMs);
  let [firstTicks, firstMs] = [Infinity, Infinity];
  for (const run of runs) {
    const ticks = starts.get(keyOf(run));
    if (ticks !== undefined) firstTicks = Math.min(firstTicks, ticks);
    else firstMs = Math.min(firstMs, run.forkTime * 1000 - setBackMs);
  }
  const isYounger = (row: ProcessRow) =>
    row.startTimeTicks >= firstTicks || mayPrecede(firstMs, startMs(row));
  for (const row of rows) {
    if (own.has(row) || coordinators.has(row) || doubtful.has(row) || row.uid !== uid) continue;
    const leader = byPid.get(row.session);
    const isAlone = leader === undefined || leader === row;
    if (isYounger(row)) {
      if (isMarked(row.pid) && (isAlone || own.has(leader) || isMarked(leader.pid))) own.add(row);
    } else if (isAlone && row.parent === INIT && criteria.isLogging(row.pid)) older.add(row);
  }
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows) {
    const siblings = children.get(row.parent);
    if (siblings === undefined) children.set(row.parent, [row]);
    else siblings.push(row);
  }
  const adopt = ({ pid, startTimeTicks }: ProcessRow) => {
    for (const child of children.get(pid) ?? []) {
      if (!coordinators.has(child) && child.startTimeTicks >= startTimeTicks) own.add(child);
    }
  };
  for (const row of coordinators) adopt(row);
  // The iteration includes rows that are added to the set meanwhile.
  for (const row of own) adopt(row);
  const certain = [...coordinators, ...own].filter(({ pid }) => !spared.has(pid));
  const left = (rows: ReadonlySet<ProcessRow>) =>
    [...rows].filter((row) => !own.has(row) && !spared.has(row.pid));
  return { own: certain, doubtful: left(doubtful), older: left(older), starts };
}

/** The process that adopts daemons. */
const INIT = 1;

function keyOf({ coordinatorPid, forkTime }: RunTrace): string {
  return `${coordinatorPid} ${forkTime}`;
}

/** By how many milliseconds the clock was set back since one of these runs, as their coordinators show; at least 0. */
function howFarSetBack(runs: readonly RunTrace[], starts: CoordinatorStarts, bootTimeMs: number): number {
  const shifts = runs.map((run) => {
    const ticks = starts.get(keyOf(run));
    const startMs = ticks === undefined ? Number.NaN : bootTimeMs + (ticks * 1000) / TICKS_PER_SECOND;
    const recordedMs = run.forkTime * 1000;
    return startMs < recordedMs && !startsAgree(startMs, recordedMs) ? recordedMs - startMs : 0;
  });
  return shifts.reduce((most, shift) => Math.max(most, shift), 0);
}
