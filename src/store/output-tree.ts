import { closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { at } from './directories.js';
import { writeNewFile } from './new-file.js';
import { RefusedError } from './refused.js';
import { openWay } from './way.js';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * A directory that holds what this program makes for people, such as pages. A file has its whole content as soon as it
 * has its name, and no link is followed below the directory; the way to it goes over links of root and ourselves only.
 * As root, everything is done with the rights of the directory's owner, to whom the files then belong. Close it.
 */
export class OutputTree {
  readonly path: string;
  readonly #fd: number;
  readonly #owner: { uid: number; gid: number };
  #written = 0;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#owner = fstatSync(fd);
  }

  /**
   * Opens the directory at an absolute path, and makes what is missing of it: it belongs to the owner of the directory that
   * it is made in. Throws system errors, and RefusedError.
   */
  static open(path: string): OutputTree {
    const trusted = new Set([0, process.geteuid?.() ?? 0]);
    let fd = openExisting(path, trusted);
    if (fd === undefined) {
      makeMissing(path, trusted);
      fd = openWay(path, { trusted }).fd;
    }
    try {
      return new OutputTree(path, fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /**
   * Writes or replaces the file `name` in the directory that `names` lead to, which is made if it is missing. Returns
   * its path. Throws system errors, and RefusedError; then a former file of that name is as it was.
   */
  write(names: readonly string[], name: string, content: string): string {
    actingAs(this.#owner, () => {
      const directory = this.#enter(names);
      try {
        this.#replace(directory, name, content);
      } finally {
        if (directory !== this.#fd) closeSync(directory);
      }
    });
    return [this.path === '/' ? '' : this.path, ...names, name].join('/');
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** The caller closes what is not the directory itself. */
  #enter(names: readonly string[]): number {
    let fd = this.#fd;
    for (const name of names) {
      const entry = at(fd, name);
      try {
        makeUnlessThere(entry);
        const next = openDirectoryAt(entry, `${this.path}/${names.join('/')}`);
        if (fd !== this.#fd) closeSync(fd);
        fd = next;
      } catch (error) {
        if (fd !== this.#fd) closeSync(fd);
        throw error;
      }
    }
    return fd;
  }

  #replace(directory: number, name: string, content: string): void {
    this.#written += 1;
    // No other process writes to a file of this name.
    const fresh = `.${name}.${process.pid}.${this.#written}.new`;
    try {
      writeNewFile(directory, fresh, content, { mode: 0o644 });
      renameSync(at(directory, fresh), at(directory, name));
    } catch (error) {
      try {
        unlinkSync(at(directory, fresh));
      } catch (second) {
        if (errnoOf(second) === undefined) throw second;
      }
      throw error;
    }
  }
}

/** Undefined if it does not exist. */
function openExisting(path: string, trusted: ReadonlySet<number>): number | undefined {
  try {
    return openWay(path, { trusted }).fd;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** With the rights of the owner of the nearest directory that exists. */
function makeMissing(path: string, trusted: ReadonlySet<number>): void {
  const names = path.split('/').filter((name) => name !== '');
  for (let depth = names.length - 1; depth >= 0; depth--) {
    const fd = openExisting(`/${names.slice(0, depth).join('/')}`, trusted);
    if (fd === undefined) continue;
    try {
      actingAs(fstatSync(fd), () => makeBelow(fd, names.slice(depth), path));
    } finally {
      closeSync(fd);
    }
    return;
  }
}

function makeBelow(parent: number, names: readonly string[], path: string): void {
  const [name, ...rest] = names;
  if (name === undefined) return;
  const entry = at(parent, name);
  makeUnlessThere(entry);
  const fd = openDirectoryAt(entry, path);
  try {
    makeBelow(fd, rest, path);
  } finally {
    closeSync(fd);
  }
}

function makeUnlessThere(entry: string | Buffer): void {
  try {
    mkdirSync(entry, 0o755);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function openDirectoryAt(entry: string | Buffer, path: string): number {
  try {
    return openSync(entry, OPEN_DIRECTORY);
  } catch (error) {
    // The kernel reports ENOTDIR for a link, too, if a directory is asked for.
    if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP') throw notDirectory(path);
    throw error;
  }
}

function notDirectory(path: string): RefusedError {
  return new RefusedError('ELINK', `a part of ${path} is a symbolic link or a file, and is not entered`);
}

/** Does something with the rights of another user, if we are root. Synchronous: nothing else runs meanwhile. */
function actingAs<Result>({ uid, gid }: { uid: number; gid: number }, act: () => Result): Result {
  const { geteuid, getegid, getgroups, seteuid, setegid, setgroups } = process;
  if (geteuid?.() !== 0 || uid === 0 || !getegid || !getgroups || !seteuid || !setegid || !setgroups) {
    return act();
  }
  const before = { gid: getegid(), groups: getgroups() };
  setgroups([gid]);
  setegid(gid);
  seteuid(uid);
  try {
    return act();
  } finally {
    seteuid(0);
    setegid(before.gid);
    setgroups(before.groups);
  }
}
