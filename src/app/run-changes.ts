import type { ProcessStatus } from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import type { TaskView } from '../task/view.js';

/** A new state of a task, or of a run of one of its processes. */
export type RunChange =
  | { readonly kind: 'task'; readonly state: unknown }
  | {
      readonly kind: 'process';
      readonly process: string;
      readonly run: number;
      readonly status: ProcessStatus;
    };

type History = Pick<TaskView, 'statuses' | 'statuses_left_out' | 'history'>;

/** What has changed in a task between two looks. WAITING and FORKED are not reported. */
export class RunChanges {
  #isKnown: boolean;
  /** How many of its statuses have been seen. */
  #seen = 0;
  #state: unknown;
  readonly #runs = new Map<string, { run: number; state: unknown }>();

  /** `isKnown`: states at the first look are not reported. */
  constructor(isKnown: boolean) {
    this.#isKnown = isKnown;
  }

  /** The changes since the last look, in their order as far as a view shows it. */
  of({ statuses, statuses_left_out, history }: History): RunChange[] {
    const recorded = statuses.length + (statuses_left_out?.count ?? 0);
    const states = statuses
      .slice(Math.max(0, statuses.length - (recorded - this.#seen)))
      .map(({ state }) => state);
    this.#seen = recorded;
    // The task is ACTIVE before anything runs, and in its other states afterwards.
    const after = states.findIndex((state) => state !== 'ACTIVE');
    const split = after === -1 ? states.length : after;
    const changes = [
      ...this.#ofTask(states.slice(0, split)),
      ...this.#ofProcesses(history),
      ...this.#ofTask(states.slice(split)),
    ];
    const wasKnown = this.#isKnown;
    this.#isKnown = false;
    return wasKnown ? [] : changes;
  }

  #ofTask(states: readonly unknown[]): RunChange[] {
    return states.flatMap((state) => {
      if (state === this.#state) return [];
      this.#state = state;
      return [{ kind: 'task', state }];
    });
  }

  #ofProcesses(history: History['history']): RunChange[] {
    const changes: RunChange[] = [];
    for (const [process, ran] of history) {
      const known = this.#runs.get(process);
      for (const { n: run, run: status } of numberedRuns(ran)) {
        const { state } = status;
        if (known !== undefined && (run < known.run || (run === known.run && state === known.state)))
          continue;
        this.#runs.set(process, { run, state });
        if (state !== 'WAITING' && state !== 'FORKED')
          changes.push({ kind: 'process', process, run, status });
      }
    }
    return changes;
  }
}
