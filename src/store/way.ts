import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isSticky, othersMayWrite } from '../host/mode.js';
import { at, linkOnTheWay, O_PATH } from './directories.js';

const { O_DIRECTORY, O_NOFOLLOW } = constants;

export interface WayOptions {
  /** Whose links are followed: where somebody else may lay one, it could lead us anywhere. */
  trusted: ReadonlySet<number>;
  /** Makes what is missing, each directory by this; called with its path for a system call. */
  make?: (path: string | Buffer) => void;
}

/**
 * Opens a directory by walking to it from `/`, and makes what is missing if asked to. A link on the way is followed
 * only if it belongs to a trusted user and lies where nobody else can put one. The descriptor is the caller's, and
 * stands for the directory whatever its path leads to by then. `made`: the last one was not there. Throws system
 * errors, and RefusedError `ELINK`.
 */
export function openWay(path: string, options: WayOptions): { fd: number; made: boolean } {
  let fd = openSync('/', O_PATH | O_DIRECTORY);
  let made = false;
  let walked = '';
  try {
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      walked += `/${name}`;
      const entry = at(fd, name);
      made = false;
      if (options.make !== undefined && lstatSync(entry, { throwIfNoEntry: false }) === undefined) {
        made = attempt(() => options.make?.(entry));
      }
      const next = openNext(fd, entry, walked, options.trusted);
      closeSync(fd);
      fd = next;
    }
    return { fd, made };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** False if somebody else was quicker. */
function attempt(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function openNext(fd: number, entry: string | Buffer, walked: string, trusted: ReadonlySet<number>): number {
  const stat = lstatSync(entry);
  if (!stat.isSymbolicLink()) return openSync(entry, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!trusted.has(stat.uid) || !isOnlyOf(fstatSync(fd), trusted)) throw linkOnTheWay(walked);
  return openSync(entry, O_PATH | O_DIRECTORY);
}

/** Can nobody else exchange what trusted users have put into the directory? */
function isOnlyOf({ uid, mode }: Stats, trusted: ReadonlySet<number>): boolean {
  return trusted.has(uid) && (!othersMayWrite(mode) || isSticky(mode));
}
