import type { Excerpt } from '../../logs/excerpt.js';
import { bytesOf } from './html.js';
import { LONGEST } from './parts.js';
import { lineMarkup, newPen } from './sgr.js';

/** A line of a log, ready for a page. */
export interface LogLine {
  /** From 1; from the end, as -1 for the last one, if it is not known how many lines are before it. */
  number: number;
  /** Escaped markup. */
  text: string;
}

/** What a page shows of a log. */
export interface LogText {
  first: readonly LogLine[];
  /** Between the two; `lines` is absent if they were not counted. */
  left_out?: { bytes: number; lines?: number };
  last: readonly LogLine[];
}

/** Of one log, in bytes: as it was read, and as markup, which may be eight times as long. */
const MOST = { first: 16 * 1024, last: 48 * 1024, markup: 160 * 1024 };

/** The lines that are shown, the end first of all: within the bound of a log. Pure. */
export function logText({ first, last, left_out }: Excerpt): LogText {
  const isWhole = left_out === undefined;
  const lines = isWhole ? [...first, ...last] : last;
  const before = isWhole ? 0 : left_out.lines === undefined ? undefined : first.length + left_out.lines;
  const tail = lastWithin(lines, MOST.last);
  const head = isWhole
    ? firstWithin(lines.slice(0, lines.length - tail.length), MOST.first)
    : firstWithin(first, MOST.first);
  const dropped = isWhole
    ? lines.slice(head.length, lines.length - tail.length)
    : [...first.slice(head.length), ...lines.slice(0, lines.length - tail.length)];

  const pen = newPen();
  const start = lines.length - tail.length;
  const texts = [...head, ...tail].map((line) => cutLine(line, lineMarkup(line.slice(0, LONGEST), pen)));
  const shownHead = texts.slice(0, head.length).map((text, i) => ({ number: i + 1, text }));
  let shownTail = texts.slice(head.length).map((text, i) => ({
    number: before === undefined ? i - tail.length : before + start + i + 1,
    text,
  }));
  // What expands that much is made up to fill the page.
  let size = texts.reduce((sum, text) => sum + bytesOf(text), 0);
  let more = 0;
  while (size > MOST.markup && more < shownTail.length) {
    size -= bytesOf((shownTail[more] as LogLine).text);
    more += 1;
  }
  shownTail = shownTail.slice(more);
  const gone = [...dropped, ...tail.slice(0, more)];
  const goneBytes = gone.reduce((sum, line) => sum + bytesOf(line) + 1, 0);
  if (isWhole && gone.length === 0) return { first: [...shownHead, ...shownTail], last: [] };
  const counted = isWhole || left_out.lines !== undefined;
  return {
    first: shownHead,
    left_out: {
      bytes: goneBytes + (left_out?.bytes ?? 0),
      lines: counted ? gone.length + (left_out?.lines ?? 0) : undefined,
    },
    last: shownTail,
  };
}

function cutLine(line: string, markup: string): string {
  return line.length <= LONGEST ? markup : `${markup}<i>… (${line.length - LONGEST} more characters)</i>`;
}

function firstWithin(lines: readonly string[], bytes: number): readonly string[] {
  let left = bytes;
  const end = lines.findIndex((line) => {
    left -= Math.min(line.length, LONGEST) + 1;
    return left < 0;
  });
  return end === -1 ? lines : lines.slice(0, end);
}

function lastWithin(lines: readonly string[], bytes: number): readonly string[] {
  return firstWithin(lines.toReversed(), bytes).toReversed();
}
