import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { at, Directories, linkOnTheWay, O_PATH } from './directories.js';
import { kindOf, OpenFile } from './open-file.js';
import { parentOf } from './paths.js';
import { mayRead, maySearch, type Reader } from './reader.js';
import { RefusedError } from './refused.js';
import { textOf } from './walk.js';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;

/** As the kernel has it for one path (path_resolution(7)). */
const MOST_LINKS = 40;
/** Each directory on the way down stays open. */
export const MOST_LEVELS = 200;
/** Entries per read. */
const AT_ONCE = 4096;

export interface BeneathOptions {
  /** As in `openFile`: a directory above the top, or the top itself, whose path is then followed. */
  below: string;
  /** Nothing is shown that this user could not read. Undefined: as the system says. */
  as?: Reader;
  /** The names from the top to the place that an absolute path of a link means; undefined if it is not below the top. */
  inside?: (path: string) => readonly string[] | undefined;
}

/** What a name leads to. */
export interface Beneath {
  /** The names that lead there from the top without links. */
  readonly names: readonly string[];
  readonly stat: Stats;
  /** Of a link that was not followed, as written. */
  readonly target?: string;
}

interface Level {
  readonly name: string;
  readonly fd: number;
  readonly stat: Stats;
}

/**
 * The tree below a directory that others may write. Each path is walked by open directories from the top, and `..` and
 * links are resolved here, not by the system: whatever is renamed or linked meanwhile, no way leads out of the tree. Names
 * are bytes, in strings of latin1. The directories of the last path stay open for the next one. Close it. Everything
 * throws system errors, and RefusedError: `ELINK` for what leads out, `ENOTREADER`, `ENOTREG`.
 */
export class TreeBeneath {
  readonly #path: string;
  readonly #options: BeneathOptions;
  readonly #directories = new Directories();
  readonly #levels: Level[];

  constructor(path: string, options: BeneathOptions) {
    this.#path = path;
    this.#options = options;
    try {
      const fd = this.#directories.below(options.below, path);
      const top = { name: '', fd, stat: fstatSync(fd) };
      if (options.as !== undefined) checkWay(path, fd, options.as);
      this.#levels = [top];
    } catch (error) {
      this.#directories.close();
      throw error;
    }
  }

  /** What the names lead to; a link at their end is followed if `follow`. Undefined if there is nothing. */
  look(names: readonly string[], follow: boolean): Beneath | undefined {
    const { directory, name, names: way } = this.#walk(names, follow);
    if (name === undefined) return { names: way, stat: directory.stat };
    this.#search(directory);
    const path = at(directory.fd, name, 'latin1');
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const target = stat.isSymbolicLink() ? readlinkSync(path, 'latin1') : undefined;
    return { names: [...way, name], stat, target };
  }

