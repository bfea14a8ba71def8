import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { keyOf } from '../host/file-identity.js';
import { at } from './directories.js';
import { fileSystemOf } from './disk.js';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** Names are tried until one is free: anybody may have taken some of them in a directory like /tmp. */
const MOST_TRIES = 1000;

/** What a copy has of the original. */
export interface CopiedAttributes {
  /** Of these, only the permission bits are set. */
  readonly mode: number;
  /** Milliseconds since the epoch. */
  readonly atime_ms: number;
  readonly mtime_ms: number;
}

interface CopyLevel {
  readonly fd: number;
  /** It was made here, and nobody else may enter it yet. */
  readonly made: boolean;
  /** The name that it has until it is complete, and the one that it gets. */
  readonly rename?: { readonly hidden: string; readonly name: string };
}

/**
 * A directory that a person named, to copy into. Everything is made by open directories: whatever is renamed or linked
 * meanwhile, nothing is written elsewhere. A file gets its name when it is complete, and so does a new directory: what is in
 * it has no path that means anything before. Names are bytes, in strings of latin1.
 * Everything throws system errors, `EEXIST` for a name that is taken.
 */
export class CopyTarget {
  readonly #levels: CopyLevel[];
  /** Differs from that of every other directory. */
  readonly id: string;

  /** The path is followed as the system follows it. */
  constructor(path: string) {
    const fd = openSync(path, O_RDONLY | O_DIRECTORY);
    this.#levels = [{ fd, made: false }];
    this.id = keyOf(fstatSync(fd));
  }

  /** Bytes on its file system that we may fill. */
  freeBytes(): number {
    const { available, free } = fileSystemOf(`/proc/self/fd/${this.#level.fd}`);
    return process.geteuid?.() === 0 ? free : available;
  }

  /** Goes into the directory with this name, and makes it if there is none; a link to one is not followed. */
  enter(name: string): void {
    const { fd, made } = this.#level;
    const entry = at(fd, name, 'latin1');
    if (made) {
      mkdirSync(entry, 0o700);
      this.#levels.push({ fd: openMade(entry), made });
    } else if (lstatSync(entry, { throwIfNoEntry: false }) === undefined) {
      const { hidden } = freeName((free) => {
        mkdirSync(at(fd, free), 0o700);
        return 0;
      });
      this.#levels.push({ fd: openMade(at(fd, hidden)), made: true, rename: { hidden, name } });
    } else {
      this.#levels.push({ fd: openDirectory(entry), made: false });
    }
  }

  /** Leaves it for the one that holds it. If it was made here, it gets these attributes. */
  leave(attributes: CopiedAttributes): void {
    const { fd, made, rename } = this.#levels.pop() as CopyLevel;
    try {
      if (made) setAttributes(fd, attributes);
    } finally {
      closeSync(fd);
    }
    if (rename === undefined) return;
    const around = this.#level.fd;
    renameSync(at(around, rename.hidden), at(around, rename.name, 'latin1'));
  }

  /** Begins a file; `replace`: instead of what has the name. */
  makeFile(name: string, replace: boolean): NewCopy {
    const { fd, made } = this.#level;
    if (made) return new NewCopy({ directory: fd, name, hidden: name, fd: openNew(fd, name), replace });
    if (!replace) refuseTaken(fd, name);
    const temporary = freeName((hidden) => openNew(fd, hidden));
    return new NewCopy({ directory: fd, name, ...temporary, replace });
  }

  /** Makes a link; `replace`: instead of what has the name. */
  makeLink(name: string, target: string, replace: boolean, { atime_ms, mtime_ms }: CopiedAttributes): void {
    const { fd } = this.#level;
    const entry = at(fd, name, 'latin1');
    const bytes = Buffer.from(target, 'latin1');
    const set = (link: string | Buffer) => lutimesSync(link, seconds(atime_ms), seconds(mtime_ms));
    if (!replace) {
      symlinkSync(bytes, entry);
      set(entry);
      return;
    }
    const { hidden } = freeName((hidden) => {
      symlinkSync(bytes, at(fd, hidden));
      return 0;
    });
    set(at(fd, hidden));
    rename(fd, hidden, name);
  }

