import type { ProcessRow } from '../host/process-table.js';
import type { RecordedRun, RunTrace } from './own-processes.js';

/** The live processes of one run of one process of a task. */
export interface ProcessesOfRun {
  readonly coordinator?: ProcessRow;
  /** The process with the recorded pid. */
  readonly command?: ProcessRow;
  /** What they started: in their session, by descent, or by where it writes. */
  readonly others: readonly ProcessRow[];
  /** Daemons of the task of which nothing says which process started them. */
  readonly unsure: readonly ProcessRow[];
}

/**
 * Chooses the processes of a run among those that certainly belong to its task. `traces`: of all runs of the task;
 * `writesTo`: whether a process writes to the logs of this run or of another one. A daemon that left session and parent
 * and writes to no log is of the run only if the task has run no other process; who left neither is none of its processes,
 * but for example a shell that somebody has opened in the sandbox. Pure.
 */
export function processesOfRun(
  own: readonly ProcessRow[],
  run: Pick<RecordedRun, 'process' | 'coordinator_pid' | 'pid'>,
  traces: readonly Pick<RunTrace, 'process' | 'coordinatorPid'>[],
  writesTo: (pid: number) => 'this-run' | 'another-run' | undefined,
): ProcessesOfRun {
  const leaders = new Set(traces.map(({ coordinatorPid }) => coordinatorPid));
  const byPid = new Map(own.map((row) => [row.pid, row]));
  const isOnly = traces.every(({ process }) => process === run.process);
  const isOfRun = (row: ProcessRow): boolean | undefined => {
    const { leader, top } = originOf(row, leaders, byPid);
    if (leader !== undefined) return leader === run.coordinator_pid;
    const logs = writesTo(row.pid);
    if (logs !== undefined) return logs === 'this-run';
    if (top.parent !== INIT) return false;
    return isOnly ? true : undefined;
  };
  const others: ProcessRow[] = [];
  const unsure: ProcessRow[] = [];
  for (const row of own) {
    if (row.pid === run.coordinator_pid || row.pid === run.pid) continue;
    const isIts = isOfRun(row);
    if (isIts === true) others.push(row);
    else if (isIts === undefined) unsure.push(row);
  }
  const command = run.pid === undefined ? undefined : byPid.get(run.pid);
  return { coordinator: byPid.get(run.coordinator_pid), command, others, unsure };
}

/** The process that adopts daemons. */
const INIT = 1;

/**
 * The coordinator in whose session a process is, or its nearest ancestor that is in one; undefined if there is none.
 * `top`: the furthest of its ancestors that was looked at.
 */
function originOf(
  row: ProcessRow,
  leaders: ReadonlySet<number>,
  byPid: ReadonlyMap<number, ProcessRow>,
): { leader: number | undefined; top: ProcessRow } {
  const seen = new Set<number>();
  for (let top = row; ; ) {
    if (leaders.has(top.pid)) return { leader: top.pid, top };
    if (leaders.has(top.session)) return { leader: top.session, top };
    seen.add(top.pid);
    const parent = byPid.get(top.parent);
    // A parent is never younger: its pid was used again.
    if (parent === undefined || seen.has(parent.pid) || parent.startTimeTicks > top.startTimeTicks)
      return { leader: undefined, top };
    top = parent;
  }
}
