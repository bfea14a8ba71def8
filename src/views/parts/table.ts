import { visible } from '../../text/escape.js';
import { shorten, widthOf } from '../../text/width.js';
import type { Paint } from './paint.js';

export interface Column {
  /** In capitals, without spaces. */
  title: string;
  /** Default `left`. */
  align?: 'left' | 'right';
  /** The column gives way, cut there, when the terminal is too narrow. */
  flexible?: 'end' | 'middle';
}

/** Text as it was read, with a colour for it if it has one. Undefined and '' are shown as `-`. */
export type Cell = string | undefined | { text: string | undefined; paint: Paint };

export interface TableOptions {
  /** Columns of the terminal. Without it, on a pipe, nothing is cut. */
  width?: number;
  /** `…` may be drawn; else `...`. Default true. */
  unicode?: boolean;
  /** Colour of the titles; a table without titles has `false`. */
  titles?: Paint | false;
}

const GAP = '  ';
/** A flexible column is not cut below this. */
const LEAST = 8;
/**
 * Where nothing is cut, a cell longer than any file name does not make its column wider: a checkpoint may hold
 * a name of 1 MiB, and every other row would be padded to that.
 */
const MOST = 256;

/**
 * Aligned text, a line a row, each ended by a newline; two spaces between columns, no lines, no trailing
 * blanks, no empty cell. The cells are escaped here: callers hand over what they read.
 *
 * Not made with cli-table3: it takes 7 s for the 10,000 rows that a host may have, this takes 30 ms.
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
  const lines = options.titles === false ? [] : [titles];
  for (const row of rows) lines.push(columns.map((_, i) => measured(row[i])));
  const widths = columns.map((_, i) =>
    lines.reduce((most, line) => Math.max(most, Math.min(MOST, (line[i] as Measured).width)), 0),
  );
  const room = options.width === undefined ? widths : squeeze(columns, widths, options.width);
  const mark = options.unicode === false ? '...' : '…';
  const cut = options.width !== undefined;
  return lines.map((line) => draw(columns, line, room, cut ? mark : undefined)).join('');
}

interface Measured {
  text: string;
  width: number;
  paint: Paint | undefined;
}

function measured(cell: Cell): Measured {
  const text = clean(typeof cell === 'object' ? cell.text : cell);
  return { text, width: widthOf(text), paint: typeof cell === 'object' ? cell.paint : undefined };
}

/** Blanks at the end can't be seen: such text is shown quoted. */
function clean(text: string | undefined): string {
  if (text === undefined || text === '') return '-';
  const escaped = visible(text);
  return escaped === escaped.trimEnd() ? escaped : `'${escaped}'`;
}

function draw(
  columns: readonly Column[],
  line: readonly Measured[],
  room: readonly number[],
  mark: string | undefined,
): string {
  let drawn = '';
  let blanks = '';
  for (const [i, { align, flexible }] of columns.entries()) {
    let { text, width, paint } = line[i] as Measured;
    const most = room[i] as number;
    if (width > most && mark !== undefined) {
      text = shorten(text, most, flexible, mark);
      width = widthOf(text);
    }
    const pad = ' '.repeat(Math.max(0, most - width));
    if (paint !== undefined) text = paint(text);
    drawn += blanks + (align === 'right' ? pad + text : text);
    blanks = align === 'right' ? GAP : pad + GAP;
  }
  return `${drawn}\n`;
}

/** Takes from the widest flexible column, a step at a time, until the line fits or none can give. */
function squeeze(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const room = [...widths];
  let excess = room.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width;
  for (; excess > 0; excess--) {
    let widest = -1;
    for (const [i, { flexible, title }] of columns.entries()) {
      if (flexible === undefined || (room[i] as number) <= Math.max(LEAST, title.length)) continue;
      if (widest === -1 || (room[i] as number) > (room[widest] as number)) widest = i;
    }
    if (widest === -1) break;
    room[widest] = (room[widest] as number) - 1;
  }
  return room;
}
