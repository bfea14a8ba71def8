import type { PreparedTask } from '../app/prepared-task.js';
import { type RunSpec, runSpec } from '../app/run-spec.js';
import type { RunDaemonDocument } from '../contracts/run.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { visible } from '../text/escape.js';
import { configText } from '../views/config.js';
import type { RunAnswer } from './run.js';
import { type RunFlags, runOptions } from './run-flags.js';
import type { Terminal } from './terminal.js';

export interface RunTaskFlags extends RunFlags {
  daemon: boolean;
  json: boolean;
  debug: boolean;
  'dry-run'?: boolean;
}

export interface RunPresentation {
  /** The output is that of one command, and is passed on unchanged. */
  raw?: boolean;
  /** Called before the task is run. */
  notice?: (spec: RunSpec) => void;
  /** Reports problems before the task is run. */
  report: (problems: readonly Problem[]) => void;
}

/** Runs a task as the flags say: not at all, in the background, or here to its end. */
export async function runTask(
  prepared: PreparedTask,
  flags: RunTaskFlags,
  terminal: Terminal,
  { raw = false, notice, report }: RunPresentation,
): Promise<RunAnswer> {
  const spec = runSpec(prepared, runOptions(flags));
  if (flags['dry-run']) return await planned(prepared, spec);
  notice?.(spec);
  const { problems: known } = prepared;
  report(known);
  const { runInBackground, runInForeground } = await import('./run.js');
  if (flags.daemon) {
    const started = await runInBackground(spec, terminal, flags);
    return {
      document: { ...started, problems: [...known] } satisfies RunDaemonDocument,
      text: () => `${visible(started.task_id)}\n`,
      problems: [],
      exitCode: EXIT.ok,
    };
  }
  const { json, debug } = flags;
  return await runInForeground(spec, { json, debug, raw, known }, terminal);
}

async function planned(
  { path, problems, user, settings }: PreparedTask,
  { task: { root, sandbox, taskId, ports, document: json } }: RunSpec,
): Promise<RunAnswer> {
  const { runnableTask } = await import('../runner/task-document.js');
  const { document: task } = runnableTask(json);
  const given = ports ?? {};
  const page = {
    path,
    document: task,
    settings,
    taskId,
    root,
    sandbox,
    user,
    unboundPorts: [],
    lint: problems,
  };
  return {
    document: { task, task_id: taskId, root, sandbox, user, ports: given, problems },
    text: (style) => configText({ ...page, ports: new Map(Object.entries(given)) }, style),
    problems,
    exitCode: EXIT.ok,
  };
}
