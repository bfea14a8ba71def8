import { visible } from '../../text/escape.js';
import { splitAt, wrap } from '../../text/width.js';
import type { Style } from './style.js';

/** Lines of an explanation that quote a log start like this. */
const QUOTE = '  | ';

/**
 * Sentences and the logs that they quote, as rows of a terminal that are indented by two columns. Words are wrapped,
 * quoted lines broken. `quoted`: how many rows are kept of what is quoted in a row: its end, where the error is.
 */
export function proseRows(lines: readonly string[], style: Style, quoted = Infinity): string[] {
  if (style.width === undefined) return lines.map((line) => `  ${visible(line)}`);
  const room = Math.max(8, style.width) - 4;
  const rows: string[] = [];
  let log: string[] = [];
  const endQuote = () => {
    if (log.length > quoted) rows.push(`  ${QUOTE}${style.unicode ? '…' : '...'}`);
    for (const row of log.slice(-quoted)) rows.push(row);
    log = [];
  };
  for (const line of lines) {
    if (line.startsWith(QUOTE)) {
      for (const row of splitAt(visible(line.slice(QUOTE.length)), room - 2))
        log.push(`  ${QUOTE}${row}`.trimEnd());
      continue;
    }
    endQuote();
    for (const [i, row] of wrap(visible(line), room).entries()) rows.push(`${i === 0 ? '  ' : '    '}${row}`);
  }
  endQuote();
  return rows;
}
