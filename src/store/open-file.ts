import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { groupsOf } from '../host/groups.js';
import { Directories, linkOnTheWay } from './directories.js';
import { parentOf } from './paths.js';
import { mayRead, maySearch, type Reader } from './reader.js';
import { anotherName, RefusedError } from './refused.js';

/**
 * `read`; `write`: an existing file, for reading and appending; `create`: as `write`, but the file is made if it does
 * not exist; `make`: as `write`, for a file that must not exist yet.
 */
export type Access = 'read' | 'write' | 'create' | 'make';

export interface OpenOptions {
  /**
   * A directory above the file. Links in its own path may be followed; below it none are, not even to directories.
   * Default: the directory that holds the file.
   */
  below?: string;
  /** Default `read`. */
  access?: Access;
  /** Throws RefusedError `ELINK` if the file has another name: then it may be somebody else's. */
  oneName?: boolean;
  /** For `create` and `make`. Default 0644. */
  mode?: number;
  /** Throws RefusedError `EFBIG` if the file has more bytes. */
  max?: number;
  /** `follow` for a path that a person named: then the last name may be a link. */
  links?: 'follow';
  /**
   * Throws RefusedError `ENOTREADER` if this user could not read the file. `owner`: the owner of the directory that
   * holds it, who may have put it there.
   */
  as?: Reader | 'owner';
  /** Directories that stay open for the next file. */
  directories?: Directories;
}

const ACCESS: Readonly<Record<Access, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_APPEND,
  create: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT,
  make: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL,
};

/** Opening never blocks, whatever the file is, and never gives us a controlling terminal. */
const NEVER_BLOCK = constants.O_NONBLOCK | constants.O_NOCTTY;

/** What stat(2) says about an open file. */
export type FileStat = Stats;

/**
 * An open regular file. The open file itself is checked, read, locked and written; the path is only for messages.
 * Close it.
 */
export class OpenFile {
  readonly path: string;
  readonly fd: number;
  /** As it was when the file was opened. */
  readonly stat: Stats;

  constructor(path: string, fd: number, stat: Stats) {
    this.path = path;
    this.fd = fd;
    this.stat = stat;
  }

  /** A descriptor that is already open; the caller closes it. */
  static of(fd: number, path: string): OpenFile {
    return new OpenFile(path, fd, fstatSync(fd));
  }

  /** As it is now. */
  statNow(): Stats {
    return fstatSync(this.fd);
  }

  /**
   * Reads `length` bytes of the file at `position` into the buffer at `offset`. Returns how many there were: fewer
   * only at the end of the file. Throws system errors.
   */
  readAt(buffer: Uint8Array, offset: number, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const count = readSync(this.fd, buffer, offset + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** The first bytes, at most `max`, up to the size of the file when it was opened. */
  read(max: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.min(max, this.stat.size));
    return buffer.subarray(0, this.readAt(buffer, 0, buffer.length, 0));
  }

  close(): void {
    closeSync(this.fd);
  }
}

/**
 * Opens a regular file that somebody else may have put there. It never blocks, never reads a device, and follows no
 * link unless asked to. Throws system errors, and RefusedError: `ENOTREG`, `ELINK`, `EFBIG`, `ENOTREADER`.
 */
export function openFile(path: string, options: OpenOptions = {}): OpenFile {
  const { access = 'read', links, max, as } = options;
  const own = options.directories === undefined ? new Directories() : undefined;
  try {
    const directories = own ?? (options.directories as Directories);
    const fd = openAt(path, options, directories);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new RefusedError('ENOTREG', `${path} is ${kindOf(stat)}, not a regular file`);
      if (max !== undefined && stat.size > max) {
        throw tooBig(path, stat.size, max);
      }
      if (options.oneName && stat.nlink > 1) throw anotherName(path);
      if (as === 'owner') checkOwner(path, stat, options, directories);
      else if (as !== undefined) checkReader(fd, path, stat, as);
      return new OpenFile(path, fd, stat);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  } catch (error) {
    // The system reports ENXIO for a socket, and for a FIFO that is opened for writing.
    if (errnoOf(error) === 'ENXIO') throw new RefusedError('ENOTREG', `${path} is not a regular file`);
    if (errnoOf(error) === 'EISDIR' && access !== 'read') {
      throw new RefusedError('ENOTREG', `${path} is a directory, not a regular file`);
    }
    // A loop in the path of `below` is an ordinary system error.
    if (errnoOf(error) === 'ELOOP' && links === undefined) throw linkOnTheWay(path);
    throw error;
  } finally {
    own?.close();
  }
}

function openAt(path: string, options: OpenOptions, directories: Directories): number {
  const { access = 'read', mode = 0o644, links } = options;
  const flags = ACCESS[access] | NEVER_BLOCK;
  if (links === 'follow') return openSync(path, flags, mode);
  return directories.openFile(options.below ?? parentOf(path), path, flags, mode);
}

/** The refusal of a file that is longer than anything of its kind. */
export function tooBig(path: string, size: number, max: number): RefusedError {
  return new RefusedError('EFBIG', `${path} has ${size} bytes, more than the ${max} that are read`);
}

/** Opens a file, hands it to `use` and closes it. Throws as `openFile`, and what `use` throws. */
export function useFile<T>(path: string, options: OpenOptions, use: (file: OpenFile) => T): T {
  const file = openFile(path, options);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/** The first bytes of a file as text, `max` at most: a longer file is refused. Throws as `openFile`. */
export function readText(path: string, options: OpenOptions & { max: number }): string {
  return useFile(path, options, (file) => file.read(options.max).toString('utf8'));
}

/** Only matters for root: nobody else can read a file against its mode. */
function checkOwner(path: string, stat: Stats, { below }: OpenOptions, directories: Directories): void {
  if ((stat.mode & 0o004) !== 0 || process.geteuid?.() !== 0) return;
  const directory = parentOf(path);
  const { uid } = fstatSync(directories.below(below ?? directory, directory));
  if (uid === 0 || uid === stat.uid) return;
  const reader = { uid, groups: () => groupsOf(uid) };
  if (!mayRead(stat, reader)) throw notReader(path, reader, 'its owner and mode say who may read it');
}

/** The kernel's path of an open file contains no links: the user must be able to search each directory in it. */
function checkReader(fd: number, path: string, stat: Stats, reader: Reader): void {
  if (!mayRead(stat, reader)) throw notReader(path, reader, 'its owner and mode say who may read it');
  const real = readlinkSync(`/proc/self/fd/${fd}`).replace(/ \(deleted\)$/, '');
  for (let directory = parentOf(real); ; directory = parentOf(directory)) {
    const way = statSync(directory, { throwIfNoEntry: false });
    if (way !== undefined && !maySearch(way, reader)) {
      throw notReader(path, reader, `it may not enter ${directory}`);
    }
    if (directory === '/') return;
  }
}

function notReader(path: string, { uid }: Reader, why: string): RefusedError {
  return new RefusedError(
    'ENOTREADER',
    `uid ${uid} claims that ${path} is its own, but may not read it: ${why}`,
  );
}

/** What is not a regular file, in words. */
export function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a directory';
  if (stat.isFIFO()) return 'a FIFO';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}
