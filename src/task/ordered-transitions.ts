import type { FoundTask } from '../discovery/found.js';
import type { TimedTransition } from './transition-reader.js';
import type { TaskTransition } from './transition-watch.js';

/**
 * Puts transitions of many tasks in the order of time. Those of one process, and those of a task itself, stay in the
 * order in which they were recorded, whatever times they have.
 */
export class OrderedTransitions {
  readonly #transitions: { transition: TaskTransition; order: number }[] = [];

  get size(): number {
    return this.#transitions.length;
  }

  /** Takes the transitions of one task; those from before `sinceMs` are left out. */
  add({ task_id, root }: FoundTask, transitions: readonly TimedTransition[], sinceMs: number): void {
    const orders = new Map<string | undefined, number>();
    for (const transition of transitions) {
      const { process, time_ms } = transition;
      const order = Math.max(time_ms, orders.get(process) ?? 0);
      orders.set(process, order);
      if (time_ms >= sinceMs) this.#transitions.push({ transition: { ...transition, task_id, root }, order });
    }
  }

  inOrder(): TaskTransition[] {
    return this.#transitions.sort((a, b) => a.order - b.order).map(({ transition }) => transition);
  }
}
