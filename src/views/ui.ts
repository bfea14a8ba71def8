import type { ProcessStatus } from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import type { ProcessView, TaskView } from '../task/view.js';
import { fromSeconds, moment } from '../text/age.js';
import { visible } from '../text/escape.js';
import { shorten } from '../text/width.js';
import { paintOf } from './parts/paint.js';
import { took, urgency } from './parts/processes.js';
import { type Style, styleBy } from './parts/style.js';
import { type Cell, type Column, type TableLines, tableLines } from './parts/table.js';

/** A run of a process; one that never started has none. */
export interface ListedRun {
  readonly process: ProcessView;
  readonly state: string;
  readonly run?: { readonly n: number; readonly status: ProcessStatus };
  readonly isLast: boolean;
}

export const RUN_ORDERS = ['process', 'state', 'started'] as const;

export type RunListOrder = (typeof RUN_ORDERS)[number];

/**
 * All runs of all processes: `process`, as the task has them, with the last run first; `state`, what needs attention
 * first; `started`, the latest first.
 */
export function runRows(view: TaskView, by: RunListOrder, reverse: boolean): ListedRun[] {
  const rows = view.processes.flatMap((process): ListedRun[] => {
    const history = view.history.get(process.process);
    const runs = history === undefined ? [] : numberedRuns(history).reverse();
    if (runs.length === 0) return [{ process, state: String(process.state), isLast: true }];
    return runs.map(({ run, n }, i) => ({
      process,
      // The view also knows what the host says.
      state: String(i === 0 ? process.state : (run.state ?? '-')),
      run: { n, status: run },
      isLast: i === 0,
    }));
  });
  if (by === 'state') rows.sort((a, b) => rank(a) - rank(b));
  if (by === 'started') rows.sort((a, b) => startOf(b) - startOf(a));
  return reverse ? rows.reverse() : rows;
}

/** What an earlier run was matters less than what the last one is. */
function rank({ state, isLast }: ListedRun): number {
  return urgency(state) + (isLast ? 0 : 10);
}

function startOf({ run }: ListedRun): number {
  const time = run?.status.start_time ?? run?.status.fork_time ?? Number.NEGATIVE_INFINITY;
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

const COLUMNS: readonly Column[] = [
  { title: 'PROCESS', flexible: 'middle' },
  { title: 'RUN', align: 'right' },
  { title: 'STATE' },
  { title: 'EXIT', align: 'right' },
  { title: 'TOOK', align: 'right' },
  { title: 'STARTED', align: 'right', dropped: 1 },
  { title: 'PID', align: 'right', dropped: 0 },
];

/** A line for each run. */
export function runsTable(rows: readonly ListedRun[], view: TaskView, ours: Style): TableLines {
  const style = styleBy(ours, view.root.ahead_ms);
  // What ran when the runner died may have ended at any time since.
  const now = view.verdict === 'ok' || view.verdict === 'foreign-pids' ? style.now : undefined;
  const cells = rows.map((row): Cell[] => {
    const { process, state, run, isLast } = row;
    const { start_time, stop_time, fork_time, return_code, pid } = run?.status ?? {};
    const started = start_time ?? fork_time;
    return [
      isLast ? process.process : { text: process.process, paint: style.paint.dim },
      run && String(run.n),
      { text: state, paint: paintOf(style.paint, state) },
      return_code === undefined ? undefined : String(return_code),
      took(state, start_time, stop_time, now),
      started === undefined ? undefined : moment(fromSeconds(started), style),
      pid === undefined ? undefined : String(pid),
    ];
  });
  return tableLines(COLUMNS, cells, { width: style.width, unicode: style.unicode, titles: style.paint.bold });
}

/** What a task is, and the two first sentences of why, a line each. */
export function taskHead(view: TaskView, why: readonly string[], ours: Style): string[] {
  const style = styleBy(ours, view.root.ahead_ms);
  const { paint, width = 80 } = style;
  const state = String(view.state);
  const since = view.state_timestamp_ms === undefined ? '' : ` for ${moment(view.state_timestamp_ms, style)}`;
  const verdict = view.verdict === 'ok' ? '' : `  ${paintOf(paint, view.verdict)(view.verdict)}`;
  const agent =
    view.root.agent === undefined ? '' : `  on ${visible(view.root.agent.hostname || view.root.agent.url)}`;
  return [
    paint.bold(visible(view.task_id)),
    `${paintOf(paint, state)(state)}${since}${verdict}  ${view.phase}${agent}`,
    ...why.slice(0, 2).map((line) => shorten(visible(line), width, 'end', style.unicode ? '…' : '...')),
  ];
}

/** Whose tasks are listed, above their summary, in which states have their colours. The lines are escaped. */
export function hostHead(host: string, summary: readonly string[], { paint }: Style): string[] {
  const coloured = summary.map((line) =>
    line.replace(/\d+ ([A-Za-z-]+)/g, (count, word: string) => paintOf(paint, word)(count)),
  );
  return [paint.bold(visible(host)), ...coloured];
}
