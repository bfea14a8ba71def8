import type { Compared, Comparison, ConfigChange, DurationPair, OutcomeChange } from '../task/compare.js';
import { isSame } from '../task/compare.js';
import { elapsed, timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { jsonText } from '../text/json.js';
import { widthOf, wrap } from '../text/width.js';
import { paintOf } from './parts/paint.js';
import type { Style } from './parts/style.js';
import { type Cell, table } from './parts/table.js';

export interface DiffSide extends Compared {
  /** Of a config. */
  path?: string;
}

/**
 * What differs between two tasks, from A to B: settings, how they ended, and how long they took. Values of one line
 * are beside each other, longer ones below each other with the lines that differ.
 */
export function diffText(
  { a, b, comparison }: { a: DiffSide; b: DiffSide; comparison: Comparison },
  style: Style,
): string {
  const { config, outcome, durations } = comparison;
  const sections: [string, string][] = [
    ['CONFIG', (config ?? []).map((change) => changeText(change, style)).join('')],
    ['OUTCOME', outcomeText(outcome ?? [], style)],
    ['DURATIONS', durationsText(durations ?? [], style)],
  ];
  const isOneId = a.view !== undefined && a.view.task_id === b.view?.task_id;
  return [
    headText('A', a, style, isOneId),
    headText('B', b, style, isOneId),
    isSame(comparison) ? `\n${sameText(comparison)}\n` : '',
    ...sections
      .filter(([, text]) => text !== '')
      .map(([title, text]) => `\n${style.paint.bold(title)}\n${text}`),
  ].join('');
}

/** The root is shown if the id does not distinguish the two. */
function headText(name: string, { view, path }: DiffSide, { paint }: Style, withRoot: boolean): string {
  const label = paint.dim(`${name}:`);
  if (view === undefined) return `${label} ${visible(path ?? '')}\n`;
  const state = String(view.state);
  const since = view.state_timestamp_ms === undefined ? '' : ` since ${timestamp(view.state_timestamp_ms)}`;
  const root = withRoot ? `   ${visible(view.root.path)}\n` : '';
  return `${label} ${paint.bold(visible(view.task_id))}\n${root}   ${paintOf(paint, state)(state)}${since}\n`;
}

function sameText({ config, outcome }: Comparison): string {
  if (config === undefined) return 'No difference in the outcome; the configs cannot be compared.';
  return `No difference in the config${outcome === undefined ? '' : ' and in the outcome'}.`;
}

const arrow = ({ unicode }: Style) => (unicode ? '→' : '->');

function changeText(change: ConfigChange, style: Style): string {
  const { process, field, change: kind, a, b } = change;
  const { paint } = style;
  if (field === undefined) {
    const mark = kind === 'added' ? paint.green('+') : paint.red('-');
    return `  ${mark} process ${visible(process ?? '')}\n`;
  }
  if (field === 'order' && process === undefined) {
    const mark = kind === 'added' ? paint.green('+') : paint.red('-');
    return `  ${mark} ${((a ?? b) as string[]).map(visible).join(' before ')}\n`;
  }
  const name = visible(process === undefined ? field : `${process}: ${field}`);
  const [before, after] = [linesOf(a), linesOf(b)];
  const [from, to] = [before[0] ?? '-', after[0] ?? '-'];
  const line = `  ${name}: ${from} ${arrow(style)} ${to}`;
  if (before.length < 2 && after.length < 2 && widthOf(line) <= (style.width ?? 80)) {
    return `  ${name}: ${paint.red(from)} ${arrow(style)} ${paint.green(to)}\n`;
  }
  return `  ${name}:\n${differingLines(before, after, style)}`;
}

/** A value, as visible lines; none if it is not set. */
function linesOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof value !== 'string') return [jsonText(value)];
  return value.split('\n').map(visible);
}

