import type { DoctorDocument } from '../contracts/doctor.js';
import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { type Belief, type BelievedTask, scheduleStatusOf } from '../doctor/check-belief.js';
import { checkEnd } from '../doctor/check-end.js';
import { checkRemoteTask } from '../doctor/check-remote.js';
import { findingsOf, isWrong, worstFirst } from '../doctor/finding.js';
import { RemoteDiagnosis } from '../doctor/remote.js';
import { timelineOf } from '../doctor/timeline.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { inspectTask } from '../logs/inspection.js';
import type { LogsOf } from '../logs/log-tree.js';
import { outputToRead } from '../logs/output-to-read.js';
import { eachView, type TaskGatherer } from '../task/gatherer.js';
import type { DoctorAnswer } from './doctor.js';
import { noSuchTask, notOneTask } from './search.js';

export interface RemoteDoctorPorts {
  readonly gatherer: TaskGatherer;
  readonly logsOf: LogsOf;
  /** The states of Mesos of the newest tasks of executors that the agents remember, by ids of tasks. */
  mesosStates(): ReadonlyMap<string, string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Examines agents, or the one task on them that the word matches, as far as it can be told from there. `retained`: the
 * schedule statuses that the scheduler has, instead of what the agents say. Rejects like `examine`.
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
      : await examineTask(word, selection, ports);
  return { document, exitCode: isWrong(document.findings) ? EXIT.no : EXIT.ok };
}

async function examineAgents(
  selection: Selection,
  retained: ReadonlyMap<string, string> | undefined,
  { gatherer, now, mesosStates }: RemoteDoctorPorts,
): Promise<DoctorDocument> {
  const { selected, roots, agents = [], problems } = selection;
  const diagnosis = new RemoteDiagnosis(selection, beliefOf(retained, mesosStates), now);
  // A sandbox that is not given is already a finding.
  const readable = selected.filter(({ unreadable }) => !unreadable);
  await eachView(gatherer.views(readable), (view) => diagnosis.add(view));
  const knowsAll = !hasError(problems);
  const findings = diagnosis.end(knowsAll);
  return {
    findings,
    checked: { roots: roots.length, tasks: readable.length, agents: agents.length },
    reconcile: diagnosis.rows.map(encodeRow),
    problems: knowsAll || retained === undefined ? [] : [notAll()],
  };
}

function beliefOf(
  retained: ReadonlyMap<string, string> | undefined,
  mesosStates: RemoteDoctorPorts['mesosStates'],
): Belief {
  if (retained !== undefined) return { source: 'scheduler', statuses: retained };
  const statuses = [...mesosStates()].map(([id, state]) => [id, scheduleStatusOf(state)] as const);
  const known = statuses.filter((each): each is readonly [string, string] => each[1] !== undefined);
  return { source: 'agents', statuses: new Map(known) };
}

function encodeRow({ place, ...row }: BelievedTask): NonNullable<DoctorDocument['reconcile']>[number] {
  return { ...row, agent: place?.root.agent };
}

function notAll(): Problem {
  return {
    code: 'not-checked',
    severity: 'warning',
    message:
      'tasks that the scheduler has and no agent has are not looked for: some agents did not answer for all theirs',
  };
}

async function examineTask(
  word: string,
  selection: Selection,
  { gatherer, logsOf, now }: RemoteDoctorPorts,
): Promise<DoctorDocument> {
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
  return {
    findings: [
      ...findingsOf(checkEnd(view, why, outputToRead(view, logs))),
      ...worstFirst(findingsOf(checkRemoteTask(view, now))),
    ],
    checked: { roots: 1, tasks: 1, agents: 1 },
    task: { task_id, root: root.path, layout, phase, state, verdict, agent: root.agent },
    story: timelineOf(view, { now, bootTimeMs: undefined }),
    problems: [
      ...problems,
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
