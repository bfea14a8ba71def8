import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';

/** A task as it will be run: every field has a value, nothing in it is a template any more. */
export interface PreparedTask {
  /** The config, or the name of the task if it is of none. */
  path: string;
  taskId: string;
  user: string;
  ports: Record<string, number>;
  document: Record<string, unknown>;
  /** Warnings. */
  problems: readonly Problem[];
}

/** Who a task is to be; what is left out is made up. */
export interface TaskIdentity {
  taskId?: string;
  user?: string;
}

/** The id of a task, else one of its name and the time; its user, else who we are. */
export function identityOf(
  name: string,
  { taskId, user }: TaskIdentity,
  now: number,
): Required<TaskIdentity> {
  const host = Host.local();
  return {
    taskId: taskId ?? newTaskId(name, now),
    user: user ?? host.userName(host.euid) ?? String(host.euid),
  };
}

/** The original's: the name of the task and when it was launched, in local time. */
export function newTaskId(name: string, now: number): string {
  const date = new Date(now);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  return `${name}-${day}-${time}.${String((now % 1000) * 1000).padStart(6, '0')}`;
}
