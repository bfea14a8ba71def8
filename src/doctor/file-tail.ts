import { errnoOf } from '../errors/errors.js';
import { type OpenFile, type OpenOptions, useFile } from '../store/open-file.js';

/** The directory below which no link is followed, and the directories that stay open for the next file. */
export type Opening = Pick<OpenOptions, 'below' | 'directories'>;

/** The end of a text file. */
export interface FileTail {
  path: string;
  text: string;
  /** Where the text begins in the file: 0 if this is all of it. */
  offset: number;
  mtimeMs: number;
}

/** A line of a file, and its position. */
export interface TailLine {
  text: string;
  line?: number;
  offset?: number;
}

/** Longer lines are cut: nobody wrote them to be read. */
const LONGEST_LINE = 4096;

/**
 * The last `bytes` of a regular file; undefined if it does not exist. Users who run tasks may write here: no link is
 * followed, nothing blocks, and no file is read that the owner of its directory could not read. Throws system errors,
 * and RefusedError `ENOTREADER` and `EFBIG`.
 */
export function readFileTail(path: string, bytes: number, opening: Opening = {}): FileTail | undefined {
  return useIfThere(path, opening, (file) => {
    const { size, mtimeMs } = file.stat;
    const buffer = Buffer.allocUnsafe(Math.min(bytes, size));
    const offset = size - buffer.length;
    const got = file.readAt(buffer, 0, buffer.length, offset);
    return { path, text: buffer.toString('utf8', 0, got), offset, mtimeMs };
  });
}

const SMALL_BYTES = 1024 * 1024;

/** The first `bytes` of a small file, opened as by `readFileTail`; undefined if it is missing or can't be read. */
export function readSmallFile(path: string, opening: Opening, bytes = SMALL_BYTES): Buffer | undefined {
  try {
    return useIfThere(path, opening, (file) => file.read(bytes));
  } catch {
    return undefined;
  }
}

/** The path is missing or is not a regular file. */
const NO_FILE: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR', 'ENOTREG', 'ELINK'];

function useIfThere<T>(path: string, opening: Opening, use: (file: OpenFile) => T): T | undefined {
  try {
    // A sparse file can be longer than the largest offset that can be passed.
    return useFile(path, { ...opening, as: 'owner', max: Number.MAX_SAFE_INTEGER }, use);
  } catch (error) {
    if (NO_FILE.includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/**
 * The lines of a tail, without the first one if its beginning may be missing. A file that was truncated while it was
 * written, as log rotation does, begins with many NULs: the line begins after them. Pure.
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
