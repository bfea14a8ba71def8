import { stripVTControlCharacters } from 'node:util';
import type { Excerpt } from '../logs/excerpt.js';
import { elapsed, timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { size } from '../text/size.js';
import { shorten, splitAt, widthOf, wrap } from '../text/width.js';
import type { ResourcesSeen, TaskReport } from './model.js';
import { endText, type ReportRun, runsOf } from './runs.js';

/** The viewer of Mesos shows at first the last 32 KiB of a file. */
export const MOST_BYTES = 32 * 1024;
export const MOST_COLUMNS = 100;

/** How much of the whole each part may take, in bytes. */
const ROOM = {
  head: MOST_BYTES / 16,
  timeline: MOST_BYTES / 4,
  resources: MOST_BYTES / 16,
  problems: MOST_BYTES / 16,
  output: (MOST_BYTES * 11) / 32,
  why: MOST_BYTES / 4,
};
const INDENT = '  ';
const QUOTE = '  | ';
const MARK = '...';

/**
 * A report as text for a viewer that shows the end of a file: at most 32 KiB and 100 columns, and the answer in the last
 * lines. Pure.
 */
export function reportText(report: TaskReport): string {
  const output = outputLines(report);
  const parts = [
    within(headLines(report), ROOM.head, 'first'),
    titled('TIMELINE', within(timelineLines(report), ROOM.timeline, 'first')),
    titled('RESOURCES SEEN', within(resourceLines(report), ROOM.resources, 'first')),
    titled('PROBLEMS', within(problemLines(report), ROOM.problems, 'first')),
    output === undefined ? [] : titled(output.title, within(output.lines, ROOM.output, 'last')),
    titled('WHY', within(whyLines(report, output !== undefined), ROOM.why, 'first')),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(''))
    .join('\n');
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [oneLine(title), ...lines];
}

/** The lines that fit into a number of bytes, with a line that says how many are left out. */
function within(lines: readonly string[], most: number, kept: 'first' | 'last'): string[] {
  // A title, an empty line and the line about the others take less than this.
  let room = most - 512;
  const chosen: string[] = [];
  for (const line of kept === 'first' ? lines : lines.toReversed()) {
    room -= Buffer.byteLength(line) + 1;
    if (room < 0) break;
    chosen.push(line);
  }
  const left = lines.length - chosen.length;
  const note = left === 0 ? [] : [`${INDENT}${MARK} ${left} more ${left === 1 ? 'line' : 'lines'}`];
  return kept === 'first' ? [...chosen, ...note] : [...note, ...chosen.reverse()];
}

/** Escaped, and cut to the width of the page. */
function oneLine(text: string, width = MOST_COLUMNS): string {
  const line = shorten(visible(text), width, 'middle', MARK);
  // Any number of combining characters takes no width.
  if (Buffer.byteLength(line) <= MOST_BYTES_OF_COLUMN * width) return line;
  return shorten(line.replace(/[^ -~]+/g, '?'), width, 'middle', MARK);
}

/** UTF-8 has no character with more. */
const MOST_BYTES_OF_COLUMN = 4;

/** As `oneLine`, filled up with blanks. */
function cell(text: string, width: number): string {
  const cut = oneLine(text, width);
  return cut + ' '.repeat(Math.max(0, width - widthOf(cut)));
}

/** Nobody reads more of a sentence. */
const LONGEST_TEXT = 2000;

/** A sentence on as many lines as it needs. */
function sentence(text: string): string[] {
  const rows = wrap(visible(text.slice(0, LONGEST_TEXT)), MOST_COLUMNS - 4);
  return rows.map((row, i) => `${i === 0 ? INDENT : INDENT + INDENT}${row}`);
}

function headLines({ task, made_ms, made_by }: TaskReport): string[] {
  const { state, verdict, state_timestamp_ms, launch_time_ms, user, hostname, name } = task;
  const launched = numberOf(launch_time_ms);
  const changed = numberOf(state_timestamp_ms);
  const took = launched === undefined || changed === undefined ? undefined : changed - launched;
  const since = changed === undefined ? '' : ` since ${timestamp(changed)}`;
  const fields: [string, string | undefined][] = [
    ['Task', task.task_id],
    ['Name', name === task.task_id ? undefined : name],
    ['State', `${state}${since}${verdict === 'ok' ? '' : `, verdict ${verdict}`}`],
    [
      'Launched',
      launched === undefined
        ? undefined
        : `${timestamp(launched)}${took === undefined ? '' : `, ${elapsed(took)} before that`}`,
    ],
    ['User', user],
    ['Host', hostname],
    ['Processes', countsOf(task.processes.map(({ state }) => String(state)))],
    ['Made', `${timestamp(made_ms)} by ${made_by}`],
  ];
  return fields
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([title, value]) => oneLine(`${`${title}:`.padEnd(11)}${value}`));
}

