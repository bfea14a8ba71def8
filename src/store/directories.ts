import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { RefusedError } from './refused.js';

/**
 * Opens a directory only to look names up in it, as open(2) has it; Node has no name for it. It needs no
 * permission to list the directory. The number is the same on x86-64 and arm64.
 */
export const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** How many directories are held open at once: those that many files have in common. */
const MOST_OPEN = 64;

/** How the names of a call are written: as text, or as bytes in a string of latin1. */
export type NameEncoding = 'utf8' | 'latin1';

/**
 * The path of a name in an open directory, for a system call: Node has no openat(2). `name` may hold the bytes
 * of a name that is no UTF-8 as a string of latin1, if `encoding` says so.
 */
export function at(fd: number, name: string, encoding: NameEncoding = 'utf8'): string | Buffer {
  const path = `/proc/self/fd/${fd}/${name}`;
  return encoding === 'utf8' || isAscii(name) ? path : Buffer.from(path, 'latin1');
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the bytes of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

/**
 * Directories that are open while a command looks at many files in them. The way down from a base is walked by
 * descriptors, name by name, and no name is followed if it is a link: whatever is renamed or linked elsewhere
 * meanwhile, a file is opened in the directory that was walked to. A command that runs on closes them and looks
 * again, because a directory that was replaced stays open as it was.
 */
export class Directories {
  readonly #open = new Map<string, number>();

  /**
   * A descriptor of the directory that `names` lead to from `base`; it stays this object's, until `close` or the
   * next call. The path of `base` itself is followed as the system follows it. `names` are bytes, in strings of
   * latin1, if `encoding` says so. Throws system errors, and RefusedError `ELINK` for a name that is a link.
   */
  fd(base: string, names: readonly string[] = [], encoding: NameEncoding = 'utf8'): number {
    if (this.#open.size + names.length >= MOST_OPEN) this.close();
    return this.#walk(base, names, names.length, encoding);
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #walk(base: string, names: readonly string[], depth: number, encoding: NameEncoding): number {
    const key = `${encoding}\0${base}\0${names.slice(0, depth).join('/')}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const fd =
      depth === 0
        ? openSync(base, O_PATH | O_DIRECTORY)
        : enter(this.#walk(base, names, depth - 1, encoding), base, names.slice(0, depth), encoding);
    this.#open.set(key, fd);
    return fd;
  }
}

/** Opens the last of the names in the directory that those before it have led to. */
function enter(fd: number, base: string, names: readonly string[], encoding: NameEncoding): number {
  const path = at(fd, names.at(-1) as string, encoding);
  try {
    return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    // The kernel says ENOTDIR of a link, too, if a directory is asked for.
    if (errnoOf(error) !== 'ENOTDIR' || !isLink(path)) throw error;
    throw linkOnTheWay([base === '/' ? '' : base, ...names].join('/'));
  }
}

function isLink(path: string | Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** The refusal of a link, last on the way or not. */
export function linkOnTheWay(path: string): RefusedError {
  return new RefusedError('ELINK', `${path} is a symbolic link, and it is not followed here`);
}
