import { isTerminalTaskState } from '../checkpoint/records.js';
import { hostCommand } from '../discovery/advised-command.js';
import type { TaskRoot } from '../discovery/found.js';
import { absentHere, type Reconciled, reconciled } from '../gc/reconcile.js';
import type { TaskView } from '../task/view.js';
import { counted } from '../text/count.js';
import type { MemoryEnd } from './check-ending.js';
import { streamOf } from './check-files.js';
import type { Symptom } from './finding.js';

/** What somebody else believes about tasks. */
export interface Belief {
  /** `agents`: of their executors; `file`: what the scheduler had; `scheduler`, `master`: what they have now. */
  readonly source: 'agents' | 'master' | 'scheduler' | 'file';
  /** Schedule statuses, by the ids of tasks. */
  readonly statuses: ReadonlyMap<string, string>;
  /** Since when these are so, in milliseconds since the epoch, where that is known. */
  readonly since?: ReadonlyMap<string, number>;
  /** Tasks of agents that were not asked: that no agent has them is as it should be. */
  readonly elsewhere?: ReadonlySet<string>;
  /** Of tasks whose containers had no memory left: what the scheduler says of their end, by id. */
  readonly outOfMemory?: ReadonlyMap<string, MemoryEnd>;
}

/** A task of the table: what its stream says, what is believed, and what follows from that. */
export interface BelievedTask extends Reconciled {
  readonly place?: { readonly root: TaskRoot; readonly stream: string; readonly runs: boolean };
  /** Either side has changed a moment ago, and may not have told the other yet. */
  readonly recent?: true;
}

/** What an executor tells its agent has reached the scheduler by then. */
const SETTLED_MS = 60_000;

/** The row of a task that an agent has. `now`: milliseconds since the epoch. Pure. */
export function believed(view: TaskView, { source, statuses, since }: Belief, now: number): BelievedTask {
  const { task_id, root, phase, state, verdict } = view;
  // One that is over, but was not moved, is not running.
  const local = isTerminalTaskState(state) ? 'finished' : phase;
  const row = reconciled(
    { task_id, root: root.path, phase: local, state: String(state) },
    statuses.get(task_id),
  );
  const isRecent =
    isAsked(source) &&
    row.action !== 'none' &&
    (isYoung(now + (root.ahead_ms ?? 0), view.state_timestamp_ms) || isYoung(now, since?.get(task_id)));
  return {
    ...row,
    place: { root, stream: streamOf(view), runs: verdict === 'ok' },
    recent: isRecent || undefined,
  };
}

/** The rows of tasks that no agent has. `here`: the ids of all that the agents have, or remember. Pure. */
export function absentTasks(
  here: ReadonlySet<string>,
  { source, statuses, since, elsewhere }: Belief,
  now: number,
): BelievedTask[] {
  return [...statuses]
    .filter(([id]) => !here.has(id) && !elsewhere?.has(id))
    .map(([id, status]) => {
      const absent = absentHere(id, status);
      // That its agent is not asked is what the status says.
      const isExpected = isAsked(source) && status === 'PARTITIONED';
      const row: BelievedTask = isExpected ? { ...absent, action: 'none' } : absent;
      const isRecent = isAsked(source) && row.action !== 'none' && isYoung(now, since?.get(id));
      return { ...row, recent: isRecent || undefined };
    });
}

/** What a file says, somebody has compared it with on purpose. */
function isAsked(source: Belief['source']): boolean {
  return source !== 'file';
}

function isYoung(now: number, time: unknown): boolean {
  return time !== undefined && now - Number(time) < SETTLED_MS;
}

/** Where streams differ from what the scheduler or the master believes. Pure. */
export function* checkBelief(rows: readonly BelievedTask[], source: Belief['source']): Generator<Symptom> {
  // Agents learn of the end of a task from its executor, a moment later.
  if (source === 'agents') return;
  const who = source === 'master' ? 'the master' : 'the scheduler';
  const frameworks = new Set(rows.flatMap((row) => (row.expected === 'unknown' ? [] : frameworkOf(row))));
  for (const row of rows) {
    const { task_id, action, local_state, expected, place, recent } = row;
    const what = DIFFERENCES[action];
    if (what === undefined || recent) continue;
    // The access list of a master may hide from us what its agent runs.
    if (source === 'master' && expected === 'unknown' && place?.runs) continue;
    // One cluster may have several schedulers: nothing follows for the tasks of another one.
    if (
      source === 'scheduler' &&
      expected === 'unknown' &&
      !frameworkOf(row).some((id) => frameworks.has(id))
    )
      continue;
    const has = expected === 'unknown' ? `${who} does not know it` : `${who} has it as ${expected}`;
    const advice =
      action === 'kill' && place !== undefined
        ? {
            text: 'end it on its host',
            names: [task_id],
            command: (ids: readonly string[]) => hostCommand(place.root, ['kill'], ids),
          }
        : 'let the scheduler ask Mesos what became of its tasks: aurora_admin reconcile_tasks CLUSTER';
    yield {
      code: 'scheduler-disagrees',
      severity: 'warning',
      cause: action,
      what: (count) => what(counted(count, 'task'), who),
      evidence: [
        {
          path: place?.stream,
          agent: place?.root.agent?.url,
          text: `${local_state ?? 'no trace of it'}; ${has}`,
        },
      ],
      advice: [advice],
      task_id,
    };
  }
}

function frameworkOf({ place }: BelievedTask): string[] {
  const id = place?.root.mesos?.framework_id;
  return id === undefined ? [] : [id];
}

const DIFFERENCES: Readonly<Partial<Record<Reconciled['action'], (tasks: string, who: string) => string>>> = {
  kill: (tasks, who) => `${tasks} recorded as running, but over or unknown to ${who}`,
  'send-final-state': (tasks, who) => `${tasks} over, but running as ${who} believes`,
  'send-lost': (tasks, who) => `${tasks} running as ${who} believes, without a trace on these agents`,
};

/** The schedule status that a state of Mesos stands for; undefined if there is none. */
export function scheduleStatusOf(mesosState: string | undefined): string | undefined {
  return mesosState === undefined ? undefined : MESOS_STATES[mesosState];
}

const MESOS_STATES: Readonly<Record<string, string>> = {
  TASK_STAGING: 'ASSIGNED',
  TASK_STARTING: 'STARTING',
  TASK_RUNNING: 'RUNNING',
  TASK_KILLING: 'KILLING',
  TASK_FINISHED: 'FINISHED',
  TASK_FAILED: 'FAILED',
  TASK_ERROR: 'FAILED',
  TASK_KILLED: 'KILLED',
  TASK_LOST: 'LOST',
  TASK_DROPPED: 'LOST',
  TASK_GONE: 'LOST',
  TASK_GONE_BY_OPERATOR: 'LOST',
  TASK_UNREACHABLE: 'PARTITIONED',
};
