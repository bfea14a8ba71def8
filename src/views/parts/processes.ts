import type { ProcessView, TaskView } from '../../task/view.js';
import { duration, elapsed, fromSeconds, moment } from '../../text/age.js';
import { paintOf } from './paint.js';
import type { Style } from './style.js';
import { type Cell, type Column, table } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: 'PROCESS', flexible: 'end' },
  { title: 'STATE' },
  { title: 'RUNS', align: 'right' },
  { title: 'FAILURES', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'EXIT', align: 'right' },
  { title: 'TOOK', align: 'right' },
  { title: 'STARTED', align: 'right' },
];

/** The processes of a task, one per line: the latest run, how it ended, failures out of those allowed. */
export function processTable(task: TaskView, style: Style, indent: string): string {
  if (task.processes.length === 0) return '';
  const width = style.width === undefined ? undefined : style.width - indent.length;
  // A process that was running when the runner died may have ended at any time since. On a pipe all times are absolute.
  const runs = task.verdict === 'ok' || task.verdict === 'foreign-pids';
  const now = runs && style.tty ? style.now : undefined;
  const rows = task.processes.map((process) => row(process, now, style));
  const text = table(COLUMNS, rows, { width, unicode: style.unicode, titles: style.paint.dim });
  return indent === '' ? text : text.replace(/^/gm, indent).slice(0, -indent.length);
}

function row(process: ProcessView, now: number | undefined, style: Style): Cell[] {
  const state = String(process.state);
  const { max_failures, start_time, stop_time } = process;
  const allowed = max_failures === undefined || max_failures === 0 ? '' : `/${max_failures}`;
  return [
    process.process,
    { text: state, paint: paintOf(style.paint, state) },
    String(process.runs),
    `${process.failures}${allowed}`,
    process.pid === undefined ? undefined : String(process.pid),
    process.return_code === undefined ? undefined : String(process.return_code),
    took(state, start_time, stop_time, now),
    start_time === undefined ? undefined : moment(fromSeconds(start_time), style),
  ];
}

function took(
  state: string,
  start: number | undefined,
  stop: number | undefined,
  now: number | undefined,
): string | undefined {
  if (start === undefined) return undefined;
  if (stop !== undefined) return elapsed((stop - start) * 1000);
  return state === 'RUNNING' && now !== undefined ? duration(now - start * 1000) : undefined;
}
