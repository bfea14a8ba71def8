import { MOST_ENTRIES } from '../layout/limits.js';
import { isName } from '../layout/names.js';
import { listDirectory } from '../store/list.js';
import { isDirectory, realPath, statFile } from '../store/look.js';
import { LONGEST_PATH } from '../store/paths.js';
import type { RealPath } from './relocate.js';

/** From so many questions about one directory on, it is listed instead. */
const LISTED_FROM = 32;

/**
 * As `realPath`, for very many paths that lie in few directories, at one moment: what a directory leads to is
 * asked once, and a directory that is asked about often is listed. `realpath(3)` for the sandboxes of 10,000
 * tasks takes two seconds, this takes a twentieth.
 */
export function realPathsOfOneMoment(): RealPath {
  const directories = new Map<string, Directory | null>();
  const directory = (path: string): Directory | undefined => {
    const known = directories.get(path);
    if (known !== undefined) return known ?? undefined;
    const real = path === '' ? '' : resolve(path);
    const made = real === undefined ? null : new Directory(real === '/' ? '' : real);
    directories.set(path, made);
    return made ?? undefined;
  };
  const resolve = (path: string): string | undefined => {
    if (path.length >= LONGEST_PATH) return undefined;
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    // What stands for another place is left to the system, and so are paths that aren't absolute.
    if (!isName(name) || !path.startsWith('/')) return realPath(path);
    const parent = directory(path.slice(0, slash));
    switch (parent?.kindOf(name)) {
      case undefined:
        return undefined;
      case 'link':
        return realPath(path);
      default:
        return `${parent?.real}${path.slice(slash)}`;
    }
  };
  return resolve;
}

class Directory {
  /** Without a slash at the end: of `/` it is empty. */
  readonly real: string;
  #asked = 0;
  #entries: ReadonlyMap<string, 'link' | 'other'> | undefined;

  constructor(real: string) {
    this.real = real;
  }

  kindOf(name: string): 'link' | 'other' | undefined {
    this.#asked += 1;
    if (this.#asked === LISTED_FROM) this.#entries = this.#list();
    if (this.#entries !== undefined) return this.#entries.get(name);
    try {
      const stat = statFile(`${this.real}/${name}`);
      if (stat === undefined) return undefined;
      return stat.isSymbolicLink() ? 'link' : 'other';
    } catch {
      return undefined;
    }
  }

  /** Undefined if it may be entered but not listed, or listed but not entered, or holds more than is listed. */
  #list(): ReadonlyMap<string, 'link' | 'other'> | undefined {
    if (!isDirectory(`${this.real}/.`)) return undefined;
    try {
      const { entries, complete } = listDirectory(this.real || '/', { max: MOST_ENTRIES.tasks });
      if (!complete) return undefined;
      // A file system that doesn't tell the type: to be asked about each.
      if (entries.some((entry) => !entry.isDirectory() && !entry.isFile() && !entry.isSymbolicLink()))
        return undefined;
      return new Map(entries.map((entry) => [entry.name, entry.isSymbolicLink() ? 'link' : 'other']));
    } catch {
      return undefined;
    }
  }
}
