import { visible } from '../../text/escape.js';
import { shorten, widthOf } from '../../text/width.js';
import type { Paint } from './paint.js';
import { type DrawnCell, terminalTable } from './terminal-table.js';

export interface Column {
  /** In capitals, without spaces. */
  title: string;
  /** Default `left`. */
  align?: 'left' | 'right';
  /**
   * The column shrinks if the terminal is too narrow: cells are cut at the end, cut in the middle, so that ids with
   * the same beginning stay distinct, or wrapped.
   */
  flexible?: 'end' | 'middle' | 'wrap';
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
  const titles = columns.map(({ title }) => ({
    text: title,
    width: title.length,
    paint: options.titles || undefined,
  }));
  const lines: Measured[][] = options.titles === false ? [] : [titles];
  for (const row of rows) lines.push(columns.map((_, i) => measured(row[i])));
  if (lines.length === 0) return '';
  const wraps = options.width !== undefined && isShort(lines);
  const width = options.whole && !wraps ? undefined : options.width;
  const maxWidth = wraps ? Number.POSITIVE_INFINITY : MAX_WIDTH;
  const widths = columns.map((_, i) =>
    lines.reduce((widest, line) => Math.max(widest, Math.min(maxWidth, (line[i] as Measured).width)), 0),
  );
  if (width === undefined) return aligned(columns, lines, widths);
  const room = squeeze(columns, widths, width);
  const mark = options.unicode === false ? '...' : '…';
  const cut = lines.map((line) =>
    line.map((cell, i) => cutCell(cell, (columns[i] as Column).flexible, room[i] as number, mark, wraps)),
  );
  if (!wraps) return aligned(columns, cut, room);
  const drawn = cut.map((line) => line.map(painted));
  return terminalTable(columns, drawn, room, GAP);
}

interface Measured {
  text: string;
  width: number;
  paint: Paint | undefined;
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

function isShort(lines: readonly (readonly Measured[])[]): boolean {
  if (lines.length > MAX_WRAPPED_ROWS + 1) return false;
  let length = 0;
  for (const line of lines) for (const { text } of line) length += text.length;
  return length <= MAX_WRAPPED_TEXT;
}

function cutCell(
  cell: Measured,
  flexible: Column['flexible'],
  room: number,
  mark: string,
  wraps: boolean,
): Measured {
  if (cell.width <= room || flexible === undefined || (flexible === 'wrap' && wraps)) return cell;
  const text = shorten(cell.text, room, flexible === 'wrap' ? 'end' : flexible, mark);
  return { ...cell, text, width: widthOf(text) };
}

function painted({ text, paint }: Measured): DrawnCell {
  return paint === undefined ? text : paint(text);
}

/** Plain lines, for pipes and for tables that are too long to be wrapped. */
function aligned(
  columns: readonly Column[],
  lines: readonly (readonly Measured[])[],
  widths: readonly number[],
): string {
  const drawn = lines.map((line) => {
    let text = '';
    let blanks = '';
    for (const [i, { align }] of columns.entries()) {
      const cell = line[i] as Measured;
      const pad = ' '.repeat(Math.max(0, (widths[i] as number) - cell.width));
      text += blanks + (align === 'right' ? pad + painted(cell) : painted(cell));
      blanks = align === 'right' ? GAP : pad + GAP;
    }
    return `${text}\n`;
  });
  return drawn.join('');
}

/** Narrows the widest flexible column step by step, until the line fits or no column can shrink. */
function squeeze(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const room = [...widths];
  let excess = room.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width;
  for (; excess > 0; excess--) {
    let widest = -1;
    for (const [i, { flexible, title }] of columns.entries()) {
      if (flexible === undefined || (room[i] as number) <= Math.max(MIN_WIDTH, title.length)) continue;
      if (widest === -1 || (room[i] as number) > (room[widest] as number)) widest = i;
    }
    if (widest === -1) break;
    room[widest] = (room[widest] as number) - 1;
  }
  return room;
}
