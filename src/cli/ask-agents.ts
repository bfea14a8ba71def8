import { setTimeout as sleep } from 'node:timers/promises';
import { AgentChanges } from '../agent/changes.js';
import { clusterTasks } from '../agent/cluster-tasks.js';
import { type AgentCounts, AgentTasks } from '../agent/gatherer.js';
import { LiveLogs } from '../agent/live-logs.js';
import { RemoteTree } from '../agent/remote-tree.js';
import { SandboxLogs } from '../agent/sandbox.js';
import type { Progress } from '../app/progress.js';
import { workingDirectory } from '../app/root-options.js';
import { UsageError } from '../errors/errors.js';
import { visible } from '../text/escape.js';
import { accessFlags } from './agent-access.js';
import type { AgentFlags, Asked } from './agent-flags.js';
import { rightsOf } from './agent-rights.js';
import type { AskedAgents } from './agents.js';
import { schedulerFinder } from './clusters.js';
import { say } from './failure.js';
import { agentAddress, mastersOf } from './named-masters.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/** That logs wait for an agent is said once in this time. */
const TOLD_MS = 10_000;

/** Why an agent does not know who asks, if only a scheduler has named it. */
const NOT_TOLD =
  'an agent that only a scheduler named is not told who asks: name the master with --master, or in a file of defaults';

/** How agents are asked, as the flags say it. Throws UsageError. */
export async function askAgents(
  asked: Asked,
  flags: AgentFlags & { json?: boolean },
  terminal: Terminal,
  progress: Progress = progressOn(terminal, flags),
): Promise<AskedAgents> {
  const addresses = 'agents' in asked ? [...new Set(asked.agents.map(agentAddress))] : [];
  const masters = 'masters' in asked ? mastersOf(asked, flags) : [];
  if (masters.length === 0 && flags['agent-address'] !== undefined) {
    throw new UsageError(
      'usage',
      '--agent-address needs --master',
      'a scheduler knows agents only by their hosts',
    );
  }
  const options = rightsOf(flags, process.env);
  const {
    AgentClient,
    httpClient,
    JobAgents,
    leadingScheduler,
    MasterClient,
    MasterFleet,
    notPem,
    SchedulerClient,
  } = await import('../agent/client.js');
  const wrong = notPem(options);
  if (wrong !== undefined) {
    const what = wrong === 'key' ? 'a private key without a passphrase' : 'a certificate';
    throw new UsageError('credentials-invalid', `--${wrong} ${flags[wrong]} does not hold ${what} as PEM`);
  }
  if (flags.insecure) say(terminal, 'warning: with --insecure, nobody checks who answers');
  const now = () => terminal.now();
  const http = httpClient(options);
  const portAt = (address: string) => new AgentClient(address, http, now);
  // A scheduler answers everybody: it needs no credentials, so it gets none.
  const unknown = httpClient({ ca: options.ca, insecure: options.insecure });
  const placeOf = schedulerFinder(terminal);
  const advised = 'masters' in asked && asked.source !== 'environment' ? asked.masters : [];
  const fleet =
    masters.length === 0
      ? undefined
      : new MasterFleet(
          masters.map(({ name, bases }) => ({ name, master: new MasterClient(bases, http) })),
          { portAt, now, address: flags['agent-address'], advised },
        );
  const schedulerOf = (cluster: string) => {
    const place = placeOf(cluster);
    if (place === undefined) return undefined;
    const base = place.kind === 'http' ? async () => place.base : () => leadingScheduler(place);
    return new SchedulerClient(base, unknown);
  };
  const source =
    'agents' in asked
      ? addresses.map(portAt)
      : new JobAgents({
          fleet,
          // Whom a scheduler names, nobody who is trusted has named.
          portAt: (address) => new AgentClient(address, unknown, now, NOT_TOLD),
          now,
          schedulerOf,
        });
  if ('masters' in asked && asked.source === 'environment' && terminal.stderrIsTerminal && !flags.json) {
    say(terminal, `asking the agents of ${masters.map(({ name }) => name).join(', ')} (THERMOS_MASTER)`);
  }
  const counted = ({ asked: done, failed, total }: AgentCounts) => {
    const what = `agents${failed === 0 ? '' : `, ${failed} unreachable`}`;
    progress.update({ done, total, what });
    if (done === total) progress.stop();
  };
  const gatherer = new AgentTasks(source, now, counted, accessFlags(flags, workingDirectory() ?? '/'));
  progress.start('asking');
  const live = new Map<string, LiveLogs>();
  const closing = new AbortController();
  const pause = (ms: number) => sleep(ms, undefined, { signal: closing.signal }).catch(() => {});
  let waiting = (what: string) => say(terminal, `warning: ${what}`);
  const told = new Map<string, number>();
  const liveShell = {
    now: () => performance.now(),
    pause,
    isClosed: () => closing.signal.aborted,
    waiting: (agent: string, { message }: { message: string }) => {
      // The logs of many sandboxes may wait for it.
      const now = performance.now();
      if (now - (told.get(agent) ?? Number.NEGATIVE_INFINITY) < TOLD_MS) return;
      told.set(agent, now);
      waiting(`waiting for the agent ${agent}: ${visible(message)}`);
    },
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
    clusterTasks: async ({ cluster, taskId }) => {
      const names = cluster === undefined ? masters.map(({ name }) => name) : [cluster];
      const known = names.flatMap((name) => {
        const scheduler = schedulerOf(name);
        return scheduler === undefined ? [] : [[name, scheduler] as const];
      });
      const schedulers = new Map(known.length < names.length ? [] : known);
      const tasks = await clusterTasks({ schedulers, fleet, taskId });
      return 'agents' in asked ? { ...tasks, agentIds: gatherer.agentIds() } : tasks;
    },
    changes: () =>
      new AgentChanges({
        list: (directory) => gatherer.listNow(directory),
        pause,
        now: () => performance.now(),
      }),
    onWaiting: (show) => {
      waiting = show;
    },
    close: () => {
      progress.stop();
      closing.abort();
      http.close();
      unknown.close();
    },
  };
}
