import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isSticky, othersMayWrite } from '../host/mode.js';
import { isWithin, nameOf, parentOf } from './paths.js';
import { RefusedError } from './refused.js';

/**
 * Opens a directory only to look up names in it (open(2)); Node has no name for this flag. It needs no
 * permission to list the directory. The number is the same on x86-64 and arm64.
 */
export const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** How many directories are kept open at once: those that many files have in common. */
const MOST_OPEN = 64;

/** How the names of a call are written: as text, or as bytes in a string of latin1. */
export type NameEncoding = 'utf8' | 'latin1';

/**
 * The path of a name in an open directory, for a system call: Node has no openat(2). `name` may hold the bytes
 * of a name that is not UTF-8 as a string of latin1, if `encoding` says so.
 */
export function at(fd: number, name: string, encoding: NameEncoding = 'utf8'): string | Buffer {
  const path = `/proc/self/fd/${fd}/${name}`;
  return encoding === 'utf8' || isAscii(name) ? path : Buffer.from(path, 'latin1');
}

/** Is the text the same in every encoding? */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the bytes of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

/**
 * Directories that stay open while a command reads many files in them. The path down from a base is walked by
 * descriptors, name by name, and no link is followed: a file is opened in the directory that was walked to, whatever
 * is renamed or linked elsewhere meanwhile. A long-running command closes them and opens them again, because a
 * directory that was replaced stays open as it was.
 */
export class Directories {
  readonly #open = new Map<string, number>();
  readonly #places = new Map<number, DirectoryPlace>();

  /**
   * A descriptor of the directory that `names` lead to from `base`. This object owns it; it is valid until `close` or
   * the next call. The path of `base` itself is followed as the system follows it. `names` are bytes, in strings of
   * latin1, if `encoding` says so. Throws system errors, and RefusedError `ELINK` for a name that is a link.
   */
  fd(base: string, names: readonly string[] = [], encoding: NameEncoding = 'utf8'): number {
    return this.below(base, names.length === 0 ? base : joined(base, names.join('/')), encoding);
  }

  /**
   * As `fd`, for an absolute path that begins with `base`. Also throws RefusedError `ELINK` for a path that is not in
   * `base`.
   */
  below(base: string, path: string, encoding: NameEncoding = 'utf8'): number {
    const known = this.#open.get(keyOf(base, path, encoding));
    if (known !== undefined) return known;
    if (!isWithin(path, base)) throw new RefusedError('ELINK', `${path} is not in ${base}`);
    if (this.#open.size >= MOST_OPEN) this.close();
    return this.#walk(base, path, encoding);
  }

  /** A descriptor of the directory at an absolute path, no name of which is a link. Throws as `below`. */
  fdWithoutLinks(path: string): number {
    return this.below('/', path);
  }

  /**
   * Opens the file at a path in `base` with these flags of open(2), to which O_NOFOLLOW is added. Throws as `below`.
   *
   * If the parent of the file's directory is already open, as with the streams of many tasks, the file is opened from
   * there, and the path that the kernel then has for it must be the one that was meant: this costs half as much as
   * opening a directory for each file. If the path is a different one, the file is opened by walking there.
   */
  openFile(base: string, path: string, flags: number, mode?: number): number {
    const slash = path.lastIndexOf('/');
    const directory = path.slice(0, slash) || '/';
    const known = this.#open.get(keyOf(base, directory, 'utf8'));
    // A file to write is opened in the directory that was walked to, whatever we ourselves replace meanwhile.
    const reads = (flags & (constants.O_RDWR | constants.O_WRONLY)) === 0;
    if (known !== undefined && reads) {
      return openSync(this.#placeOf(known).prefix + path.slice(slash), flags | O_NOFOLLOW, mode);
    }
    if (reads) {
      const around = path.lastIndexOf('/', slash - 1);
      const fd = this.#openFrom(keyOf(base, path.slice(0, around), 'utf8'), path.slice(around), flags);
      if (fd !== undefined) return fd;
    }
    const parent = known ?? this.below(base, directory);
    return openSync(at(parent, path.slice(slash + 1)), flags | O_NOFOLLOW, mode);
  }

  /** Undefined if the directory is not open, or the rest of the path cannot be opened. */
  #openFrom(key: string, rest: string, flags: number): number | undefined {
    const around = this.#open.get(key);
    if (around === undefined) return undefined;
    const place = this.#placeOf(around);
    let fd: number;
    try {
      fd = openSync(place.prefix + rest, flags | O_NOFOLLOW);
    } catch {
      return undefined;
    }
    place.asked += 1;
    if (place.asked === LISTED_FROM && place.prefix === place.real) place.links = linksIn(place.real);
    const isPlain = place.links?.has(rest.slice(1, rest.lastIndexOf('/'))) === false;
    if (isPlain || kernelPath(fd) === place.real + rest) return fd;
    closeSync(fd);
    return undefined;
  }

  #placeOf(fd: number): DirectoryPlace {
    let place = this.#places.get(fd);
    if (place === undefined) {
      const real = kernelPath(fd);
      place = { real, prefix: staysThere(fd, real) ? real : `/proc/self/fd/${fd}`, asked: 0 };
      this.#places.set(fd, place);
    }
    return place;
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
    this.#places.clear();
  }

