import { Host } from '../host/host.js';
import { processRow } from '../host/process-table.js';
import { startsAgree } from '../host/start-time.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { coordinatorStat } from '../lifecycle/task-streams.js';
import type { LiveRun } from './progress.js';
import type { StartKeeper } from './start-keeper.js';

/**
 * Coordinators that an earlier runner started. They are not our children, so we must look up whether one is still alive
 * and will record the end of its run.
 */
export class AdoptedCoordinators {
  readonly #place: TaskPlace;
  readonly #keeper: StartKeeper;
  /** Starts in ticks of those found alive by the recorded time, by pid. */
  readonly #starts = new Map<number, number>();

  constructor(place: TaskPlace, keeper: StartKeeper) {
    this.#place = place;
    this.#keeper = keeper;
  }

  /**
   * Is the coordinator that will record the end of this run still alive? Its exact start decides if it was kept, else the
   * lock on its stream, and the recorded time only where locks cannot be seen.
   */
  isAlive(run: LiveRun): boolean {
    const { process, coordinator_pid: pid, fork_time } = run;
    const found = processRow(pid);
    const row = found?.state === 'Z' ? undefined : found;
    const exact = this.#keeper.of(pid, fork_time);
    if (row !== undefined && row.startTimeTicks === (exact ?? this.#starts.get(pid))) return true;
    const host = Host.local();
    const stream = coordinatorStat(this.#place, process);
    const isLocked = stream === undefined ? undefined : host.isLocked(stream);
    // A coordinator in another pid namespace is not visible, but its lock is.
    if (isLocked === false || row === undefined || exact !== undefined) return isLocked === true;
    if (stream !== undefined && isLocked === true) {
      const hold = LOCAL_PROCESSES.holdsLock(pid, stream);
      if (hold !== undefined && hold !== 'none') this.#keeper.adopted(run, row);
      return true;
    }
    const { startTimeMs } = host.process(pid) ?? {};
    if (startTimeMs === undefined || !startsAgree(startTimeMs, fork_time * 1000)) return false;
    this.#starts.set(pid, row.startTimeTicks);
    return true;
  }
}
