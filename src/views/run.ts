import type { ProcessStatus } from '../checkpoint/records.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { mayRunAgain } from '../task/run-again.js';
import type { ProcessView, TaskView } from '../task/view.js';
import { describeReturnCode } from '../task/why.js';
import { duration, elapsed } from '../text/age.js';
import { visible } from '../text/escape.js';
import { cutPainted, splitAt } from '../text/width.js';
import { paintOf } from './parts/paint.js';
import { processTable } from './parts/processes.js';
import type { Style } from './parts/style.js';

/** The most processes that a summary on a terminal shows. */
const SUMMARY_ROWS = 40;

/** Which processes are shown first if there is no room for all. */
const URGENCY = ['RUNNING', 'FORKED', 'FAILED', 'LOST', 'KILLED', 'WAITING', 'SUCCESS'];

/**
 * One frame of a running task, in lines that fit the terminal: its progress, and as many of its processes as fit into
 * `rows`.
 */
export function progressLines(view: TaskView, style: Style, rows: number): string[] {
  const room = Math.max(1, rows - 3);
  const shown = mostUrgent(view.processes, room);
  const table = processTable({ ...view, processes: shown }, style, '');
  const lines = [progressLine(view, style), ...table.split('\n').slice(0, -1)];
  const left = view.processes.length - shown.length;
  if (left > 0) lines.push(style.paint.dim(`and ${left} more processes`));
  const { width } = style;
  return lines.map((line) => (width === undefined ? line : cutPainted(line, width)).trimEnd());
}

function mostUrgent(processes: readonly ProcessView[], room: number): ProcessView[] {
  if (processes.length <= room) return [...processes];
  const chosen = [...processes.keys()]
    .sort((a, b) => urgency(processes[a] as ProcessView) - urgency(processes[b] as ProcessView) || a - b)
    .slice(0, room);
  return chosen.sort((a, b) => a - b).map((i) => processes[i] as ProcessView);
}

function urgency({ state }: ProcessView): number {
  const at = URGENCY.indexOf(String(state));
  return at === -1 ? URGENCY.length : at;
}

/** `web-1  ACTIVE  [####----] 3 of 6 done, 2 running, 1 failed, 12s`. */
function progressLine(view: TaskView, style: Style): string {
  const { paint, now } = style;
  const state = String(view.state);
  const active = view.state === 'ACTIVE';
  const settings = new Map(view.config?.processes.map((process) => [process.name, process]));
  const done = view.processes.filter(
    (process) => process.runs > 0 && !mayRunAgain(process, settings.get(process.process), active),
  ).length;
  const count = (...states: string[]) =>
    view.processes.filter((process) => states.includes(String(process.state))).length;
  const counts = [
    `${done} of ${view.processes.length} done`,
    ...some(count('RUNNING', 'FORKED'), 'running'),
    ...some(count('FAILED'), 'failed'),
    ...(view.launch_time_ms === undefined ? [] : [duration(now - Number(view.launch_time_ms))]),
  ].join(', ');
  const words = [`${state.padEnd(10)}  `, bar(done, view.processes.length, style), `  ${counts}`];
  const id = visible(view.task_id);
  const room = Math.max(8, (style.width ?? 80) - words.join('').length - 2);
  const [name = ''] = splitAt(id, room);
  return `${paint.bold(name)}  ${paintOf(paint, state)(words[0] as string)}${words[1]}${words[2]}`;
}

function some(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

const BAR = 12;

function bar(done: number, all: number, { unicode }: Style): string {
  const full = all === 0 ? BAR : Math.floor((done / all) * BAR);
  return unicode
    ? '\u2588'.repeat(full) + '\u2591'.repeat(BAR - full)
    : `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
}

/** A line for stderr: a process changed its state. Not escaped yet. */
export function runChangeText(process: string, run: number, status: ProcessStatus): string {
  const { state, pid, return_code, start_time, stop_time } = status;
  const details: string[] = [];
  if (state === 'RUNNING' && pid !== undefined) details.push(`pid ${pid}`);
  if (stop_time !== undefined) {
    if (state !== 'SUCCESS') details.push(describeReturnCode(return_code));
    if (start_time !== undefined) details.push(`after ${elapsed((stop_time - start_time) * 1000)}`);
  }
  const how = details.filter((each) => each !== '').join(', ');
  return `==> ${process}, run ${run}: ${state}${how === '' ? '' : ` (${how})`} <==`;
}

export function taskChangeText(task_id: string, state: unknown): string {
  return `==> ${task_id}: ${state} <==`;
}

/** How the task ended: its state and time, its processes, and why if it did not succeed. */
export function summaryText(view: TaskView, why: readonly string[], style: Style): string {
  const state = String(view.state);
  const took =
    view.launch_time_ms === undefined || view.state_timestamp_ms === undefined
      ? ''
      : ` after ${elapsed(Number(view.state_timestamp_ms) - Number(view.launch_time_ms))}`;
  const shown = style.tty ? mostUrgent(view.processes, SUMMARY_ROWS) : view.processes;
  const left = view.processes.length - shown.length;
  const lines = view.state === 'SUCCESS' ? [] : why.map((line) => `${visible(line)}\n`);
  return [
    `${visible(view.task_id)}: ${paintOf(style.paint, state)(state)}${took}\n`,
    processTable({ ...view, processes: [...shown] }, style, '  '),
    ...(left > 0
      ? [
          `  and ${left} more processes: ${thermosCommand(['inspect'], rootFlagsOf(view.root), [view.task_id])}\n`,
        ]
      : []),
    ...lines,
  ].join('');
}
