import { Host } from '../host/host.js';
import { processRow } from '../host/process-table.js';
import { startsAgree } from '../host/start-time.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { coordinatorStat } from '../lifecycle/task-streams.js';
import type { LiveRun } from './progress.js';

/**
 * Coordinators that an earlier runner started. They are not our children, so we must look up whether one is still alive
 * and will record the end of its run.
 */
export class AdoptedCoordinators {
  readonly #place: TaskPlace;
  /** Start times in ticks of those found alive, by pid. */
  readonly #starts = new Map<number, number>();

  constructor(place: TaskPlace) {
    this.#place = place;
  }

  /** Is the coordinator that will record the end of this run still alive? */
  isAlive({ process, coordinator_pid, fork_time }: LiveRun): boolean {
    const known = this.#starts.get(coordinator_pid);
    const row = processRow(coordinator_pid);
    const isThere = row !== undefined && row.state !== 'Z';
    if (isThere && row.startTimeTicks === known) return true;
    const host = Host.local();
    if (isThere && known === undefined) {
      const { startTimeMs } = host.process(coordinator_pid) ?? {};
      if (startTimeMs !== undefined && startsAgree(startTimeMs, fork_time * 1000)) {
        this.#starts.set(coordinator_pid, row.startTimeTicks);
        return true;
      }
    }
    // A coordinator in another pid namespace is not visible, but its lock is.
    const stream = coordinatorStat(this.#place, process);
    return stream !== undefined && host.isLocked(stream) === true;
  }
}
