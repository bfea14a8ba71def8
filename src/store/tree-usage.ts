import {
  closeSync,
  constants,
  type Dir,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
} from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { keyOf } from '../host/file-identity.js';
import { at, O_PATH } from './directories.js';
import { openWay } from './way.js';

/** The unit of `blocks`, on all file systems (stat(2)). */
const BLOCK = 512;
/** Each directory on the way down stays open, with a second descriptor for its list. */
const MOST_DEEP = 100;
/** How many files with several links are remembered. */
const MOST_LINKED = 200_000;
/** Entries of a directory that are read at once. */
const AT_ONCE = 1024;
/** After this many entries the caller may pause or stop. */
const STEP = 64;

const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export interface TreeUsageOptions {
  /** Whose links on the way to the top are followed; below it none are. Default: those of root and of this user. */
  trusted?: ReadonlySet<number>;
  /** Entries that are looked at, at most. */
  most: number;
  /** Called now and then; false ends the measurement. */
  proceed?: () => boolean;
}

interface UsageLevel {
  readonly fd: number;
  readonly entries: Entries;
}

/**
 * Measures what trees occupy on disk, as du(1) does: blocks, not lengths; a file with several links once; only the file
 * system that each tree begins on; no link is followed, and the way down is walked by descriptors. Trees that others
 * fill as they like end it early: it is then not `complete`, and `bytes` is a lower bound.
 */
export class TreeUsage {
  readonly #options: TreeUsageOptions;
  readonly #linked = new Set<string>();
  #bytes = 0;
  #entries = 0;
  #complete = true;
  #stopped = false;

  constructor(options: TreeUsageOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False if something was left out: it cannot be read, is too deep, or there is too much of it. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Adds a tree. Throws system errors of its top, and RefusedError `ELINK` for a link on the way to it that is not trusted. */
  add(path: string): void {
    const { trusted = new Set([0, process.geteuid?.() ?? 0]) } = this.#options;
    const { fd } = openWay(path, { trusted });
    const levels: UsageLevel[] = [];
    let top: number | undefined = fd;
    try {
      const { dev, blocks } = fstatSync(fd);
      this.#bytes += blocks * BLOCK;
      levels.push({ fd, entries: new Entries(fd) });
      top = undefined;
      for (let level = levels.at(-1); level !== undefined && !this.#stopped; level = levels.at(-1)) {
        const next = this.#next(level, dev, levels.length);
        if (next === 'end') leave(levels.pop() as UsageLevel);
        else if (next !== undefined) levels.push(next);
      }
    } finally {
      if (top !== undefined) closeSync(top);
      for (const level of levels) leave(level);
    }
    if (this.#stopped) this.#complete = false;
  }

  /** Looks at the next entry; a level if that is a directory to enter. */
  #next({ fd, entries }: UsageLevel, device: number, depth: number): UsageLevel | 'end' | undefined {
    try {
      const entry = entries.next();
      if (entry === undefined) return 'end';
      this.#count();
      const path = at(fd, entry.name, 'latin1');
      if (entry.isDirectory !== false) {
        const level = this.#enter(path, device, depth);
        if (level !== 'other') return level;
      }
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || stat.isDirectory() || stat.dev !== device) return undefined;
      if (stat.nlink > 1 && !this.#isFirstLink(keyOf(stat))) return undefined;
      this.#bytes += stat.blocks * BLOCK;
      return undefined;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') this.#complete = false;
      return entries.failed ? 'end' : undefined;
    }
  }

  /** `other`: it is not a directory. */
  #enter(path: string | Buffer, device: number, depth: number): UsageLevel | 'other' | undefined {
    let fd: number;
    try {
      fd = openSync(path, DIRECTORY);
    } catch (error) {
      if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP') return 'other';
      throw error;
    }
    let entered = false;
    try {
      const stat = fstatSync(fd);
      // Something else is mounted there.
      if (stat.dev !== device) return undefined;
      this.#bytes += stat.blocks * BLOCK;
      if (depth >= MOST_DEEP) {
        this.#complete = false;
        return undefined;
      }
      const level = { fd, entries: new Entries(fd) };
      entered = true;
      return level;
    } finally {
      if (!entered) closeSync(fd);
    }
  }

  #isFirstLink(key: string): boolean {
    if (this.#linked.has(key)) return false;
    if (this.#linked.size < MOST_LINKED) this.#linked.add(key);
    else this.#complete = false;
    return true;
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries > this.#options.most) this.#stopped = true;
    else if (this.#entries % STEP === 0 && this.#options.proceed?.() === false) this.#stopped = true;
  }
}

function leave({ fd, entries }: UsageLevel): void {
  entries.close();
  closeSync(fd);
}

/** An entry of a listing; `isDirectory` is only a hint, and undefined if the file system does not report it. */
interface UsageEntry {
  readonly name: string;
  readonly isDirectory: boolean | undefined;
}

/** The entries of an open directory, a part at a time: somebody may have put millions there. */
class Entries {
  readonly #path: string;
  readonly #directory: Dir;
  #names: string[] | undefined;
  failed = false;

  constructor(fd: number) {
    this.#path = `/proc/self/fd/${fd}`;
    this.#directory = opendirSync(this.#path, { bufferSize: AT_ONCE, encoding: 'latin1' as never });
  }

  next(): UsageEntry | undefined {
    if (this.#names === undefined) {
      try {
        const entry = this.#directory.readSync();
        return entry === null ? undefined : { name: entry.name, isDirectory: entry.isDirectory() };
      } catch (error) {
        // If the file system does not report kinds, Node calls lstat for each name, and knows no bytes of names.
        if ((error as NodeJS.ErrnoException).syscall !== 'lstat') {
          this.failed = true;
          throw error;
        }
        this.#names = readdirSync(this.#path, 'latin1').reverse();
      }
    }
    const name = this.#names.pop();
    return name === undefined ? undefined : { name, isDirectory: undefined };
  }

  close(): void {
    this.#directory.closeSync();
  }
}
