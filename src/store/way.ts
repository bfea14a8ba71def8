import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isSticky, othersMayWrite } from '../host/mode.js';
import { at, linkOnTheWay, O_PATH } from './directories.js';

const { O_DIRECTORY, O_NOFOLLOW } = constants;

export interface WayOptions {
  /** The users whose links are followed: a link of anybody else could lead us anywhere. */
  trusted: ReadonlySet<number>;
  /** Makes each missing directory; called with its path for a system call. */
  make?: (path: string | Buffer) => void;
}

/**
 * Opens a directory by walking to it from `/`, and makes missing ones if asked to. A link on the way is followed only
 * if it belongs to a trusted user and is in a directory where nobody else can put one. The caller owns the descriptor,
 * which refers to the directory whatever its path leads to by then. `made`: the last directory was missing. Throws
 * system errors, and RefusedError `ELINK`.
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

/** False if somebody else made it first. */
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

/** Can only trusted users replace what trusted users have put into the directory? */
function isOnlyOf({ uid, mode }: Stats, trusted: ReadonlySet<number>): boolean {
  return trusted.has(uid) && (!othersMayWrite(mode) || isSticky(mode));
}
