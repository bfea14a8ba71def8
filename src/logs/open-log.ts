import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { statFile } from '../store/look.js';
import { type FileStat, type OpenFile, type OpenOptions, openFile } from '../store/open-file.js';
import { RefusedError } from '../store/refused.js';

/** How the logs of a task are opened: below which directory no link is followed, and on whose behalf. */
export type LogAccess = Pick<OpenOptions, 'below' | 'as'>;

/** An open log file. */
export interface LogFile {
  open: OpenFile;
  path: string;
  /** Device and inode: what stays the same when the file is renamed. */
  id: string;
  /** When it was opened. */
  size: number;
}

export type Opened = { file: LogFile } | { absent: true } | { problem: Problem };

/**
 * Opens LOG_DIR/PROCESS/RUN/NAME for reading. The task's user can write there and root reads, so nothing
 * but a regular file that lies in that directory, and that the user could read, is opened: a FIFO would block, a
 * device may act when opened, a link may lead to what only root can read.
 */
export function openLog(path: string, access: LogAccess): Opened {
  try {
    const file = openFile(path, access);
    const { size } = file.stat;
    if (size > Number.MAX_SAFE_INTEGER) {
      file.close();
      return { problem: tooLarge(path, size) };
    }
    return { file: { open: file, path, id: idOfStat(file.stat), size } };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return { absent: true };
    return { problem: unreadable(path, error) };
  }
}

export function closeLog(file: LogFile): void {
  file.open.close();
}

/** Size and link count now; the size in bytes, as far as they can be counted. */
export function statLog(file: LogFile): { size: number; deleted: boolean } {
  const { size, nlink } = file.open.statNow();
  return { size: Math.min(size, Number.MAX_SAFE_INTEGER), deleted: nlink === 0 };
}

/** Device and inode of what the path names now, or undefined if there is nothing. Opens nothing. */
export function idOf(path: string, { below }: LogAccess): string | undefined {
  try {
    const stat = statFile(path, { below });
    return stat && idOfStat(stat);
  } catch {
    return undefined;
  }
}

function idOfStat({ dev, ino }: FileStat): string {
  return `${dev}:${ino}`;
}

/** Fills as much of the buffer's first `length` bytes as the file has at `offset`; returns how much. */
export function readAt(file: LogFile, buffer: Uint8Array, length: number, offset: number): number {
  return file.open.readAt(buffer, 0, length, offset);
}

/** A sparse file can be as long as the file system can count: no offset in it can be asked for then. */
export function tooLarge(path: string, size: number | bigint): Problem {
  return {
    code: 'log-too-large',
    severity: 'error',
    message: `${path} is said to be ${BigInt(size)} bytes long, which no log can be: it is not read`,
    path,
  };
}

function unreadable(path: string, error: unknown): Problem {
  if (error instanceof RefusedError) {
    const message = `the log is not read: ${error.message}`;
    return { code: REFUSALS[error.code], severity: 'error', message, path };
  }
  const denied = errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM';
  return {
    code: 'log-unreadable',
    severity: 'error',
    message: `cannot read ${path}: ${describeErrno(error)}`,
    path,
    ...(denied ? { hint: "read it as root or as the task's user, for example with sudo" } : {}),
  };
}

const REFUSALS = {
  ENOTREG: 'log-not-a-file',
  ELINK: 'log-link-refused',
  EFBIG: 'log-too-large',
  ENOTREADER: 'log-untrusted',
} as const;
