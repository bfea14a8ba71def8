import type { TaskView } from '../task/view.js';
import { moment } from '../text/age.js';
import { visible } from '../text/escape.js';
import { paintOf } from './parts/paint.js';
import { processTable } from './parts/processes.js';
import type { Style } from './parts/style.js';
import { type Cell, type Column, table } from './parts/table.js';

/** How much to show of each task: 0 id and owner, 1 one line, 2 with user, ports and sandbox, 3 with processes. */
export type Verbosity = 0 | 1 | 2 | 3;

/**
 * The tasks as a table, or as blocks with the details that were asked for; on a terminal, with a summary above. Each
 * task is rendered as it comes and then dropped: a host may have very many with very many processes.
 */
export class StatusPage {
  readonly #verbosity: Verbosity;
  readonly #style: Style;
  readonly #counts: Counts = { tasks: 0, active: 0, states: new Map(), verdicts: new Map() };
  readonly #rows: Cell[][] = [];
  readonly #blocks: string[] = [];

  constructor(verbosity: Verbosity, style: Style) {
    this.#verbosity = verbosity;
    this.#style = style;
  }

  add(task: TaskView): void {
    count(task, this.#counts);
    if (this.#verbosity === 0) this.#rows.push([task.task_id, task.phase, task.owner]);
    else if (this.#verbosity === 1) this.#rows.push(row(task, this.#style));
    else this.#blocks.push(block(task, this.#verbosity, this.#style));
  }

  /** Empty if there is no task. */
  text(): string {
    if (this.#counts.tasks === 0) return '';
    const head = this.#style.tty ? `${summary(this.#counts)}\n\n` : '';
    if (this.#verbosity > 1) return head + this.#blocks.join('\n');
    const columns = this.#verbosity === 0 ? OWNER_COLUMNS : COLUMNS;
    return head + table(columns, this.#rows, tableOptions(this.#style));
  }
}

/** Ids, one per line. An id is escaped on a pipe too: one with a newline would look like two, the second of another task. */
export class IdPage {
  #text = '';

  add({ task_id }: TaskView): void {
    this.#text += `${visible(task_id)}\n`;
  }

  text(): string {
    return this.#text;
  }
}

function tableOptions(style: Style) {
  return { width: style.width, unicode: style.unicode, titles: style.paint.bold };
}

const OWNER_COLUMNS: readonly Column[] = [
  { title: 'TASK', flexible: 'middle' },
  { title: 'PHASE' },
  { title: 'OWNER' },
];

const COLUMNS: readonly Column[] = [
  { title: 'TASK', flexible: 'middle' },
  { title: 'PHASE' },
  { title: 'STATE' },
  { title: 'VERDICT' },
  { title: 'USER', flexible: 'end' },
  { title: 'DONE', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'AGE', align: 'right' },
];

function row(task: TaskView, style: Style): Cell[] {
  const state = String(task.state);
  const inState = (wanted: string) => task.processes.filter((process) => process.state === wanted).length;
  return [
    task.task_id,
    task.phase,
    { text: state, paint: paintOf(style.paint, state) },
    { text: task.verdict, paint: paintOf(style.paint, task.verdict) },
    task.user,
    `${inState('SUCCESS')}/${task.processes.length}`,
    String(inState('FAILED')),
    moment(task.state_timestamp_ms, style),
  ];
}

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

/** `7 tasks: 2 active, 5 finished (3 SUCCESS, 1 FAILED, 1 KILLED); 2 runner-gone`. */
function summary({ tasks, active, states, verdicts }: Counts): string {
  const counted = (words: ReadonlyMap<string, number>) =>
    [...words].map(([word, number]) => `${number} ${word}`).join(', ');
  const finished = `${tasks - active} finished${states.size === 0 ? '' : ` (${counted(states)})`}`;
  const odd = verdicts.size === 0 ? '' : `; ${counted(verdicts)}`;
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'}: ${active} active, ${finished}${odd}`;
}

function since(milliseconds: TaskView['state_timestamp_ms'], style: Style): string {
  if (milliseconds === undefined) return '';
  return `, since ${moment(milliseconds, style)}${style.tty ? ' ago' : ''}`;
}

function block(task: TaskView, verbosity: Verbosity, style: Style): string {
  const state = String(task.state);
  const { paint } = style;
  const title = [
    paint.bold(visible(task.task_id)),
    paintOf(paint, state)(state),
    ...(task.verdict === 'ok' ? [] : [paintOf(paint, task.verdict)(task.verdict)]),
    `${task.phase}${since(task.state_timestamp_ms, style)}`,
  ].join('  ');
  const ports = Object.entries(task.ports ?? {}).map(([name, port]) => `${name}=${port}`);
  const lines = [
    title,
    `  user: ${task.user ?? '-'}  owner: ${task.owner ?? '-'}  ports: ${ports.join(' ') || '-'}`,
    `  sandbox: ${task.sandbox?.path ?? '-'}`,
  ];
  const text = `${lines[0]}\n${lines
    .slice(1)
    .map((line) => `${visible(line)}\n`)
    .join('')}`;
  return verbosity === 3 ? text + processTable(task, style, '  ') : text;
}
