import type { GcAction, GcDocument, GcTask } from '../../contracts/gc.js';
import { visible } from '../../text/escape.js';
import { size } from '../../text/size.js';
import { screenRows, shorten, wrap } from '../../text/width.js';
import {
  bytesOf,
  isDeleted,
  type Note,
  notesOf,
  notesTable,
  reconcileTable,
  resultOf,
  tasksTable,
} from './gc-tables.js';
import type { Style } from './style.js';
import { type Column, table } from './table.js';

/** Rows of a list that are enough to see what it is about. */
const FEW = 4;
/** Metadata, logs, data. */
const KINDS = 3;
/** A table of totals is not longer than this: it is there to be read at once. */
const MOST_TOTALS = 8;

/** A reason may quote a name of 64 MiB: a part of it is better than none, and --verbose shows all. */
const LONGEST_REASON = 2000;

/** From the top. */
const LISTS = ['reconcile', 'notes', 'tasks', 'reasons', 'places'] as const;

/**
 * A plan in at most `room` rows of the screen, if that is possible: what is not done comes first, the worst of it at the
 * top; then the first and the last tasks, tasks and bytes by reason, paths and bytes by place, and the totals. Whatever
 * is left out is counted. `sum`: the totals as a sentence, with the directory below which all is that goes.
 */
export function foldedText(
  document: GcDocument,
  style: Style,
  room: number,
  sum: (where: string | undefined) => string,
): string {
  const plan = new FoldedPlan(document, style, sum);
  const { width = Number.POSITIVE_INFINITY } = style;
  const lengths: Lengths = { reconcile: 0, notes: 0, tasks: 0, reasons: 0, places: 0 };
  let text = plan.text(lengths);
  for (const [list, longest] of plan.wishes(room)) {
    let most = longest;
    while (lengths[list] < most) {
      const length = Math.ceil((lengths[list] + most) / 2);
      const longer = plan.text({ ...lengths, [list]: length });
      if (screenRows(longer, width) <= room) {
        text = longer;
        lengths[list] = length;
      } else most = length - 1;
    }
  }
  return text;
}

/** How many rows of each list are shown, at most. */
type List = (typeof LISTS)[number];
type Lengths = Record<List, number>;

/** The least number of rows of the whole text. */
export function leastRows({ tasks, reconcile, dry_run }: GcDocument): number {
  let rows = reconcile?.length ?? 0;
  for (const { actions } of tasks) {
    rows += 1;
    if (dry_run) for (const { result } of actions) if (result === 'would-delete') rows += 1;
  }
  return rows;
}

class FoldedPlan {
  readonly #document: GcDocument;
  readonly #style: Style;
  readonly #notes: readonly Note[];
  /** Those that end are first, then the oldest: the last one is the newest that goes. */
  readonly #tasksByAge: readonly GcTask[];
  readonly #foot: string;
  readonly #drawn = new Map<string, string>();

  constructor(document: GcDocument, style: Style, sum: (where: string | undefined) => string) {
    this.#document = document;
    this.#style = style;
    this.#notes = bySeverity(notesOf(document));
    this.#tasksByAge = document.tasks.toSorted((a, b) => (a.finished_ms ?? 0) - (b.finished_ms ?? 0));
    const all = placesOf(document, 1, () => 'all')?.[0];
    const foot = [notDone(document), sum(all && visible(all.path)), hint(document)];
    this.#foot = foot
      .filter((line) => line !== '')
      .flatMap((line) => wrap(line.trimEnd(), style.width ?? Number.POSITIVE_INFINITY))
      .map((line) => `${line}\n`)
      .join('');
  }

  /** How long the lists are to be, the most important first. */
  wishes(room: number): [List, number][] {
    const bad = this.#notes.findLastIndex(({ result }) => result !== 'kept') + 1;
    return [
      ['notes', Math.min(bad, FEW)],
      ['places', KINDS],
      ['reasons', FEW],
      ['tasks', 2],
      ['places', FEW],
      ['tasks', FEW],
      ['reconcile', FEW],
      ['notes', Math.min(bad, room)],
      ['notes', FEW],
      ['places', MOST_TOTALS],
      ['reasons', MOST_TOTALS],
      ['tasks', room >> 1],
      ['notes', room],
      ['reconcile', room],
      ['tasks', room],
    ];
  }

