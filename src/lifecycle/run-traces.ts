import type { CheckpointRecord } from '../checkpoint/records.js';
import { mayPrecede } from '../host/start-time.js';
import type { ExactStarts } from '../layout/starts.js';
import type { RunTrace } from './own-processes.js';

/**
 * Collects the traces of a task's runs from its records, in the order of the stream. Keeps only the latest coordinator
 * with each pid, so memory does not grow with the stream.
 */
export class RunTraces {
  readonly #byCoordinator = new Map<number, RunTrace>();
  /** By process: the pid of its latest coordinator. */
  readonly #latest = new Map<string, number>();

  add({ type, value }: CheckpointRecord): void {
    if (type !== 'process_status' || value.process === undefined) return;
    const { process, state, coordinator_pid, fork_time, pid, start_time } = value;
    if (state === 'FORKED' && coordinator_pid !== undefined && fork_time !== undefined) {
      this.#latest.set(process, coordinator_pid);
      this.#byCoordinator.set(coordinator_pid, {
        process,
        coordinatorPid: coordinator_pid,
        forkTime: fork_time,
      });
    }
    const latest = this.#latest.get(process);
    if (state !== 'RUNNING' || latest === undefined) return;
    const trace = this.#byCoordinator.get(latest);
    if (trace?.process === process) this.#byCoordinator.set(latest, { ...trace, pid, startTime: start_time });
  }

  all(): RunTrace[] {
    return [...this.#byCoordinator.values()];
  }
}

/**
 * The runs that may have live processes: not those from before the boot. If the exact start of a coordinator is not known,
 * the time of the boot decides, which moves when the clock is set. Pure.
 */
export function sinceBoot(runs: readonly RunTrace[], starts: ExactStarts, bootTimeMs: number): RunTrace[] {
  return runs.filter(({ coordinatorPid, forkTime }) => {
    const start = starts.of(coordinatorPid, forkTime);
    return start === undefined ? mayPrecede(bootTimeMs, forkTime * 1000) : start !== 'earlier-boot';
  });
}

/** Adds the exact starts that are known, and omits runs that are known to be of an earlier boot. Pure. */
export function withStarts(runs: readonly RunTrace[], starts: ExactStarts): RunTrace[] {
  return runs.flatMap((run) => {
    const coordinatorTicks = starts.of(run.coordinatorPid, run.forkTime);
    const ticks = starts.of(run.pid, run.startTime);
    if (coordinatorTicks === 'earlier-boot' || ticks === 'earlier-boot') return [];
    return [{ ...run, coordinatorTicks, ticks }];
  });
}
