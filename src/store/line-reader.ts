import type { OpenFile } from './open-file.js';

/** A line without its newline; without `text` if it is too long. */
export interface ReadLine {
  /** Where it begins, in bytes. */
  readonly at: number;
  readonly text?: string;
}

export interface LinesOptions {
  /** Where to begin, in bytes: what comes before the next line begins is left out if this is within a line. */
  readonly from: number;
  /** Of a longer line, in bytes, the text is not given. */
  readonly longest: number;
}

const PIECE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/**
 * The whole lines of a file as it was when it was opened, read piece by piece. Returns where the last one of them ends: a
 * text without newline at the end is a line that is not finished. Throws system errors.
 */
export function* linesOf(
  file: OpenFile,
  { from, longest }: LinesOptions,
): Generator<ReadLine, number, undefined> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let parts: Buffer[] = [];
  let length = 0;
  // A line begins after a newline: the byte before shows it.
  let position = Math.max(0, from - 1);
  let isInside = from > 0;
  let begin = from;
  for (;;) {
    const wanted = Math.min(piece.length, file.stat.size - position);
    const count = wanted <= 0 ? 0 : file.readAt(piece, 0, wanted, position);
    if (count === 0) return begin;
    let start = 0;
    for (;;) {
      const end = piece.subarray(0, count).indexOf(NEWLINE, start);
      const part = piece.subarray(start, end === -1 ? count : end);
      length += part.length;
      if (end === -1) {
        if (!isInside && length <= longest) parts.push(Buffer.from(part));
        break;
      }
      const next = position + end + 1;
      if (!isInside) yield { at: begin, text: length > longest ? undefined : textOf(parts, part) };
      isInside = false;
      parts = [];
      length = 0;
      begin = next;
      start = end + 1;
    }
    if (length > longest) parts = [];
    position += count;
  }
}

function textOf(parts: readonly Buffer[], last: Buffer): string {
  return (parts.length === 0 ? last : Buffer.concat([...parts, last])).toString('utf8');
}
