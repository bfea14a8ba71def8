import type { ProcessStatus } from '../checkpoint/records.js';
import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import type { RunTrace } from './own-processes.js';
import { SandboxMates } from './sandbox-mates.js';
import { TaskProcesses } from './task-processes.js';
import { distrust } from './trust.js';

/**
 * SIGKILL to whatever is certainly a task's and still lives, by what its stream says (all runs are in the view);
 * nothing is recorded. `signalled`: the pids.
 */
export function endLeftovers({ found, task_id, root, header, history, sandbox, log_dir }: TaskView): {
  signalled: number[];
  problems: Problem[];
} {
  const uid = header?.uid;
  const logDir = log_dir?.path ?? (sandbox && `${sandbox.path}/.logs`);
  if (uid === undefined || logDir === undefined) return { signalled: [], problems: [] };
  const place = { root: root.path, taskId: task_id };
  const distrusted = distrust(place, uid);
  if (distrusted !== undefined) {
    const { code, message, hint } = distrusted;
    return { signalled: [], problems: [{ code, severity: 'error', message, hint, task_id }] };
  }
  const traces = [...history.values()].flatMap(({ runs }) => runs.flatMap(traceOf));
  const mates = new SandboxMates(place, sandbox?.path, logDir);
  const marks = { uid, directory: found.checkpoint_dir, home: sandbox?.path, logDir, mates };
  const { alive, problems } = new TaskProcesses(marks).endAll(traces);
  return { signalled: [...alive], problems };
}

function traceOf({ coordinator_pid, fork_time, pid, start_time }: ProcessStatus): RunTrace[] {
  if (coordinator_pid === undefined || fork_time === undefined) return [];
  return [{ coordinatorPid: coordinator_pid, forkTime: fork_time, pid, startTime: start_time }];
}
