import type { TaskView } from '../task/view.js';
import { moment } from '../text/age.js';
import { visible } from '../text/escape.js';
import { paintOf } from './parts/paint.js';
import { processTable } from './parts/processes.js';
import type { Style } from './parts/style.js';
import { type Cell, type Column, table } from './parts/table.js';

/** How much of each task: 0 ids and owners, 1 a line, 2 with user, ports and sandbox, 3 with processes. */
export type Verbosity = 0 | 1 | 2 | 3;

/** The tasks as a table, below it the details that were asked for; on a terminal, a summary above it. */
export function statusText(tasks: readonly TaskView[], verbosity: Verbosity, style: Style): string {
  if (tasks.length === 0) return '';
  const head = style.tty ? `${summary(tasks)}\n\n` : '';
  if (verbosity === 0) {
    const columns = [{ title: 'TASK', flexible: 'middle' as const }, { title: 'PHASE' }, { title: 'OWNER' }];
    const rows = tasks.map(({ task_id, phase, owner }) => [task_id, phase, owner]);
    return head + table(columns, rows, tableOptions(style));
  }
  if (verbosity === 1)
    return (
      head +
      table(
        COLUMNS,
        tasks.map((task) => row(task, style)),
        tableOptions(style),
      )
    );
  return head + tasks.map((task) => block(task, verbosity, style)).join('\n');
}

/** One id a line. An id is escaped on a pipe too: one with a newline would be two, and the second another task's. */
export function idsText(tasks: readonly TaskView[]): string {
  return tasks.map(({ task_id }) => `${visible(task_id)}\n`).join('');
}

function tableOptions(style: Style) {
  return { width: style.width, unicode: style.unicode, titles: style.paint.bold };
}

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
  const count = (wanted: string) => task.processes.filter((process) => process.state === wanted).length;
  return [
    task.task_id,
    task.phase,
    { text: state, paint: paintOf(style.paint, state) },
    { text: task.verdict, paint: paintOf(style.paint, task.verdict) },
    task.user,
    `${count('SUCCESS')}/${task.processes.length}`,
    String(count('FAILED')),
    moment(task.state_timestamp_ms, style),
  ];
}

/** `7 tasks: 2 active, 5 finished (3 SUCCESS, 1 FAILED, 1 KILLED); 2 runner-gone`. */
function summary(tasks: readonly TaskView[]): string {
  const active = tasks.filter(({ phase }) => phase === 'active').length;
  const finished = tasks.filter(({ phase }) => phase === 'finished');
  const states = counted(finished.map(({ state }) => String(state)));
  const verdicts = counted(tasks.map(({ verdict }) => verdict).filter((verdict) => verdict !== 'ok'));
  const parts = [`${active} active`, `${finished.length} finished${states === '' ? '' : ` (${states})`}`];
  const odd = verdicts === '' ? '' : `; ${verdicts}`;
  return `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}: ${parts.join(', ')}${odd}`;
}

function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
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
