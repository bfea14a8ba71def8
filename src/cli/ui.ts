import { localTasks } from '../app/local-tasks.js';
import { UsageError } from '../errors/errors.js';
import { localLogs } from '../logs/local-logs.js';
import { parseDuration } from '../text/duration.js';
import { agentsOf } from './agents.js';
import type { Terminal } from './terminal.js';
import { queryOf, type StatusFlags, WatchedTasks } from './watched-tasks.js';

/** How `t` shows what tasks use. */
const TOP = { once: false, sort: 'cpu', reverse: false, processes: false, pss: false };

/** What `ui` has no flags for, of how `status` shows tasks. */
const PAGE = { verbosity: 1, wide: false, 'no-trunc': false, quiet: false };

export type UiFlags = Omit<StatusFlags, keyof typeof PAGE | 'interval'> & { interval: string };

/** Agents are asked no more often what their containers use. */
const LEAST_REMOTE_MS = 500;
const slowest = (intervalMs: number) => `${Math.max(intervalMs, LEAST_REMOTE_MS)}ms`;

/** Shows the tasks on a screen with keys. Resolves to the exit code; throws UsageError if there is no such screen. */
export async function showUi(words: readonly string[], flags: UiFlags, terminal: Terminal): Promise<number> {
  const intervalMs = parseDuration(flags.interval, 'interval', { least: '100ms', most: '1d' });
  const shown = { ...PAGE, ...flags };
  // What is wrong with the flags is said first.
  queryOf(words, shown, terminal);
  if (flags.json || !terminal.stdinIsTerminal || !terminal.stdoutIsTerminal || terminal.isDumb) {
    const why = flags.json ? 'ui has no document' : 'ui needs a terminal with keys that can be drawn on';
    throw new UsageError('usage', why, "without one: 'thermos status', or 'thermos top --once'");
  }
  const [{ watchUi }, { UiActions }, { remoteTopSession, topSession }] = await Promise.all([
    import('./ui-list.js'),
    import('./ui-actions.js'),
    import('./top.js'),
  ]);
  const agents = await agentsOf(flags, terminal, words);
  try {
    const gatherer = agents?.gatherer ?? localTasks(flags);
    const now = () => terminal.now();
    const logs =
      agents === undefined
        ? { logsOf: localLogs }
        : {
            logsOf: agents.liveLogsOf,
            changes: () => agents.changes(),
            onWaiting: agents.onWaiting,
          };
    const sampled = { ...TOP, ...flags, sort: TOP.sort };
    const sampling = async () =>
      agents === undefined
        ? topSession([], sampled, terminal)
        : await remoteTopSession(words, { ...sampled, interval: slowest(intervalMs) }, agents, terminal);
    const actions = new UiActions({ gatherer, now, ...logs }, sampling);
    const tasks = new WatchedTasks(words, shown, terminal, gatherer.board(now));
    return await watchUi({ tasks, gatherer, actions }, shown, terminal, intervalMs);
  } finally {
    agents?.close();
  }
}
