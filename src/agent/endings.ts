import { isFields, MOST } from './answers.js';
import { fieldsIn } from './json-answer.js';

/** How a task ended, as its agent tells it. */
export interface MesosEnding {
  /** `REASON_CONTAINER_LIMITATION_MEMORY` …; of an end that its executor reported, mostly `REASON_COMMAND_EXECUTOR_FAILED` or none. */
  readonly reason: string;
  /** May be empty. */
  readonly message: string;
  /** By the clock of the agent, in milliseconds since the epoch; undefined if it does not say it. */
  readonly timeMs?: number;
}

/** Longer ones are cut: those of Mesos have the statistics of a cgroup. */
const MOST_MESSAGE = 4096;

/**
 * The ends of the tasks that an agent remembers, by their ids; undefined if the answer is not that of GET_TASKS. `/state`
 * has neither their reasons nor their messages (Mesos, src/common/http.cpp). Pure.
 */
export function parseEndings(answer: unknown): ReadonlyMap<string, MesosEnding> | undefined {
  const { get_tasks: tasks } = fieldsIn(answer);
  if (!isFields(tasks)) return undefined;
  const { terminated_tasks, completed_tasks } = tasks;
  const endings = new Map<string, MesosEnding>();
  for (const list of [terminated_tasks, completed_tasks]) {
    for (const task of Array.isArray(list) ? list.slice(0, MOST.executors) : []) {
      const { task_id, statuses } = fieldsIn(task);
      const { value: id } = fieldsIn(task_id);
      const { reason, message, timestamp } = fieldsIn(Array.isArray(statuses) ? statuses.at(-1) : undefined);
      if (typeof id !== 'string' || typeof reason !== 'string') continue;
      endings.set(id, {
        reason,
        message: typeof message === 'string' ? message.slice(0, MOST_MESSAGE) : '',
        timeMs: typeof timestamp === 'number' && timestamp > 0 ? Math.round(timestamp * 1000) : undefined,
      });
    }
  }
  return endings;
}