function numberOf(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** `3 SUCCESS, 1 FAILED`. */
function countsOf(states: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

const COLUMNS = { name: 28, run: 5, bar: 32, end: 18, took: 9 };
/** If there are more rows, only the last run of each process has one; if that is not enough, those that matter least have none. */
const MOST_ROWS = 48;

/** The characters of bars; the word of the state follows each bar. */
const BARS: Readonly<Record<string, string>> = { SUCCESS: '=', FAILED: 'x', KILLED: 'k', LOST: '?' };

function timelineLines({ task, made_ms }: TaskReport): string[] {
  const runs = runsOf(task, made_ms);
  const timed = runs.filter(({ startMs }) => startMs !== undefined);
  const from = timed.reduce(
    (least, { startMs = least }) => Math.min(least, startMs),
    Number.POSITIVE_INFINITY,
  );
  const to = timed.reduce((most, { endMs = most }) => Math.max(most, endMs), from);
  const { rows, note } = rowsOf(task.processes, runs);
  if (rows.length === 0) return [];
  const scale = (ms: number) => (to === from ? 0 : ((ms - from) / (to - from)) * COLUMNS.bar);
  const lines = rows.flatMap((row) => rowLines(row, scale));
  if (timed.length > 0) {
    const span = `${timestamp(Math.floor(from))} to ${timestamp(Math.floor(to))}, ${elapsed(to - from)}`;
    lines.unshift(`${INDENT}${span}`);
  }
  const absurd = runs.filter(({ isAbsurd }) => isAbsurd).length;
  if (absurd > 0) lines.push(`${INDENT}${absurd} of the runs have times that cannot be true, and no bar`);
  return [...lines, ...note];
}

interface TextRow extends ReportRun {
  /** The runs before it that have no row. */
  earlier?: readonly ReportRun[];
}

function rowsOf(
  processes: readonly { process: string }[],
  runs: readonly ReportRun[],
): { rows: TextRow[]; note: string[] } {
  const byProcess = new Map<string, ReportRun[]>(processes.map(({ process }) => [process, []]));
  for (const run of runs) {
    const others = byProcess.get(run.process);
    if (others === undefined) byProcess.set(run.process, [run]);
    else others.push(run);
  }
  const waiting = [...byProcess.values()].filter((each) => each.length === 0).length;
  const isFolded = runs.length + waiting > MOST_ROWS;
  const rows = [...byProcess].flatMap(([process, all]): TextRow[] => {
    const last = all.at(-1);
    if (last === undefined) return [{ process, run: 0, state: 'WAITING' }];
    return isFolded ? [{ ...last, earlier: all.slice(0, -1) }] : all;
  });
  const lines = (row: TextRow) => (row.earlier === undefined || row.earlier.length === 0 ? 1 : 2);
  if (rows.reduce((sum, row) => sum + lines(row), 0) <= MOST_ROWS) return { rows, note: [] };
  // Sorting is stable: those that matter alike stay in order.
  const kept = new Set(rows.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, MOST_ROWS / 2));
  const others = rows.filter((row) => !kept.has(row));
  const note =
    others.length === 0
      ? []
      : [
          oneLine(
            `${INDENT}${MARK} ${others.length} more processes: ${countsOf(others.map(({ state }) => state))}`,
          ),
        ];
  return { rows: rows.filter((row) => kept.has(row)), note };
}

const URGENT = ['FAILED', 'LOST', 'KILLED', 'RUNNING', 'FORKED', 'WAITING', 'SUCCESS'];

function urgency({ state }: ReportRun): number {
  return URGENT.indexOf(state);
}

function rowLines(row: TextRow, scale: (ms: number) => number): string[] {
  const { process, run, state, startMs, endMs, earlier = [] } = row;
  const ran = state !== 'WAITING' || startMs !== undefined;
  const took = startMs === undefined || endMs === undefined ? '' : elapsed(endMs - startMs);
  const text = [
    INDENT + cell(process, COLUMNS.name),
    (ran ? String(run) : '').padStart(COLUMNS.run),
    `|${barText(row, scale).padEnd(COLUMNS.bar)}|`,
    cell(endText(row), COLUMNS.end),
    took.padStart(COLUMNS.took),
  ].join(' ');
  if (earlier.length === 0) return [text];
  const before = `${earlier.length} earlier ${earlier.length === 1 ? 'run' : 'runs'}: ${countsOf(earlier.map(endText))}`;
  return [text, oneLine(`${INDENT}${' '.repeat(COLUMNS.name + COLUMNS.run + 2)}${before}`)];
}

function barText({ state, startMs, endMs }: ReportRun, scale: (ms: number) => number): string {
  if (startMs === undefined || endMs === undefined) return '';
  const begin = Math.min(COLUMNS.bar - 1, Math.floor(scale(startMs)));
  const length = Math.max(1, Math.min(COLUMNS.bar - begin, Math.round(scale(endMs) - begin)));
  return ' '.repeat(begin) + (BARS[state] ?? '>').repeat(length);
}

/** How wide the columns of numbers are: processor time on average, the most of it, its part of what was asked for; the same of memory. */
const USED_COLUMNS = [10, 8, 10, 13, 10] as const;

function resourceLines({ resources_seen: seen }: TaskReport): string[] {
  if (seen === undefined) return [];
  const { disk_max_bytes: disk, cpu_asked, ram_asked_bytes, disk_asked_bytes } = seen;
  const row = (name: string, cells: readonly string[]) =>
    oneLine(
      INDENT +
        cell(name, COLUMNS.name) +
        cells.map((text, i) => text.padStart(USED_COLUMNS[i] ?? 0)).join(''),
    );
  const used = (name: string, { cpu_mean, cpu_max, rss_max_bytes }: SeenUse) =>
    row(name, [
      cpu_mean?.toFixed(2) ?? '-',
      cpu_max?.toFixed(2) ?? '-',
      shareOf(cpu_max, cpu_asked),
      size(rss_max_bytes),
      shareOf(rss_max_bytes, ram_asked_bytes),
    ]);
  const asked = [
    cpu_asked !== undefined && cpu_asked > 0 && `CPU ${cpu_asked.toFixed(2)}`,
    ram_asked_bytes !== undefined && ram_asked_bytes > 0 && `memory ${size(ram_asked_bytes)}`,
    disk_asked_bytes !== undefined && disk_asked_bytes > 0 && `disk ${size(disk_asked_bytes)}`,
  ].filter(Boolean);
  const span = `${timestamp(seen.from_ms)} to ${timestamp(seen.to_ms)}, ${elapsed(seen.to_ms - seen.from_ms)}`;
  return [
    oneLine(`${INDENT}${span}, samples: ${seen.samples}`),
    ...(asked.length === 0 ? [] : [oneLine(`${INDENT}asked for: ${asked.join(', ')}`)]),
    row('', ['CPU mean', 'max', 'of asked', 'memory max', 'of asked']),
    used('task', seen),
    ...seen.processes.map((process) => used(`${INDENT}${process.process}`, process)),
    ...(disk === undefined ? [] : [`${INDENT}disk, max: ${size(disk)} ${shareOf(disk, disk_asked_bytes)}`]),
  ];
}

type SeenUse = Pick<ResourcesSeen, 'cpu_mean' | 'cpu_max' | 'rss_max_bytes'>;

/** In per cent, above 100 with a mark; empty if nothing was asked for. */
function shareOf(used: number | undefined, asked: number | undefined): string {
  if (used === undefined || asked === undefined || !(asked > 0)) return '';
  const percent = Math.round((100 * used) / asked);
  return `${percent > 100 ? '!' : ''}${percent}%`;
}

function problemLines({ task: { problems } }: TaskReport): string[] {
  return problems.flatMap(({ severity, message }) => sentence(`${severity}: ${message}`));
}

/** A line of a log that takes more rows is cut. */
const MOST_LINE_ROWS = 4;
const MOST_OUTPUT_LINES = 50;

/** The end of the log of the failing run: of its stderr, or of its stdout if nothing is in stderr. */
function outputLines({ failing, excerpts }: TaskReport): { title: string; lines: string[] } | undefined {
  if (failing === undefined) return undefined;
  const ofRun = excerpts.filter(({ process, run }) => process === failing.process && run === failing.run);
  const bySize = (name: Excerpt['stream']) =>
    ofRun.find(({ stream, first, last }) => stream === name && first.length + last.length > 0);
  const excerpt = bySize('stderr') ?? bySize('stdout');
  if (excerpt === undefined) return undefined;
  const { process, run, stream, bytes, first, last } = excerpt;
  const all = [...first, ...last];
  const shown = all.slice(-MOST_OUTPUT_LINES);
  const width = MOST_COLUMNS - QUOTE.length;
  const lines = shown.flatMap((line) => {
    const text = visible(stripVTControlCharacters(line.replace(/\r$/, '')).replaceAll('\t', '    '));
    const rows = splitAt(shorten(text, width * MOST_LINE_ROWS, 'end', MARK), width);
    return rows.map((row) => `${QUOTE}${row}`);
  });
  const isWhole = shown.length === all.length && excerpt.left_out === undefined;
  const title = `${stream.toUpperCase()} OF ${process}, RUN ${run} (${isWhole ? '' : 'its end, of '}${size(bytes)})`;
  return { title, lines };
}

/** What `inspect` says, without the lines of the log if they are above. */
function whyLines({ task: { why } }: TaskReport, hasOutput: boolean): string[] {
  const lines = hasOutput
    ? why.filter((line, i) => !line.startsWith(QUOTE) && !(why[i + 1] ?? '').startsWith(QUOTE))
    : why;
  return lines.flatMap((line) =>
    line.startsWith(QUOTE) ? splitAt(visible(line), MOST_COLUMNS).slice(0, MOST_LINE_ROWS) : sentence(line),
  );
}
