import { AGENT_PORT, serverAddress } from '../agent/address.js';
import { AgentTasks } from '../agent/gatherer.js';
import { SandboxLogs } from '../agent/sandbox.js';
import { badValue, UsageError } from '../errors/errors.js';
import type { AgentFlags } from './agent-flags.js';
import type { AskedAgents } from './agents.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/** How agents are asked, as the flags say it. Throws UsageError. */
export async function askAgents(
  flags: AgentFlags & { json?: boolean },
  terminal: Terminal,
): Promise<AskedAgents> {
  const addresses = [...new Set((flags.agent ?? []).map(addressOf))];
  const { AgentClient, httpClient } = await import('../agent/client.js');
  const now = () => terminal.now();
  const http = httpClient({});
  const agents = addresses.map((address) => new AgentClient(address, http, now));
  const progress = progressOn(terminal, flags);
  const gatherer = new AgentTasks(agents, now, ({ asked, failed }) => {
    const what = `agents${failed === 0 ? '' : `, ${failed} unreachable`}`;
    progress.update({ done: asked, total: agents.length, what });
  });
  progress.start('asking');
  return {
    gatherer,
    logsOf: (view) => new SandboxLogs(gatherer.sandboxOf(view)),
    close: () => {
      progress.stop();
      http.close();
    },
  };
}

function addressOf(text: string): string {
  // Neither shown nor used: everybody on this host sees what is in a command line.
  if (/^[^/]*(?:\/\/)?[^/]*@/.test(text)) {
    throw new UsageError(
      'usage',
      '--agent must hold no user or password: everybody on this host can see it',
      'say who you are with --credentials-file FILE',
    );
  }
  const address = serverAddress(text, AGENT_PORT);
  if (address === undefined) throw badValue('--agent', 'an http or https address', text);
  return address;
}
