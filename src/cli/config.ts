import { hostname } from 'node:os';
import type { Side } from '../app/diff.js';
import { type ConfigPorts, evaluateConfig, prepareConfig } from '../app/prepare-config.js';
import type { PreparedTask } from '../app/prepared-task.js';
import type { Int64 } from '../checkpoint/records.js';
import type { Request } from '../config/evaluate.js';
import { ConfigError, type ExecuteProgram } from '../config/program.js';
import type { InspectConfigDocument } from '../contracts/config.js';
import { badValue, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { runnableTask } from '../runner/task-document.js';
import { type GraphFormat, graphOfConfig } from '../task/graph.js';
import { parseTaskConfig, type TaskConfig } from '../task/task-file.js';
import { configText } from '../views/config.js';
import type { Style } from '../views/parts/style.js';
import { ConfigPrinting } from './config-printing.js';
import { type ConfigFlags, selectionOf } from './config-target.js';
import { parseBinding, parsePort } from './config-words.js';
import { drawn } from './graph.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/** The further flags of `run`. */
export interface RunConfigFlags extends ConfigFlags {
  'task-id'?: string;
  user?: string;
}

export interface ConfigAnswer {
  document: object;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode: number;
}

/** The evaluated task of a config; exit 1 if `run` would refuse it. Throws ConfigError, exit 2. */
export async function inspectConfig(
  path: string,
  flags: ConfigFlags & { graph?: GraphFormat },
  terminal: Terminal,
): Promise<ConfigAnswer> {
  const request = requestOf(flags);
  const { task } = await withPorts(flags, terminal, (ports) => evaluateConfig(path, request, ports));
  const { document, settings, unboundPorts, lint } = task;
  const answer = { task: document, ports: unboundPorts, lint } as unknown as InspectConfigDocument;
  const page = { path, document, settings, ports: request.ports, unboundPorts, lint };
  return {
    document: answer,
    text:
      flags.graph === undefined
        ? (style) => configText(page, style)
        : await drawn(graphOfConfig(taskOf(path, document)), flags.graph),
    problems: lint,
    exitCode: hasError(lint) ? EXIT.no : EXIT.ok,
  };
}

/** The task on disk that a config is compared with. */
export interface RanTask {
  task_id: string;
  user?: string;
  ports: Readonly<Record<string, Int64>>;
}

/**
 * The task of a config, to be compared: as a run of this task would write it to its task file, or, without a task, as
 * the config gives it. Throws ConfigError, exit 2.
 */
export async function configToCompare(
  path: string,
  flags: ConfigFlags,
  ran: RanTask | undefined,
  terminal: Terminal,
): Promise<Side> {
  if (ran === undefined) {
    const request = { ...requestOf(flags), ofTwo: true };
    const { task } = await withPorts(flags, terminal, (ports) => evaluateConfig(path, request, ports));
    return { path, config: taskOf(path, task.document), problems: task.lint };
  }
  const ports = Object.entries(ran.ports).map(([name, port]): [string, number] => [name, Number(port)]);
  const request = { ...requestOf(flags), ports: new Map([...ports, ...(flags.port ?? []).map(parsePort)]) };
  const identity = { taskId: ran.task_id, user: ran.user };
  const prepared = await withPorts(flags, terminal, (own) =>
    prepareConfig(path, request, identity, { ...own, now: () => terminal.now() }),
  );
  const { document } = runnableTask(prepared.document);
  return { path, config: taskOf(path, document), problems: prepared.problems };
}

function taskOf(path: string, document: object): TaskConfig {
  const config = parseTaskConfig(document);
  if (config === undefined) throw new UsageError('usage', `${path} has no task with processes`);
  return config;
}

/** The task of a config, prepared for a run as the flags say. Throws ConfigError, exit 2. */
export async function prepareRun(
  path: string,
  flags: RunConfigFlags,
  terminal: Terminal,
  { onlyJson = false } = {},
): Promise<PreparedTask> {
  const request = requestOf(flags);
  const identity = { taskId: flags['task-id'], user: flags.user };
  const now = () => terminal.now();
  return await withPorts(flags, terminal, (ports) =>
    prepareConfig(path, request, identity, {
      ...ports,
      ...(onlyJson && { python: refusePython(path) }),
      now,
    }),
  );
}

async function withPorts<T>(
  flags: ConfigFlags,
  terminal: Terminal,
  use: (ports: ConfigPorts) => Promise<T>,
): Promise<T> {
  const printing = new ConfigPrinting((text) => terminal.writeError(text));
  const progress = progressOn(terminal, flags);
  try {
    return await use({ print: (text) => printing.print(text), python: loadPython, progress });
  } finally {
    printing.end();
  }
}

/** For a file that nobody wrote as a program. */
function refusePython(path: string): ConfigPorts['python'] {
  return async () => {
    throw new ConfigError('load', 'config-syntax', `${path} is not JSON`);
  };
}

/** The build puts Python's files beside the bundle that holds this code. */
async function loadPython(): Promise<ExecuteProgram> {
  const { pythonExecutor } = await import('../config/python/execute.js');
  return pythonExecutor(__dirname);
}

/** What the flags ask of a config. Throws UsageError for a wrong value. */
export function requestOf(flags: ConfigFlags): Request {
  const { task, environment = [], port = [], job, instance } = flags;
  if (instance !== undefined && !/^\d{1,9}$/.test(instance)) {
    throw badValue('--instance', 'a whole number, 0 or higher', instance);
  }
  return {
    task,
    job,
    instance: instance === undefined ? undefined : Number(instance),
    hostname: hostname(),
    bindings: environment.map(parseBinding),
    ports: new Map(port.map(parsePort)),
    selection: selectionOf(flags),
  };
}
