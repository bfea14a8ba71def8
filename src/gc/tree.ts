/**
 * Walks and removes trees by open directories: a name is always looked up in the directory that was checked,
 * whatever is renamed or linked elsewhere meanwhile. Node has no openat(2); `/proc/self/fd/N/NAME` is the same.
 * Names are bytes, in strings of latin1, because a sandbox may hold names that are no UTF-8.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { errnoOf } from '../errors/errors.js';

/** What `stat` says that a file is itself and no other. */
export interface Identity {
  dev: number;
  ino: number;
}

export function isSame(a: Identity, b: Identity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Refused because something is not what it was when the plan was made. */
export class ChangedError extends Error {
  readonly code = 'ECHANGED';
}

/** The path of a name in an open directory, for a system call. */
export function at(fd: number, name: string): string | Buffer {
  const path = `/proc/self/fd/${fd}/${name}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the bytes of ASCII
  return /^[\x00-\x7f]*$/.test(name) ? path : Buffer.from(path, 'latin1');
}

/** Text as the bytes that name it on disk, in latin1. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The other way round, for people. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** How many directories are held open at once: those that many tasks have in common. */
const MOST_OPEN = 64;

/** Opens directories by paths without links, name by name, and keeps those that are likely asked for again. */
export class Directories {
  readonly #open = new Map<string, number>();

  /** A descriptor that stays this object's. Throws ChangedError if a part of the path is a link or no directory. */
  fd(path: string): number {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    if (this.#open.size >= MOST_OPEN) this.close();
    let fd = openSync('/', OPEN_DIRECTORY);
    for (const name of path.split('/')) {
      if (name === '') continue;
      let next: number;
      try {
        next = openSync(at(fd, bytesOf(name)), OPEN_DIRECTORY);
      } catch (error) {
        const code = errnoOf(error);
        if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
        throw new ChangedError(`${name} in ${path} is no directory any more`);
      } finally {
        closeSync(fd);
      }
      fd = next;
    }
    this.#open.set(path, fd);
    return fd;
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }
}

export interface Visitor {
  /** Anything but a directory. `path` is for system calls; `names` leads there from the top, which has none. */
  file(path: string | Buffer, stat: Stats, names: readonly string[]): void;
  /** Before a directory is entered; throws if it must not be. */
  enter?(fd: number, stat: Stats, names: readonly string[]): void;
  /** After all that is in a directory; `path` is that of the directory in its own. */
  leave(path: string | Buffer, stat: Stats, names: readonly string[]): void;
  /** An entry that could not be looked at, entered or handled. What was thrown is an answer to it alone. */
  failed(error: unknown, names: readonly string[]): void;
}

interface Frame {
  fd: number | undefined;
  stat: Stats;
  entries: string[];
  next: number;
}

/** Deeper directories are closed while those in them are walked: a tree may be deeper than files may be open. */
const MOST_DEEP = 128;

/**
 * Visits the tree that `name` in an open directory is, itself included, each directory after what is in it.
 * No link is followed. What vanished is passed over. `last` names entries of the top that come last.
 */
export function walk(parent: number, name: string, visitor: Visitor, last: readonly string[] = []): void {
  const frames: Frame[] = [];
  const names: string[] = [];
  const visit = (directory: number, entry: string): void => {
    const path = at(directory, entry);
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
      if (frames.length === 0) for (const late of last) moveToEnd(entries, late);
      frames.push({ fd, stat, entries, next: 0 });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    const shallow = frames[frames.length - 1 - MOST_DEEP];
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
    while (frames.length > 0) {
      const frame = frames[frames.length - 1] as Frame;
      const entry = frame.entries[frame.next];
      if (entry !== undefined) {
        frame.next += 1;
        const depth = frames.length;
        names.push(entry);
        attempt(() => visit(frame.fd as number, entry));
        if (frames.length === depth) names.pop();
        continue;
      }
      const above = frames[frames.length - 2];
      if (above !== undefined && above.fd === undefined) above.fd = reopen(frame.fd as number, above.stat);
      frames.pop();
      closeSync(frame.fd as number);
      frame.fd = undefined;
      attempt(() =>
        visitor.leave(
          at(above?.fd ?? parent, above === undefined ? name : (names.at(-1) as string)),
          frame.stat,
          names,
        ),
      );
      names.pop();
    }
  } finally {
    for (const { fd } of frames) if (fd !== undefined) closeSync(fd);
  }
}

/** The directory above an open one, if it still is the one that it was. */
function reopen(fd: number, stat: Stats): number {
  const above = openSync(at(fd, '..'), OPEN_DIRECTORY);
  if (isSame(fstatSync(above), stat)) return above;
  closeSync(above);
  throw new ChangedError('a directory was moved while it was walked');
}

function moveToEnd(entries: string[], name: string): void {
  const index = entries.indexOf(name);
  if (index !== -1) entries.push(...entries.splice(index, 1));
}

/** Blocks of `stat` are of 512 bytes, whatever the file system's are (stat(2)). */
const BLOCK = 512;

/** What a tree is, measured as du(1) does. */
export interface Measure extends Identity {
  /** Of the disk: sparse files count what they take up, a file with several links when its last one is met. */
  bytes: number;
  /** The latest change of anything in it, by the clock of its file system, milliseconds since the epoch. */
  newest: number;
  uid: number;
  isDirectory: boolean;
  /** What could not be looked at, if anything. */
  problem?: unknown;
  /** The first entry that does not fit, if `fits` was given; text. */
  unfit?: string;
}

/** Links met so far of files that have several, by device and inode: a plan measures each file once. */
export type LinkCounts = Map<string, number>;

export interface MeasureOptions {
  links: LinkCounts;
  /** Trees in it that are measured for themselves. */
  except?: readonly Identity[];
  fits?: (names: readonly string[], isDirectory: boolean) => boolean;
}

/** Undefined if there is nothing of the name. */
export function measure(parent: number, name: string, options: MeasureOptions): Measure | undefined {
  let top: Stats | undefined;
  let bytes = 0;
  let newest = 0;
  let problem: unknown;
  let unfit: string | undefined;
  const count = (stat: Stats, names: readonly string[]): void => {
    if (names.length === 0) top = stat;
    if (stat.nlink === 1 || stat.isDirectory() || isLastLink(stat, options.links)) {
      bytes += stat.blocks * BLOCK;
    }
    if (stat.ctimeMs > newest) newest = stat.ctimeMs;
    if (names.length > 0 && unfit === undefined && options.fits?.(names, stat.isDirectory()) === false) {
      unfit = textOf(names.join('/'));
    }
  };
  walk(parent, name, {
    file: (_path, stat, names) => count(stat, names),
    enter: (_fd, stat) => {
      if (isAmong(options.except, stat)) throw new Excepted();
    },
    leave: (_path, stat, names) => count(stat, names),
    failed: (error) => {
      if (!(error instanceof Excepted)) problem ??= error;
    },
  });
  if (top === undefined) {
    if (problem === undefined) return undefined;
    top = lstatSync(at(parent, name), { throwIfNoEntry: false });
    if (top === undefined) return undefined;
  }
  const { dev, ino, uid } = top;
  return { dev, ino, bytes, newest, uid, isDirectory: top.isDirectory(), problem, unfit };
}

/** Thrown to pass over a tree. */
class Excepted extends Error {}

function isAmong(trees: readonly Identity[] | undefined, stat: Stats): boolean {
  return trees?.some((tree) => isSame(tree, stat)) === true;
}

function isLastLink(stat: Stats, links: LinkCounts): boolean {
  const key = `${stat.dev}:${stat.ino}`;
  const met = (links.get(key) ?? 0) + 1;
  links.set(key, met);
  return met === stat.nlink;
}

/** The deeds of a removal; tests put others in their place. */
export interface Deeds {
  unlink(path: string | Buffer): void;
  rmdir(path: string | Buffer): void;
}

export const DEEDS: Deeds = { unlink: unlinkSync, rmdir: rmdirSync };

export interface RemoveOptions {
  deeds: Deeds;
  /** As it was measured: a thing that changed later stays. */
  planned: Pick<Measure, 'dev' | 'ino' | 'newest'>;
  /** Things that this gc itself changed after they were measured: keys by `keyOf`. */
  touched: Set<string>;
  /** Trees in it that stay, and the directories around them. */
  except?: readonly Identity[];
  /** Entries of the top that go last, in this order. */
  last?: readonly string[];
}

export interface Removal {
  bytes: number;
  removed: number;
  /** The first thing that could not be removed, and how many there were. */
  failure?: { error: unknown; names: string; count: number };
}

export function keyOf({ dev, ino }: Identity): string {
  return `${dev}:${ino}`;
}

/**
 * Removes the tree that `name` in an open directory is, if it is the planned one; nothing in it that changed
 * since it was measured, no other mount. What can't be removed is told, the rest goes. Nothing is made
 * writable for it. That there is nothing any more is no failure.
 */
export function remove(parent: number, name: string, options: RemoveOptions): Removal {
  const { deeds, planned, touched } = options;
  const removal: Removal = { bytes: 0, removed: 0 };
  const mount = mountOf(parent);
  const failed = (error: unknown, names: readonly string[]): void => {
    removal.failure ??= { error, names: textOf(names.join('/')), count: 0 };
    removal.failure.count += 1;
  };
  const check = (stat: Stats, names: readonly string[]): void => {
    if (names.length === 0 && !isSame(stat, planned))
      throw new ChangedError('it was replaced since the plan was made');
    if (stat.ctimeMs > planned.newest && !touched.has(keyOf(stat))) {
      throw new ChangedError('it changed since the plan was made');
    }
  };
  walk(
    parent,
    name,
    {
      file: (path, stat, names) => {
        check(stat, names);
        // The removal of one link changes the file that the others lead to.
        if (stat.nlink > 1) touched.add(keyOf(stat));
        deeds.unlink(path);
        removal.removed += 1;
        if (stat.nlink === 1) removal.bytes += stat.blocks * BLOCK;
      },
      enter: (fd, stat, names) => {
        if (isAmong(options.except, stat)) throw new Excepted();
        check(stat, names);
        if (stat.dev !== planned.dev || mountOf(fd) !== mount)
          throw new ChangedError('something is mounted there');
      },
      leave: (path, stat, names) => {
        try {
          deeds.rmdir(path);
        } catch (error) {
          // What is in it was told already, or is to stay.
          const expected = removal.failure !== undefined || options.except !== undefined;
          if (errnoOf(error) === 'ENOTEMPTY' && expected) return;
          if (errnoOf(error) !== 'ENOENT') failed(error, names);
          return;
        }
        removal.removed += 1;
        removal.bytes += stat.blocks * BLOCK;
      },
      failed: (error, names) => {
        if (!(error instanceof Excepted)) failed(error, names);
      },
    },
    options.last,
  );
  return removal;
}

const mountInfo = Buffer.alloc(512);

/** Which mount an open file is on (proc(5), `mnt_id`): a bind mount has the device of what it shows. */
function mountOf(fd: number): string {
  const info = openSync(`/proc/self/fdinfo/${fd}`, 'r');
  try {
    const text = mountInfo.toString('latin1', 0, readSync(info, mountInfo, 0, mountInfo.length, 0));
    return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? '';
  } finally {
    closeSync(info);
  }
}
