import { isTerminalProcessState, type ProcessState, type ProcessStatus } from '../checkpoint/records.js';
import { followingSeq } from '../checkpoint/transitions.js';

/**
 * The final records of a coordinator that its dead runner did not copy: the updates that lead a run from one status to
 * another. A run has each state at most once, so its fields determine the updates. Pure.
 */
export function recordsBetween(was: ProcessStatus | undefined, is: ProcessStatus): ProcessStatus[] {
  const { process, fork_time, coordinator_pid, start_time, pid, stop_time, return_code } = is;
  if (was === undefined || was.seq === undefined || is.seq === undefined || was.seq === is.seq) return [];
  const updates: ProcessStatus[] = [];
  if (coordinator_pid !== undefined && was.coordinator_pid === undefined) {
    updates.push({ process, state: 'FORKED', fork_time, coordinator_pid });
  }
  if (pid !== undefined && was.pid === undefined)
    updates.push({ process, state: 'RUNNING', start_time, pid });
  if (isTerminalProcessState(is.state)) {
    const update: ProcessStatus = { process, state: is.state as ProcessState };
    if (stop_time !== undefined) update.stop_time = stop_time;
    if (return_code !== undefined) update.return_code = return_code;
    updates.push(update);
  }
  const { seq } = was;
  return updates.map((update, i) => ({ ...update, seq: followingSeq(seq, i + 1) }));
}
