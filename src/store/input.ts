import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { pause } from '../host/pause.js';
import { RefusedError } from './refused.js';

const AT_ONCE = 64 * 1024;

/** How long to wait for a writer of a named pipe, and how often to check. */
const PIPE_WAIT_MS = 1000;
const PIPE_POLL_MS = 10;

export interface InputOptions {
  /** More bytes are refused. */
  max: number;
  /** The error for longer input; `length`: as far as it was read. */
  tooLong?: (length: number) => Error;
}

/**
 * Reads a person's input to its end: stdin (0), or a path that they named, which may be a pipe as well as a file. A
 * pipe is read as long as somebody has it open for writing. Not for paths that were read from disk. Throws system
 * errors, RefusedError `ENOTREG` for a pipe that nobody writes to, and for longer input what `tooLong` returns, by
 * default RefusedError `EFBIG`.
 */
export function readInput(from: 0 | string, options: InputOptions): Buffer {
  if (from === 0) return readWhole(0, 'stdin', options);
  const fd = openSync(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return readWhole(fd, from, options);
  } finally {
    closeSync(fd);
  }
}

/** Other things than files may have no end (a device), or no data yet (a pipe). */
function readWhole(fd: number, name: string, { max, tooLong = tooLongFor(max) }: InputOptions): Buffer {
  const stats = fstatSync(fd);
  if (stats.size > max) throw tooLong(stats.size);
  const chunks: Buffer[] = [];
  let length = 0;
  let waited = 0;
  while (length <= max) {
    const chunk = Buffer.allocUnsafe(AT_ONCE);
    const count = readNow(fd, chunk);
    // A pipe that was opened without waiting is at its end until somebody opens it for writing.
    const noWriter = fd !== 0 && count === 0 && length === 0 && stats.isFIFO();
    if (count === undefined || noWriter) {
      if (waited >= PIPE_WAIT_MS) throw new RefusedError('ENOTREG', `nobody writes to the pipe ${name}`);
      if (noWriter) waited += PIPE_POLL_MS;
      pause(PIPE_POLL_MS);
      continue;
    }
    if (count === 0) return Buffer.concat(chunks, length);
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  throw tooLong(length);
}

function tooLongFor(max: number): () => RefusedError {
  return () => new RefusedError('EFBIG', `there are more than ${max} bytes, the most that is read`);
}

/** Undefined if there is nothing yet. */
function readNow(fd: number, chunk: Buffer): number | undefined {
  try {
    return readSync(fd, chunk);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}
