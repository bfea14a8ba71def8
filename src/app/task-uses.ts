import type { ObservedUse } from '../doctor/check-usage.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import type { Clocks } from '../host/process-readings.js';
import { fileSystemOf } from '../store/disk.js';
import type { TaskView } from '../task/view.js';
import { type DiskBudget, type DiskSize, measureAll } from '../top/disk-measure.js';
import { cgroupsOfTasks } from '../top/meters.js';
import type { SampledTask } from '../top/model.js';
import { type Moment, Sampler } from '../top/sampler.js';
import { type TaskUse, usesAt } from '../top/task-use.js';
import { takeMoment, unknownUse } from './moment.js';
import { SampledTasks } from './sampled-task.js';

export interface UsePorts {
  /** A new snapshot of this machine on each call. */
  readonly hosts: () => Host;
  readonly clocks: Clocks;
  /** The time since boot, in milliseconds. */
  readonly uptime: () => number;
}

/** How much time disks may take, of all tasks together. */
export const DISK_BUDGETS = {
  /** While somebody waits for something else. */
  inspect: { ms: 200, entries: 200_000 },
  /** Twice. */
  doctor: { ms: 1000, entries: 200_000 },
  /** For somebody who asked for it. */
  status: { ms: 5000, entries: 1_000_000 },
} as const satisfies Record<string, DiskBudget>;

export interface TaskUses {
  /** By the checkpoint directories of the tasks. */
  readonly uses: ReadonlyMap<string, TaskUse>;
  /** One for each reason that something is not known. */
  readonly problems: readonly Problem[];
}

/**
 * What these tasks of this host use, by one look; of those of which nothing runs, nothing. Without a `budget`, disks are
 * not measured.
 */
export function usesOf(views: readonly TaskView[], ports: UsePorts, budget?: DiskBudget): TaskUses {
  const active = views.filter(mayUse);
  if (active.length === 0) return { uses: new Map(), problems: [] };
  const { moment, uptimeMs } = look(active, ports, { budget });
  return { uses: usesAt(moment, uptimeMs), problems: unknownUse(moment, 'totals') };
}

/** How long the second look comes after the first. */
const INTERVAL_MS = 1000;

export interface ObservePorts extends UsePorts {
  /** How many processors the machine has. */
  readonly cores: number;
  readonly wait: (ms: number) => Promise<void>;
}

/** What these tasks of this host use, as far as it can be measured, by two looks; of those of which nothing runs, nothing. */
export async function observeUse(
  views: readonly TaskView[],
  ports: ObservePorts,
): Promise<readonly ObservedUse[]> {
  const active = views.filter(mayUse);
  if (active.length === 0) return [];
  const budget = DISK_BUDGETS.doctor;
  const sampler = new Sampler(ports.cores);
  const first = look(active, ports, { budget });
  sampler.sample(first.moment);
  await ports.wait(INTERVAL_MS);
  const second = look(active, ports, { budget, before: first.moment });
  const { tasks } = sampler.sample(second.moment);
  const uses = usesAt(second.moment, second.uptimeMs);
  const pss = proportional(
    active.filter(({ found }) => isAboveRam(uses.get(found.checkpoint_dir))),
    ports,
  );
  return tasks.map(({ task: { key, asked }, cpu, throttledShare }, i): ObservedUse => {
    const view = active[i] as TaskView;
    return {
      view,
      use: uses.get(key) ?? { asked },
      cpu,
      throttledShare,
      pssBytes: pss.get(key),
      grown: growth(first.sizes.get(key), second.sizes.get(key)),
      availableBytes: view.sandbox?.found ? available(view.sandbox.path) : undefined,
    };
  });
}

function mayUse({ phase, runner, leftovers, root }: TaskView): boolean {
  if (phase !== 'active' || root.agent !== undefined) return false;
  return runner?.alive === true || leftovers.length > 0;
}

type TimedSize = DiskSize & { readonly atMs: number };

interface Look {
  readonly moment: Moment;
  readonly uptimeMs: number;
  /** By the keys of tasks. */
  readonly sizes: ReadonlyMap<string, TimedSize>;
}

interface LookOptions {
  readonly budget?: DiskBudget;
  readonly before?: Moment;
  readonly pss?: boolean;
}

function look(
  views: readonly TaskView[],
  { hosts, clocks, uptime }: UsePorts,
  { budget, before, pss = false }: LookOptions,
): Look {
  const tasks = new SampledTasks().of(views, hosts());
  const sizes = new Map<string, TimedSize>();
  if (budget !== undefined) {
    for (const [{ key }, size] of measureAll(tasks, budget, clocks.monotonic)) sizes.set(key, size);
  }
  const disk = ({ key }: SampledTask) => {
    const size = sizes.get(key);
    return size && { bytes: size.bytes, atLeast: size.atLeast, asOfMs: clocks.now() };
  };
  const moment = takeMoment(tasks, { clocks, meters: { cgroups: cgroupsOfTasks, disk }, pss }, before);
  return { moment, uptimeMs: uptime(), sizes };
}

function isAboveRam(use: TaskUse | undefined): boolean {
  return use?.rssBytes !== undefined && use.asked.ram !== undefined && use.rssBytes > use.asked.ram;
}

/** The memory of tasks with shared pages in parts, by key: the kernel visits all of it, so only few are asked about. */
function proportional(
  views: readonly TaskView[],
  ports: ObservePorts,
): ReadonlyMap<string, number | undefined> {
  if (views.length === 0) return new Map();
  const { tasks } = new Sampler(ports.cores).sample(look(views, ports, { pss: true }).moment);
  return new Map(tasks.map(({ task, pssBytes }) => [task.key, pssBytes]));
}

/** Undefined if it did not grow, or not all was counted. */
function growth(before: TimedSize | undefined, after: TimedSize | undefined): ObservedUse['grown'] {
  if (before === undefined || after === undefined || before.atLeast || after.atLeast) return undefined;
  const [bytes, ms] = [after.bytes - before.bytes, after.atMs - before.atMs];
  return bytes > 0 && ms > 0 ? { bytes, ms } : undefined;
}

/** Undefined if the directory vanished or may not be seen. */
function available(path: string): number | undefined {
  try {
    return fileSystemOf(path).available;
  } catch {
    return undefined;
  }
}
