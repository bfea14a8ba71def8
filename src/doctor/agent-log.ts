import { agentPaths } from '../layout/mesos.js';
import { shellArguments } from '../text/shell.js';
import { type FileTail, linesOf, type TailLine } from './file-tail.js';
import type { FindingEvidence, Symptom } from './finding.js';

/** What a Mesos agent logged when it refused to start. */
export interface StartRefusal {
  kind: 'incompatible-info' | 'incompatible-resources' | 'recovery-failed' | 'containerizer-failed';
  line: TailLine;
  /** The work directory in the remedy that the log suggests, if there is one. */
  workDir?: string;
  /** Mesos 1.5 or later, which has --reconfiguration_policy. */
  knowsPolicy: boolean;
  /** Lines of the agent's description that are only in the old one, only in the new one. */
  removed: string[];
  added: string[];
}

/** The agent started: earlier lines no longer matter. */
const STARTED = /Finished recovery|[Rr]e-?registered with master|Registered with master/;
const REFUSED =
  /Failed to perform recovery:|(?:Incompatible (?:agent|slave) info detected)|Failed to create a containerizer:/;
const REMEDY = /rm -f (\/\S*)\/meta\/slaves\/latest/;
const POLICY =
  /reconfiguration_policy|To restart this agent with a new agent id instead|'additive' policy|`additive` policy/;
/** `Nov 21 10:00:00 host mesos-slave[123]: `, also with the time as RFC 3339. */
const SYSLOG =
  /^(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT\S{1,32}) \S{1,255} mesos-[\w.-]{1,32}(?:\[\d+\])?: /;
/** The most lines of a refusal: two descriptions of an agent and a remedy. */
const MAX_LINES = 400;

/** The last refusal to start in an agent's log, if the agent did not start after it. Pure. */
export function startRefusalIn(log: Pick<FileTail, 'text' | 'offset'>): StartRefusal | undefined {
  const lines = linesOf(log).map((line) => ({ ...line, text: line.text.replace(SYSLOG, '') }));
  const at = lines.findLastIndex(({ text }) => REFUSED.test(text));
  const line = lines[at];
  if (line === undefined) return undefined;
  if (lines.slice(at + 1).some(({ text }) => STARTED.test(text))) return undefined;
  const about = lines.slice(at, at + MAX_LINES).map(({ text }) => text);
  const text = about.join('\n');
  const { removed, added } = differences(about);
  return {
    kind: /Incompatible (?:agent|slave) info|Configuration change not permitted|policy\. Resource not found/.test(
      text,
    )
      ? 'incompatible-info'
      : /Checkpointed resources .* are incompatible/.test(text)
        ? 'incompatible-resources'
        : /Failed to create a containerizer:/.test(text)
          ? 'containerizer-failed'
          : 'recovery-failed',
    line,
    workDir: REMEDY.exec(text)?.[1],
    knowsPolicy: POLICY.test(text),
    removed,
    added,
  };
}

/** Between `Old agent info:` and `New agent info:`, and from there to the dashes. */
function differences(lines: readonly string[]): { removed: string[]; added: string[] } {
  const from = lines.findIndex((line) => /Old (?:agent|slave) info:/.test(line));
  const middle = lines.findIndex((line, i) => i > from && /New (?:agent|slave) info:/.test(line));
  if (from === -1 || middle === -1) return { removed: [], added: [] };
  const length = lines.slice(middle).findIndex((line) => /^-{10,}/.test(line));
  const before = blocksOf(lines.slice(from + 1, middle));
  const after = blocksOf(lines.slice(middle + 1, length === -1 ? lines.length : middle + length));
  return {
    removed: [...before].filter((block) => !after.has(block)),
    added: [...after].filter((block) => !before.has(block)),
  };
}

/** The top-level fields of a message in text form, each as one line without indentation. */
function blocksOf(lines: readonly string[]): Set<string> {
  const blocks = new Set<string>();
  let block: string[] = [];
  let depth = 0;
  for (const line of lines) {
    const text = line.trim();
    if (text === '' || /^-+$/.test(text)) continue;
    block.push(text);
    if (text.endsWith('{')) depth += 1;
    if (text === '}') depth -= 1;
    if (depth > 0) continue;
    blocks.add(block.join(' '));
    block = [];
    depth = 0;
  }
  return blocks;
}

/** The symptom of an agent that does not start, with the cost of the remedy in its log. Pure. */
export function refusalSymptom(path: string, refusal: StartRefusal, workDir: string | undefined): Symptom {
  const { kind, line, knowsPolicy, removed, added } = refusal;
  const { text, ...place } = line;
  const evidence: FindingEvidence[] = [{ path, ...place, text: text.trim() }];
  for (const block of removed) evidence.push({ path, text: `only in the old info: ${block}` });
  for (const block of added) evidence.push({ path, text: `only in the new info: ${block}` });
  const symptom = { code: 'agent-refuses-to-start', severity: 'error', cause: kind, evidence } as const;
  const known = workDir ?? refusal.workDir;
  const latest =
    known === undefined ? agentPaths('<work_dir>').latest : shellArguments(agentPaths(known).latest);
  const restart = [
    `or remove its identity, then start it as a new agent: rm -f ${latest}`,
    'the cost: the agent gets a new id, all tasks still running on this host are killed and become LOST, and their sandboxes are kept only for gc_delay',
  ];
  switch (kind) {
    case 'incompatible-info':
      return {
        ...symptom,
        what: () => 'the Mesos agent refuses to start: its attributes, resources or host name have changed',
        advice: [
          'restore the old attributes, resources and host name: the agent then starts, and running tasks continue',
          ...(knowsPolicy
            ? [
                'if something was only added, start it with --reconfiguration_policy=additive: nothing is lost',
              ]
            : ['since Mesos 1.5, --reconfiguration_policy=additive accepts additions']),
          ...restart,
        ],
      };
    case 'incompatible-resources':
      return {
        ...symptom,
        what: () =>
          'the Mesos agent refuses to start: reserved or persistent resources no longer fit its --resources',
        advice: [
          'restore the old --resources; to shrink them, first unreserve or destroy the volumes',
          ...restart,
        ],
      };
    case 'containerizer-failed':
      return {
        ...symptom,
        what: () => 'the Mesos agent does not start: it cannot create its containerizer',
        advice: [
          'check that Docker is installed, running and new enough, or take docker out of --containerizers',
        ],
      };
    case 'recovery-failed':
      return {
        ...symptom,
        what: () => 'the Mesos agent does not start: it cannot recover its earlier state',
        advice: ['the line says what it could not read; repair that first', ...restart],
      };
  }
}

const EXECUTOR_ENDED =
  /failed to start|[Ff]ailed to (?:launch|fetch|pull|start)|did not register|exited with status|terminated with signal/;

/** The last line of an agent's log that says how an executor failed to start. Pure. */
export function executorFailureIn(
  log: Pick<FileTail, 'text' | 'offset'>,
  ids: { executor_id: string; container_id: string },
): TailLine | undefined {
  return linesOf(log).findLast(
    ({ text }) =>
      (text.includes(`'${ids.executor_id}'`) || text.includes(ids.container_id)) && EXECUTOR_ENDED.test(text),
  );
}
