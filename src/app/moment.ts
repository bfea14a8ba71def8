import type { Problem } from '../errors/problem.js';
import type { KeptFiles } from '../host/kept-files.js';
import { type ProcessDetails, readDetails } from '../host/process-details.js';
import { type Clocks, type ProcessPlace, readProcesses } from '../host/process-readings.js';
import { type Member, type Members, membersOf, sameIn } from '../top/members.js';
import type { CgroupReading, DiskReading, SampledTask, TaskMeters } from '../top/model.js';
import type { Moment } from '../top/sampler.js';
import { firstOf } from './search.js';

export interface MomentPorts {
  readonly clocks: Clocks;
  readonly meters: TaskMeters;
  /** Also read the proportional set sizes. */
  readonly pss: boolean;
  /** For who takes one moment after the other. */
  readonly files?: KeptFiles;
}

/** Reads the processes of the tasks, and what the meters know of them. `before`: the last moment. */
export function takeMoment(
  tasks: readonly SampledTask[],
  { clocks, meters, pss, files }: MomentPorts,
  before?: Moment,
): Moment {
  files?.begin();
  const place = files === undefined ? {} : { read: (path: string) => files.read(path) };
  const reading = readProcesses(clocks, before?.reading, place);
  const cgroupOf = meters.cgroups?.(reading, tasks) ?? (() => undefined);
  const cgroups = new Map<string, CgroupReading>();
  const disks = new Map<string, DiskReading>();
  const put = <T>(map: Map<string, T>, { key }: SampledTask, value: T | undefined) => {
    if (value !== undefined) map.set(key, value);
  };
  const known: Member[] = [...(before?.members.values() ?? [])];
  for (const task of tasks) {
    put(disks, task, meters.disk?.(task));
    if (!task.isForeign) continue;
    const cgroup = cgroupOf(task, []);
    put(cgroups, task, cgroup);
    for (const pid of cgroup?.pids ?? []) {
      const startTimeTicks = reading.processes.get(pid)?.startTimeTicks;
      if (startTimeTicks !== undefined) known.push({ pid, startTimeTicks, group: { task: task.key } });
    }
  }
  const members = membersOf(reading, tasks, known);
  const pids = pidsOf(members);
  for (const task of tasks) {
    if (!task.isForeign) put(cgroups, task, cgroupOf(task, pids.get(task.key) ?? []));
  }
  const details = detailsOf({ reading, tasks, members }, pss, place);
  return { reading, tasks, members, details, cgroups, disks };
}

function pidsOf(members: Members): ReadonlyMap<string, number[]> {
  const pids = new Map<string, number[]>();
  for (const { pid, group } of members.values()) {
    const ofTask = pids.get(group.task);
    if (ofTask === undefined) pids.set(group.task, [pid]);
    else ofTask.push(pid);
  }
  return pids;
}

/** Parents are read before their children, as in `readProcesses`. */
function detailsOf(
  { reading, tasks, members }: Pick<Moment, 'reading' | 'tasks' | 'members'>,
  pss: boolean,
  place: ProcessPlace,
): ReadonlyMap<number, ProcessDetails> {
  const coordinators = tasks.flatMap(({ runs }) => runs.flatMap(({ coordinator }) => coordinator ?? []));
  const identities = [
    ...coordinators.filter((each) => sameIn(reading, each) !== undefined),
    ...members.values(),
  ];
  identities.sort((a, b) => a.startTimeTicks - b.startTimeTicks || a.pid - b.pid);
  const details = new Map<number, ProcessDetails>();
  for (const { pid } of identities) {
    const found = readDetails(pid, pss, place);
    if (found !== undefined) details.set(pid, found);
  }
  return details;
}

const HIDDEN = 'what it uses is not known, because /proc hides its processes';
const FOREIGN = 'what it uses is not known, because its processes are in another pid namespace';
const SHARED = 'what it uses is not known, because its container has other active tasks, too';
const CLOSED = 'reads and writes are not known, because its processes belong to another user';

/** One problem for each reason that something of a task is not known; `totals`: but not for what only `top` shows. */
export function unknownUse(
  { tasks, cgroups, members, details }: Moment,
  asked: 'details' | 'totals',
): Problem[] {
  const closed = new Set<string>();
  for (const { pid, group } of members.values()) {
    const found = details.get(pid);
    if (found !== undefined && found.readBytes === undefined) closed.add(group.task);
  }
  const reasonOf = ({ key, isForeign, isShared, isHidden }: SampledTask) => {
    if (isForeign && !cgroups.has(key)) return isShared ? SHARED : FOREIGN;
    if (isHidden) return HIDDEN;
    return asked === 'details' && closed.has(key) ? CLOSED : undefined;
  };
  const byReason = new Map<string, string[]>();
  for (const task of tasks) {
    const reason = reasonOf(task);
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), task.task_id]);
  }
  return [...byReason].map(
    ([reason, ids]): Problem => ({
      code: 'use-unknown',
      severity: 'warning',
      message: `${firstOf(ids)}: ${reason}`,
      task_id: ids.length === 1 ? ids[0] : undefined,
    }),
  );
}
