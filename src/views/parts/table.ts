import { visible } from '../../text/escape.js';
import { shorten, shortenDistinctly, widthOf } from '../../text/width.js';
import type { Paint } from './paint.js';
import { type DrawnCell, terminalTable } from './terminal-table.js';

export interface Column {
  /** In capitals, without spaces. */
  title: string;
  /** Default `left`. */
  align?: 'left' | 'right';
  /**
   * The column shrinks if the terminal is too narrow: cells are cut at the end, cut in the middle, so that different
   * cells stay different, or wrapped.
   */
  flexible?: 'end' | 'middle' | 'wrap';
  /**
   * The column may be dropped if the terminal is too narrow, the one with the lowest number first. No cell is
   * shortened as long as dropping columns helps.
   */
  dropped?: number;
  /**
   * Shorter forms of all cells of the column, in the order of the rows. They are used if the terminal is too narrow for
   * the whole cells even without the columns that may be dropped; then only those are dropped for which they leave
   * no room.
   */
  short?: (cells: readonly string[]) => readonly string[];
}

/**
 * Unescaped text, with a colour if it has one. Undefined and '' are shown as `-`, null as nothing: the row continues
 * the one above.
 */
export type Cell = string | undefined | null | { text: string | undefined; paint: Paint };

export interface TableOptions {
  /** Columns of the terminal. Without it, on a pipe, nothing is cut or wrapped. */
  width?: number;
  /** Cells are not cut if the table is too long to be wrapped: the terminal breaks the lines. */
  whole?: boolean;
  /** No cell is shortened or cut: only columns are dropped. */
  uncut?: boolean;
  /** Whether `…` may be used instead of `...`. Default true. */
  unicode?: boolean;
  /** Colour of the titles; `false` for a table without titles. */
  titles?: Paint | false;
}

const GAP = '  ';
/** A flexible column is not cut below this. */
const MIN_WIDTH = 8;
/**
 * Where nothing is cut, a cell longer than any file name does not make its column wider: a checkpoint may hold
 * a name of 1 MiB, and every other row would be padded to that.
 */
const MAX_WIDTH = 256;
/** A longer table is not drawn by cli-table3, which takes 46 s for the 10,000 rows that a host may have. */
const MAX_WRAPPED_ROWS = 200;
/** Nor is a table with more text: cli-table3 measures and wraps it character by character. */
const MAX_WRAPPED_TEXT = 32 * 1024;

/** The lines of a table, without newlines. */
export interface TableLines {
  /** Undefined for a table without titles. */
  titles: string | undefined;
  /** One line per row, or several if one of the columns wraps. */
  body: string[];
}

/**
 * Aligned text, one line per row, each ended by a newline; two spaces between columns, no rules, no trailing spaces,
 * no empty cells. The cells are escaped here: callers pass what they read. On a terminal a row takes several lines if
 * one of its columns wraps.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string {
  const { titles, body } = tableLines(columns, rows, options);
  let text = titles === undefined ? '' : `${titles}\n`;
  for (const line of body) text += `${line}\n`;
  return text;
}

/** As `table`, as lines. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width, whole = false, uncut = false, unicode = true, titles }: TableOptions = {},
): TableLines {
  const cells = columns.map((_, i) => rows.map((row) => measured(row[i])));
  const wraps = width !== undefined && isShort(cells);
  const most = wraps ? Number.POSITIVE_INFINITY : MAX_WIDTH;
  const cuts = width !== undefined && !uncut && (wraps || !whole);
  let drawn = columns.map((column, i) => drawnColumn(column, cells[i] as Measured[], titles !== false, most));
  if (width !== undefined) drawn = fitted(drawn, { width, cuts, titled: titles !== false, most });
  if (cuts) drawn = drawn.map((each) => cutColumn(each, unicode ? '…' : '...', wraps));
  const titleLine =
    titles === false
      ? undefined
      : alignedLine(drawn, ({ column: { title } }) => ({ text: title, width: title.length, paint: titles }));
  if (wraps && drawn.some(({ column }) => column.flexible === 'wrap')) {
    const text = terminalTable(
      drawn.map(({ column }) => column),
      rows.map((_, row) => drawn.map(({ cells }) => painted(cells[row] as Measured))),
      drawn.map(({ width }) => width),
      GAP,
    );
    return { titles: titleLine, body: text.split('\n').slice(0, -1) };
  }
  const body = rows.map((_, row) => alignedLine(drawn, ({ cells }) => cells[row] as Measured));
  return { titles: titleLine, body };
}

interface Measured {
  text: string;
  width: number;
  paint: Paint | undefined;
}

/** A column with its cells and the room that they are drawn in. */
interface DrawnColumn {
  column: Column;
  cells: readonly Measured[];
  width: number;
}

