import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import type { Clocks } from '../host/process-readings.js';
import type { TaskView } from '../task/view.js';
import { type DiskBudget, measureAll } from '../top/disk-measure.js';
import { cgroupsOfTasks } from '../top/meters.js';
import { type TaskUse, usesAt } from '../top/task-use.js';
import { takeMoment, unknownUse } from './moment.js';
import { SampledTasks } from './sampled-task.js';

export interface UsePorts {
  readonly host: Host;
  readonly clocks: Clocks;
  /** The time since boot, in milliseconds. */
  readonly uptime: () => number;
}

/** How much time disks may take, of all tasks together. */
export const DISK_BUDGETS = {
  /** While somebody waits for something else. */
  inspect: { ms: 200, entries: 200_000 },
  /** For somebody who asked for it. */
  status: { ms: 5000, entries: 1_000_000 },
} as const satisfies Record<string, DiskBudget>;

export interface TaskUses {
  /** By the checkpoint directories of the tasks. */
  readonly uses: ReadonlyMap<string, TaskUse>;
  /** One for each reason that something is not known. */
  readonly problems: readonly Problem[];
}

/** What these tasks of this host use, by one look; of those of which nothing runs, nothing. Without a `budget`, disks are not measured. */
export function usesOf(views: readonly TaskView[], ports: UsePorts, budget?: DiskBudget): TaskUses {
  const active = views.filter(mayUse);
  if (active.length === 0) return { uses: new Map(), problems: [] };
  const { host, clocks, uptime } = ports;
  const tasks = new SampledTasks().of(active, host);
  const sizes = budget && measureAll(tasks, budget, clocks.monotonic);
  const disk = (task: (typeof tasks)[number]) => {
    const size = sizes?.get(task);
    return size && { ...size, asOfMs: clocks.now() };
  };
  const moment = takeMoment(tasks, { clocks, meters: { cgroups: cgroupsOfTasks, disk }, pss: false });
  return { uses: usesAt(moment, uptime()), problems: unknownUse(moment, 'totals') };
}

function mayUse({ phase, runner, leftovers }: TaskView): boolean {
  return phase === 'active' && (runner?.alive === true || leftovers.length > 0);
}
