import type { TaskView } from '../task/view.js';
import { moment } from '../text/age.js';
import { visible } from '../text/escape.js';
import { size } from '../text/size.js';
import { wrap } from '../text/width.js';
import type { TaskUse } from '../top/task-use.js';
import { paintOf } from './parts/paint.js';
import { processTable } from './parts/processes.js';
import { shortIds } from './parts/short-ids.js';
import { MEASURED_COLUMNS, STATUS_COLUMNS, type StatusColumn } from './parts/status-columns.js';
import { type Style, styleBy } from './parts/style.js';
import { type Cell, type Column, type TableLines, tableLines } from './parts/table.js';
import { cores, diskSize } from './parts/use.js';

/** How much to show of each task: 0 id and owner, 1 one line, 2 with user, ports and sandbox, 3 with processes. */
export type Verbosity = 0 | 1 | 2 | 3;

export interface StatusPageOptions {
  verbosity: Verbosity;
  /** Exactly these columns; only for verbosity 1. Without them, those that the width has room for. */
  columns?: readonly StatusColumn[];
  /** All columns, and nothing is cut; only for verbosity 1. */
  wide?: boolean;
  /** Nothing is cut: lines may be longer than the terminal is wide. */
  uncut?: boolean;
  /** What a task uses, by its checkpoint directory; asked only while a table is drawn. For the columns that are measured. */
  useOf?: (task: string) => TaskUse | undefined;
}

/** What a page shows of one task; the view itself is not kept. */
export type StatusItem = StatusRow | string;

/** The parts of a page, as lines without newlines. Titles and body have the same columns. */
export interface StatusParts {
  /** On a terminal; no line is wider than it. */
  summary: string[];
  /** Undefined if there are blocks instead of a table. */
  titles: string | undefined;
  body: string[];
}

/**
 * The tasks as a table, or as blocks with the details that were asked for; on a terminal, with a summary above. Of each
 * task only what is shown of it is kept: a host may have very many with very many processes.
 */
export class StatusPage {
  readonly #options: StatusPageOptions;
  readonly #style: Style;
  readonly #counts: Counts = { tasks: 0, active: 0, states: new Map(), verdicts: new Map() };

  constructor(options: StatusPageOptions, style: Style) {
    this.#options = options;
    this.#style = style;
  }

