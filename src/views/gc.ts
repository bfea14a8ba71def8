import type { GcDocument } from '../contracts/gc.js';
import type { Phase } from '../layout/root-paths.js';
import { moment } from '../text/age.js';
import { size } from '../text/size.js';
import type { Style } from './parts/style.js';
import { type Cell, table } from './parts/table.js';

/**
 * One row per task, every path that a plan would delete, what is kept or refused, and the totals; with --retained,
 * what the scheduler gets comes first.
 */
export function gcText(document: GcDocument, style: Style): string {
  const parts = [
    reconcileTable(document, style),
    tasksTable(document, style),
    paths(document),
    notes(document, style),
    sum(document),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Names what was checked, so that users see whether a pattern matched. */
export function nothingToCollect(tasks: readonly { phase: Phase }[]): string {
  if (tasks.length === 0) return 'There is nothing to collect.';
  const active = tasks.filter(({ phase }) => phase === 'active').length;
  const counts = [active && `${active} active`, tasks.length - active && `${tasks.length - active} finished`];
  const of = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} (${counts.filter(Boolean).join(', ')})`;
  return `There is nothing to collect of ${of}.`;
}

function tasksTable({ tasks }: GcDocument, style: Style): string {
  if (tasks.length === 0) return '';
  return table(
    [
      { title: 'TASK', flexible: 'middle' },
      { title: 'STATE' },
      { title: 'FINISHED', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'WHAT' },
      { title: 'REASON', flexible: 'wrap' },
    ],
    tasks.map((task) => [
      task.task_id,
      task.state,
      moment(task.finished_ms, style),
      size(task.actions.reduce((total, { bytes }) => total + bytes, 0)),
      what(task, style),
      task.reason,
    ]),
    { width: style.width, unicode: style.unicode, titles: style.paint.bold },
  );
}

/** The kinds that are or would be deleted, joined; otherwise the result for the task. */
function what({ actions, orphan }: GcDocument['tasks'][number], { paint }: Style): Cell {
  if (orphan !== undefined) {
    const done = orphan.result === 'done' || orphan.result === 'would-do';
    return done ? `->${orphan.becomes}` : { text: orphan.result, paint: paint.red };
  }
  const kinds = actions.filter(isDeleted);
  const failed = actions.some(({ result }) => result === 'failed');
  if (failed) return { text: 'failed', paint: paint.red };
  if (kinds.length > 0) return [...new Set(kinds.map(({ kind }) => kind))].join(',');
  return actions.some(({ result }) => result === 'refused') ? 'refused' : 'kept';
}

/** Every path that would be deleted, uncut: users confirm only what they have seen. */
function paths({ tasks, dry_run }: GcDocument): string {
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

/** What was not done and why: one row per task and reason. The paths of refusals go to stderr. */
function notes({ tasks }: GcDocument, style: Style): string {
  const rows: string[][] = [];
  for (const { task_id, actions, orphan } of tasks) {
    const byReason = new Map<string, string[]>();
    for (const { kind, result, why: reason, hint } of actions) {
      if (reason === undefined) continue;
      const why = hint === undefined ? reason : `${reason}; ${hint}`;
      const key = `${result} ${why}`;
      const row = byReason.get(key);
      if (row === undefined) byReason.set(key, [task_id, result, kind, why]);
      else if (!row[2]?.split(',').includes(kind)) row[2] += `,${kind}`;
    }
    for (const each of byReason.values()) rows.push(each);
    if (orphan?.why !== undefined) rows.push([task_id, orphan.result, 'state', orphan.why]);
  }
  if (rows.length === 0) return '';
  return table(
    [
      { title: 'TASK', flexible: 'middle' },
      { title: 'RESULT' },
      { title: 'WHAT' },
      { title: 'WHY', flexible: 'wrap' },
    ],
    rows,
    { width: style.width, unicode: style.unicode, whole: true },
  );
}

function reconcileTable({ reconcile }: GcDocument, style: Style): string {
  if (reconcile === undefined || reconcile.length === 0) return '';
  return table(
    [
      { title: 'TASK', flexible: 'middle' },
      { title: 'LOCAL' },
      { title: 'EXPECTED' },
      { title: 'ACTION' },
      { title: 'SEND' },
    ],
    reconcile.map((row) => [row.task_id, row.local, row.expected, row.action, row.send?.state]),
    { width: style.width, unicode: style.unicode, titles: style.paint.bold },
  );
}

function sum({ tasks, freed_bytes, dry_run }: GcDocument): string {
  if (tasks.length === 0) return '';
  const collected = tasks.filter(isCollected).length;
  const touched = tasks.filter(({ actions }) => actions.some(isDeleted)).length;
  const finalized = tasks.filter(({ orphan }) => orphan !== undefined).length;
  const orphans =
    finalized === 0 ? '' : `, ${finalized} without a runner ${dry_run ? 'would be' : 'were'} finalized`;
  const partly = touched === collected ? '' : `, ${touched - collected} only in part`;
  const verb = dry_run ? 'would be collected' : 'collected';
  const freed = dry_run ? 'would be freed' : 'freed';
  return `${collected} ${collected === 1 ? 'task' : 'tasks'} ${verb}${partly}, ${size(freed_bytes)} ${freed}${orphans}.\n`;
}

function isDeleted({ result }: GcDocument['tasks'][number]['actions'][number]): boolean {
  return result === 'deleted' || result === 'would-delete';
}

/** Something was deleted, nothing failed, and no metadata is left that was to be deleted. */
function isCollected({ actions }: GcDocument['tasks'][number]): boolean {
  const stays = actions.some(
    (action) => action.result === 'failed' || (action.kind === 'metadata' && !isDeleted(action)),
  );
  return actions.some(isDeleted) && !stays;
}
