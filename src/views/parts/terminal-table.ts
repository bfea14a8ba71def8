import { stripVTControlCharacters } from 'node:util';
import { splitAt, widthOf } from '../../text/width.js';
import type { Column } from './table.js';

/** One cell: escaped, cut where its column is cut, and painted. Undefined is drawn as nothing. */
export type DrawnCell = string | undefined;

/**
 * Replaces a leading space, which cli-table3 does not count when it wraps. Escaped text has no private-use
 * characters.
 */
const BLANK = '\ue000';
const BLANKS = new RegExp(BLANK, 'g');

/**
 * cli-table3 measures characters one by one, and cuts what it takes to be too wide, even inside a character: words that
 * are not ASCII are drawn as so many of these characters, one kind for each column.
 */
const STAND_IN = 0xe001;
const STYLING = /(\p{Cc}\[[\d;]*m)/u;
const NOT_ASCII = /\P{ASCII}/u;

/** The time of cli-table3 grows with the square of the rows. The widths are given, so that batches line up. */
const BATCH = 20;

/** Without rules: only spaces between the columns are drawn besides the text. */
const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
};

/**
 * Draws rows in columns of the given widths, each line ended by a newline. Cells of a wrapping column continue on the
 * next line; all others must fit.
 */
export function terminalTable(
  columns: readonly Column[],
  rows: readonly (readonly DrawnCell[])[],
  widths: readonly number[],
  gap: string,
): string {
  // Loaded when a table is first drawn on a terminal.
  const CliTable: typeof import('cli-table3') = require('cli-table3');
  const options = {
    chars: { ...BORDERLESS, middle: gap },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ align = 'left' }) => align),
    wordWrap: true,
  };
  const standIns = columns.map((_, i) => new StandIns(String.fromCharCode(STAND_IN + i)));
  const cells = (row: readonly DrawnCell[]) =>
    columns.map(({ flexible }, i) => {
      const content = row[i] ?? '';
      const width = widths[i] as number;
      // cli-table3 adds up words, whose characters may be of another width where they are together.
      const fits = flexible !== 'wrap' || widthOf(stripVTControlCharacters(content)) <= width;
      const hidden = standIns[i]?.hide(fits ? content : wrappable(content, width));
      return fits ? { content: hidden, wordWrap: false } : hidden;
    });
  let text = '';
  for (let at = 0; at < rows.length; at += BATCH) {
    const drawn = new CliTable({ ...options, colWidths: [...widths] });
    for (const row of rows.slice(at, at + BATCH)) drawn.push(cells(row));
    const shown = standIns.reduce((lines, each) => each.show(lines), drawn.toString());
    for (const line of shown.split('\n')) text += `${line.trimEnd().replace(BLANKS, ' ')}\n`;
  }
  return text;
}

/** Breaks the words that cli-table3 would cut when it wraps, because they are wider than the column. */
function wrappable(text: string, width: number): string {
  return text
    .replace(/^ +(?=.)/, (blanks) => BLANK.repeat(Math.min(blanks.length, width >> 1)))
    .replace(/\S+/g, (word) =>
      widthOf(stripVTControlCharacters(word)) <= width ? word : splitAt(word, width).join('\n'),
    );
}

/** The words of one column that are not ASCII, while others stand for them. A column is drawn in the order of its words. */
class StandIns {
  readonly #mark: string;
  readonly #words: string[] = [];

  constructor(mark: string) {
    this.#mark = mark;
  }

  hide(content: string): string {
    if (!NOT_ASCII.test(content)) return content;
    const parts = content.split(STYLING);
    return parts
      .map((part, i) => (i % 2 === 1 ? part : part.replace(/\S+/g, (word) => this.#hidden(word))))
      .join('');
  }

  #hidden(word: string): string {
    const width = NOT_ASCII.test(word) ? widthOf(word) : 0;
    if (width === 0) return word;
    this.#words.push(word);
    return this.#mark.repeat(width);
  }

  show(lines: string): string {
    if (this.#words.length === 0) return lines;
    const words = this.#words.splice(0);
    return lines.replace(new RegExp(`${this.#mark}+`, 'g'), () => words.shift() ?? '');
  }
}
