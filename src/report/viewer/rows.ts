import { encodeTask } from '../../contracts/encode-task.js';
import type { InspectDocument } from '../../contracts/task.js';
import type { TaskView } from '../../task/view.js';
import { firstFailing } from '../../task/why.js';
import { inOrder, type ListedTask, listedTask } from '../list/list.js';
import type { TaskRow } from './fleet.js';

/** A row of the list: as in the list of `report`, with its agent. */
export interface ListedRow {
  readonly row: TaskRow;
  readonly task: ListedTask;
}

const known = new WeakMap<TaskView, ListedTask>();

/** What is listed of a task; one that was not read yet is where it probably will be. */
export function listedRow(row: TaskRow): ListedRow {
  const { view, run, task_id } = row;
  if (view === undefined) {
    const task = {
      task_id,
      root: run.directory,
      href: '',
      phase: run.running ? 'active' : 'finished',
      state: run.mesosState === 'TASK_FAILED' ? 'FAILED' : '',
      verdict: 'ok',
      processes: 0,
      succeeded: 0,
      failed: 0,
    };
    return { row, task };
  }
  let task = known.get(view);
  if (task === undefined) {
    task = listedTask(encodeTask(view) as InspectDocument, '', firstFailing(view)?.process);
    known.set(view, task);
  }
  return { row, task };
}

/** By which column the list is in order. */
export type SortColumn = 'state' | 'task' | 'agent' | 'user' | 'done' | 'failing' | 'since';

const KEYS: Readonly<Record<SortColumn, (listed: ListedRow) => string | number>> = {
  state: ({ task }) => task.state,
  task: ({ task }) => task.task_id,
  agent: ({ row }) => row.agent.hostname,
  user: ({ task }) => task.user ?? '',
  done: ({ task }) => (task.processes === 0 ? 0 : task.succeeded / task.processes),
  failing: ({ task }) => task.failing ?? '',
  since: ({ task }) => task.state_ms ?? 0,
};

export interface RowChoice {
  /** All of them must be in a row. */
  readonly words: string;
  /** Undefined: what needs attention first. */
  readonly by?: SortColumn;
  readonly reversed?: boolean;
}

/** The rows that a person asks for, in order. Pure. */
export function chosenRows(
  rows: readonly ListedRow[],
  { words, by, reversed = false }: RowChoice,
): ListedRow[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const matching = rows.filter((listed) => {
    const text = textOf(listed);
    return wanted.every((word) => text.includes(word));
  });
  const byTask = new Map(matching.map((listed) => [listed.task, listed]));
  const ordered = inOrder(matching.map(({ task }) => task)).map((task) => byTask.get(task) as ListedRow);
  if (by === undefined) return ordered;
  const keyOf = KEYS[by];
  ordered.sort((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
  return reversed ? ordered.reverse() : ordered;
}

function textOf({ row, task }: ListedRow): string {
  const { task_id, state, verdict, user = '', failing = '' } = task;
  return `${task_id} ${state} ${verdict} ${user} ${failing} ${row.agent.hostname}`.toLowerCase();
}
