import type { Setting } from '../config/settings.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';

/** A task as it will be run: every field has a value, and no template is left. */
export interface PreparedTask {
  /** The path of the config; without a config, the name of the task. */
  path: string;
  taskId: string;
  user: string;
  ports: Record<string, number>;
  document: Record<string, unknown>;
  /** What differs from the defaults of a config. */
  settings: readonly Setting[];
  /** Warnings. */
  problems: readonly Problem[];
}

/** The identity of a task; missing parts get defaults. */
export interface TaskIdentity {
  taskId?: string;
  user?: string;
}

/** The given id, else one made of the name and the time; the given user, else the current one. */
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

/** The original's format: the name of the task and the launch time, in local time. */
export function newTaskId(name: string, now: number): string {
  const date = new Date(now);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  return `${name}-${day}-${time}.${String((now % 1000) * 1000).padStart(6, '0')}`;
}
