import { isLiveProcessState } from '../checkpoint/records.js';
import type { ProcessConfig } from './task-file.js';
import type { ProcessView } from './view.js';

/**
 * Whether the process is running or may run again while the task's runner is alive. The rules are the planner's.
 * `active`: the task is ACTIVE and not yet being ended.
 */
export function mayRunAgain(
  process: ProcessView,
  settings: ProcessConfig | undefined,
  active: boolean,
): boolean {
  if (isLiveProcessState(process.state)) return true;
  // While the task is being ended, only its final processes run.
  if (!active && settings?.final !== true) return false;
  if (process.state === 'SUCCESS') return settings?.daemon === true;
  if (process.state !== 'FAILED') return true;
  const most = settings?.max_failures ?? 1;
  return most === 0 || process.failures < most;
}
