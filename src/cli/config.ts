import { hostname } from 'node:os';
import {
  addressFault,
  type EvaluatedTask,
  evaluate,
  type LoadedConfig,
  prepareRun,
  type Request,
} from '../config/evaluate.js';
import { loadConfig } from '../config/load.js';
import type { ExecuteProgram } from '../config/program.js';
import type { DryRunDocument, InspectConfigDocument } from '../contracts/config.js';
import { UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { configText } from '../views/config.js';
import type { Style } from '../views/parts/style.js';
import type { ConfigFlags } from './config-target.js';
import type { Terminal } from './terminal.js';

/** What `run` takes besides. */
export interface RunFlags extends ConfigFlags {
  'task-id'?: string;
  user?: string;
}

export interface ConfigAnswer {
  document: object;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode: number;
}

/** The evaluated task of a config; exit 1 if no run would take it. Throws ConfigError, exit 2. */
export async function inspectConfig(
  path: string,
  flags: ConfigFlags,
  terminal: Terminal,
): Promise<ConfigAnswer> {
  const { task, request } = await evaluated(path, flags, terminal);
  const { document, unboundPorts, lint } = task;
  const answer = { task: document, ports: unboundPorts, lint } as unknown as InspectConfigDocument;
  return {
    document: answer,
    text: (style) => configText({ path, document, ports: request.ports, unboundPorts, lint }, style),
    problems: lint,
    exitCode: hasError(lint) ? EXIT.no : EXIT.ok,
  };
}

/** The task as a run would have it, with nothing left to fill in. Throws ConfigError, exit 2. */
export async function dryRun(path: string, flags: RunFlags, terminal: Terminal): Promise<ConfigAnswer> {
  const { config, task, request } = await evaluated(path, flags, terminal);
  const taskId = flags['task-id'] ?? newTaskId(String(task.document.name), terminal.now());
  const host = Host.local();
  const user = flags.user ?? host.userName(host.euid) ?? String(host.euid);
  const { document, context } = prepareRun(config, task, { taskId, user, ports: request.ports });
  const { ports } = context;
  const problems = task.lint;
  const answer = { task: document, task_id: taskId, user, ports: Object.fromEntries(ports), problems };
  return {
    document: answer as unknown as DryRunDocument,
    text: (style) =>
      configText({ path, document, taskId, user, ports, unboundPorts: [], lint: problems }, style),
    problems,
    exitCode: EXIT.ok,
  };
}

async function evaluated(
  path: string,
  flags: ConfigFlags,
  terminal: Terminal,
): Promise<{ config: LoadedConfig; task: EvaluatedTask; request: Request }> {
  const request = requestOf(flags);
  const config = await loadConfig(path, {
    environment: process.env,
    cwd: process.cwd(),
    print: (text) => terminal.writeError(text),
    python: loadPython,
  });
  return { config, task: evaluate(config, request), request };
}

/** What the build made of Python lies beside the bundle that this is part of. */
async function loadPython(): Promise<ExecuteProgram> {
  const { pythonExecutor } = await import('../config/python/execute.js');
  return pythonExecutor(__dirname);
}

function requestOf({ task, environment = [], port = [], job, instance = '0' }: ConfigFlags): Request {
  if (!/^\d{1,9}$/.test(instance)) {
    throw new UsageError('usage', `--instance takes a number from 0 on, not '${instance}'`);
  }
  return {
    task,
    job,
    instance: Number(instance),
    hostname: hostname(),
    bindings: environment.map(parseBinding),
    ports: new Map(port.map(parsePort)),
  };
}

/** `NAME=VALUE`; only the first `=` parts them. */
export function parseBinding(text: string): [address: string, value: string] {
  const end = text.indexOf('=');
  if (end < 0) throw new UsageError('usage', `-E takes NAME=VALUE, not '${text}'`);
  const address = text.slice(0, end);
  if (addressFault(address) !== undefined) {
    const message = `'${address}' in -E '${text}' is no name that a config can refer to`;
    throw new UsageError('usage', message, 'names are as inside {{…}}: name, profile.name, list[0]');
  }
  return [address, text.slice(end + 1)];
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
function newTaskId(name: string, now: number): string {
  const date = new Date(now);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  return `${name}-${day}-${time}.${String((now % 1000) * 1000).padStart(6, '0')}`;
}