  /** The entries of a directory, at most `max`, in no order; those that vanish are left out. */
  list(names: readonly string[], max: number): { entries: Beneath[]; complete: boolean } {
    const { directory, names: way } = this.#walk(names, true, true);
    const { as } = this.#options;
    if (as !== undefined && !mayRead(directory.stat, as)) throw this.#notReader(way, as, 'list');
    this.#search(directory);
    const entries: Beneath[] = [];
    const bufferSize = Math.min(AT_ONCE, max + 1);
    const open = opendirSync(`/proc/self/fd/${directory.fd}`, { bufferSize, encoding: 'latin1' as never });
    try {
      for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
        if (entries.length === max) return { entries, complete: false };
        const path = at(directory.fd, entry.name, 'latin1');
        const stat = lstatSync(path, { throwIfNoEntry: false });
        if (stat === undefined) continue;
        const target = stat.isSymbolicLink() ? targetOf(path) : undefined;
        entries.push({ names: [...way, entry.name], stat, target });
      }
    } finally {
      open.closeSync();
    }
    return { entries, complete: true };
  }

  /** Opens a regular file; a link at the end is followed if `follow`. Nothing else is opened, and nothing blocks. */
  open(names: readonly string[], follow: boolean): OpenFile {
    const { directory, name, names: way } = this.#walk(names, follow);
    const path = this.pathOf(name === undefined ? way : [...way, name]);
    if (name === undefined) throw new RefusedError('ENOTREG', `${path} is a directory, not a regular file`);
    this.#search(directory);
    const entry = at(directory.fd, name, 'latin1');
    // Opening a device may have effects, so it is looked at first; what is opened is checked again.
    checkKind(path, lstatSync(entry));
    const fd = openUnlinked(entry, path);
    try {
      const stat = fstatSync(fd);
      checkKind(path, stat);
      const { as } = this.#options;
      if (as !== undefined && !mayRead(stat, as)) throw this.#notReader([...way, name], as, 'read');
      return new OpenFile(path, fd, stat);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** For messages. */
  pathOf(names: readonly string[]): string {
    return [this.#path, ...names.map(textOf)].join('/');
  }

  close(): void {
    for (const { fd } of this.#levels.splice(1)) closeSync(fd);
    this.#directories.close();
  }

  /**
   * The directory that holds the last name, and that name; without a name, the directory itself. The names are followed
   * to their end if `enter`.
   */
  #walk(
    names: readonly string[],
    follow: boolean,
    enter = false,
  ): { directory: Level; name?: string; names: string[] } {
    const levels = this.#levels;
    // The directories of the last path that are on this way, too.
    let same = 0;
    while (same < names.length - 1 && levels[same + 1]?.name === names[same]) same++;
    this.#leave(same + 1);
    const pending = names.slice(same).reverse();
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (levels.length === 1) throw this.#leadsOut(names, '..');
        this.#leave(levels.length - 1);
        continue;
      }
      const directory = levels.at(-1) as Level;
      const isLast = pending.every((each) => each === '' || each === '.');
      if (isLast && !follow) return { directory, name, names: this.#way() };
      this.#search(directory);
      const entry = at(directory.fd, name, 'latin1');
      const stat = lstatSync(entry, { throwIfNoEntry: false });
      if (stat?.isSymbolicLink()) {
        links++;
        if (links > MOST_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
        const target = readlinkSync(entry, 'latin1');
        let way: readonly string[] | undefined = target.split('/');
        if (target.startsWith('/')) {
          way = this.#options.inside?.(target);
          if (way === undefined) throw this.#leadsOut([...this.#way(), name], target);
          this.#leave(1);
        }
        for (const each of [...way].reverse()) pending.push(each);
        continue;
      }
      if (isLast && !enter) return { directory, name, names: this.#way() };
      this.#enter(name, entry);
    }
    return { directory: levels.at(-1) as Level, names: this.#way() };
  }

  #enter(name: string, entry: string | Buffer): void {
    if (this.#levels.length > MOST_LEVELS) {
      throw Object.assign(new Error('there are too many directories in each other'), {
        code: 'ENAMETOOLONG',
      });
    }
    let fd: number;
    try {
      fd = openSync(entry, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } catch (error) {
      // It was a directory when it was looked at.
      if (errnoOf(error) === 'ENOTDIR' && lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw linkOnTheWay(this.pathOf([...this.#way(), name]));
      }
      throw error;
    }
    this.#levels.push({ name, fd, stat: fstatSync(fd) });
  }

  /** Leaves all but the first directories. */
  #leave(count: number): void {
    for (const { fd } of this.#levels.splice(count)) closeSync(fd);
  }

  #way(): string[] {
    return this.#levels.slice(1).map(({ name }) => name);
  }

  #search({ stat }: Level): void {
    const { as } = this.#options;
    if (as !== undefined && !maySearch(stat, as)) throw this.#notReader(this.#way(), as, 'enter');
  }

  #notReader(names: readonly string[], { uid }: Reader, what: string): RefusedError {
    return new RefusedError(
      'ENOTREADER',
      `uid ${uid}, whose task it is, may not ${what} ${this.pathOf(names)}`,
    );
  }

  #leadsOut(names: readonly string[], target: string): RefusedError {
    const way = target === '..' ? 'it has more `..` than names' : `it is a link to ${textOf(target)}`;
    return new RefusedError('ELINK', `${this.pathOf(names)} leads out of ${this.#path}: ${way}`);
  }
}

/** Could the user come to the directory? The kernel's path of an open directory has no links. */
function checkWay(path: string, fd: number, reader: Reader): void {
  const real = readlinkSync(`/proc/self/fd/${fd}`);
  for (let directory = parentOf(real); ; directory = parentOf(directory)) {
    const way = statSync(directory, { throwIfNoEntry: false });
    if (way !== undefined && !maySearch(way, reader)) {
      const why = `uid ${reader.uid}, whose task it is, may not enter ${directory}`;
      throw new RefusedError('ENOTREADER', `${path} is not opened: ${why}`);
    }
    if (directory === '/') return;
  }
}

/** Opens what is no link, without waiting for anything. */
function openUnlinked(entry: string | Buffer, path: string): number {
  try {
    return openSync(entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw linkOnTheWay(path);
    if (errnoOf(error) === 'ENXIO') throw new RefusedError('ENOTREG', `${path} is not a regular file`);
    throw error;
  }
}

function checkKind(path: string, stat: Stats): void {
  if (stat.isSymbolicLink()) throw linkOnTheWay(path);
  if (!stat.isFile()) throw new RefusedError('ENOTREG', `${path} is ${kindOf(stat)}, not a regular file`);
}

/** Undefined if it vanished. */
function targetOf(link: string | Buffer): string | undefined {
  try {
    return readlinkSync(link, 'latin1');
  } catch {
    return undefined;
  }
}
