import type { RunPlanDocument } from '../contracts/run.js';
import { EXIT } from '../errors/exit-codes.js';
import { escapeControl } from '../views/parts/escape.js';
import { runPlanText } from '../views/run.js';
import type { RunAnswer, RunSpec } from './run.js';
import type { PreparedTask } from './run-config.js';
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

async function planned({ problems, user }: PreparedTask, { task }: RunSpec): Promise<RunAnswer> {
  const { runnableTask } = await import('../runner/task-document.js');
  const runnable = runnableTask(task.document);
  const document: RunPlanDocument = {
    task_id: task.taskId,
    root: task.root,
    sandbox: task.sandbox,
    user,
    ports: { ...task.ports },
    task: { ...runnable.document },
    problems: [...problems],
  };
  return { document, text: () => runPlanText(document), problems, exitCode: EXIT.ok };
}
