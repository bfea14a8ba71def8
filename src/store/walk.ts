import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  type Stats,
} from 'node:fs';
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
  /** Called before a directory is entered. `skip` passes over it without a word; throws if it must not be entered. */
  enter?(fd: number, stat: Stats, names: readonly string[]): 'skip' | undefined;
  /** Called after everything in a directory; `path` names the directory in its parent. */
  leave(path: string | Buffer, stat: Stats, names: readonly string[]): void;
  /** An entry that could not be read, entered or handled. The error concerns only this entry. */
  failed(error: unknown, names: readonly string[]): void;
}

/** An entry of a listing. `kind`: as the listing reports it, which is only a hint. */
interface WalkEntry {
  name: string;
  kind: 'directory' | 'other' | 'unknown';
}

interface WalkLevel {
  fd: number | undefined;
  stat: Stats;
  entries: readonly WalkEntry[];
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
  new Walk(parent, name, visitor, last).run();
}

class Walk {
  readonly #parent: number;
  readonly #name: string;
  readonly #visitor: Visitor;
  readonly #last: readonly string[];
  readonly #levels: WalkLevel[] = [];
  readonly #names: string[] = [];

  constructor(parent: number, name: string, visitor: Visitor, last: readonly string[]) {
    this.#parent = parent;
    this.#name = name;
    this.#visitor = visitor;
    this.#last = last;
  }

  run(): void {
    const levels = this.#levels;
    try {
      this.#visit(this.#parent, { name: this.#name, kind: 'unknown' });
      while (levels.length > 0) {
        const level = levels[levels.length - 1] as WalkLevel;
        const entry = level.entries[level.next];
        if (entry === undefined) {
          this.#leave(level);
          continue;
        }
        level.next += 1;
        const depth = levels.length;
        this.#names.push(entry.name);
        this.#visit(level.fd as number, entry);
        if (levels.length === depth) this.#names.pop();
      }
    } finally {
      for (const { fd } of levels) if (fd !== undefined) closeSync(fd);
    }
  }

  #visit(directory: number, { name, kind }: WalkEntry): void {
    try {
      const path = entryAt(directory, name);
      if (kind === 'directory' && this.#enter(path)) return;
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return;
      if (!stat.isDirectory()) this.#visitor.file(path, stat, this.#names);
      else if (!this.#enter(path, stat)) throw new ChangedError('it was replaced');
    } catch (error) {
      this.#failed(error);
    }
  }

  /** False if it is not a directory, or not the expected one. */
  #enter(path: string | Buffer, expected?: Stats): boolean {
    const fd = openIfDirectory(path);
    if (fd === undefined) return false;
    let entered = false;
    try {
      const stat = fstatSync(fd);
      if (expected !== undefined && !isSame(stat, expected)) return false;
      if (this.#visitor.enter?.(fd, stat, this.#names) === 'skip') return true;
      const entries = list(fd);
      if (this.#levels.length === 0) for (const late of this.#last) moveToEnd(entries, late);
      this.#levels.push({ fd, stat, entries, next: 0 });
      entered = true;
    } finally {
      if (!entered) closeSync(fd);
    }
    const shallow = this.#levels[this.#levels.length - 1 - MOST_DEEP];
    if (shallow?.fd !== undefined) {
      closeSync(shallow.fd);
      shallow.fd = undefined;
    }
    return true;
  }

  /** Throws if the way back is lost. */
  #leave(level: WalkLevel): void {
    const above = this.#levels[this.#levels.length - 2];
    if (above !== undefined && above.fd === undefined) above.fd = reopen(level.fd as number, above.stat);
    this.#levels.pop();
    closeSync(level.fd as number);
    level.fd = undefined;
    const name = above === undefined ? this.#name : (this.#names.at(-1) as string);
    try {
      this.#visitor.leave(entryAt(above?.fd ?? this.#parent, name), level.stat, this.#names);
    } catch (error) {
      this.#failed(error);
    }
    this.#names.pop();
  }

  #failed(error: unknown): void {
    if (errnoOf(error) !== 'ENOENT') this.#visitor.failed(error, this.#names);
  }
}

/** Undefined if it is a link or a file. */
function openIfDirectory(path: string | Buffer): number | undefined {
  try {
    return openSync(path, OPEN_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The entries of an open directory, with their kinds if the file system reports them. */
function list(fd: number): WalkEntry[] {
  const path = `/proc/self/fd/${fd}`;
  try {
    return readdirSync(path, { encoding: 'latin1', withFileTypes: true }).map(entryOf);
  } catch (error) {
    // If the file system does not report kinds, Node calls lstat for each entry, with a path that it takes for UTF-8.
    if ((error as NodeJS.ErrnoException).syscall !== 'lstat') throw error;
    return readdirSync(path, 'latin1').map((name) => ({ name, kind: 'unknown' }));
  }
}

function entryOf(entry: Dirent): WalkEntry {
  return { name: entry.name, kind: entry.isDirectory() ? 'directory' : 'other' };
}

/** The parent of an open directory, if it is still the same one. */
function reopen(fd: number, stat: Stats): number {
  const above = openSync(entryAt(fd, '..'), OPEN_DIRECTORY);
  if (isSame(fstatSync(above), stat)) return above;
  closeSync(above);
  throw new ChangedError('a directory was moved while it was read');
}

function moveToEnd(entries: WalkEntry[], name: string): void {
  const index = entries.findIndex((entry) => entry.name === name);
  const [entry] = index === -1 ? [] : entries.splice(index, 1);
  if (entry !== undefined) entries.push(entry);
}
