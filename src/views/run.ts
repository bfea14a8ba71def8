import type { ProcessStatus } from '../checkpoint/records.js';
import { endedWithTask, endingOf } from '../task/ending.js';
import { describeReturnCode } from '../task/return-code.js';
import { mayRunAgain } from '../task/run-again.js';
import type { TaskView } from '../task/view.js';
import { duration, elapsed } from '../text/age.js';
import { visible } from '../text/escape.js';
import { cutPainted, shorten, splitAt, widthOf } from '../text/width.js';
import { linesText } from './parts/fold.js';
import { paintOf } from './parts/paint.js';
import { mostUrgent, processTable, restText } from './parts/processes.js';
import { proseRows } from './parts/prose.js';
import type { Style } from './parts/style.js';

/** The most processes that a summary on a terminal shows, so that the reason and the result are on the same screen. */
const SUMMARY_ROWS = 8;

/** On a terminal the reason of the result is cut to one line, but not to less than this; it is above in full. */
const LEAST_REASON = 24;

/**
 * One frame of a running task, in lines that fit the terminal: its progress, and as many of its processes as fit into
 * `rows`. Those that failed stay in view, however many others run.
 */
export function progressLines(view: TaskView, style: Style, rows: number): string[] {
  const room = Math.max(1, rows - 3);
  const shown = mostUrgent(view.processes, room);
  const table = processTable({ ...view, processes: shown }, style, '');
  const lines = [progressLine(view, style), ...table.split('\n').slice(0, -1)];
  if (shown.length < view.processes.length) lines.push(style.paint.dim(restText(view.processes, shown)));
  const { width } = style;
  return lines.map((line) => (width === undefined ? line : cutPainted(line, width)).trimEnd());
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
  const ending = endingOf(view.statuses);
  const isFinal = (process: string) => settings.get(process)?.final === true;
  const failed = view.processes.filter(
    (process) => process.state === 'FAILED' && !endedWithTask(process, isFinal(process.process), ending),
  );
  const counts = [
    `${done} of ${view.processes.length} done`,
    ...some(count('RUNNING', 'FORKED'), 'running'),
    ...some(failed.length, 'failed'),
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

/** A line for stderr: a process changed its state. `reason`: what the stream does not say. Not escaped yet. */
export function runChangeText(process: string, run: number, status: ProcessStatus, reason = ''): string {
  const { state, pid, return_code, start_time, stop_time } = status;
  const details: string[] = [];
  if (state === 'RUNNING' && pid !== undefined) details.push(`pid ${pid}`);
  if (stop_time !== undefined) {
    if (state !== 'SUCCESS') details.push(describeReturnCode(return_code));
    if (start_time !== undefined) details.push(`after ${elapsed((stop_time - start_time) * 1000)}`);
  }
  const how = [...details, reason].filter((each) => each !== '').join(', ');
  return `==> ${process}, run ${run}: ${state}${how === '' ? '' : ` (${how})`} <==`;
}

export function taskChangeText(task_id: string, state: unknown): string {
  return `==> ${task_id}: ${state} <==`;
}

/** How a task ended, for the last lines of `run`. */
export interface Summary {
  readonly view: TaskView;
  /** The lines of `whyLines`. */
  readonly why: readonly string[];
  /** In a few words, if the task did not succeed. */
  readonly reason: string | undefined;
  /** A command that shows more. */
  readonly look: string | undefined;
}

/**
 * How the task ended: its processes, why if it did not succeed, and last, where the eye is, its state with the reason and
 * where to look.
 */
export function summaryText({ view, why, reason, look }: Summary, style: Style): string {
  const state = String(view.state);
  const took =
    view.launch_time_ms === undefined || view.state_timestamp_ms === undefined
      ? ''
      : ` after ${elapsed(Number(view.state_timestamp_ms) - Number(view.launch_time_ms))}`;
  const shown = style.tty
    ? mostUrgent(
        view.processes.filter(({ runs }) => runs > 0),
        SUMMARY_ROWS,
      )
    : view.processes;
  const isDone = view.state === 'SUCCESS';
  const result = `${visible(view.task_id)}: ${state}${took}`;
  const room = style.width === undefined ? Number.POSITIVE_INFINITY : style.width - widthOf(result) - 2;
  const words = shorten(
    visible(reason ?? ''),
    Math.max(LEAST_REASON, room),
    'end',
    style.unicode ? '…' : '...',
  );
  const because = isDone || reason === undefined ? '' : `: ${words}`;
  return [
    processTable({ ...view, processes: [...shown] }, style, '  '),
    ...(shown.length < view.processes.length ? [`  ${restText(view.processes, shown, true)}\n`] : []),
    ...(isDone ? [] : [style.tty ? linesText(proseRows(why, style)) : linesText(why.map(visible))]),
    `${visible(view.task_id)}: ${paintOf(style.paint, state)(state)}${took}${because}\n`,
    ...(isDone || look === undefined ? [] : [`see ${look}\n`]),
  ].join('');
}
