import {
  type EvaluatedTask,
  evaluate,
  type LoadedConfig,
  prepareRun,
  type Request,
} from '../config/evaluate.js';
import { loadConfig } from '../config/load.js';
import type { ExecuteProgram } from '../config/program.js';
import { identityOf, type PreparedTask, type TaskIdentity } from './prepared-task.js';
import type { Progress } from './progress.js';

export interface ConfigPorts {
  /** Takes what the config prints. */
  print(text: string): void;
  /** Loads the program that executes Python. */
  python(): Promise<ExecuteProgram>;
  readonly progress: Progress;
}

/** Evaluates the requested task of a config. Rejects with ConfigError, exit 2. */
export async function evaluateConfig(
  path: string,
  request: Request,
  { print, python, progress }: ConfigPorts,
): Promise<{ config: LoadedConfig; task: EvaluatedTask }> {
  progress.start(`evaluating ${path}`);
  try {
    const config = await loadConfig(path, {
      environment: process.env,
      cwd: process.cwd(),
      print,
      python,
    });
    return { config, task: evaluate(config, request) };
  } finally {
    progress.stop();
  }
}

/** The task as a run gets it, with nothing left to fill in. Rejects with ConfigError, exit 2. */
export async function prepareConfig(
  path: string,
  request: Request,
  identity: TaskIdentity,
  ports: ConfigPorts & { now(): number },
): Promise<PreparedTask> {
  const { config, task } = await evaluateConfig(path, request, ports);
  const { taskId, user } = identityOf(String(task.document.name), identity, ports.now());
  const { document, context } = prepareRun(config, task, { taskId, user, ports: request.ports });
  return {
    path,
    taskId,
    user,
    ports: Object.fromEntries(context.ports),
    document: document as Record<string, unknown>,
    settings: task.settings,
    problems: task.lint,
  };
}