function measured(cell: Cell): Measured {
  if (cell === null) return { text: '', width: 0, paint: undefined };
  const text = clean(typeof cell === 'object' ? cell.text : cell);
  return { text, width: widthOf(text), paint: typeof cell === 'object' ? cell.paint : undefined };
}

/** Trailing spaces are invisible: text with them is shown quoted. */
function clean(text: string | undefined): string {
  if (text === undefined || text === '') return '-';
  const escaped = visible(text);
  return escaped === escaped.trimEnd() ? escaped : `'${escaped}'`;
}

function isShort(columns: readonly (readonly Measured[])[]): boolean {
  let length = 0;
  for (const cells of columns) {
    if (cells.length > MAX_WRAPPED_ROWS) return false;
    for (const { text } of cells) length += text.length;
  }
  return length <= MAX_WRAPPED_TEXT;
}

function drawnColumn(column: Column, cells: readonly Measured[], titled: boolean, most: number): DrawnColumn {
  let width = titled ? column.title.length : 0;
  for (const cell of cells) width = Math.max(width, Math.min(most, cell.width));
  return { column, cells, width };
}

interface Fitting {
  width: number;
  /** Cells may be shortened, and columns narrowed. */
  cuts: boolean;
  titled: boolean;
  most: number;
}

/** The columns that are drawn in so much width, each with its room. */
function fitted(all: readonly DrawnColumn[], { width, cuts, titled, most }: Fitting): DrawnColumn[] {
  const whole = withoutDropped(all, width);
  if (!cuts || excessOf(whole, width) <= 0) return whole;
  const shortened = all.map((each) => {
    const short = each.column.short?.(each.cells.map(({ text }) => text));
    if (short === undefined) return each;
    const cells = each.cells.map(({ paint }, i) => {
      const text = short[i] as string;
      return { text, width: widthOf(text), paint };
    });
    return drawnColumn(each.column, cells, titled, most);
  });
  return squeezed(withoutDropped(shortened, width), width);
}

/** How much wider than that the columns are. */
function excessOf(columns: readonly DrawnColumn[], width: number): number {
  return columns.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length) - width;
}

/** Drops columns in their order until the others fit, or none may be dropped. */
function withoutDropped(columns: readonly DrawnColumn[], width: number): DrawnColumn[] {
  const order = columns
    .filter(({ column }) => column.dropped !== undefined)
    .sort((a, b) => (a.column.dropped as number) - (b.column.dropped as number));
  let kept = [...columns];
  for (const next of order) {
    if (excessOf(kept, width) <= 0) break;
    kept = kept.filter((column) => column !== next);
  }
  return kept;
}

/** Narrows the widest flexible column step by step, until the line fits or no column can shrink. */
function squeezed(columns: readonly DrawnColumn[], width: number): DrawnColumn[] {
  const narrowed = columns.map((column) => ({ ...column }));
  const flexible = narrowed.filter(({ column }) => column.flexible !== undefined);
  for (let excess = excessOf(columns, width); excess > 0; excess--) {
    let widest: DrawnColumn | undefined;
    for (const each of flexible) {
      if (each.width <= Math.max(MIN_WIDTH, each.column.title.length)) continue;
      if (widest === undefined || each.width > widest.width) widest = each;
    }
    if (widest === undefined) break;
    widest.width -= 1;
  }
  return narrowed;
}

function cutColumn(drawn: DrawnColumn, mark: string, wraps: boolean): DrawnColumn {
  const { column, cells, width } = drawn;
  const { flexible } = column;
  if (flexible === undefined || (flexible === 'wrap' && wraps)) return drawn;
  if (cells.every((cell) => cell.width <= width)) return drawn;
  const cut =
    flexible === 'middle'
      ? shortenDistinctly(
          cells.map(({ text }) => text),
          width,
          mark,
        )
      : cells.map(({ text }) => shorten(text, width, 'end', mark));
  return {
    column,
    width,
    cells: cells.map((cell, i) => {
      const text = cut[i] as string;
      return text === cell.text ? cell : { text, width: widthOf(text), paint: cell.paint };
    }),
  };
}

function painted({ text, paint }: Measured): DrawnCell {
  return paint === undefined ? text : paint(text);
}

function alignedLine(columns: readonly DrawnColumn[], cellOf: (column: DrawnColumn) => Measured): string {
  let text = '';
  let blanks = '';
  for (const drawn of columns) {
    const cell = cellOf(drawn);
    const pad = ' '.repeat(Math.max(0, drawn.width - cell.width));
    if (cell.text === '') blanks += pad + GAP;
    else if (drawn.column.align === 'right') {
      text += blanks + pad + painted(cell);
      blanks = GAP;
    } else {
      text += blanks + painted(cell);
      blanks = pad + GAP;
    }
  }
  return text;
}
