import { type ProcessDetails, readDetails } from '../host/process-details.js';
import { type Clocks, type Reading, readProcesses } from '../host/process-readings.js';
import { type Member, type Members, membersOf, sameIn } from '../top/members.js';
import type { CgroupReading, DiskReading, SampledTask, TaskMeters } from '../top/model.js';
import type { Moment } from '../top/sampler.js';

export interface MomentPorts {
  readonly clocks: Clocks;
  readonly meters: TaskMeters;
  /** Also read the proportional set sizes. */
  readonly pss: boolean;
}

/** Reads the processes of the tasks, and what the meters know of them. `before`: the last moment. */
export function takeMoment(
  tasks: readonly SampledTask[],
  { clocks, meters, pss }: MomentPorts,
  before?: Moment,
): Moment {
  const reading = readProcesses(clocks, before?.reading);
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
  const details = detailsOf(reading, tasks, members, pss);
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
  reading: Reading,
  tasks: readonly SampledTask[],
  members: Members,
  pss: boolean,
): ReadonlyMap<number, ProcessDetails> {
  const coordinators = tasks.flatMap(({ runs }) => runs.flatMap(({ coordinator }) => coordinator ?? []));
  const identities = [
    ...coordinators.filter((each) => sameIn(reading, each) !== undefined),
    ...members.values(),
  ];
  identities.sort((a, b) => a.startTimeTicks - b.startTimeTicks || a.pid - b.pid);
  const details = new Map<number, ProcessDetails>();
  for (const { pid } of identities) {
    const found = readDetails(pid, pss);
    if (found !== undefined) details.set(pid, found);
  }
  return details;
}
