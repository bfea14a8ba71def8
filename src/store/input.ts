import { closeSync, openSync, readSync } from 'node:fs';
import { RefusedError } from './refused.js';

const AT_ONCE = 64 * 1024;

/**
 * Reads to its end what a person gave the program to read: stdin (0), or what they named, which may be a pipe as
 * well as a file. That is waited for, as long as it takes. Not for paths that anything on disk says. Throws system
 * errors, and RefusedError `EFBIG` if there are more than `max` bytes.
 */
export function readInput(from: 0 | string, max: number): string {
  const fd = from === 0 ? 0 : openSync(from, 'r');
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(AT_ONCE);
      const count = readSync(fd, chunk);
      if (count === 0) return Buffer.concat(chunks, length).toString('utf8');
      length += count;
      if (length > max) throw new RefusedError('EFBIG', `there are more than the ${max} bytes that are read`);
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}
