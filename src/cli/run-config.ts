import { readFileSync } from 'node:fs';
import { describeErrno, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import type { Terminal } from './terminal.js';

export interface ConfigFlags {
  task?: string;
  'task-id'?: string;
  environment?: string[];
  port?: string[];
  user?: string;
}

/** A task as it will be run: every field has a value, nothing in it is a template any more. */
export interface PreparedTask {
  taskId: string;
  user: string;
  ports: Record<string, number>;
  document: Record<string, unknown>;
  /** Warnings. */
  problems: readonly Problem[];
}

/** The task that a config describes. Throws UsageError, before anything is started, for all that is wrong with it. */
export async function prepareConfig(
  path: string,
  flags: ConfigFlags,
  terminal: Terminal,
): Promise<PreparedTask> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError('config-unreadable', `cannot read the config ${path}: ${describeErrno(error)}`);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UsageError('config-syntax', `${path} is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new UsageError('config-invalid', `${path} does not hold a task`);
  }
  return prepareDocument(document as Record<string, unknown>, path, flags, terminal);
}

function prepareDocument(
  document: Record<string, unknown>,
  path: string,
  flags: ConfigFlags,
  terminal: Terminal,
): PreparedTask {
  const name = typeof document.name === 'string' ? document.name : firstName(document);
  if (flags.task !== undefined && flags.task !== name) {
    throw new UsageError('task-not-found', `${path} has no task '${flags.task}', but ${name}`);
  }
  const { values, ...identity } = identify(name, flags, terminal);
  return { ...identity, document: filled(document, values, path), problems: [] };
}

export interface Identity {
  taskId: string;
  user: string;
  ports: Record<string, number>;
  /** What stands for `{{NAME}}`. */
  values: ReadonlyMap<string, string>;
}

/** Who a task is, and what its templates may name. Throws UsageError. */
export function identify(
  name: string,
  { environment = [], port = [], ...flags }: ConfigFlags,
  terminal: Terminal,
): Identity {
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

function firstName(document: Record<string, unknown>): string {
  const [first] = Array.isArray(document.processes) ? document.processes : [];
  return String((first as { name?: unknown } | undefined)?.name ?? 'task');
}

/** Puts values in for `{{NAME}}`; what nothing is bound to is an error. */
function filled<T>(value: T, values: ReadonlyMap<string, string>, path: string): T {
  if (typeof value === 'string') {
    return value.replace(/\{\{([\w.[\]-]+)\}\}/g, (tag, name: string) => {
      const bound = values.get(name);
      if (bound !== undefined) return bound;
      const port = /^thermos\.ports\[(.+)\]$/.exec(name)?.[1];
      if (port === undefined)
        throw new UsageError('ref-unbound', `${path}: nothing is bound to ${tag}`, 'bind it with -E');
      throw new UsageError(
        'port-unbound',
        `${path}: the task needs the port '${port}'`,
        `give it with -P ${port}:PORT`,
      );
    }) as T;
  }
  if (Array.isArray(value)) return value.map((each) => filled(each, values, path)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, filled(each, values, path)]),
  ) as T;
}

/** `NAME=VALUE`; only the first `=` parts them. */
export function parseBinding(text: string): [name: string, value: string] {
  const end = text.indexOf('=');
  if (end < 1) throw new UsageError('usage', `-E takes NAME=VALUE, not '${text}'`);
  return [text.slice(0, end), text.slice(end + 1)];
}

/** `NAME:PORT`. */
export function parsePort(text: string): [name: string, port: number] {
  const [, name, digits] = /^([\w\-./]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (name === undefined || port < 1 || port > 65535) {
    throw new UsageError('usage', `-P takes NAME:PORT with a port from 1 to 65535, not '${text}'`);
  }
  return [name, port];
}

/** The original's: the name of the task and when it was launched, in local time. */
export function newTaskId(name: string, now: number): string {
  const date = new Date(now);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  return `${name}-${day}-${time}.${String((now % 1000) * 1000).padStart(6, '0')}`;
}
