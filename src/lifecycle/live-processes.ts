import { isLiveProcessState, type ProcessStatus } from '../checkpoint/records.js';
import type { ProcessRow } from '../host/process-table.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { type TaskPlaces, taskProcesses } from './orphan.js';
import { mayBeSignalled, type Owner } from './owner.js';
import type { Processes } from './processes.js';
import { holdsStream } from './task-processes.js';
import { TaskStreams } from './task-streams.js';

/** A process that certainly belongs to a task, and is none of its coordinators. */
export interface LiveProcess {
  readonly pid: number;
  readonly startTimeTicks: number;
  /** The real uid. */
  readonly uid: number;
  /** The process of the task that it is the command of; undefined for one that a command started. */
  readonly process?: string;
}

/**
 * The live processes of a task: the commands of its processes first. Those of which anything is uncertain are left out, as
 * for a signal; but they may be in a pid namespace below ours. Throws UsageError `task-untrusted`, system errors and
 * RefusedError.
 */
export function liveProcesses(place: TaskPlace, places: TaskPlaces, processes: Processes): LiveProcess[] {
  const streams = new TaskStreams(place, 'read');
  try {
    const { header, runs, traces } = streams.read(processes.bootTimeMs());
    const ownershipError = streams.checkOwnership(header?.uid);
    if (ownershipError !== undefined) throw ownershipError;
    const owner = streams.owner(header?.uid);
    const rows = taskProcesses(place, places, header?.uid, streams, processes).alive(traces);
    const coordinators = new Set(traces.map(({ coordinatorPid }) => coordinatorPid));
    const commands = new Map<number, string>();
    for (const [process, { state, pid }] of runs) {
      if (pid !== undefined && isLiveProcessState(state)) commands.set(pid, process);
    }
    const own = rows.filter(({ pid }) => !coordinators.has(pid));
    const found = own.flatMap((row) => liveOf(row, commands.get(row.pid), processes, owner));
    const live = found.length > 0 ? found : nestedCommands(runs, streams, processes, owner);
    return [...live.filter(isCommand), ...live.filter((each) => !isCommand(each))];
  } finally {
    streams.close();
  }
}

function isCommand({ process }: LiveProcess): boolean {
  return process !== undefined;
}

function liveOf(
  { pid, startTimeTicks }: ProcessRow,
  process: string | undefined,
  processes: Processes,
  owner: Owner,
): LiveProcess[] {
  const now = processes.look(pid);
  if (now === undefined || now.isDead || now.startTimeTicks !== startTimeTicks) return [];
  return mayBeSignalled(owner, now.realUid) ? [{ pid, startTimeTicks, uid: now.realUid, process }] : [];
}

/**
 * The commands of runs whose pids are those of a pid namespace below ours, as of a runner in a container: the coordinator
 * holds the lock of its own stream and leads a session, and the command is its child; both have the recorded pids there.
 */
function nestedCommands(
  runs: ReadonlyMap<string, ProcessStatus>,
  streams: TaskStreams,
  processes: Processes,
  owner: Owner,
): LiveProcess[] {
  const open = [...runs].filter(([, { state, pid }]) => state === 'RUNNING' && pid !== undefined);
  if (open.length === 0) return [];
  const rows = processes.table();
  const inner = new Map<number, ProcessRow[]>();
  for (const row of rows) {
    const pid = processes.look(row.pid)?.innerPid;
    if (pid !== undefined) inner.set(pid, [...(inner.get(pid) ?? []), row]);
  }
  return open.flatMap(([process, { pid, coordinator_pid }]) => {
    const stream = streams.coordinator(process);
    const isCoordinator = (row: ProcessRow) =>
      row.session === row.pid && stream !== undefined && holdsStream(row.pid, stream, processes, owner);
    const coordinators = (inner.get(coordinator_pid as number) ?? []).filter(isCoordinator);
    const isChild = ({ parent, startTimeTicks }: ProcessRow) =>
      coordinators.some((row) => row.pid === parent && row.startTimeTicks <= startTimeTicks);
    const children = (inner.get(pid as number) ?? []).filter(isChild);
    return children.flatMap((row) => liveOf(row, process, processes, owner));
  });
}
