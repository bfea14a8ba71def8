import type { GcAction, GcDocument, GcTask } from '../../contracts/gc.js';
import { moment } from '../../text/age.js';
import { size } from '../../text/size.js';
import { shortIds } from './short-ids.js';
import type { Style } from './style.js';
import { type Cell, type Column, table } from './table.js';

const TASK: Column = { title: 'TASK', flexible: 'middle', short: (ids) => shortIds(ids, []) };

/** The rows of tasks; a table of them has `fold` between the first and the last ones, if it is given. */
export function tasksTable(
  tasks: readonly GcTask[],
  style: Style,
  fold?: { after: number; row: Folded },
): string {
  if (tasks.length === 0 && fold === undefined) return '';
  const columns: [Column, (task: GcTask) => Cell][] = [
    [TASK, (task) => task.task_id],
    [{ title: 'STATE', dropped: 2 }, (task) => task.state],
    // The reason says it, too.
    [{ title: 'FINISHED', align: 'right', dropped: 1 }, (task) => moment(task.finished_ms, style)],
    [{ title: 'SIZE', align: 'right' }, (task) => size(bytesOf(task))],
    [{ title: 'WHAT', flexible: 'wrap' }, (task) => what(task, style)],
    [{ title: 'REASON', flexible: 'wrap' }, reasonOf],
  ];
  const rows = tasks.map((task) => columns.map(([, cell]) => cell(task)));
  if (fold !== undefined) {
    const { size, reason } = fold.row;
    rows.splice(fold.after, 0, [ellipsis(style), null, null, size, null, reason]);
  }
  return table(
    columns.map(([column]) => column),
    rows,
    { width: style.width, whole: true, unicode: style.unicode, titles: style.paint.bold },
  );
}

/** What stands for rows that are left out. */
export interface Folded {
  size: string;
  reason: string;
}

function ellipsis({ unicode }: Style): string {
  return unicode ? '…' : '...';
}

export function bytesOf({ actions }: GcTask): number {
  return actions.reduce((total, { bytes }) => total + bytes, 0);
}

/** The kinds that are or would be deleted, joined; otherwise the result for the task. */
function what(task: GcTask, { tty, paint }: Style): Cell {
  const { actions, orphan } = task;
  const result = resultOf(task);
  if (result === 'failed' || (orphan !== undefined && result !== undefined)) {
    return { text: result, paint: paint.red };
  }
  if (orphan !== undefined) return `->${orphan.becomes}`;
  // On a terminal the column can be wrapped; on a pipe a cell is one word.
  return result ?? [...new Set(actions.filter(isDeleted).map(({ kind }) => kind))].join(tty ? ', ' : ',');
}

/** Why the row says what it says: why the task goes, or why it does not. */
function reasonOf(task: GcTask): string {
  const result = resultOf(task);
  if (result === undefined) return task.reason;
  const { actions, orphan } = task;
  const why = orphan === undefined ? actions.find((action) => action.result === result)?.why : orphan.why;
  return why ?? task.reason;
}

/** Undefined if all of the task, or a part of it, goes or went, or its end is recorded; else what comes or came of it. */
export function resultOf({ actions, orphan }: GcTask): 'failed' | 'refused' | 'kept' | undefined {
  if (orphan !== undefined) {
    return orphan.result === 'failed' || orphan.result === 'refused' ? orphan.result : undefined;
  }
  if (actions.some(({ result }) => result === 'failed')) return 'failed';
  if (actions.some(isDeleted)) return undefined;
  return actions.some(({ result }) => result === 'refused') ? 'refused' : 'kept';
}

export function isDeleted({ result }: GcAction): boolean {
  return result === 'deleted' || result === 'would-delete';
}

/** Every path that would be deleted, uncut. */
export function pathsTable({ tasks, dry_run }: GcDocument): string {
  if (!dry_run) return '';
  const rows: string[][] = [];
  for (const { actions } of tasks) {
    for (const { kind, bytes, path, result } of actions) {
      if (result === 'would-delete') rows.push([kind, size(bytes), path]);
    }
  }
  if (rows.length === 0) return '';
  return table([{ title: 'WHAT' }, { title: 'SIZE', align: 'right' }, { title: 'PATH' }], rows);
}

/** Something that was or would not be done, and why. */
export interface Note {
  task: string;
  result: string;
  kinds: string[];
  why: string;
}

/** What was not done and why: one for each task and reason. The paths of refusals go to stderr. */
export function notesOf({ tasks }: GcDocument): Note[] {
  const notes: Note[] = [];
  for (const { task_id, actions, orphan } of tasks) {
    const byReason = new Map<string, Note>();
    for (const { kind, result, why: reason, hint } of actions) {
      if (reason === undefined) continue;
      const why = hint === undefined ? reason : `${reason}; ${hint}`;
      const key = `${result} ${why}`;
      const note = byReason.get(key);
      if (note === undefined) byReason.set(key, { task: task_id, result, kinds: [kind], why });
      else if (!note.kinds.includes(kind)) note.kinds.push(kind);
    }
    for (const each of byReason.values()) notes.push(each);
    if (orphan?.why !== undefined) {
      notes.push({ task: task_id, result: orphan.result, kinds: ['state'], why: orphan.why });
    }
  }
  return notes;
}

/** `more`: what is left out after the last row. */
export function notesTable(notes: readonly Note[], style: Style, more?: string): string {
  if (notes.length === 0) return '';
  const separator = style.tty ? ', ' : ',';
  const rows: Cell[][] = notes.map(({ task, result, kinds, why }) => [
    task,
    result,
    kinds.join(separator),
    why,
  ]);
  if (more !== undefined) rows.push([ellipsis(style), null, null, more]);
  return table(
    [TASK, { title: 'RESULT' }, { title: 'WHAT', flexible: 'wrap' }, { title: 'WHY', flexible: 'wrap' }],
    rows,
    { width: style.width, unicode: style.unicode, whole: true },
  );
}

type ReconciledRow = NonNullable<GcDocument['reconcile']>[number];

/** `more`: what is left out after the last row. */
export function reconcileTable(reconcile: readonly ReconciledRow[], style: Style, more?: string): string {
  if (reconcile.length === 0) return '';
  const rows: Cell[][] = reconcile.map((row) => [
    row.task_id,
    row.local,
    row.expected,
    row.action,
    row.send?.state,
  ]);
  if (more !== undefined) rows.push([ellipsis(style), null, null, more, null]);
  return table(
    [TASK, { title: 'LOCAL' }, { title: 'EXPECTED' }, { title: 'ACTION' }, { title: 'SEND' }],
    rows,
    { width: style.width, whole: true, unicode: style.unicode, titles: style.paint.bold },
  );
}
