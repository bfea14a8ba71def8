import type { PreparedTask } from '../app/prepared-task.js';
import { UsageError } from '../errors/errors.js';
import type { RunConfigFlags } from './config.js';
import type { RunTaskFlags } from './run-task.js';
import type { Terminal } from './terminal.js';

/** The flags of `run`. */
export interface RunCommandFlags extends RunConfigFlags, RunTaskFlags {
  json: boolean;
  again?: string;
}

export interface PreparedCommand {
  readonly prepared: PreparedTask;
  readonly flags: RunTaskFlags;
  /** To be shown before the task is run. */
  readonly notice?: string;
}

/** The task that `run` runs, from its config or from --again. Rejects with ConfigError or UsageError, exit 2. */
export async function prepareRunOf(
  config: string | undefined,
  flags: RunCommandFlags,
  terminal: Terminal,
): Promise<PreparedCommand> {
  const { again } = flags;
  if (again !== undefined) {
    const { prepareAgain } = await import('./again.js');
    return await prepareAgain({ ...flags, again }, config, terminal);
  }
  if (config === undefined) throw new UsageError('usage', 'missing argument CONFIG');
  const { prepareRun } = await import('./config.js');
  return { prepared: await prepareRun(config, flags, terminal), flags };
}