  text(lengths: Lengths): string {
    const parts = LISTS.map((list) => this.#part(list, lengths[list]));
    return [...parts, this.#foot].filter((part) => part !== '').join('\n');
  }

  #part(list: List, length: number): string {
    if (length === 0) return '';
    const key = `${list} ${length}`;
    const drawn = this.#drawn.get(key) ?? this.#draw(list, length);
    this.#drawn.set(key, drawn);
    return drawn;
  }

  #draw(list: List, length: number): string {
    if (list === 'reconcile') return this.#reconcile(length);
    if (list === 'notes') return this.#notDone(length);
    if (list === 'tasks') return this.#tasks(length);
    return list === 'reasons' ? this.#reasons(length) : this.#places(length);
  }

  #reconcile(most: number): string {
    const { reconcile = [] } = this.#document;
    const rows = reconcile.toSorted((a, b) => Number(a.action === 'none') - Number(b.action === 'none'));
    const shown = head(rows, most);
    const left = rows.slice(shown.length);
    const more = left.length === 0 ? undefined : `${left.length} more`;
    return reconcileTable(shown, this.#style, more);
  }

  #notDone(most: number): string {
    const shown = head(this.#notes, most).map((note) => ({
      ...note,
      why: shorten(note.why, LONGEST_REASON),
    }));
    const left = this.#notes.slice(shown.length);
    const more = `more: ${counts(left.map(({ result }) => result))}`;
    return notesTable(shown, this.#style, left.length === 0 ? undefined : more);
  }

  #tasks(most: number): string {
    const tasks = this.#tasksByAge;
    if (tasks.length <= most + 1) return tasksTable(tasks, this.#style);
    const first = Math.ceil(most / 2);
    const last = most - first;
    const left = tasks.slice(first, tasks.length - last);
    const row = { size: size(sumOf(left)), reason: `${left.length} more tasks` };
    const shown = [...tasks.slice(0, first), ...tasks.slice(tasks.length - last)];
    return tasksTable(shown, this.#style, { after: first, row });
  }

  /** Tasks and bytes by reason; nothing if there is one reason only, because the totals are those. */
  #reasons(most: number): string {
    const byReason = new Map<string, { tasks: number; bytes: number }>();
    for (const task of this.#document.tasks) {
      const reason = resultOf(task) ?? task.rule ?? task.reason;
      const total = byReason.get(reason) ?? { tasks: 0, bytes: 0 };
      byReason.set(reason, { tasks: total.tasks + 1, bytes: total.bytes + bytesOf(task) });
    }
    if (byReason.size < 2) return '';
    const totals = [...byReason].map(([reason, total]) => ({ reason, ...total }));
    totals.sort((a, b) => b.tasks - a.tasks);
    const shown = head(totals, most);
    const left = totals.slice(shown.length);
    if (left.length > 0) {
      shown.push({
        reason: `${left.length} more reasons`,
        tasks: left.reduce((sum, { tasks }) => sum + tasks, 0),
        bytes: left.reduce((sum, { bytes }) => sum + bytes, 0),
      });
    }
    const rows = shown.map(({ reason, tasks, bytes }) => [String(tasks), size(bytes), reason]);
    return this.#table([RIGHT('TASKS'), RIGHT('SIZE'), { title: 'REASON', flexible: 'wrap' }], rows);
  }

  /** Where the paths are that would be deleted. */
  #places(most: number): string {
    const places = placesOf(this.#document, most, ({ kind }) => kind);
    if (places === undefined || places.length === 0) return '';
    const rows = places.map(({ group, paths, bytes, path }) => [
      group,
      String(paths),
      size(bytes),
      paths === 1 ? path : `below ${path}`,
    ]);
    return this.#table([{ title: 'WHAT' }, RIGHT('PATHS'), RIGHT('SIZE'), { title: 'WHERE' }], rows);
  }

  #table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
    const { width, unicode, paint } = this.#style;
    return table(columns, rows, { width, unicode, titles: paint.bold });
  }
}