/** The lines between the first and the last ones that are the same. */
function differingLines(before: readonly string[], after: readonly string[], style: Style): string {
  let first = 0;
  while (first < before.length && before[first] === after[first]) first += 1;
  let last = 0;
  const most = Math.min(before.length, after.length) - first;
  while (last < most && before.at(-1 - last) === after.at(-1 - last)) last += 1;
  const { paint } = style;
  const rows = (lines: readonly string[], mark: '-' | '+', colour: (text: string) => string) =>
    lines
      .slice(first, lines.length - last)
      .flatMap((line) => wrapped(line, style))
      .map(({ text, isFirst }) => colour(`    ${isFirst ? mark : ' '} ${text}`.trimEnd()))
      .map((row) => `${row}\n`)
      .join('');
  return rows(before, '-', paint.red) + rows(after, '+', paint.green);
}

function wrapped(line: string, { width }: Style): { text: string; isFirst: boolean }[] {
  const rows = width === undefined ? [line] : wrap(line, Math.max(8, width) - 6);
  return rows.map((text, i) => ({ text, isFirst: i === 0 }));
}

const TITLES = { state: 'STATE', return_code: 'EXIT', runs: 'RUNS', failures: 'FAILURES' } as const;

/** A row for the task and each process that ended differently, with what differs. */
function outcomeText(changes: readonly OutcomeChange[], style: Style): string {
  const fields = (Object.keys(TITLES) as (keyof typeof TITLES)[]).filter((name) =>
    changes.some(({ field }) => field === name),
  );
  const rows = new Map<string | undefined, Map<string, Cell>>();
  for (const { process, field, a, b } of changes) {
    const row = rows.get(process) ?? new Map<string, Cell>();
    const text = `${a ?? '-'} ${arrow(style)} ${b ?? '-'}`;
    row.set(field, field === 'state' ? { text, paint: paintOf(style.paint, String(b)) } : text);
    rows.set(process, row);
  }
  return indentedTable(
    fields.map((field) => ({ title: TITLES[field] })),
    [...rows].map(([process, row]) => [process, ...fields.map((field) => row.get(field))]),
    style,
  );
}

function durationsText(pairs: readonly DurationPair[], style: Style): string {
  return indentedTable(
    [{ title: 'A', align: 'right' }, { title: 'B', align: 'right' }, { title: 'CHANGE' }],
    pairs.map(({ process, a_ms, b_ms, factor }) => [
      process,
      took(a_ms),
      took(b_ms),
      factorText(factor, style),
    ]),
    style,
  );
}

function took(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : elapsed(milliseconds);
}

/** Less is nothing to talk about: no two runs take the same time. */
const WORTH_TELLING = 1.1;

function factorText(factor: number | undefined, { unicode, paint }: Style): Cell {
  if (factor === undefined || factor === 0) return undefined;
  const isSlower = factor >= 1;
  const times = isSlower ? factor : 1 / factor;
  if (times < WORTH_TELLING) return undefined;
  const shown = times < 10 ? times.toFixed(1) : String(Math.round(times));
  const text = `${shown}${unicode ? '×' : 'x'} ${isSlower ? 'slower' : 'faster'}`;
  return { text, paint: isSlower ? paint.yellow : paint.green };
}

/** The first column names the process; the task has no name there. */
function indentedTable(
  columns: readonly { title: string; align?: 'left' | 'right' }[],
  rows: readonly (readonly [string | undefined, ...Cell[]])[],
  style: Style,
): string {
  if (rows.length === 0) return '';
  const first = { title: 'PROCESS', flexible: 'wrap' as const };
  const cells = rows.map(([process, ...others]) => [process ?? THE_TASK, ...others]);
  const width = style.width === undefined ? undefined : style.width - 2;
  const options = { width, whole: true, unicode: style.unicode, titles: style.paint.dim };
  return table([first, ...columns], cells, options).replace(/^(?=.)/gm, '  ');
}

const THE_TASK = '(task)';
