import { setTimeout as sleep } from 'node:timers/promises';
import { jobIn } from '../agent/job-word.js';
import type { DoctorAnswer } from '../app/doctor.js';
import type { RootFlags } from '../app/search.js';
import { UsageError } from '../errors/errors.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import { coordinatorKind } from './programs.js';
import type { Terminal } from './terminal.js';
import { portsAt } from './uses.js';

export interface DoctorFlags extends RootFlags, AgentFlags {
  retained?: string;
  cluster?: string;
  json: boolean;
}

/** Examines this host or the agents that the flags name, or the one task that the word matches. */
export async function examineNamed(
  word: string | undefined,
  flags: DoctorFlags,
  terminal: Terminal,
): Promise<DoctorAnswer> {
  const now = terminal.now();
  const { retained: file, cluster } = flags;
  if (cluster !== undefined) (await import('./clusters.js')).requireScheduler(cluster, terminal);
  const agents = await agentsOf(flags, terminal, word === undefined ? [] : [word]);
  if (agents === undefined) {
    if (file !== undefined || cluster !== undefined) {
      throw new UsageError(
        'usage',
        `--${file === undefined ? 'cluster' : 'retained'} needs --agent or --master`,
        "on this host, 'thermos gc --retained' compares",
      );
    }
    const [{ examine }, { Host }] = await Promise.all([
      import('../app/doctor.js'),
      import('../host/host.js'),
    ]);
    const answer = await examine(word, flags, { now, host: Host.local(), use: portsAt(now) });
    if (flags.json) answer.document.coordinator = coordinatorKind();
    return answer;
  }
  try {
    const [{ examineRemote }, { askForEndings }, { askForUses }, { readRetained }] = await Promise.all([
      import('../app/remote-doctor.js'),
      import('../agent/ask-endings.js'),
      import('../agent/uses.js'),
      import('./retained.js'),
    ]);
    const retained = file === undefined ? undefined : readRetained(file);
    const { gatherer, logsOf, clusterTasks } = agents;
    const named = cluster ?? jobIn(word ?? '')?.cluster;
    return await examineRemote(word, retained, {
      gatherer,
      logsOf,
      now,
      mesosStates: () => gatherer.mesosStates(),
      clusterTasks: (taskId) => clusterTasks({ cluster: named, taskId }),
      endings: (tasks) => askForEndings(gatherer, tasks),
      containers: { uses: (tasks) => askForUses(gatherer, tasks), wait: (ms) => sleep(ms) },
    });
  } finally {
    agents.close();
  }
}
