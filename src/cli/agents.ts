import type { AgentTasks } from '../agent/gatherer.js';
import type { LogsOf } from '../logs/log-tree.js';
import type { Changes } from '../task/changes.js';
import type { AgentFlags } from './agent-flags.js';
import type { Terminal } from './terminal.js';

/** The agents that the flags name; undefined if they name none: then this host is asked, and nothing is loaded. */
export async function agentsOf(
  flags: AgentFlags & { json?: boolean },
  terminal: Terminal,
): Promise<AskedAgents | undefined> {
  if (flags.agent === undefined) return undefined;
  const { askAgents } = await import('./ask-agents.js');
  return askAgents(flags, terminal);
}

/** Agents that are asked instead of this host. */
export interface AskedAgents {
  readonly gatherer: AgentTasks;
  readonly logsOf: LogsOf;
  /** The logs as they grow; they wait for an agent that does not answer, and say so. */
  readonly liveLogsOf: LogsOf;
  changes(): Changes;
  close(): void;
}
