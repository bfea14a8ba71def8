import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
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

/** What something is, as stat(2) and directories say it. */
export type FileKind = Pick<
  Stats,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'isBlockDevice'
>;

export interface NamedKind {
  readonly name: string;
  readonly kind: FileKind;
}

interface PathLevel {
  readonly name: string;
  /** For messages. */
  readonly path: string;
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
  readonly #levels: PathLevel[];

  constructor(path: string, options: BeneathOptions) {
    this.#path = path;
    this.#options = options;
    try {
      const fd = this.#directories.below(options.below, path);
      const top = { name: '', path, fd, stat: fstatSync(fd) };
      if (options.as !== undefined) checkWay(path, fd, options.as);
      this.#levels = [top];
    } catch (error) {
      this.#directories.close();
      throw error;
    }
  }

  /** What the names lead to; a link at their end is followed if `follow`. Undefined if there is nothing. */
  look(names: readonly string[], follow: boolean): Beneath | undefined {
    const name = this.#walk(names, follow);
    const way = this.#way();
    if (name === undefined) return { names: way, stat: this.#last.stat };
    const path = at(this.#search(), name, 'latin1');
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const target = stat.isSymbolicLink() ? this.#targetOf(path, name) : undefined;
    return { names: [...way, name], stat, target };
  }

  /** The entries of a directory, at most `max`, in no order; those that vanish are left out. */
  list(names: readonly string[], max: number): { entries: Beneath[]; complete: boolean } {
    const { kinds, complete } = this.kinds(names, max);
    const way = this.#way();
    const entries: Beneath[] = [];
    for (const { name } of kinds) {
      const path = at(this.#last.fd, name, 'latin1');
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      const target = stat.isSymbolicLink() ? targetOf(path) : undefined;
      entries.push({ names: [...way, name], stat, target });
    }
    return { entries, complete };
  }

  /** As `list`, but only names and kinds: nothing is asked about each entry if the file system lists kinds. */
  kinds(names: readonly string[], max: number): { kinds: NamedKind[]; complete: boolean } {
    this.#walk(names, true, true);
    const { as } = this.#options;
    if (as !== undefined && !mayRead(this.#last.stat, as)) throw notReader(this.#last.path, as, 'list');
    const fd = this.#search();
    const kinds: NamedKind[] = [];
    const bufferSize = Math.min(AT_ONCE, max + 1);
    const open = opendirSync(`/proc/self/fd/${fd}`, { bufferSize, encoding: 'latin1' as never });
    try {
      for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
        if (kinds.length === max) return { kinds, complete: false };
        kinds.push({ name: entry.name, kind: entry });
      }
      return { kinds, complete: true };
    } catch (error) {
      // If the file system does not report kinds, Node calls lstat for each name, and knows no bytes of names.
      if ((error as NodeJS.ErrnoException).syscall !== 'lstat') throw error;
      return kindsOneByOne(fd, max);
    } finally {
      open.closeSync();
    }
  }

  /**
   * Opens a regular file, as `look` or `kinds` just found it: opening a device may have effects, so it is not tried with
   * anything else. A link is not followed, and nothing blocks.
   */
  open(names: readonly string[]): OpenFile {
    const name = this.#walk(names, false);
    const path = name === undefined ? this.#last.path : `${this.#last.path}/${textOf(name)}`;
    if (name === undefined) throw new RefusedError('ENOTREG', `${path} is a directory, not a regular file`);
    const fd = openUnlinked(at(this.#search(), name, 'latin1'), path);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new RefusedError('ENOTREG', `${path} is ${kindOf(stat)}, not a regular file`);
      const { as } = this.#options;
      if (as !== undefined && !mayRead(stat, as)) throw notReader(path, as, 'read');
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
   * Walks to the directory that holds the last name, which is then `#last`, and returns that name; undefined if the names
   * lead to `#last` itself, as they do to their end if `enter`.
   */
  #walk(names: readonly string[], follow: boolean, enter = false): string | undefined {
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
        if (levels.length === 1) throw this.#leadsOut(this.pathOf(names), 'it has more .. than names');
        this.#leave(levels.length - 1);
        continue;
      }
      const isLast = pending.every((each) => each === '' || each === '.');
      if (isLast && !follow) return name;
      const entry = at(this.#search(), name, 'latin1');
      if (lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink()) {
        links++;
        if (links > MOST_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
        for (const each of this.#follow(entry, name)) pending.push(each);
        continue;
      }
      if (isLast && !enter) return name;
      this.#enter(name, entry);
    }
    return undefined;
  }

  /** The names that a link leads on with, the last one first. */
  #follow(entry: string | Buffer, name: string): string[] {
    const target = this.#targetOf(entry, name);
    if (!target.startsWith('/')) return target.split('/').reverse();
    const inside = this.#options.inside?.(target);
    const path = `${this.#last.path}/${textOf(name)}`;
    if (inside === undefined) throw this.#leadsOut(path, `it is a link to ${textOf(target)}`);
    this.#leave(1);
    return [...inside].reverse();
  }

  #targetOf(entry: string | Buffer, name: string): string {
    try {
      return readlinkSync(entry, 'latin1');
    } catch (error) {
      // It was a link when it was looked at.
      if (errnoOf(error) === 'EINVAL') throw linkOnTheWay(`${this.#last.path}/${textOf(name)}`);
      throw error;
    }
  }

  #enter(name: string, entry: string | Buffer): void {
    if (this.#levels.length > MOST_LEVELS) {
      throw Object.assign(new Error('directories are nested too deeply'), {
        code: 'ENAMETOOLONG',
      });
    }
    const path = `${this.#last.path}/${textOf(name)}`;
    let fd: number;
    try {
      fd = openSync(entry, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } catch (error) {
      // It was a directory when it was looked at.
      if (errnoOf(error) === 'ENOTDIR' && lstatSync(entry, { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw linkOnTheWay(path);
      }
      throw error;
    }
    this.#levels.push({ name, path, fd, stat: fstatSync(fd) });
  }

  /** Leaves all but the first directories. */
  #leave(count: number): void {
    for (const { fd } of this.#levels.splice(count)) closeSync(fd);
  }

  get #last(): PathLevel {
    return this.#levels.at(-1) as PathLevel;
  }

  #way(): string[] {
    return this.#levels.slice(1).map(({ name }) => name);
  }

  /** The directory that was walked to, to look up a name in it. */
  #search(): number {
    const { as } = this.#options;
    const { path, fd, stat } = this.#last;
    if (as !== undefined && !maySearch(stat, as)) throw notReader(path, as, 'enter');
    return fd;
  }

  #leadsOut(path: string, why: string): RefusedError {
    return new RefusedError('ELINK', `${path} leads out of ${this.#path}: ${why}`);
  }
}

function notReader(path: string, { uid }: Reader, what: string): RefusedError {
  return new RefusedError('ENOTREADER', `the task's user (uid ${uid}) may not ${what} ${path}`);
}

/** Could the user come to the directory? The kernel's path of an open directory has no links. */
function checkWay(path: string, fd: number, reader: Reader): void {
  const real = readlinkSync(`/proc/self/fd/${fd}`);
  for (let directory = parentOf(real); ; directory = parentOf(directory)) {
    const way = statSync(directory, { throwIfNoEntry: false });
    if (way !== undefined && !maySearch(way, reader)) {
      const why = `the task's user (uid ${reader.uid}) may not enter ${directory}`;
      throw new RefusedError('ENOTREADER', `${path} is not opened: ${why}`);
    }
    if (directory === '/') return;
  }
}

/** Opens what is not a link, without waiting for anything. */
function openUnlinked(entry: string | Buffer, path: string): number {
  try {
    return openSync(entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw linkOnTheWay(path);
    if (errnoOf(error) === 'ENXIO') throw new RefusedError('ENOTREG', `${path} is not a regular file`);
    throw error;
  }
}

function kindsOneByOne(fd: number, max: number): { kinds: NamedKind[]; complete: boolean } {
  const names = readdirSync(`/proc/self/fd/${fd}`, 'latin1');
  const kinds: NamedKind[] = [];
  for (const name of names.slice(0, max)) {
    const kind = lstatSync(at(fd, name, 'latin1'), { throwIfNoEntry: false });
    if (kind !== undefined) kinds.push({ name, kind });
  }
  return { kinds, complete: names.length <= max };
}

/** Undefined if it vanished. */
function targetOf(link: string | Buffer): string | undefined {
  try {
    return readlinkSync(link, 'latin1');
  } catch {
    return undefined;
  }
}
