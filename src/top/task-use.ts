import { TICKS_PER_SECOND } from '../host/process-stat.js';
import { useSinceMade } from './cgroup-use.js';
import { groupKey, sameIn } from './members.js';
import type { DiskReading, Limits, ProcessReading, SampledTask } from './model.js';
import { type Moment, Sampler } from './sampler.js';

/** What one reading says that a task uses. What is unknown is undefined, and never 0. */
export interface TaskUse {
  readonly asked: SampledTask['asked'];
  /** Cores, on average since those of its processes started that run now. */
  readonly cpuAverage?: number;
  /** Resident memory; pages that processes share count in each of them. */
  readonly rssBytes?: number;
  readonly threads?: number;
  /** How many operating system processes there are. */
  readonly pids?: number;
  readonly disk?: Pick<DiskReading, 'bytes' | 'atLeast'>;
  /** Since its cgroup was made: the part of the periods of its limit in which it reached the limit, from 0 to 1. */
  readonly throttledShare?: number;
  /** Since its cgroup was made. */
  readonly oomKills?: number;
  /** How many processes and threads are in its cgroup. */
  readonly pidsCount?: number;
  readonly limits?: Limits;
}

/** An average over less says nothing: the kernel counts in hundredths of a second. */
const LEAST_MS = 1000;

/** What each task uses at this moment, by its key. `uptimeMs`: since boot, when the moment was read. Pure. */
export function usesAt(moment: Moment, uptimeMs: number): Map<string, TaskUse> {
  // Without a moment before, nothing depends on the number of processors.
  const { tasks } = new Sampler(1).sample(moment);
  const groups = new Map<string, ProcessReading[]>();
  for (const { pid, group } of moment.members.values()) {
    const row = moment.reading.processes.get(pid);
    if (row !== undefined) groups.set(groupKey(group), [...(groups.get(groupKey(group)) ?? []), row]);
  }
  const age = (startTimeTicks: number) => uptimeMs - (startTimeTicks * 1000) / TICKS_PER_SECOND;
  return new Map(
    tasks.map(({ task, rssBytes, threads, pids, disk, pidsCount, limits }): [string, TaskUse] => {
      const { throttledShare, oomKills } = useSinceMade(moment.cgroups.get(task.key));
      const cpuAverage = task.isForeign
        ? averageOfCgroup(task, moment, age)
        : averageOfRuns(task, moment, groups, age);
      const use = { asked: task.asked, cpuAverage, rssBytes, threads, pids, disk };
      return [task.key, { ...use, throttledShare, oomKills, pidsCount, limits }];
    }),
  );
}

type Age = (startTimeTicks: number) => number;

function averageOfRuns(
  { key, runs, isHidden }: SampledTask,
  { reading }: Moment,
  groups: ReadonlyMap<string, readonly ProcessReading[]>,
  age: Age,
): number | undefined {
  if (isHidden) return undefined;
  const averages = runs.map(({ process, run, coordinator, command }) => {
    const rows = groups.get(groupKey({ task: key, run: { process, run } })) ?? [];
    const begun = sameIn(reading, command) ?? oldest(rows);
    if (begun === undefined) return undefined;
    // The coordinator has waited for those of its children that ended.
    let ticks = sameIn(reading, coordinator)?.childTicks ?? 0;
    for (const { ownTicks, childTicks } of rows) ticks += ownTicks + childTicks;
    return average((ticks * 1000) / TICKS_PER_SECOND, age(begun.startTimeTicks));
  });
  const known = averages.filter((each) => each !== undefined);
  if (known.length === 0) return undefined;
  return known.reduce((sum, each) => sum + each, 0);
}

/** Since the oldest process in it started. */
function averageOfCgroup({ key }: SampledTask, { cgroups, reading }: Moment, age: Age): number | undefined {
  const cgroup = cgroups.get(key);
  if (cgroup?.cpuMs === undefined || !cgroup.isWhole) return undefined;
  const rows = cgroup.pids.map((pid) => reading.processes.get(pid)).filter((row) => row !== undefined);
  const first = oldest(rows);
  return first && average(cgroup.cpuMs, age(first.startTimeTicks));
}

function oldest(rows: readonly ProcessReading[]): ProcessReading | undefined {
  return rows.reduce<ProcessReading | undefined>(
    (first, row) => (first === undefined || row.startTimeTicks < first.startTimeTicks ? row : first),
    undefined,
  );
}

function average(usedMs: number, ageMs: number): number | undefined {
  return ageMs < LEAST_MS ? undefined : usedMs / ageMs;
}
