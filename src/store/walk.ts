import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isSame } from '../host/file-identity.js';
import { at, isAscii } from './directories.js';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Refused because something is different from what it was when it was checked. */
export class ChangedError extends Error {
  readonly code = 'ECHANGED';
}

/** The path of a name of bytes, in latin1, in an open directory. */
function entryAt(fd: number, name: string): string | Buffer {
  return at(fd, name, 'latin1');
}

/** The bytes of a name on disk, in latin1. */
export function bytesOf(text: string): string {
  if (isAscii(text)) return text;
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The reverse, for people. */
export function textOf(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export interface Visitor {
  /** Anything but a directory. `path` is for system calls; `names` lead there from the top, which has none. */
  file(path: string | Buffer, stat: Stats, names: readonly string[]): void;
  /** Called before a directory is entered; throws if it must not be. */
  enter?(fd: number, stat: Stats, names: readonly string[]): void;
  /** Called after everything in a directory; `path` names the directory in its parent. */
  leave(path: string | Buffer, stat: Stats, names: readonly string[]): void;
  /** An entry that could not be read, entered or handled. The error concerns only this entry. */
  failed(error: unknown, names: readonly string[]): void;
}

interface Level {
  fd: number | undefined;
  stat: Stats;
  entries: string[];
  next: number;
}

/** Outer directories are closed while deeper ones are walked: a tree may be deeper than the limit of open files. */
const MOST_DEEP = 128;

/**
 * Visits `name` in an open directory and the tree below it, each directory after its entries. The walk uses open
 * directories: a name is looked up in the directory that was checked, whatever is renamed or linked elsewhere
 * meanwhile. Names are bytes, in strings of latin1, because a tree may have names that are not UTF-8. No link is
 * followed. What vanished is skipped. `last` names entries of the top that are visited last.
 */
export function walk(parent: number, name: string, visitor: Visitor, last: readonly string[] = []): void {
  const levels: Level[] = [];
  const names: string[] = [];
  const visit = (directory: number, entry: string): void => {
    const path = entryAt(directory, entry);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      visitor.file(path, stat, names);
      return;
    }
    const fd = openSync(path, OPEN_DIRECTORY);
    try {
      if (!isSame(fstatSync(fd), stat)) throw new ChangedError('it was replaced');
      visitor.enter?.(fd, stat, names);
      const entries = readdirSync(`/proc/self/fd/${fd}`, 'latin1');
      if (levels.length === 0) for (const late of last) moveToEnd(entries, late);
      levels.push({ fd, stat, entries, next: 0 });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    const shallow = levels[levels.length - 1 - MOST_DEEP];
    if (shallow?.fd !== undefined) {
      closeSync(shallow.fd);
      shallow.fd = undefined;
    }
  };
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') visitor.failed(error, names);
    }
  };
  try {
    attempt(() => visit(parent, name));
    while (levels.length > 0) {
      const level = levels[levels.length - 1] as Level;
      const entry = level.entries[level.next];
      if (entry !== undefined) {
        level.next += 1;
        const depth = levels.length;
        names.push(entry);
        attempt(() => visit(level.fd as number, entry));
        if (levels.length === depth) names.pop();
        continue;
      }
      const above = levels[levels.length - 2];
      if (above !== undefined && above.fd === undefined) above.fd = reopen(level.fd as number, above.stat);
      levels.pop();
      closeSync(level.fd as number);
      level.fd = undefined;
      attempt(() =>
        visitor.leave(
          entryAt(above?.fd ?? parent, above === undefined ? name : (names.at(-1) as string)),
          level.stat,
          names,
        ),
      );
      names.pop();
    }
  } finally {
    for (const { fd } of levels) if (fd !== undefined) closeSync(fd);
  }
}

/** The parent of an open directory, if it is still the same one. */
function reopen(fd: number, stat: Stats): number {
  const above = openSync(entryAt(fd, '..'), OPEN_DIRECTORY);
  if (isSame(fstatSync(above), stat)) return above;
  closeSync(above);
  throw new ChangedError('a directory was moved while it was read');
}

function moveToEnd(entries: string[], name: string): void {
  const index = entries.indexOf(name);
  if (index === -1) return;
  entries.splice(index, 1);
  entries.push(name);
}
