import type { RunDaemonDocument } from '../contracts/run.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { visible } from '../text/escape.js';
import { configText } from '../views/config.js';
import type { PreparedTask } from './config.js';
import { progressOn } from './progress.js';
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
  /** Called before it is run. */
  notice?: (spec: RunSpec) => void;
  /** Says what is wrong with it, before it is run. */
  tell: (problems: readonly Problem[]) => void;
}

/** Runs a task as the flags say: not at all, in the background, or here to its end. */
export async function runTask(
  prepared: PreparedTask,
  flags: HowToRun,
  terminal: Terminal,
  { raw = false, notice, tell }: RunOptions,
): Promise<RunAnswer> {
  const spec = runSpec(prepared, flags);
  if (flags['dry-run']) return await planned(prepared, spec);
  notice?.(spec);
  const { problems: known } = prepared;
  tell(known);
  const { runAsDaemon, runInForeground } = await import('./run.js');
  if (flags.daemon) {
    const progress = progressOn(terminal, flags);
    progress.start(`waiting for the runner of ${spec.task.taskId} to start`);
    const notice = (text: string) => terminal.writeError(`${visible(text)}\n`);
    const started = await runAsDaemon(spec, notice).finally(() => progress.stop());
    return {
      document: { ...started, problems: [...known] } satisfies RunDaemonDocument,
      text: () => `${visible(started.task_id)}\n`,
      problems: [],
      exitCode: EXIT.ok,
    };
  }
  return await runInForeground(spec, { json: flags.json, raw, known }, terminal);
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