  /** Counts the task in the summary. Returns what is drawn of it, in the order and number that the caller chooses. */
  add(task: TaskView): StatusItem {
    count(task, this.#counts);
    const { verbosity, uncut } = this.#options;
    if (verbosity < 2) return rowOf(task);
    const style = uncut ? { ...this.#style, width: undefined } : this.#style;
    return block(task, verbosity, style);
  }

  /** Draws these items. */
  parts(items: readonly StatusItem[]): StatusParts {
    const summary = this.#summary();
    if (this.#options.verbosity < 2) return { summary, ...this.#table(items) };
    return { summary, titles: undefined, body: blocksOf(items).split('\n').slice(0, -1) };
  }

  /** Empty if no task was added. */
  text(items: readonly StatusItem[]): string {
    if (this.#counts.tasks === 0) return '';
    const head = this.#summary().map((line) => `${line}\n`);
    if (head.length > 0) head.push('\n');
    if (this.#options.verbosity > 1) return head.join('') + blocksOf(items);
    const { titles, body } = this.#table(items);
    return `${head.join('')}${titles}\n${body.map((line) => `${line}\n`).join('')}`;
  }

  #summary(): string[] {
    const { tty, width = Number.POSITIVE_INFINITY } = this.#style;
    return tty ? wrap(summaryOf(this.#counts), width) : [];
  }

  #table(items: readonly StatusItem[]): TableLines {
    const rows = items.filter((item) => typeof item !== 'string');
    const { verbosity, columns, wide, uncut, useOf = () => undefined } = this.#options;
    const style = this.#style;
    const isRemote = rows.some(({ agent }) => agent !== undefined);
    const usual = (wide ? WIDE_COLUMNS : DEFAULT_COLUMNS).filter((name) => name !== 'agent' || isRemote);
    const names = verbosity === 0 ? OWNER_COLUMNS : ((wide ? undefined : columns) ?? usual);
    const chosen = names.map((name): Column => {
      const { title, align, flexible, dropped } = COLUMNS[name];
      // Columns that were asked for are not dropped.
      const given = { title, align, flexible, dropped: names === usual && !wide ? dropped : undefined };
      return name === 'task' ? { ...given, short: (ids) => shortIds(ids, rows) } : given;
    });
    const cells = rows.map((row) => names.map((name) => COLUMNS[name].cell(row, style, useOf)));
    return tableLines(chosen, cells, {
      width: wide ? undefined : style.width,
      uncut,
      unicode: style.unicode,
      titles: style.paint.bold,
    });
  }
}

/** The id of a task as a line. It is escaped on a pipe too: one with a newline would look like two, the second of another task. */
export function idLine({ task_id }: TaskView): string {
  return `${visible(task_id)}\n`;
}

/** What the row of a task shows, and what its short id is made of. */
interface StatusRow {
  /** Its checkpoint directory. */
  key: string;
  task_id: string;
  root: string;
  name: string | undefined;
  phase: string;
  state: string;
  verdict: string;
  user: string | undefined;
  owner: string | undefined;
  done: number;
  failed: number;
  processes: number;
  time: TaskView['state_timestamp_ms'];
  agent: string | undefined;
  ahead: number | undefined;
}

function rowOf(task: TaskView): StatusRow {
  const inState = (wanted: string) => task.processes.filter(({ state }) => state === wanted).length;
  return {
    key: task.found.checkpoint_dir,
    task_id: task.task_id,
    root: task.root.path,
    name: task.name,
    phase: task.phase,
    state: String(task.state),
    verdict: task.verdict,
    user: task.user,
    owner: task.owner,
    done: inState('SUCCESS'),
    failed: inState('FAILED'),
    processes: task.processes.length,
    time: task.state_timestamp_ms,
    agent: task.root.agent && (task.root.agent.hostname || task.root.agent.url),
    ahead: task.root.ahead_ms,
  };
}

type ColumnOfRows = Column & {
  cell: (row: StatusRow, style: Style, useOf: NonNullable<StatusPageOptions['useOf']>) => Cell;
};

const painted = (text: string, style: Style): Cell => ({ text, paint: paintOf(style.paint, text) });

const COLUMNS: Readonly<Record<StatusColumn, ColumnOfRows>> = {
  task: { title: 'TASK', flexible: 'middle', cell: ({ task_id }) => task_id },
  // The state implies it.
  phase: { title: 'PHASE', dropped: 1, cell: ({ phase }) => phase },
  state: { title: 'STATE', cell: ({ state }, style) => painted(state, style) },
  verdict: { title: 'VERDICT', cell: ({ verdict }, style) => painted(verdict, style) },
  user: { title: 'USER', flexible: 'end', dropped: 2, cell: ({ user }) => user },
  done: { title: 'DONE', align: 'right', dropped: 3, cell: ({ done, processes }) => `${done}/${processes}` },
  failed: { title: 'FAILED', align: 'right', cell: ({ failed }) => String(failed) },
  age: {
    title: 'AGE',
    align: 'right',
    cell: ({ time, ahead }, style) => moment(time, styleBy(style, ahead)),
  },
  agent: { title: 'AGENT', flexible: 'end', cell: ({ agent }) => agent },
  owner: { title: 'OWNER', flexible: 'end', cell: ({ owner }) => owner },
  root: { title: 'ROOT', flexible: 'middle', cell: ({ root }) => root },
  cpu: { title: 'CPU', align: 'right', cell: ({ key }, _, useOf) => cores(useOf(key)?.cpuAverage) },
  rss: { title: 'RSS', align: 'right', cell: ({ key }, _, useOf) => size(useOf(key)?.rssBytes) },
  disk: { title: 'DISK', align: 'right', cell: ({ key }, _, useOf) => diskSize(useOf(key)?.disk) },
};

/** Shown only if they are asked for. */
const EXTRA_COLUMNS: readonly StatusColumn[] = ['owner', 'root', ...MEASURED_COLUMNS];
const WIDE_COLUMNS = STATUS_COLUMNS.filter((name) => !MEASURED_COLUMNS.includes(name));
const DEFAULT_COLUMNS = STATUS_COLUMNS.filter((name) => !EXTRA_COLUMNS.includes(name));
const OWNER_COLUMNS: readonly StatusColumn[] = ['task', 'phase', 'owner'];

interface Counts {
  tasks: number;
  active: number;
  /** Of finished tasks. */
  states: Map<string, number>;
  /** Except `ok`. */
  verdicts: Map<string, number>;
}

function count({ phase, state, verdict }: TaskView, counts: Counts): void {
  const add = (to: Map<string, number>, word: string) => to.set(word, (to.get(word) ?? 0) + 1);
  counts.tasks += 1;
  if (phase === 'active') counts.active += 1;
  else add(counts.states, String(state));
  if (verdict !== 'ok') add(counts.verdicts, verdict);
}

const WORST_FIRST = ['FAILED', 'LOST', 'KILLED', 'SUCCESS'];

/** `7 tasks: 2 active, 5 finished (1 FAILED, 1 KILLED, 3 SUCCESS); 2 runner-gone`. */
function summaryOf({ tasks, active, states, verdicts }: Counts): string {
  const rank = (word: string) => WORST_FIRST.indexOf(word) + 1 || WORST_FIRST.length + 1;
  const counted = (words: ReadonlyMap<string, number>) =>
    [...words]
      .sort(([one], [other]) => rank(one) - rank(other) || (one < other ? -1 : 1))
      .map(([word, number]) => `${number} ${word}`)
      .join(', ');
  const finished = `${tasks - active} finished${states.size === 0 ? '' : ` (${counted(states)})`}`;
  const odd = verdicts.size === 0 ? '' : `; ${counted(verdicts)}`;
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'}: ${active} active, ${finished}${odd}`;
}

function since(milliseconds: TaskView['state_timestamp_ms'], style: Style): string {
  if (milliseconds === undefined) return '';
  return `, since ${moment(milliseconds, style)}${style.tty ? ' ago' : ''}`;
}

function blocksOf(items: readonly StatusItem[]): string {
  return items.filter((item) => typeof item === 'string').join('\n');
}

/** The details of a task, as lines. */
function block(task: TaskView, verbosity: Verbosity, ours: Style): string {
  const style = styleBy(ours, task.root.ahead_ms);
  const state = String(task.state);
  const { paint } = style;
  const title = [
    paint.bold(visible(task.task_id)),
    paintOf(paint, state)(state),
    ...(task.verdict === 'ok' ? [] : [paintOf(paint, task.verdict)(task.verdict)]),
    `${task.phase}${since(task.state_timestamp_ms, style)}`,
  ].join('  ');
  const ports = Object.entries(task.ports ?? {}).map(([name, port]) => `${name}=${port}`);
  const user = `  user: ${task.user ?? '-'}  owner: ${task.owner ?? '-'}  ports: ${ports.join(' ') || '-'}`;
  const sandbox = `  sandbox: ${task.sandbox?.path ?? '-'}`;
  const { agent } = task.root;
  const where = agent === undefined ? '' : `  agent: ${visible(`${agent.hostname || '-'}  ${agent.url}`)}\n`;
  const text = `${title}\n${visible(user)}\n${where}${visible(sandbox)}\n`;
  return verbosity === 3 ? text + processTable(task, style, '  ') : text;
}
