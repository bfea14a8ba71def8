import { closeSync, constants, fchownSync, fstatSync, openSync } from 'node:fs';
import { isShortage } from '../../errors/shortage.js';
import type { Account } from '../../host/accounts.js';
import { makeDirectory } from '../../host/make-directory.js';
import { OPEN_TO_ALL, underUmask } from '../../host/umask.js';
import { openWay } from '../../store/way.js';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Creates those parts of LOG_DIR/PROCESS/RUN that are in directories of other users. As in the original, only the last
 * one is given to the user, because the owner of those above could move the logs. Parts in a directory of the user's own
 * (older versions gave away all of them) are left to the user. Follows no link, because it may be a trap for root. Throws only if
 * the machine is short of something, also after `patiently`.
 */
export function makeLogDirectory(
  logs: string,
  user: Pick<Account, 'uid' | 'gid'>,
  patiently: (act: () => void) => void = (act) => act(),
): void {
  try {
    patiently(() => make(logs, user));
  } catch (error) {
    if (isShortage(error)) throw error;
    // Missing, not a directory or not accessible to root: the user's own attempt will report it.
  }
}

function make(logs: string, { uid, gid }: Pick<Account, 'uid' | 'gid'>): void {
  const parts = logs.split('/');
  const below = parts.splice(-3);
  let fd: number | undefined;
  try {
    fd = openWay(parts.join('/') || '/', { trusted: new Set([0]) }).fd;
    for (const [i, part] of below.entries()) {
      const isUsers = fstatSync(fd).uid === uid;
      const isLast = i === below.length - 1;
      const path = `/proc/self/fd/${fd}/${part}`;
      // The user needs access to the last one.
      if (!isUsers && isLast) makeDirectory(path);
      else if (!isUsers) underUmask(OPEN_TO_ALL, () => makeDirectory(path));
      const inner = openSync(path, DIRECTORY | constants.O_NOFOLLOW);
      closeSync(fd);
      fd = inner;
      if (!isUsers && isLast) fchownSync(fd, uid, gid);
    }
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
