import type { CheckpointRecord } from '../checkpoint/records.js';
import { mayPrecede } from '../host/start-time.js';
import type { RunTrace } from './own-processes.js';

/**
 * Collects the traces of a task's runs from its records, in the order of the stream. Omits runs from before boot, if the
 * boot time is given, and keeps only the latest coordinator with each pid, so memory does not grow with the stream.
 */
export class RunTraces {
  readonly #bootTimeMs: number;
  readonly #byCoordinator = new Map<number, RunTrace>();
  /** By process: the pid of its latest coordinator. */
  readonly #latest = new Map<string, number>();

  constructor(bootTimeMs = Number.NEGATIVE_INFINITY) {
    this.#bootTimeMs = bootTimeMs;
  }

  add({ type, value }: CheckpointRecord): void {
    if (type !== 'process_status' || value.process === undefined) return;
    const { process, state, coordinator_pid, fork_time, pid, start_time } = value;
    if (state === 'FORKED' && coordinator_pid !== undefined && fork_time !== undefined) {
      this.#latest.delete(process);
      if (!mayPrecede(this.#bootTimeMs, fork_time * 1000)) return;
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
