import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_PORT, serverAddress } from '../agent/address.js';
import { AgentChanges } from '../agent/changes.js';
import { authorizationIn } from '../agent/credentials.js';
import { AgentTasks } from '../agent/gatherer.js';
import type { HttpOptions } from '../agent/http.js';
import { LiveLogs } from '../agent/live-logs.js';
import { RemoteTree } from '../agent/remote-tree.js';
import { SandboxLogs } from '../agent/sandbox.js';
import type { Progress } from '../app/progress.js';
import { badValue, ThermosError, UsageError } from '../errors/errors.js';
import { type OpenFile, useFile } from '../store/open-file.js';
import { unreadable } from '../store/problems.js';
import { visible } from '../text/escape.js';
import { shellArguments } from '../text/shell.js';
import type { AgentFlags } from './agent-flags.js';
import type { AskedAgents } from './agents.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/** How agents are asked, as the flags say it. Throws UsageError. */
export async function askAgents(
  flags: AgentFlags & { json?: boolean },
  terminal: Terminal,
  progress: Progress = progressOn(terminal, flags),
): Promise<AskedAgents> {
  const addresses = [...new Set((flags.agent ?? []).map(addressOf))];
  const options = rightsOf(flags, process.env);
  const { AgentClient, httpClient, notPem } = await import('../agent/client.js');
  const wrong = notPem(options);
  if (wrong !== undefined) {
    const what = wrong === 'key' ? 'no private key without a passphrase' : 'no certificate';
    throw new UsageError('credentials-invalid', `--${wrong} ${flags[wrong]} holds ${what}, as PEM`);
  }
  if (flags.insecure) terminal.writeError('warning: with --insecure, nobody checks who answers\n');
  const now = () => terminal.now();
  const http = httpClient(options);
  const agents = addresses.map((address) => new AgentClient(address, http, now));
  const gatherer = new AgentTasks(agents, now, ({ asked, failed }) => {
    const what = `agents${failed === 0 ? '' : `, ${failed} unreachable`}`;
    progress.update({ done: asked, total: agents.length, what });
    if (asked === agents.length) progress.stop();
  });
  progress.start('asking');
  const live = new Map<string, LiveLogs>();
  const liveShell = {
    now: () => performance.now(),
    pause: sleep,
    waiting: (agent: string, { message }: { message: string }) =>
      terminal.writeError(`warning: waiting for the agent ${agent}: ${visible(message)}\n`),
  };
  return {
    gatherer,
    logsOf: (view) => new SandboxLogs(gatherer.sandboxOf(view)),
    liveLogsOf: (view) => {
      const { path, run_dir } = view.root;
      const logs = live.get(path) ?? new LiveLogs(gatherer.portOf(view), run_dir ?? path, liveShell);
      live.set(path, logs);
      return logs;
    },
    sandboxOf: (view) => new RemoteTree(gatherer.sandboxOf(view)),
    changes: () => new AgentChanges({ list: (directory) => gatherer.listNow(directory), pause: sleep }),
    close: () => {
      progress.stop();
      http.close();
    },
  };
}

const MOST_BYTES = 1024 * 1024;

/** By what rights agents are asked. Throws UsageError and SystemError. */
function rightsOf(flags: AgentFlags, env: NodeJS.ProcessEnv): HttpOptions {
  const { ca, cert, key, insecure } = flags;
  const path = flags['credentials-file'] ?? (env.THERMOS_CREDENTIALS_FILE || undefined);
  return {
    authorization: path === undefined ? undefined : authorizationIn(secretIn(path), path),
    ca: ca === undefined ? undefined : bytesOf(ca),
    cert: cert === undefined ? undefined : bytesOf(cert),
    key: key === undefined ? undefined : bytesOf(key),
    insecure,
  };
}

function bytesOf(path: string, check: (file: OpenFile) => void = () => {}): Buffer {
  try {
    return useFile(path, { links: 'follow', max: MOST_BYTES }, (file) => {
      check(file);
      return file.read(MOST_BYTES);
    });
  } catch (error) {
    if (error instanceof ThermosError) throw error;
    const { message, hint } = unreadable({ code: 'credentials-invalid', tried: `read ${path}`, error, path });
    throw new UsageError('credentials-invalid', message, hint);
  }
}

/** What only root and this user can read, and nobody else could have written. */
function secretIn(path: string): string {
  const check = ({ stat: { mode, uid } }: OpenFile) => {
    if (uid !== 0 && uid !== process.geteuid?.()) {
      throw new UsageError('credentials-invalid', `${path} belongs to another user, so it is not used`);
    }
    if ((mode & 0o077) === 0) return;
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw new UsageError(
      'credentials-invalid',
      `${path} has mode ${shown}: others can read the secret in it, so it is not used`,
      `make it yours alone: chmod 600 ${shellArguments(path)}`,
    );
  };
  return bytesOf(path, check).toString('utf8');
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
