import type { AgainTask } from '../app/again.js';
import { taskAgain } from '../app/again.js';
import { localTasks } from '../app/local-tasks.js';
import type { PreparedTask } from '../app/prepared-task.js';
import { UsageError } from '../errors/errors.js';
import { selectionOf } from './config-target.js';
import type { PreparedCommand, RunCommandFlags } from './prepare-run.js';
import type { Terminal } from './terminal.js';

/** What only a config can get: in a task file it is filled in. */
const FILLED_IN = ['environment', 'port', 'task', 'job', 'instance'] as const;

/**
 * The task of --again, and the flags for its run: the user may be another, and where it is run has nothing to do with where
 * agents have their tasks. Rejects as `taskAgain`.
 */
export async function prepareAgain(
  flags: RunCommandFlags & { again: string },
  config: string | undefined,
  terminal: Terminal,
): Promise<PreparedCommand> {
  if (config !== undefined) throw new UsageError('usage', 'CONFIG and --again cannot be used together');
  for (const flag of FILLED_IN) {
    if (flags[flag] === undefined) continue;
    const message = `--again and --${flag} cannot be used together: in the task file, everything is filled in`;
    throw new UsageError('usage', message, 'to give other values, run the config');
  }
  const options = { taskId: flags['task-id'], user: flags.user, selection: selectionOf(flags) };
  const again = await taskAgain(flags.again, options, {
    gatherer: localTasks(flags),
    now: terminal.now(),
    euid: process.geteuid?.() ?? 0,
  });
  const prepared = flags['dry-run'] ? await withSettings(again.prepared) : again.prepared;
  return {
    prepared,
    flags: { ...flags, user: again.user, 'mesos-root': undefined },
    notice: noticeOf(again),
  };
}

function noticeOf({ of, prepared: { taskId, ports } }: AgainTask): string {
  const named = Object.entries(ports).map(([name, port]) => `${name} ${port}`);
  const withPorts = named.length === 0 ? '' : `, with its ports: ${named.join(', ')}`;
  return `running ${of} again as ${taskId}${withPorts}`;
}

/** What differs from the defaults, which only --dry-run shows. */
async function withSettings(prepared: PreparedTask): Promise<PreparedTask> {
  const [{ createSession }, { settingsOf }] = await Promise.all([
    import('../config/session.js'),
    import('../config/settings.js'),
  ]);
  const { schema } = createSession();
  return { ...prepared, settings: settingsOf(schema, schema.task, prepared.document as never) };
}
