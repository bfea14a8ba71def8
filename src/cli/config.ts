import { hostname } from 'node:os';
import {
  type EvaluatedTask,
  evaluate,
  type LoadedConfig,
  prepareRun,
  type Request,
} from '../config/evaluate.js';
import { loadConfig } from '../config/load.js';
import type { ExecuteProgram } from '../config/program.js';
import type { InspectConfigDocument } from '../contracts/config.js';
import { UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { configText } from '../views/config.js';
import type { Style } from '../views/parts/style.js';
import { ConfigPrinting } from './config-printing.js';
import type { ConfigFlags } from './config-target.js';
import { newTaskId, parseBinding, parsePort } from './config-words.js';
import { progressOn } from './progress.js';
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

/** A task as it will be run: every field has a value, nothing in it is a template any more. */
export interface PreparedTask {
  /** The config. */
  path: string;
  taskId: string;
  user: string;
  ports: Record<string, number>;
  document: Record<string, unknown>;
  /** Warnings. */
  problems: readonly Problem[];
}

/** The task as a run would have it, with nothing left to fill in. Throws ConfigError, exit 2. */
export async function prepareConfig(
  path: string,
  flags: RunFlags,
  terminal: Terminal,
): Promise<PreparedTask> {
  const { config, task, request } = await evaluated(path, flags, terminal);
  const taskId = flags['task-id'] ?? newTaskId(String(task.document.name), terminal.now());
  const host = Host.local();
  const user = flags.user ?? host.userName(host.euid) ?? String(host.euid);
  const { document, context } = prepareRun(config, task, { taskId, user, ports: request.ports });
  return {
    path,
    taskId,
    user,
    ports: Object.fromEntries(context.ports),
    document: document as Record<string, unknown>,
    problems: task.lint,
  };
}

async function evaluated(
  path: string,
  flags: ConfigFlags,
  terminal: Terminal,
): Promise<{ config: LoadedConfig; task: EvaluatedTask; request: Request }> {
  const request = requestOf(flags);
  const printing = new ConfigPrinting((text) => terminal.writeError(text));
  const progress = progressOn(terminal, flags);
  progress.start(`evaluating ${path}`);
  try {
    const config = await loadConfig(path, {
      environment: process.env,
      cwd: process.cwd(),
      print: (text) => printing.print(text),
      python: loadPython,
    });
    return { config, task: evaluate(config, request), request };
  } finally {
    progress.stop();
    printing.end();
  }
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
