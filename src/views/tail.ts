import type { LineSource } from '../logs/line-output.js';
import type { LogPath } from '../logs/log-paths.js';
import type { Naming } from '../logs/log-printer.js';
import type { TailEvent } from '../logs/tail-event.js';
import { lastWritten, windowText } from '../logs/time-window.js';
import { describeReturnCode } from '../task/return-code.js';
import { visible, visibleLine } from '../text/escape.js';
import { widthOf } from '../text/width.js';
import type { Paint, Palette } from './parts/paint.js';
import { type RecordedNames, shortIds } from './parts/short-ids.js';
import type { Style } from './parts/style.js';

/** The prefix of a line: `[ROOT ][TASK ]PROCESS RUN[ STREAM] | `. The names are escaped. */
export function linePrefix(source: LineSource, naming: Naming, colour: number, { paint }: Style): string {
  const words = [
    ...(naming.root.has(source.task_id) ? [source.root ?? ''] : []),
    ...(naming.task ? [source.task_id] : []),
    source.process,
    String(source.run),
    ...(naming.stream ? [source.stream] : []),
  ];
  return `${prefixPaint(paint, colour)(`${visible(words.join(' '))} |`)} `;
}

/** A log whose lines have a prefix on a terminal. */
export interface PrefixedLog {
  source: LineSource;
  naming: Naming;
  colour: number;
  recorded: RecordedNames;
}

/** As `linePrefix`, of all logs that are shown together on a terminal: short task ids, in columns. */
export function alignedPrefixes(logs: readonly PrefixedLog[], { paint }: Style): string[] {
  const short = shortIdsOf(logs);
  const roots = rootsOf(logs);
  const rows = logs.map(({ source, naming }) => [
    ...(naming.root.size > 0 ? [roots.get(rootKey(source)) ?? ''] : []),
    ...(naming.task ? [short.get(source.task_id) ?? source.task_id] : []),
    source.process,
    String(source.run),
    ...(naming.stream ? [source.stream] : []),
  ]);
  const cells = rows.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  }
  return cells.map((row, i) => {
    const padded = row.map((cell, column) => cell + ' '.repeat((widths[column] as number) - widthOf(cell)));
    return `${prefixPaint(paint, logs[i]?.colour ?? 0)(`${padded.join(' ')} |`)} `;
  });
}

function rootKey({ task_id, root }: Pick<LineSource, 'task_id' | 'root'>): string {
  return `${task_id}\n${root}`;
}

/** How much of a root's name is shown at least. */
const SHORT_ROOT = 8;

/**
 * What distinguishes the roots of one task id: the beginning of the parts of their paths that differ; empty if there
 * is one root.
 */
function rootsOf(logs: readonly PrefixedLog[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const ids = new Map<string, Set<string>>();
  for (const { source } of logs) {
    const roots = ids.get(source.task_id) ?? new Set();
    ids.set(source.task_id, roots.add(source.root ?? ''));
  }
  for (const [task_id, roots] of ids) {
    const paths = [...roots].map((root) => root.split('/'));
    const own = paths.map((path) =>
      path.filter((part, i) => paths.some((other) => other[i] !== part)).join('/'),
    );
    let length = SHORT_ROOT;
    while (new Set(own.map((name) => name.slice(0, length))).size < new Set(own).size) length += 1;
    for (const [i, root] of [...roots].entries()) {
      names.set(rootKey({ task_id, root }), own[i]?.slice(0, length) ?? '');
    }
  }
  return names;
}

function shortIdsOf(logs: readonly PrefixedLog[]): ReadonlyMap<string, string> {
  const recorded = new Map(logs.map(({ source, recorded }) => [source.task_id, recorded]));
  const ids = [...recorded.keys()];
  const short = shortIds(ids, [...recorded.values()]);
  return new Map(ids.map((id, i) => [id, short[i] as string]));
}

function prefixPaint({ prefixes }: Palette, colour: number): Paint {
  return prefixes[colour % prefixes.length] as Paint;
}

/** As wide as a time in `stampText`. */
const NO_TIME = '-'.padEnd('2014-05-13T16:53:20.000Z'.length);

/** When a line arrived; `-` if that is not known, as wide on a terminal. */
export function stampText(arrival: number | undefined, { tty }: Style): string {
  if (arrival === undefined) return tty ? NO_TIME : '-';
  return new Date(arrival).toISOString();
}

/**
 * A line of a log for a terminal, with colour where its spans are. `escapes`: control characters are made visible.
 * Without either, the line is unchanged.
 */
export function lineText(
  line: string,
  { escapes, spans }: { escapes: boolean; spans: readonly (readonly [number, number])[] },
  { paint }: Style,
): string {
  const shown = (text: string) => (escapes ? visibleLine(text) : text);
  let text = '';
  let at = 0;
  for (const [from, to] of spans) {
    text += shown(line.slice(at, from)) + paint.bold(paint.red(shown(line.slice(from, to))));
    at = to;
  }
  return text + shown(line.slice(at));
}

/** A line for stderr, without a newline, not escaped yet. `ofSeveral`: of which task it is has to be said. */
export function eventText(event: TailEvent, ofSeveral = false): string {
  const task = (id: string) => (ofSeveral ? `${id} ` : '');
  switch (event.kind) {
    case 'empty':
      return '0 lines';
    case 'waiting':
      if (!event.logs) return 'no log so far; waiting for one';
      return event.lines ? 'no line matches so far; waiting for more' : '0 lines so far; waiting for more';
    case 'window': {
      const { window, left_out, written_ms } = event;
      const shown = `lines have no times: shown are runs and files written ${windowText(window)}`;
      if (left_out === 0) return shown;
      const logs = left_out === 1 ? '1 log is' : `${left_out} logs are`;
      return `${shown}; ${logs} left out${lastWritten(written_ms)}`;
    }
    case 'no-arrival':
      return 'no line has a time: only the arrival of lines that are followed is known';
    case 'new-task':
      return `==> ${event.task_id}: new <==`;
    case 'not-followed':
      return `==> nothing of ${event.task_ids.join(', ')} is running, so there is nothing to follow <==`;
    case 'not-started':
      return `${ofSeveral ? `${event.task_id}: ` : ''}${event.over ? 'never started' : 'not started yet'}: ${event.processes.join(', ')}`;
    case 'restart': {
      const { task_id, process, run, state, return_code } = event;
      const how = describeReturnCode(return_code);
      const ended = [state ?? 'ended', ...(how === '' ? [] : [`(${how})`])].join(' ');
      return `==> ${task(task_id)}${process}: run ${run} ${ended}, continuing with run ${run + 1} <==`;
    }
    case 'truncated':
      return `==> ${task(event.source.task_id)}${logName(event.source)} was truncated <==`;
    case 'overtaken':
      return `==> ${task(event.source.task_id)}${logName(event.source)} was rotated faster than it was read: lines may be missing <==`;
    case 'end':
      return `==> ${event.process === undefined ? event.task_id : task(event.task_id) + event.process}: ${event.state} <==`;
  }
}

function logName({ process, run, stream }: LineSource): string {
  return `${stream} of ${process}, run ${run},`;
}

/** One path per line, the oldest bytes first. A path is escaped on a pipe too: one with a newline would look like two. */
export function pathsText(paths: readonly LogPath[]): string {
  return paths.map(({ path }) => `${visible(path)}\n`).join('');
}
