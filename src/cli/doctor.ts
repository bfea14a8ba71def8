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
  json: boolean;
}

/** Examines this host or the agents that the flags name, or the one task that the word matches. */
export async function examineNamed(
  word: string | undefined,
  flags: DoctorFlags,
  terminal: Terminal,
): Promise<DoctorAnswer> {
  const now = terminal.now();
  const agents = await agentsOf(flags, terminal);
  if (agents === undefined) {
    if (flags.retained !== undefined) {
      throw new UsageError(
        'usage',
        '--retained needs --agent or --master',
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
    const [{ examineRemote }, { readRetained }] = await Promise.all([
      import('../app/remote-doctor.js'),
      import('./retained.js'),
    ]);
    const retained = flags.retained === undefined ? undefined : readRetained(flags.retained);
    const { gatherer, logsOf } = agents;
    return await examineRemote(word, retained, {
      gatherer,
      logsOf,
      now,
      mesosStates: () => gatherer.mesosStates(),
    });
  } finally {
    agents.close();
  }
}
