import { hostCommand } from '../discovery/advised-command.js';
import type { TaskRoot } from '../discovery/found.js';
import { absentHere, type Reconciled, reconciled } from '../gc/reconcile.js';
import type { TaskView } from '../task/view.js';
import { streamOf } from './check-files.js';
import { counted, type Symptom } from './finding.js';

/** What somebody else believes about tasks: their schedule statuses, by id. */
export interface Belief {
  /** `agents`: their executors; `scheduler`: what it was asked for, or has written to a file. */
  readonly source: 'agents' | 'scheduler';
  readonly statuses: ReadonlyMap<string, string>;
}

/** A task of the table: what its stream says, what is believed, and what follows from that. */
export interface BelievedTask extends Reconciled {
  readonly place?: { readonly root: TaskRoot; readonly stream: string };
}

/** The row of a task that an agent has. Pure. */
export function believed(view: TaskView, { statuses }: Belief): BelievedTask {
  const { task_id, root, phase, state } = view;
  const row = reconciled({ task_id, root: root.path, phase, state: String(state) }, statuses.get(task_id));
  return { ...row, place: { root, stream: streamOf(view) } };
}

/** The rows of tasks that no agent has. Pure. */
export function absentTasks(rows: readonly BelievedTask[], { statuses }: Belief): BelievedTask[] {
  const here = new Set(rows.map(({ task_id }) => task_id));
  return [...statuses].filter(([id]) => !here.has(id)).map(([id, status]) => absentHere(id, status));
}

/** Where streams differ from what the scheduler believes. Pure. */
export function* checkBelief(rows: readonly BelievedTask[]): Generator<Symptom> {
  for (const { task_id, action, local_state, expected, place } of rows) {
    const what = DIFFERENCES[action];
    if (what === undefined) continue;
    const has =
      expected === 'unknown' ? 'the scheduler does not know it' : `the scheduler has it as ${expected}`;
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
      what: (count) => what(counted(count, 'task')),
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

const DIFFERENCES: Readonly<Partial<Record<Reconciled['action'], (tasks: string) => string>>> = {
  kill: (tasks) => `${tasks} recorded as running, but over or unknown to the scheduler`,
  'send-final-state': (tasks) => `${tasks} over, but running as the scheduler believes`,
  'send-lost': (tasks) => `${tasks} running as the scheduler believes, without a trace on these agents`,
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
