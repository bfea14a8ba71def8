import { isLiveProcessState } from '../checkpoint/records.js';
import type { ProcessConfig } from './task-file.js';
import type { ProcessView } from './view.js';

/**
 * May the process run again, or does it run, while its task's runner lives? The rules are those of the planner.
 * `active`: the task is ACTIVE, it is not being ended yet.
 */
export function mayRunAgain(
  process: ProcessView,
  settings: ProcessConfig | undefined,
  active: boolean,
): boolean {
  if (isLiveProcessState(process.state)) return true;
  // Once the task is being ended, only its final processes run.
  if (!active && settings?.final !== true) return false;
  if (process.state === 'SUCCESS') return settings?.daemon === true;
  if (process.state !== 'FAILED') return true;
  const most = settings?.max_failures ?? 1;
  return most === 0 || process.failures < most;
}
