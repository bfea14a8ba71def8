import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { errnoOf } from '../../errors/errors.js';
import type { Account } from './job.js';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Makes for a user what of LOG_DIR/PROCESS/RUN lies in directories of others: the original's runner makes them as
 * root and gives the user only the last. What lies in a directory of the user's own is left to the user, and no link
 * is followed: it may have been laid to lead root astray.
 */
export function makeLogDirectory(logs: string, { uid, gid }: Account): void {
  const parts = logs.split('/');
  const below = parts.splice(-3);
  let fd: number | undefined;
  try {
    fd = openSync(parts.join('/') || '/', DIRECTORY);
    for (const [i, part] of below.entries()) {
      const isUsers = fstatSync(fd).uid === uid;
      const path = `/proc/self/fd/${fd}/${part}`;
      const made = !isUsers && make(path);
      const inner = openSync(path, DIRECTORY | constants.O_NOFOLLOW);
      closeSync(fd);
      fd = inner;
      if (made || (!isUsers && i === below.length - 1)) fchownSync(fd, uid, gid);
    }
  } catch {
    // It is not there, or no directory, or not for root to look at: the user will see.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function make(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o755 });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}
