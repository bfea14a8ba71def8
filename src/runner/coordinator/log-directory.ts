import { closeSync, constants, fchownSync, fstatSync, openSync } from 'node:fs';
import type { Account } from '../../host/accounts.js';
import { makeDirectory } from '../../host/make-directory.js';
import { OPEN_TO_ALL, underUmask } from '../../host/umask.js';
import { openWay } from '../../store/way.js';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Makes for a user what of LOG_DIR/PROCESS/RUN lies in directories of others. As in the original only the last is given
 * to the user: whoever owns those above could move the logs. What lies in a directory of the user's own is left to the
 * user (older versions gave away all of it), and no link is followed: it may have been laid to lead root astray.
 */
export function makeLogDirectory(logs: string, { uid, gid }: Pick<Account, 'uid' | 'gid'>): void {
  const parts = logs.split('/');
  const below = parts.splice(-3);
  let fd: number | undefined;
  try {
    fd = openWay(parts.join('/') || '/', { trusted: new Set([0]) }).fd;
    for (const [i, part] of below.entries()) {
      const isUsers = fstatSync(fd).uid === uid;
      const isLast = i === below.length - 1;
      const path = `/proc/self/fd/${fd}/${part}`;
      // The user has to get through to the last.
      if (!isUsers && isLast) makeDirectory(path);
      else if (!isUsers) underUmask(OPEN_TO_ALL, () => makeDirectory(path));
      const inner = openSync(path, DIRECTORY | constants.O_NOFOLLOW);
      closeSync(fd);
      fd = inner;
      if (!isUsers && isLast) fchownSync(fd, uid, gid);
    }
  } catch {
    // It is not there, or no directory, or not for root to look at: the user will see.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
