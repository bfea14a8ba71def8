import type { Endings } from '../agent/ask-endings.js';
import type { ClusterTasks } from '../agent/cluster-tasks.js';
import type { DoctorDocument } from '../contracts/doctor.js';
import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { type Belief, type BelievedTask, scheduleStatusOf } from '../doctor/check-belief.js';
import { checkEnd } from '../doctor/check-end.js';
import { type EndedTask, type MemoryEnd, OUT_OF_MEMORY, outOfMemoryIn } from '../doctor/check-ending.js';
import { checkUsage } from '../doctor/check-usage.js';
import { type Finding, findingsOf, isWrong, worstFirst } from '../doctor/finding.js';
import { RemoteDiagnosis } from '../doctor/remote.js';
import { timelineOf } from '../doctor/timeline.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { inspectTask } from '../logs/inspection.js';
import type { LogsOf } from '../logs/log-tree.js';
import { outputToRead } from '../logs/output-to-read.js';
import { eachView, type TaskGatherer } from '../task/gatherer.js';
import {
  type ContainerPorts,
  type ContainerTask,
  containerTask,
  observeContainers,
} from './container-uses.js';
import type { DoctorAnswer } from './doctor.js';
import { noSuchTask, notOneTask } from './search.js';

export interface RemoteDoctorPorts {
  readonly gatherer: TaskGatherer;
  readonly logsOf: LogsOf;
  /** The states of Mesos of the newest tasks of executors that the agents remember, by ids of tasks. */
  mesosStates(): ReadonlyMap<string, string>;
  /** What schedulers or masters know of the tasks of these agents, or of the task of this id. */
  clusterTasks(taskId?: string): Promise<ClusterTasks>;
  /** How these tasks ended, as their agents tell it. */
  endings(tasks: readonly EndedTask[]): Promise<Endings>;
  readonly containers: ContainerPorts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Examines agents, or the one task on them that the word matches, as far as that is possible from there. `retained`:
 * the schedule statuses that the scheduler has, instead of what the agents say. Rejects like `examine`.
 */
export async function examineRemote(
  word: string | undefined,
  retained: ReadonlyMap<string, string> | undefined,
  ports: RemoteDoctorPorts,
): Promise<DoctorAnswer> {
  const selection = await ports.gatherer.find(word === undefined ? [] : [word], 'look');
  const document =
    word === undefined
      ? await examineAgents(selection, retained, ports)
      : await examineTask(word, selection, retained, ports);
  const { checked, findings, problems } = document;
  const isBare = checked.agents + findings.length + problems.length === 0;
  const notice = isBare ? 'There is no agent to ask.' : undefined;
  return { document, exitCode: isWrong(document.findings) ? EXIT.no : EXIT.ok, notice };
}

async function examineAgents(
  selection: Selection,
  retained: ReadonlyMap<string, string> | undefined,
  ports: RemoteDoctorPorts,
): Promise<DoctorDocument> {
  const { gatherer, now } = ports;
  const { selected, roots, agents = [], problems } = selection;
  const { belief, problems: unasked } = await beliefOf(retained, ports);
  const diagnosis = new RemoteDiagnosis(selection, ports.mesosStates().keys(), belief, now);
  // A sandbox that is not given is already a finding.
  const readable = selected.filter(({ unreadable }) => !unreadable);
  const active: ContainerTask[] = [];
  await eachView(gatherer.views(readable), (view) => {
    diagnosis.add(view);
    if (view.phase === 'active' && view.verdict === 'ok') active.push(containerTask(view));
  });
  const knowsAll = !hasError(problems) && !problems.some(({ code }) => LEFT_OUT.has(code));
  const ofUse = await examineUse(active, ports.containers, 'faults');
  const ofEnds = await memoryEnds(diagnosis.ended, ports);
  const findings = worstFirst([...diagnosis.end(knowsAll, ofEnds.ends), ...ofUse.findings]);
  return {
    findings,
    checked: { roots: roots.length, tasks: readable.length, agents: agents.length },
    reconcile: diagnosis.rows.map(encodeRow),
    reconcile_source: belief.source,
    problems: [
      ...unasked,
      ...ofUse.problems,
      ...ofEnds.problems,
      ...(knowsAll || belief.source === 'agents' ? [] : [notChecked(NOT_ALL)]),
    ],
  };
}

async function examineUse(
  tasks: readonly ContainerTask[],
  ports: ContainerPorts,
  told: 'all' | 'faults',
): Promise<{ findings: Finding[]; problems: readonly Problem[] }> {
  const { observed, problems } = await observeContainers(tasks, ports);
  // What an agent does not measure is nothing that is wrong, but who asks about one task wants to know it.
  const untold = problems.filter(({ code }) => told === 'all' || code !== 'use-unknown');
  return {
    findings: findingsOf(observed.flatMap((each) => [...checkUsage(each)])),
    problems: notKnown('what tasks use', untold),
  };
}

/** The tasks whose containers had no memory left, as their agents tell it. */
async function memoryEnds(
  tasks: readonly EndedTask[],
  ports: RemoteDoctorPorts,
): Promise<{ ends: ReadonlyMap<string, MemoryEnd>; problems: readonly Problem[] }> {
  const ends = new Map<string, MemoryEnd>();
  const { endings, problems } = await ports.endings(tasks);
  for (const { task_id, root } of tasks) {
    const { reason, message = '', timeMs } = endings.get(task_id) ?? {};
    if (reason !== OUT_OF_MEMORY) continue;
    const text = outOfMemoryIn(message) ?? 'Memory limit exceeded';
    ends.set(task_id, { text, timeMs: timeMs === undefined ? undefined : timeMs - (root.ahead_ms ?? 0) });
  }
  return { ends, problems: notKnown('why tasks ended', problems) };
}

function notKnown(what: string, [first, ...others]: readonly Problem[]): Problem[] {
  if (first === undefined) return [];
  const also = others.length === 0 ? '' : `, and ${others.length} more`;
  return [notChecked(`${what} is not known: ${first.message}${also}`)];
}

/** The first that is known of: a file, who places tasks, and what the agents tell. `taskId`: of this task alone. */
async function beliefOf(
  retained: ReadonlyMap<string, string> | undefined,
  { mesosStates, clusterTasks }: RemoteDoctorPorts,
  taskId?: string,
): Promise<{ belief: Belief; problems: readonly Problem[] }> {
  if (retained !== undefined) return { belief: { source: 'file', statuses: retained }, problems: [] };
  const { source, tasks, agentIds, problems } = await clusterTasks(taskId);
  if (source !== undefined) {
    const statuses = new Map<string, string>();
    const since = new Map<string, number>();
    const elsewhere = new Set<string>();
    const outOfMemory = new Map<string, MemoryEnd>();
    for (const { id, agentId, status, message, sinceMs } of tasks) {
      const known = source === 'scheduler' ? status : scheduleStatusOf(status);
      if (known !== undefined) statuses.set(id, known);
      if (sinceMs !== undefined) since.set(id, sinceMs);
      const text = outOfMemoryIn(message);
      if (text !== undefined) outOfMemory.set(id, { text, timeMs: sinceMs });
      if (agentIds !== undefined && !agentIds.has(agentId)) elsewhere.add(id);
    }
    return { belief: { source, statuses, since, elsewhere, outOfMemory }, problems };
  }
  const statuses = [...mesosStates()].map(([id, state]) => [id, scheduleStatusOf(state)] as const);
  const known = statuses.filter((each): each is readonly [string, string] => each[1] !== undefined);
  return { belief: { source: 'agents', statuses: new Map(known) }, problems };
}

function encodeRow({ place, ...row }: BelievedTask): NonNullable<DoctorDocument['reconcile']>[number] {
  return { ...row, agent: place?.root.agent };
}

function notChecked(message: string): Problem {
  return { code: 'not-checked', severity: 'warning', message };
}

/** They may be about what an answer has too much of. */
const LEFT_OUT: ReadonlySet<string> = new Set(['agent-answer-odd', 'master-answer-odd']);

const NOT_ALL =
  'tasks that only the scheduler or the master has are not looked for: some agents did not list all of their tasks';

async function examineTask(
  word: string,
  selection: Selection,
  retained: ReadonlyMap<string, string> | undefined,
  ports: RemoteDoctorPorts,
): Promise<DoctorDocument> {
  const { gatherer, logsOf, now, containers } = ports;
  const { selected, problems, unmatched } = selection;
  if (unmatched.length > 0) throw noSuchTask(selection);
  const ids = [...new Set(selected.map(({ task_id }) => task_id))].sort();
  if (ids.length !== 1) throw notOneTask(word, ids);
  const read = async (found: FoundTask) => gatherer.source(found).read();
  const views = await Promise.all(selected.map(read));
  const [view, ...others] = views.sort(
    (a, b) => Number(b.launch_time_ms ?? 0) - Number(a.launch_time_ms ?? 0),
  );
  if (view === undefined) throw notOneTask(word, ids);
  const { why, logs } = await inspectTask(view, logsOf(view), now);
  const { task_id, root, layout, phase, state, verdict } = view;
  const isActive = phase === 'active' && verdict === 'ok';
  const ofUse = await examineUse(isActive ? [containerTask(view)] : [], containers, 'all');
  const { belief, problems: unasked } = await beliefOf(retained, ports, task_id);
  const diagnosis = new RemoteDiagnosis({ problems: [], selected: [] }, [], belief, now);
  diagnosis.add(view);
  const ofEnds = await memoryEnds(diagnosis.ended, ports);
  return {
    findings: [
      ...findingsOf(checkEnd(view, why, outputToRead(view, logs))),
      ...worstFirst([...diagnosis.end(false, ofEnds.ends), ...ofUse.findings]),
    ],
    checked: { roots: 1, tasks: 1, agents: 1 },
    task: { task_id, root: root.path, layout, phase, state, verdict, agent: root.agent },
    story: timelineOf(view, { now, bootTimeMs: undefined }),
    reconcile: diagnosis.rows.map(encodeRow),
    reconcile_source: belief.source,
    problems: [
      ...problems,
      // The search may have asked the same scheduler for the job of the task.
      ...unasked.filter(({ message }) => !problems.some((known) => known.message === message)),
      ...ofUse.problems,
      ...ofEnds.problems,
      ...others.map((other) => ({
        code: 'task-in-several-roots' as const,
        severity: 'warning' as const,
        message: `task ${task_id} is in ${other.root.path} too; this is the one that was launched last`,
        path: other.root.path,
        agent: other.root.agent?.url,
        task_id,
      })),
    ],
  };
}
