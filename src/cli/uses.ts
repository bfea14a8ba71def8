import { cpus, uptime } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { type ObservePorts, type TaskUses, usesOf } from '../app/task-uses.js';
import { Host } from '../host/host.js';
import type { TaskView } from '../task/view.js';
import type { DiskBudget } from '../top/disk-measure.js';

/** What these tasks of this host use. `now`: milliseconds since the epoch. */
export function usesHere(views: readonly TaskView[], now: number, budget?: DiskBudget): TaskUses {
  return usesOf(views, portsAt(now), budget);
}

/** To look at what tasks of this host use. */
export function portsAt(now: number): ObservePorts {
  return {
    hosts: Host.snapshots(),
    clocks: { now: () => now, monotonic: () => performance.now() },
    uptime: () => uptime() * 1000,
    // Asking takes a millisecond.
    get cores() {
      return cpus().length;
    },
    wait: (ms) => wait(ms),
  };
}
