import { agentPaths } from '../layout/mesos.js';
import { timestamp } from '../text/age.js';
import { shellArguments } from '../text/shell.js';
import { refusalSymptom, startRefusalIn } from './agent-log.js';
import type { FileTail } from './file-tail.js';
import { counted, type Symptom } from './finding.js';
import type { SlaveInfo } from './mesos-info.js';

/** What is known of the Mesos agent of a work directory. */
export interface AgentFacts {
  workDir: string;
  /** It runs now, since then. */
  running?: { pid: number; sinceMs: number | undefined };
  /** This machine's configuration names the directory: an agent is to work here. */
  configured: boolean;
  /** `meta` is there and could be looked into. A copied tree has none, and then nothing is said of the agent. */
  meta: 'present' | 'absent' | 'unreadable';
  /** Of `meta/slaves/latest`: the agent's id, and whether its directory is there. */
  latest?: { id: string; exists: boolean };
  /** The boot that the agent recovered in last, and the one of now. */
  bootId?: { path: string; recorded: string; now: string };
  slaveInfo?: { path: string; info: SlaveInfo };
  /** The directories in `slaves`. */
  agents: readonly { id: string; path: string; mtimeMs: number }[];
  gcDelayMs: number;
  logs: readonly FileTail[];
}

/** How late the agent's own garbage collection may be before that is a fault. */
const GC_GRACE_MS = 24 * 60 * 60 * 1000;

/** What Aurora's default constraints are about: `host` of every job, `rack` of those with production=True. */
const ATTRIBUTES = ['host', 'rack'] as const;

/** What is wrong with a Mesos agent, from its files and logs. Pure. */
export function* checkAgent(agent: AgentFacts, now: number): Generator<Symptom> {
  yield* checkLogs(agent);
  if (agent.meta !== 'present') return;
  yield* checkIdentity(agent);
  yield* checkReboot(agent);
  yield* checkAttributes(agent);
  yield* checkOldAgents(agent, now);
}

function* checkLogs({ logs, workDir, running, configured }: AgentFacts): Generator<Symptom> {
  // The newest log that tells: the same refusal stands in INFO, WARNING and ERROR.
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
      what: () => `the Mesos agent of ${workDir} never registered with a master since its identity was made`,
      evidence: [
        {
          path,
          text:
            running === undefined
              ? 'not there, and no agent runs'
              : `not there, though the agent runs (pid ${running.pid})`,
        },
      ],
      advice: [
        running === undefined
          ? 'somebody removed the link and the agent was not started since: start the agent'
          : "check --master of the agent and that the master can be reached; see the agent's log",
      ],
    };
  } else if (!latest.exists) {
    yield {
      code: 'agent-identity-dangling',
      severity: 'warning',
      cause: workDir,
      what: () => `the Mesos agent of ${workDir} can not recover: what it knew as ${latest.id} is gone`,
      evidence: [{ path, text: `leads to ${latest.id}, which is not there` }],
      advice: [
        `start it as a new agent: rm -f ${shellArguments(path)}; tasks that still run under the old id are killed and become LOST`,
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
    what: () => `this host was started again, and the Mesos agent of ${workDir} has not recovered since`,
    evidence: [{ path: bootId.path, text: `boot ${bootId.recorded}, now it is ${bootId.now}` }],
    advice: [
      running === undefined
        ? 'start the agent'
        : `the agent runs (pid ${running.pid}) but does not finish its recovery: see its log`,
      'its tasks from before ended with the boot; the agent reports them when it recovers',
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
      `the Mesos agent of ${workDir} has no attribute ${names}: where the scheduler's default constraints are on, ` +
      `it places ${tasks} here`,
    evidence: [{ path, text: present }],
    advice: [
      `start the agent with --attributes="${wanted.join(';')}" and those it has`,
      'new attributes change its info: with Mesos 1.5 or later add --reconfiguration_policy=additive, else it refuses to start unless it gives up its tasks',
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
          : `${counted(count, 'former identity', 'former identities')} of the Mesos agent still in ${workDir}: the agent removes it when gc_delay is over`,
      evidence: [{ path, text: `to be removed ${late ? 'since' : 'at'} ${timestamp(due)}` }],
      advice: late
        ? ["search the agent's log for 'Failed to delete'; restart the agent to make it try again"]
        : [],
    };
  }
}
