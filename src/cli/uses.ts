import { uptime } from 'node:os';
import { type TaskUses, usesOf } from '../app/task-uses.js';
import { Host } from '../host/host.js';
import type { TaskView } from '../task/view.js';
import type { DiskBudget } from '../top/disk-measure.js';

/** What these tasks of this host use. `now`: milliseconds since the epoch. */
export function usesHere(views: readonly TaskView[], now: number, budget?: DiskBudget): TaskUses {
  const clocks = { now: () => now, monotonic: () => performance.now() };
  return usesOf(views, { host: Host.local(), clocks, uptime: () => uptime() * 1000 }, budget);
}
