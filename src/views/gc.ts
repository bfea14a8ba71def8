import type { GcDocument } from '../contracts/gc.js';
import type { Phase } from '../layout/root-paths.js';
import { size } from '../text/size.js';
import { screenRows } from '../text/width.js';
import { foldedText, leastRows } from './parts/gc-fold.js';
import { isDeleted, notesOf, notesTable, pathsTable, reconcileTable, tasksTable } from './parts/gc-tables.js';
import type { Style } from './parts/style.js';

/** Rows of the screen for a notice, and for the question or the prompt of the shell. */
const RESERVED = 2;

/**
 * One row per task, every path that a plan would delete, what is kept or refused, and the totals; with --retained,
 * what the scheduler gets comes first. On a terminal on which a plan does not fit, it is folded, so that the totals and
 * the question are on the screen with it. What was done is never folded: nothing else shows it again.
 */
export function gcText(document: GcDocument, style: Style, verbose = false): string {
  const { width, height } = style;
  if (verbose || width === undefined || height === undefined || isDone(document)) {
    return wholeText(document, style);
  }
  const room = Math.max(1, height - RESERVED);
  if (leastRows(document) <= room) {
    const text = wholeText(document, style);
    if (screenRows(text, width) <= room) return text;
  }
  return foldedText(document, style, room, (where) => sum(document, where));
}

/** Names what was checked, so that users see whether a pattern matched. */
export function nothingToCollect(tasks: readonly { phase: Phase }[]): string {
  if (tasks.length === 0) return 'There is nothing to collect.';
  const active = tasks.filter(({ phase }) => phase === 'active').length;
  const counts = [active && `${active} active`, tasks.length - active && `${tasks.length - active} finished`];
  const of = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} (${counts.filter(Boolean).join(', ')})`;
  return `There is nothing to collect of ${of}.`;
}

function wholeText(document: GcDocument, style: Style): string {
  const parts = [
    reconcileTable(document.reconcile ?? [], style),
    tasksTable(document.tasks, style),
    pathsTable(document),
    notesTable(notesOf(document), style),
    sum(document),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** Was anything changed, or tried? */
function isDone({ tasks, dry_run }: GcDocument): boolean {
  if (dry_run) return false;
  const tried = ({ result }: GcDocument['tasks'][number]['actions'][number]) =>
    result === 'deleted' || result === 'failed';
  return tasks.some(({ actions, orphan }) => orphan !== undefined || actions.some(tried));
}

/** `where`: the directory below which everything is that goes. */
function sum({ tasks, freed_bytes, dry_run }: GcDocument, where?: string): string {
  if (tasks.length === 0) return '';
  const collected = tasks.filter(isCollected).length;
  const touched = tasks.filter(({ actions }) => actions.some(isDeleted)).length;
  const finalized = tasks.filter(({ orphan }) => orphan !== undefined).length;
  const orphans =
    finalized === 0 ? '' : `, ${finalized} without a runner ${dry_run ? 'would be' : 'were'} finalized`;
  const partly = touched === collected ? '' : `, ${touched - collected} only in part`;
  const verb = dry_run ? 'would be collected' : 'collected';
  const freed = `${dry_run ? 'would be freed' : 'freed'}${where === undefined ? '' : ` below ${where}`}`;
  return `${collected} ${collected === 1 ? 'task' : 'tasks'} ${verb}${partly}, ${size(freed_bytes)} ${freed}${orphans}.\n`;
}

/** Something was deleted, nothing failed, and no metadata is left that was to be deleted. */
function isCollected({ actions }: GcDocument['tasks'][number]): boolean {
  const stays = actions.some(
    (action) => action.result === 'failed' || (action.kind === 'metadata' && !isDeleted(action)),
  );
  return actions.some(isDeleted) && !stays;
}
