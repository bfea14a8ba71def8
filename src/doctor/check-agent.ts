import { agentPaths } from '../layout/mesos.js';
import { timestamp } from '../text/age.js';
import { counted } from '../text/count.js';
import { shellArguments, shellWords } from '../text/shell.js';
import { refusalSymptom, startRefusalIn } from './agent-log.js';
import type { FileTail } from './file-tail.js';
import type { Symptom } from './finding.js';
import type { SlaveInfo } from './mesos-info.js';

/** What is known about the Mesos agent of a work directory. */
export interface AgentFacts {
  workDir: string;
  /** Set if it is running, with the time at which it started. */
  running?: { pid: number; sinceMs: number | undefined };
  /** This machine's configuration names the directory: an agent should work here. */
  configured: boolean;
  /** Whether `meta` exists and can be read. A copied tree has none, and then only the agent's logs are checked. */
  meta: 'present' | 'absent' | 'unreadable';
  /** From `meta/slaves/latest`: the agent's id, and whether its directory exists. */
  latest?: { id: string; exists: boolean };
  /** The boot in which the agent last recovered, and the current one. */
  bootId?: { path: string; recorded: string; now: string };
  slaveInfo?: { path: string; info: SlaveInfo };
  /** The directories in `slaves`. */
  agents: readonly { id: string; path: string; mtimeMs: number }[];
  gcDelayMs: number;
  logs: readonly FileTail[];
}

/** How late the agent's own garbage collection may be before it counts as a fault. */
const GC_GRACE_MS = 24 * 60 * 60 * 1000;

/** The attributes in Aurora's default constraints: `host` for every job, `rack` for those with production=True. */
const ATTRIBUTES = ['host', 'rack'] as const;

/** Finds what is wrong with a Mesos agent, from its files and logs. Pure. */
export function* checkAgent(agent: AgentFacts, now: number): Generator<Symptom> {
  yield* checkLogs(agent);
  if (agent.meta !== 'present') return;
  yield* checkIdentity(agent);
  yield* checkReboot(agent);
  yield* checkAttributes(agent);
  yield* checkOldAgents(agent, now);
}

function* checkLogs({ logs, workDir, running, configured }: AgentFacts): Generator<Symptom> {
  // The newest log with a refusal counts: INFO, WARNING and ERROR all contain it.
  for (const log of [...logs].sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    const refusal = startRefusalIn(log);
    if (refusal === undefined) continue;
    const isOwn = refusal.workDir === undefined ? configured : sameDirectory(refusal.workDir, workDir);
    const since = running?.sinceMs;
    if (!isOwn || (since !== undefined && since > log.mtimeMs)) continue;
    yield refusalSymptom(log.path, refusal, workDir);
    return;
  }
}

function sameDirectory(a: string, b: string): boolean {
  const plain = (path: string) => path.replace(/\/+/g, '/').replace(/\/$/, '');
  return plain(a) === plain(b);
}

function* checkIdentity({ latest, workDir, running }: AgentFacts): Generator<Symptom> {
  const path = agentPaths(workDir).latest;
  if (latest === undefined) {
    yield {
      code: 'agent-never-registered',
      severity: 'warning',
      cause: workDir,
      what: () =>
        `the Mesos agent of ${workDir} has not registered with a master since its identity was created`,
      evidence: [
        {
          path,
          text:
            running === undefined
              ? 'missing, and no agent is running'
              : `missing, although the agent is running (pid ${running.pid})`,
        },
      ],
      advice: [
        running === undefined
          ? 'the link was removed and the agent has not been started since: start the agent'
          : "check the agent's --master and that the master can be reached; see the agent's log",
      ],
    };
  } else if (!latest.exists) {
    yield {
      code: 'agent-identity-dangling',
      severity: 'warning',
      cause: workDir,
      what: () => `the Mesos agent of ${workDir} cannot recover: its state as ${latest.id} is gone`,
      evidence: [{ path, text: `points to ${latest.id}, which does not exist` }],
      advice: [
        `tasks still running under the old id are killed and become LOST when you start it as a new agent: rm -f ${shellArguments(path)}`,
      ],
    };
  }
}

function* checkReboot({ bootId, workDir, running, latest }: AgentFacts): Generator<Symptom> {
  if (bootId === undefined || latest === undefined || bootId.recorded === bootId.now) return;
  yield {
    code: 'agent-not-recovered',
    severity: 'error',
    cause: workDir,
    what: () => `this host was rebooted, and the Mesos agent of ${workDir} has not recovered since`,
    evidence: [{ path: bootId.path, text: `recorded boot ${bootId.recorded}, current boot ${bootId.now}` }],
    advice: [
      running === undefined
        ? 'start the agent'
        : `the agent is running (pid ${running.pid}) but has not finished its recovery: see its log`,
      'its earlier tasks ended with the reboot; the agent reports them when it recovers',
    ],
  };
}

function* checkAttributes({ slaveInfo, workDir }: AgentFacts): Generator<Symptom> {
  if (slaveInfo === undefined) return;
  const { path, info } = slaveInfo;
  const missing = ATTRIBUTES.filter((name) => !info.attributes.includes(name));
  if (missing.length === 0) return;
  const names = missing.join(' and ');
  const tasks = missing.includes('host') ? 'no task' : 'no task of a job with production=True';
  const present = info.attributes.length === 0 ? 'no attributes' : `attributes ${info.attributes.join(', ')}`;
  const wanted = [`host:${info.hostname ?? 'HOSTNAME'}`, 'rack:RACK'];
  yield {
    code: 'agent-attributes-missing',
    severity: 'warning',
    cause: `${workDir} ${names}`,
    what: () =>
      `the Mesos agent of ${workDir} has no attribute ${names}: if the scheduler's default constraints are enabled, ` +
      `it places ${tasks} here`,
    evidence: [{ path, text: present }],
    advice: [
      `start the agent with --attributes=${shellWords([wanted.join(';')])} in addition to its current attributes`,
      'new attributes change its info: with Mesos 1.5 or later, add --reconfiguration_policy=additive; otherwise it refuses to start unless it gives up its tasks',
      'or start the scheduler with -enable_legacy_constraints=false',
    ],
  };
}

function* checkOldAgents(
  { agents, latest, gcDelayMs, running, workDir }: AgentFacts,
  now: number,
): Generator<Symptom> {
  if (latest === undefined) return;
  for (const { id, path, mtimeMs } of agents) {
    if (id === latest.id) continue;
    const due = mtimeMs + gcDelayMs;
    const late = running !== undefined && now > due + GC_GRACE_MS;
    yield {
      code: late ? 'old-agent-not-removed' : 'old-agent',
      severity: late ? 'warning' : 'note',
      cause: workDir,
      what: (count) =>
        late
          ? `${counted(count, 'former identity', 'former identities')} of the Mesos agent should have been removed from ${workDir} long ago`
          : `${counted(count, 'former identity', 'former identities')} of the Mesos agent still in ${workDir}, for the agent to remove after gc_delay`,
      evidence: [{ path, text: `due for removal ${late ? 'since' : 'at'} ${timestamp(due)}` }],
      advice: late
        ? ["search the agent's log for 'Failed to delete'; restart the agent to make it try again"]
        : [],
    };
  }
}
