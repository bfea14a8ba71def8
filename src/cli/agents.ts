import type { ClusterTasks } from '../agent/cluster-tasks.js';
import type { AgentTasks } from '../agent/gatherer.js';
import type { Progress } from '../app/progress.js';
import type { LogsOf } from '../logs/log-tree.js';
import type { SandboxOf } from '../sandbox/sandbox-tree.js';
import type { Changes } from '../task/changes.js';
import { type AgentFlags, type Asked, refuseNeedless, whatIsAsked } from './agent-flags.js';
import type { Terminal } from './terminal.js';

/**
 * The agents that the flags or THERMOS_MASTER name; undefined if they name none: then this host is asked, and nothing is
 * loaded. `words`: TASK words, which may name a job of a cluster. `progress`: shows how far the first look has come, for
 * commands that show no progress of their own. Throws UsageError.
 */
export async function agentsOf(
  flags: AgentFlags & { json?: boolean; root?: string[]; 'mesos-root'?: string[] },
  terminal: Terminal,
  words: readonly string[],
  progress?: Progress,
): Promise<AskedAgents | undefined> {
  const asked = whatIsAsked(flags, process.env) ?? (await askedByWords(words, flags));
  if (asked === undefined) {
    refuseNeedless(flags);
    return undefined;
  }
  const { askAgents } = await import('./ask-agents.js');
  return askAgents(asked, flags, terminal, progress);
}

async function askedByWords(
  words: readonly string[],
  flags: AgentFlags & { root?: string[]; 'mesos-root'?: string[] },
): Promise<Asked | undefined> {
  if (flags.root !== undefined || flags['mesos-root'] !== undefined || !words.some(mayNameCluster)) {
    return undefined;
  }
  const { clustersOf } = await import('./clusters.js');
  return clustersOf(words, flags);
}

/** Has it as many parts as the key of a job with its cluster? */
function mayNameCluster(word: string): boolean {
  return word.split('/').length >= 4;
}

/** Agents that are asked instead of this host. */
export interface AskedAgents {
  readonly gatherer: AgentTasks;
  readonly logsOf: LogsOf;
  /** The logs as they grow; they wait for an agent that does not answer, and say so. */
  readonly liveLogsOf: LogsOf;
  readonly sandboxOf: SandboxOf;
  /**
   * What schedulers or masters know of the tasks of these agents, or of the task of this id. `cluster`: the scheduler to
   * ask, of this name.
   */
  clusterTasks(of: { cluster?: string; taskId?: string }): Promise<ClusterTasks>;
  changes(): Changes;
  /** Takes the line that says that logs wait for an agent. Default: it is printed on stderr. */
  onWaiting(show: (line: string) => void): void;
  /** Ends every wait for an agent. */
  close(): void;
}