  close(): void {
    for (const { fd } of this.#levels.splice(0)) closeSync(fd);
  }

  get #level(): CopyLevel {
    return this.#levels.at(-1) as CopyLevel;
  }
}

/** A file that is being copied. It has its name after `finish`, and is gone after `abandon`: one of them must be called. */
export class NewCopy {
  readonly #place: { directory: number; name: string; hidden: string; fd: number; replace: boolean };

  constructor(place: { directory: number; name: string; hidden: string; fd: number; replace: boolean }) {
    this.#place = place;
  }

  write(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#place.fd, bytes, done, bytes.length - done, offset + done);
    }
  }

  /** Ends the file with a hole, if it is shorter. */
  extend(size: number): void {
    ftruncateSync(this.#place.fd, size);
  }

  finish(attributes: CopiedAttributes): void {
    const { fd, directory, hidden, name, replace } = this.#place;
    try {
      setAttributes(fd, attributes);
    } catch (error) {
      this.abandon();
      throw error;
    }
    closeSync(fd);
    if (hidden === name) return;
    if (replace) rename(directory, hidden, name);
    else nameOnce(directory, hidden, name);
  }

  abandon(): void {
    const { fd, directory, hidden } = this.#place;
    closeSync(fd);
    unlinkSync(at(directory, hidden, 'latin1'));
  }
}

function setAttributes(fd: number, { mode, atime_ms, mtime_ms }: CopiedAttributes): void {
  fchmodSync(fd, mode & 0o777);
  futimesSync(fd, seconds(atime_ms), seconds(mtime_ms));
}

/** The times of some file systems are beyond those of others. */
const LAST_SECOND = 2 ** 33;

function seconds(milliseconds: number): number {
  return Math.min(LAST_SECOND, Math.max(-LAST_SECOND, milliseconds / 1000));
}

/** Takes the first hidden name that nothing has; `take` throws `EEXIST` for one that is taken. */
function freeName(take: (hidden: string) => number): { hidden: string; fd: number } {
  for (let i = 0; ; i++) {
    const hidden = `.thermos-cp-${process.pid}-${i}`;
    try {
      return { hidden, fd: take(hidden) };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || i === MOST_TRIES) throw error;
    }
  }
}

function openNew(directory: number, name: string): number {
  return openSync(at(directory, name, 'latin1'), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

function openDirectory(entry: string | Buffer): number {
  return openSync(entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** Opens a directory that was just made. Throws `EEXIST` if somebody has put theirs in its place. */
function openMade(entry: string | Buffer): number {
  const fd = openDirectory(entry);
  if (fstatSync(fd).uid === process.geteuid?.()) return fd;
  closeSync(fd);
  throw Object.assign(new Error('it was replaced'), { code: 'EEXIST' });
}

function refuseTaken(directory: number, name: string): void {
  if (lstatSync(at(directory, name, 'latin1'), { throwIfNoEntry: false }) === undefined) return;
  throw Object.assign(new Error('it exists'), { code: 'EEXIST' });
}

function rename(directory: number, hidden: string, name: string): void {
  try {
    renameSync(at(directory, hidden), at(directory, name, 'latin1'));
  } catch (error) {
    unlinkSync(at(directory, hidden));
    throw error;
  }
}

/** Gives a file its name, unless something else got it in between. */
function nameOnce(directory: number, hidden: string, name: string): void {
  try {
    linkSync(at(directory, hidden), at(directory, name, 'latin1'));
  } catch (error) {
    // Some file systems have no second names.
    if (errnoOf(error) !== 'EEXIST') {
      rename(directory, hidden, name);
      return;
    }
    unlinkSync(at(directory, hidden));
    throw error;
  }
  unlinkSync(at(directory, hidden));
}
