import { TICKS_PER_SECOND } from '../host/process-stat.js';
import type { ProcessRow } from '../host/process-table.js';
import { mayPrecede, startsAgree } from '../host/start-time.js';

/** What the stream says of a run: whose session it was and what was started in it. Times in seconds. */
export interface RunTrace {
  readonly process: string;
  readonly coordinatorPid: number;
  readonly forkTime: number;
  readonly pid?: number;
  readonly startTime?: number;
}

/** The same in the words of the stream. */
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
  /** Root wrote that it is a task of root's, whose processes may have become anybody's. */
  readonly isAnyUsers: boolean;
  readonly bootTimeMs: number;
  /** Ourselves and others that are never the task's. */
  readonly spared: ReadonlySet<number>;
  /**
   * Is a recorded pid with the recorded start and owner the recorded process? Not where root in a container may have
   * written the record, who may name any process of the machine.
   */
  readonly recordsSuffice: boolean;
  /** Does the process hold the lock of the stream of this process of the task, by a descriptor that a stranger can't have? */
  readonly isCoordinator: (row: ProcessRow, process: string) => boolean;
  /** Has the process outputs, an environment or a root that only processes of this task have? */
  readonly isMarked: (pid: number) => boolean;
  /** Is it in a pid namespace below ours? Then the pid that we see is not the one that was recorded. */
  readonly isForeign: (pid: number) => boolean;
}

export interface OwnProcesses {
  /** Certainly the task's, coordinators first. */
  readonly own: readonly ProcessRow[];
  /** In a session that has the number of one of the task's, or with a recorded pid, but nothing else says that they are its. */
  readonly doubtful: readonly ProcessRow[];
}

/**
 * Which of the processes belong to runs of a task, daemons too that left their session and their parent. A pid
 * alone proves nothing. Proof is: a coordinator that holds the lock of its own stream, or is the task's user's (of
 * root's, who is one for a moment only, both) and started when the stream says (the clock may have been set since),
 * its session and all that descend from it; the recorded command with its start and owner; else the mark of the task,
 * the task's user and a start after the run's, in no session of somebody else who lives.
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
  // What is added while the set is gone through is gone through as well.
  for (const row of own) adopt(row);
  const certain = [...coordinators, ...own].filter(({ pid }) => !spared.has(pid));
  return { own: certain, doubtful: [...doubtful].filter((row) => !own.has(row) && !spared.has(row.pid)) };
}
