import { splitAt } from '../../text/width.js';
import type { Column } from './table.js';

/** One cell: escaped, cut where its column is cut, and painted. Undefined is drawn as nothing. */
export type DrawnCell = string | undefined;

/**
 * Stands for a blank at the beginning of a line, which cli-table3 does not count when it wraps. Escaped text has no
 * character for private use.
 */
const BLANK = '\ue000';
const BLANKS = new RegExp(BLANK, 'g');

/** What cli-table3 does grows with the square of the rows. The widths are given, so that batches fit together. */
const BATCH = 20;

/** Without lines: blanks between the columns are all that is drawn besides the text. */
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
 * Draws rows in columns of the widths given, each line ended by a newline. Cells of a column that wraps go on in the
 * next line; all others must fit.
 */
export function terminalTable(
  columns: readonly Column[],
  rows: readonly (readonly DrawnCell[])[],
  widths: readonly number[],
  gap: string,
): string {
  // Loaded when a table is drawn on a terminal for the first time.
  const CliTable: typeof import('cli-table3') = require('cli-table3');
  const options = {
    chars: { ...BORDERLESS, middle: gap },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ align = 'left' }) => align),
    wordWrap: true,
  };
  const cells = (row: readonly DrawnCell[]) =>
    columns.map(({ flexible }, i) => {
      const content = row[i] ?? '';
      return flexible === 'wrap' ? wrappable(content, widths[i] as number) : { content, wordWrap: false };
    });
  let text = '';
  for (let at = 0; at < rows.length; at += BATCH) {
    const drawn = new CliTable({ ...options, colWidths: [...widths] });
    for (const row of rows.slice(at, at + BATCH)) drawn.push(cells(row));
    for (const line of drawn.toString().split('\n')) text += `${line.trimEnd().replace(BLANKS, ' ')}\n`;
  }
  return text;
}

/** What cli-table3 would cut when it wraps: words that are wider than the column. */
function wrappable(text: string, width: number): string {
  return text
    .replace(/^ +(?=.)/, (blanks) => BLANK.repeat(Math.min(blanks.length, width >> 1)))
    .replace(/\S+/g, (word) => splitAt(word, width).join('\n'));
}
