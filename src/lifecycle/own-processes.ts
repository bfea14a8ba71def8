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
  /** Does the process have outputs, an environment or a root directory that only processes of this task have? */
  readonly isMarked: (pid: number) => boolean;
  /** Is it in a pid namespace below ours? Then its pid here differs from the recorded one. */
  readonly isForeign: (pid: number) => boolean;
}

export interface OwnProcesses {
  /** Those that certainly belong to the task, coordinators first. */
  readonly own: readonly ProcessRow[];
  /** Those with a recorded pid or in a session with the number of one of the task's, without any other proof. */
  readonly doubtful: readonly ProcessRow[];
}

/**
 * Finds the processes that belong to runs of a task, including daemons that left their session and their parent. A pid
 * alone proves nothing. These are proof:
 * - a coordinator that holds the lock of its own stream, or belongs to the task's user and started when the stream says
 *   (the clock may have been set since); one of root's, which is root's only for a moment, needs both;
 * - membership in its session, or descent from it;
 * - the recorded command with its start and owner;
 * - the mark of the task, the task's user and a start after that of the run, unless a live stranger leads the session.
 */
export function ownProcesses(
  rows: readonly ProcessRow[],
  runs: readonly RunTrace[],
  criteria: Criteria,
): OwnProcesses {
  const { uid, isAnyUsers, bootTimeMs, spared, recordsSuffice, isCoordinator, isMarked, isForeign } =
    criteria;
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const startMs = (row: ProcessRow) => bootTimeMs + (row.startTimeTicks * 1000) / TICKS_PER_SECOND;
  const began = (row: ProcessRow, seconds: number) => startsAgree(startMs(row), seconds * 1000);
  const since = (row: ProcessRow, seconds: number) => mayPrecede(seconds * 1000, startMs(row));
  const isUsers = (row: ProcessRow) => isAnyUsers || row.uid === uid;

  const coordinators = new Set<ProcessRow>();
  const own = new Set<ProcessRow>();
  const doubtful = new Set<ProcessRow>();
  const leaderless = new Map<number, RunTrace>();
  const isLeader = (row: ProcessRow, { forkTime, process }: RunTrace) => {
    if (row.session !== row.pid || !(isUsers(row) || row.uid === 0)) return false;
    const inTime = began(row, forkTime);
    const isKnown = isUsers(row)
      ? (inTime && recordsSuffice) || isCoordinator(row, process)
      : inTime && isCoordinator(row, process);
    return isKnown && !isForeign(row.pid);
  };
  for (const run of runs) {
    const leader = byPid.get(run.coordinatorPid);
    if (leader === undefined) leaderless.set(run.coordinatorPid, run);
    else if (!coordinators.has(leader) && isLeader(leader, run)) coordinators.add(leader);
    const command = run.pid === undefined ? undefined : byPid.get(run.pid);
    if (command === undefined || run.startTime === undefined || own.has(command)) continue;
    if (!began(command, run.startTime) || !isUsers(command) || isForeign(command.pid)) continue;
    if (recordsSuffice || isMarked(command.pid)) own.add(command);
    else doubtful.add(command);
  }
  const sessions = new Set([...coordinators].map(({ pid }) => pid));
  for (const row of rows) {
    if (sessions.has(row.session) && !coordinators.has(row)) own.add(row);
    const run = leaderless.get(row.session);
    if (run === undefined || own.has(row) || !since(row, run.forkTime) || !isUsers(row)) continue;
    if (isMarked(row.pid)) own.add(row);
    else doubtful.add(row);
  }
  const first = runs.reduce(
    (earliest, { forkTime }) => Math.min(earliest, forkTime),
    Number.POSITIVE_INFINITY,
  );
  for (const row of rows) {
    if (own.has(row) || coordinators.has(row) || doubtful.has(row)) continue;
    if (row.uid !== uid || !since(row, first) || !isMarked(row.pid)) continue;
    const leader = byPid.get(row.session);
    if (leader === undefined || leader === row || own.has(leader) || isMarked(leader.pid)) own.add(row);
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
  return { own: certain, doubtful: [...doubtful].filter((row) => !own.has(row) && !spared.has(row.pid)) };
}