  #walk(base: string, path: string, encoding: NameEncoding): number {
    const key = keyOf(base, path, encoding);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const name = nameOf(path);
    if (path !== base && (name === '' || name === '.')) return this.#walk(base, parentOf(path), encoding);
    if (path !== base && name === '..') {
      throw new RefusedError('ELINK', `${path} is not allowed in ${base}`);
    }
    const fd =
      path === base
        ? openSync(base, O_PATH | O_DIRECTORY)
        : enter(this.#walk(base, parentOf(path), encoding), path, encoding);
    this.#open.set(key, fd);
    return fd;
  }
}

/** Where an open directory is. */
interface DirectoryPlace {
  /** Without links. */
  real: string;
  /** The beginning of its path, for a system call. */
  prefix: string;
  /** How many files in its subdirectories were opened. */
  asked: number;
  /** The links in it, if nobody else can add one. */
  links?: ReadonlySet<string>;
}

/** From this many files on, the links in a directory are listed once and not checked for each file. */
const LISTED_FROM = 32;

/** Undefined if the directory cannot be listed. */
function linksIn(path: string): ReadonlySet<string> | undefined {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return new Set(entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name));
  } catch {
    return undefined;
  }
}

/**
 * Is the directory at its path, and can only root and ourselves replace it or one above it? Then the path is as good
 * as the descriptor, and shorter for the kernel.
 */
function staysThere(fd: number, real: string): boolean {
  const me = process.geteuid?.() ?? 0;
  const isOurs = ({ uid }: Stats) => uid === 0 || uid === me;
  try {
    const top = fstatSync(fd);
    const named = lstatSync(real);
    if (named.ino !== top.ino || named.dev !== top.dev) return false;
    if (!isOurs(top) || othersMayWrite(top.mode)) return false;
    for (let path = real; path !== '/'; path = parentOf(path)) {
      // In a directory like /tmp, only owners can replace their entries.
      const above = lstatSync(parentOf(path));
      if (!isOurs(above) || (othersMayWrite(above.mode) && !isSticky(above.mode))) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** The path that the kernel has for an open file; it contains no links. */
function kernelPath(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

function keyOf(base: string, path: string, encoding: NameEncoding): string {
  return encoding === 'utf8' ? `${base.length}${path}` : `${base.length} ${path}`;
}

/** Opens a directory in its open parent. */
function enter(fd: number, path: string, encoding: NameEncoding): number {
  const entry = at(fd, nameOf(path), encoding);
  try {
    return openSync(entry, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    // If a directory is asked for, the kernel reports ENOTDIR for a link, too.
    if (errnoOf(error) !== 'ENOTDIR' || !isLink(entry)) throw error;
    throw linkOnTheWay(path);
  }
}

function joined(base: string, rest: string): string {
  return base === '/' ? `/${rest}` : `${base}/${rest}`;
}

function isLink(path: string | Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** A descriptor by which a directory can be locked; the path is followed as the system follows it. Close it. */
export function openDirectory(path: string): number {
  return openSync(path, constants.O_RDONLY | O_DIRECTORY);
}

/** The refusal of a link, whether it is the last name of the path or not. */
export function linkOnTheWay(path: string): RefusedError {
  return new RefusedError('ELINK', `${path} is a symbolic link, and it is not followed here`);
}
