import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** The end of a text file. */
export interface FileTail {
  path: string;
  text: string;
  /** Where the text begins in the file: 0 if this is all of it. */
  offset: number;
  mtimeMs: number;
}

/** A line of it, and where it is. */
export interface TailLine {
  text: string;
  line?: number;
  offset?: number;
}

/** What is longer than this is no line that anybody wrote to be read. */
const LONGEST_LINE = 4096;

/**
 * The last `bytes` of a regular file; undefined if it isn't there. The last part of the path is not followed if
 * it is a link, because those who run tasks may write here; nothing blocks. Throws system errors.
 */
export function readFileTail(path: string, bytes: number): FileTail | undefined {
  const fd = openOrAbsent(path);
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    // A sparse file can be longer than there are offsets to ask for.
    if (!Number.isSafeInteger(stat.size))
      throw new Error(`${BigInt(stat.size)} bytes are too many for a log`);
    const length = Math.min(bytes, stat.size);
    const buffer = Buffer.allocUnsafe(length);
    const offset = stat.size - length;
    let got = 0;
    while (got < length) {
      const count = readSync(fd, buffer, got, length - got, offset + got);
      if (count === 0) break;
      got += count;
    }
    return { path, text: buffer.toString('utf8', 0, got), offset, mtimeMs: stat.mtimeMs };
  } finally {
    closeSync(fd);
  }
}

/** The first `bytes` of a small file, as `readFileTail` opens it; undefined if it isn't there or may not be read. */
export function readSmallFile(path: string, bytes = 1024 * 1024): Buffer | undefined {
  try {
    const fd = openOrAbsent(path);
    if (fd === undefined) return undefined;
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return undefined;
      const buffer = Buffer.alloc(Math.min(bytes, stat.size));
      return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function openOrAbsent(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENXIO') return undefined;
    throw error;
  }
}

/**
 * The lines of a tail, the first left out if it may lack its beginning. A file that was truncated while it was
 * written to, as log rotation does, begins with many NULs: a line begins after them. Pure.
 */
export function linesOf({ text, offset }: Pick<FileTail, 'text' | 'offset'>): TailLine[] {
  const lines: TailLine[] = [];
  let at = offset;
  for (const [i, line] of text.split('\n').entries()) {
    const begin = i === 0 ? line.lastIndexOf('\0') + 1 : 0;
    const short = line.slice(begin, begin + LONGEST_LINE);
    if (offset === 0) lines.push({ text: short, line: i + 1 });
    else if (i > 0 || begin > 0)
      lines.push({ text: short, offset: at + Buffer.byteLength(line.slice(0, begin)) });
    at += Buffer.byteLength(line) + 1;
  }
  if (lines.at(-1)?.text === '') lines.pop();
  return lines;
}