const RIGHT = (title: string): Column => ({ title, align: 'right' });

/** The first of them; all, if the row that counts one more would take its place. */
function head<T>(rows: readonly T[], most: number): T[] {
  return rows.slice(0, rows.length <= most + 1 ? rows.length : most);
}

const SEVERITY = ['failed', 'refused', 'kept'];

function bySeverity(notes: readonly Note[]): Note[] {
  return notes.toSorted((a, b) => SEVERITY.indexOf(a.result) - SEVERITY.indexOf(b.result));
}

/** `2 refused, 12 kept`. */
function counts(results: readonly string[]): string {
  const totals = new Map<string, number>();
  for (const result of results) totals.set(result, (totals.get(result) ?? 0) + 1);
  return [...totals]
    .sort(([a], [b]) => SEVERITY.indexOf(a) - SEVERITY.indexOf(b))
    .map(([result, count]) => `${count} ${result}`)
    .join(', ');
}

/** The paths that stay although their tasks are in the plan. */
function notDone({ tasks }: GcDocument): string {
  const results = tasks.flatMap(({ actions }) => actions.map(({ result }) => result));
  const staying = results.filter((result) => SEVERITY.includes(result));
  return staying.length === 0 ? '' : `Paths that stay: ${counts(staying)}.`;
}

function hint({ dry_run }: GcDocument): string {
  return dry_run
    ? 'Not every row is shown here: --verbose shows all, also with --dry-run.'
    : 'Not every row is shown here: --verbose shows all.';
}

function sumOf(tasks: readonly GcTask[]): number {
  return tasks.reduce((sum, task) => sum + bytesOf(task), 0);
}

/** The paths of a group that would be deleted and have a directory in common, or one path. */
interface PathGroup {
  group: string;
  paths: number;
  bytes: number;
  path: string;
}

/**
 * Puts the paths that would be deleted into at most `most` places, as deep as possible, so that a path far away from the
 * others is seen. Undefined if there are more groups than that.
 */
function placesOf(
  { tasks }: GcDocument,
  most: number,
  groupOf: (action: Pick<GcAction, 'kind'>) => string,
): PathGroup[] | undefined {
  let places: PathGroup[] | undefined;
  for (let depth = 1; ; depth++) {
    const found = new Map<string, PathGroup>();
    let deeper = false;
    for (const { actions } of tasks) {
      for (const action of actions) {
        if (!isDeleted(action)) continue;
        const group = groupOf(action);
        const { path, bytes } = action;
        const start = beginning(path, depth);
        deeper ||= start.length < path.length;
        const key = `${group} ${start}`;
        const place = found.get(key);
        if (place === undefined) {
          if (found.size === most) return places;
          found.set(key, { group, paths: 1, bytes, path });
        } else {
          place.paths += 1;
          place.bytes += bytes;
          place.path = common(place.path, path);
        }
      }
    }
    places = [...found.values()];
    if (!deeper) return places;
  }
}

/** The path down to its `depth`th name; `/` at depth 1 is before the first one. */
function beginning(path: string, depth: number): string {
  let end = 0;
  for (let names = 1; names < depth; names++) {
    end = path.indexOf('/', end + 1);
    if (end === -1) return path;
  }
  return path.slice(0, end);
}

/** The deepest directory that is or contains both. */
function common(one: string, other: string): string {
  let end = 0;
  for (let at = 0; at <= Math.min(one.length, other.length); at++) {
    const [a, b] = [one[at] ?? '/', other[at] ?? '/'];
    if (a !== b) break;
    if (a === '/') end = at;
  }
  return one.slice(0, end) || '/';
}
