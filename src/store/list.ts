import { type Dirent, lstatSync, opendirSync, readdirSync } from 'node:fs';
import { Directories } from './directories.js';

export type Entry = Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

export interface Listing {
  /** In no order. */
  entries: Entry[];
  /** False if the directory has more entries than `max`: then some are left out. */
  complete: boolean;
}

export interface ListOptions {
  /** As in `openFile`. Default: the directory itself, whose path is then followed. */
  below?: string;
  /** How many entries are read at most. */
  max: number;
  directories?: Directories;
}

/** Entries per read: with Node's default of 32, a listing is ten times as slow. */
const AT_ONCE = 4096;

/**
 * The entries of a directory, at most `max`, without a `stat` for each if the file system reports types in the
 * listing. A directory that one user filled must not cost all others their time. Throws
 * system errors, and RefusedError `ELINK` for a link below `below`.
 */
export function listDirectory(path: string, options: ListOptions): Listing {
  const { below = path, max } = options;
  if (path === below && options.directories === undefined) return list(path, max);
  const own = options.directories === undefined ? new Directories() : undefined;
  try {
    return list(`/proc/self/fd/${(own ?? (options.directories as Directories)).below(below, path)}`, max);
  } finally {
    own?.close();
  }
}

function list(path: string, max: number): Listing {
  const directory = opendirSync(path, { bufferSize: Math.min(AT_ONCE, max + 1) });
  try {
    const entries: Entry[] = [];
    let complete = true;
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (entries.length === max) {
        complete = false;
        break;
      }
      entries.push(entry);
    }
    return { entries, complete };
  } catch (error) {
    // If the file system does not report types, Node calls lstat for each entry, and fails if one has vanished.
    if ((error as NodeJS.ErrnoException).syscall !== 'lstat') throw error;
    return listOneByOne(path, max);
  } finally {
    directory.closeSync();
  }
}

function listOneByOne(path: string, max: number): Listing {
  const names = readdirSync(path);
  const entries: Entry[] = [];
  for (const name of names.slice(0, max)) {
    const stat = lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    entries.push({
      name,
      isFile: () => stat.isFile(),
      isDirectory: () => stat.isDirectory(),
      isSymbolicLink: () => stat.isSymbolicLink(),
    });
  }
  return { entries, complete: names.length <= max };
}

/** By name, by code units: the same order everywhere. */
export function byName(a: Pick<Entry, 'name'>, b: Pick<Entry, 'name'>): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
