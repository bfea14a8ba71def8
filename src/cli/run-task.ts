import { EXIT } from '../errors/exit-codes.js';
import { configText } from '../views/config.js';
import { escapeControl } from '../views/parts/escape.js';
import type { PreparedTask } from './config.js';
import type { RunAnswer, RunSpec } from './run.js';
import { type RunFlags, runSpec } from './run-flags.js';
import type { Terminal } from './terminal.js';

export interface HowToRun extends RunFlags {
  daemon: boolean;
  json: boolean;
  'dry-run'?: boolean;
}

export interface RunOptions {
  /** The output is that of one command, and passed on as it is. */
  raw?: boolean;
  /** Told before it is run. */
  notice?: (spec: RunSpec) => void;
}

/** Runs a task as the flags say: not at all, in the background, or here to its end. */
export async function runTask(
  prepared: PreparedTask,
  flags: HowToRun,
  terminal: Terminal,
  { raw = false, notice }: RunOptions = {},
): Promise<RunAnswer> {
  const spec = runSpec(prepared, flags);
  if (flags['dry-run']) return await planned(prepared, spec);
  notice?.(spec);
  const { runAsDaemon, runInForeground } = await import('./run.js');
  if (flags.daemon) {
    const document = await runAsDaemon(spec);
    return {
      document,
      text: () => `${escapeControl(document.task_id)}\n`,
      problems: prepared.problems,
      exitCode: EXIT.ok,
    };
  }
  const answer = await runInForeground(spec, { json: flags.json, raw }, terminal);
  return { ...answer, problems: [...prepared.problems, ...answer.problems] };
}

async function planned(
  { path, problems, user }: PreparedTask,
  { task: { root, sandbox, taskId, ports, document: json } }: RunSpec,
): Promise<RunAnswer> {
  const { runnableTask } = await import('../runner/task-document.js');
  const { document: task } = runnableTask(json);
  const given = ports ?? {};
  const page = { path, document: task, taskId, root, sandbox, user, unboundPorts: [], lint: problems };
  return {
    document: { task, task_id: taskId, root, sandbox, user, ports: given, problems },
    text: (style) => configText({ ...page, ports: new Map(Object.entries(given)) }, style),
    problems,
    exitCode: EXIT.ok,
  };
}
