import type { UsingTask } from '../agent/uses.js';
import type { ObservedUse } from '../doctor/check-usage.js';
import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import { type ContainerReading, ratesBetween } from '../top/containers.js';

/** What is kept of an active task of an agent until its container is looked at: there may be very many. */
export type ContainerTask = ObservedUse['view'] &
  UsingTask & { readonly launchMs?: number; readonly askedCpu?: number };

export interface ContainerPorts {
  /** What the containers of these tasks have used so far, by their checkpoint directories. */
  uses(
    tasks: readonly ContainerTask[],
  ): Promise<{ readings: ReadonlyMap<string, ContainerReading>; problems: readonly Problem[] }>;
  wait(ms: number): Promise<void>;
}

/** An agent measures twice a second at most. */
const INTERVAL_MS = 1000;

export function containerTask(view: TaskView): ContainerTask {
  const { task_id, root, layout, sandbox, mesos, found, launch_time_ms: launched, config } = view;
  const launchMs = launched === undefined ? undefined : Number(launched);
  return { task_id, root, layout, sandbox, mesos, found, launchMs, askedCpu: config?.resources?.cpu };
}

/** What the containers of tasks of agents use, as far as the agents tell it, by two looks. */
export async function observeContainers(
  tasks: readonly ContainerTask[],
  { uses, wait }: ContainerPorts,
): Promise<{ observed: readonly ObservedUse[]; problems: readonly Problem[] }> {
  if (tasks.length === 0) return { observed: [], problems: [] };
  const first = await uses(tasks);
  await wait(INTERVAL_MS);
  const { readings, problems } = await uses(tasks);
  const observed = tasks.flatMap((task): ObservedUse[] => {
    const { checkpoint_dir } = task.found;
    const reading = readings.get(checkpoint_dir);
    return reading === undefined ? [] : [observedUse(task, first.readings.get(checkpoint_dir), reading)];
  });
  return { observed, problems };
}

/**
 * The container has the executor, too: what it uses is compared with what was asked for both, which is what the agent
 * names as its limits. Pure.
 */
export function observedUse(
  task: ContainerTask,
  before: ContainerReading | undefined,
  now: ContainerReading,
): ObservedUse {
  const { limits, timestamp, cpuSeconds, rssBytes, processes, threads, diskBytes } = now;
  const rates = ratesBetween(before, now);
  const ageSeconds =
    timestamp === undefined || task.launchMs === undefined ? 0 : timestamp - task.launchMs / 1000;
  const share = now.periods ? (now.throttledPeriods ?? 0) / now.periods : undefined;
  return {
    view: task,
    use: {
      asked: { cpu: limits.cpu ?? task.askedCpu, ram: limits.memoryBytes, disk: limits.diskBytes },
      cpuAverage: cpuSeconds === undefined || ageSeconds < 1 ? undefined : cpuSeconds / ageSeconds,
      rssBytes,
      threads,
      pids: processes,
      disk: diskBytes === undefined ? undefined : { bytes: diskBytes },
      throttledShare: share === undefined ? undefined : Math.min(1, share),
      limits,
    },
    cpu: rates?.cpu,
    throttledShare: rates?.throttledShare,
    // What is shared counts once in the memory of a container.
    pssBytes: rssBytes,
  };
}
