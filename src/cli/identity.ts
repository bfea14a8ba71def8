import { Host } from '../host/host.js';
import { newTaskId, parseBinding, parsePort } from './config-words.js';
import type { Terminal } from './terminal.js';

export interface IdentityFlags {
  'task-id'?: string;
  environment?: string[];
  port?: string[];
  user?: string;
}

export interface TaskIdentity {
  taskId: string;
  user: string;
  ports: Record<string, number>;
  /** What stands for `{{NAME}}`. */
  values: ReadonlyMap<string, string>;
}

/** Who a task is, and what its templates may name. Throws UsageError. */
export function identify(
  name: string,
  { environment = [], port = [], ...flags }: IdentityFlags,
  terminal: Terminal,
): TaskIdentity {
  const taskId = flags['task-id'] ?? newTaskId(name, terminal.now());
  const host = Host.local();
  const user = flags.user ?? host.userName(host.euid) ?? String(host.euid);
  const ports = Object.fromEntries(port.map(parsePort));
  const values = new Map<string, string>([
    ['thermos.task_id', taskId],
    ['thermos.user', user],
    ...Object.entries(ports).map(([port, number]): [string, string] => [
      `thermos.ports[${port}]`,
      String(number),
    ]),
    ...environment.map(parseBinding),
  ]);
  return { taskId, user, ports, values };
}
