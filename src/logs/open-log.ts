import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';

/** An open log file. */
export interface LogFile {
  fd: number;
  path: string;
  /** Device and inode: what stays the same when the file is renamed. */
  id: string;
  /** When it was opened. */
  size: number;
}

export type Opened = { file: LogFile } | { absent: true } | { problem: Problem };

const NO_SURPRISES = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens LOG_DIR/PROCESS/RUN/NAME for reading. The task's user can write there and root reads, so nothing
 * but a regular file that really lies in that directory is opened: a FIFO would block, a device may act when
 * opened, a link may lead to what only root can read. A link to a file beside it is allowed.
 */
export function openLog(path: string): Opened {
  let fd: number;
  try {
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind === undefined) return absentOrDangling(path);
    if (!kind.isFile()) return { problem: notAFile(path) };
    fd = openSync(path, NO_SURPRISES);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return { absent: true };
    return { problem: unreadable(path, error) };
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) {
      closeSync(fd);
      return { problem: notAFile(path) };
    }
    if (!liesWhereItShould(fd, path, stat.nlink === 0n)) {
      closeSync(fd);
      return { problem: linkRefused(path) };
    }
    if (stat.size > BigInt(Number.MAX_SAFE_INTEGER)) {
      closeSync(fd);
      return { problem: tooLarge(path, stat.size) };
    }
    return { file: { fd, path, id: `${stat.dev}:${stat.ino}`, size: Number(stat.size) } };
  } catch (error) {
    closeSync(fd);
    return { problem: unreadable(path, error) };
  }
}

export function closeLog(file: LogFile): void {
  closeSync(file.fd);
}

/** Size and link count now; the size in bytes, as far as they can be counted. */
export function statLog(file: LogFile): { size: number; deleted: boolean } {
  const { size, nlink } = fstatSync(file.fd);
  return { size: Math.min(size, Number.MAX_SAFE_INTEGER), deleted: nlink === 0 };
}

/** Device and inode of what the path names now, or undefined if there is nothing. Opens nothing. */
export function idOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
  } catch {
    return undefined;
  }
}

/** Fills as much of the buffer's first `length` bytes as the file has at `offset`; returns how much. */
export function readAt(file: LogFile, buffer: Uint8Array, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const got = readSync(file.fd, buffer, done, length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

function absentOrDangling(path: string): Opened {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  return entry?.isSymbolicLink() ? { problem: linkRefused(path) } : { absent: true };
}

/** By the name the kernel has for the descriptor, so that swapping a link in between gains nothing. */
function liesWhereItShould(fd: number, path: string, deleted: boolean): boolean {
  const runDir = dirname(path);
  const processDir = dirname(runDir);
  const expected = join(realpathSync.native(dirname(processDir)), basename(processDir), basename(runDir));
  let actual: string;
  try {
    actual = readlinkSync(`/proc/self/fd/${fd}`);
    if (deleted) actual = actual.replace(/ \(deleted\)$/, '');
  } catch {
    actual = realpathSync.native(path);
  }
  return dirname(actual) === expected;
}

function linkRefused(path: string): Problem {
  return {
    code: 'log-link-refused',
    severity: 'error',
    message: `${path} is a link that does not lead to a file beside it: not followed`,
    path,
  };
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

function notAFile(path: string): Problem {
  return { code: 'log-not-a-file', severity: 'error', message: `${path} is not a regular file`, path };
}

function unreadable(path: string, error: unknown): Problem {
  const denied = errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM';
  return {
    code: errnoOf(error) === 'ELOOP' ? 'log-link-refused' : 'log-unreadable',
    severity: 'error',
    message: `cannot read ${path}: ${describeErrno(error)}`,
    path,
    ...(denied ? { hint: "read it as root or as the task's user, for example with sudo" } : {}),
  };
}
