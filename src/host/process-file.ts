import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isShortage } from '../errors/shortage.js';

/** Longer than `stat`, `statm`, `io` and `smaps_rollup`: their numbers have at most 20 digits. */
const buffer = Buffer.allocUnsafeSlow(4096);

/**
 * The text of a small file of a process; undefined if the process is gone, or it may not be read. Half of the cost of
 * `readFileSync`. Throws the system error if the machine is too short of something to know.
 */
export function processFile(path: string): string | undefined {
  const fd = openProcessFile(path);
  if (fd === undefined) return undefined;
  try {
    return readProcessFile(fd);
  } finally {
    closeSync(fd);
  }
}

/** As `processFile`, for who reads it more than once. */
export function openProcessFile(path: string): number | undefined {
  return orGone(() => openSync(path, constants.O_RDONLY));
}

/** The text of such a file as it is now; undefined if its process is gone. */
export function readProcessFile(fd: number): string | undefined {
  return orGone(() => buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0)));
}

function orGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isShortage(error)) throw error;
    return undefined;
  }
}
