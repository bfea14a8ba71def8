import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { pause } from '../host/pause.js';
import { RefusedError } from './refused.js';

const AT_ONCE = 64 * 1024;

/** How long a pipe that was named is waited for that nobody writes to, and how often it is looked at. */
const PIPE_WAIT_MS = 1000;
const PIPE_POLL_MS = 10;

export interface InputOptions {
  /** More bytes are refused. */
  max: number;
  /** The error of what has more; `length`: as far as it was seen. */
  tooLong?: (length: number) => Error;
}

/**
 * Reads to its end what a person gave the program to read: stdin (0), or what they named, which may be a pipe as
 * well as a file. A pipe is waited for as long as somebody has it open to write. Not for paths that anything on disk
 * says. Throws system errors, RefusedError `ENOTREG` for a pipe that nobody writes to, and what `tooLong` gives, else
 * RefusedError `EFBIG`.
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

/** What is no file may have no end (a device), or no beginning (a pipe). */
function readWhole(fd: number, name: string, { max, tooLong = tooLongFor(max) }: InputOptions): Buffer {
  const stats = fstatSync(fd);
  if (stats.size > max) throw tooLong(stats.size);
  const chunks: Buffer[] = [];
  let length = 0;
  let waited = 0;
  while (length <= max) {
    const chunk = Buffer.allocUnsafe(AT_ONCE);
    const count = readNow(fd, chunk);
    // A pipe that was opened without waiting is at its end before anybody has opened it to write.
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
  return () => new RefusedError('EFBIG', `there are more than the ${max} bytes that are read`);
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
