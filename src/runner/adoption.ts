import { Host } from '../host/host.js';
import { processRow } from '../host/process-table.js';
import { startsAgree } from '../host/start-time.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { coordinatorStat } from '../lifecycle/task-streams.js';
import type { LiveRun } from './progress.js';

/**
 * Coordinators that a runner before us started. They are no children of ours: whether one still is there, and will
 * record the end of its run, is to be looked up.
 */
export class AdoptedCoordinators {
  readonly #place: TaskPlace;
  /** The start in ticks of those that were found alive, by pid. */
  readonly #starts = new Map<number, number>();

  constructor(place: TaskPlace) {
    this.#place = place;
  }

  /** Is there still a coordinator that will record the end of this run? */
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
    // One that was started in another pid namespace can't be seen, but its lock can.
    const stream = coordinatorStat(this.#place, process);
    return stream !== undefined && host.isLocked(stream) === true;
  }
}
