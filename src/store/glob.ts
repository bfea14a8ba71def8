import fastGlob from 'fast-glob';
import { byName, type Entry, type ListOptions, listDirectory } from './list.js';
import { presenceOf } from './look.js';

export interface GlobOptions extends ListOptions {
  /** Hears of each directory that can't be listed; it is taken for an empty one. */
  refused: (directory: string, error: unknown) => void;
  /** Hears of each directory that has more than `max` entries; only the first ones are looked at. */
  cut: (directory: string) => void;
}

/**
 * The directories at the end of a way below `top`, in the order of their names. For each level the way has a name,
 * or undefined for any; at its end it has any. No link is followed. A name is looked up, so that the directory
 * around it need not be listable, and whatever else stands beside it costs nothing.
 */
export function globDirectories(
  top: string,
  way: readonly (string | undefined)[],
  options: GlobOptions,
): string[] {
  if (way.length === 0) return [top];
  const named = namesBetween(way);
  const pathOf = (names: readonly string[]): string =>
    names.reduce((path, name, level) => `${path}${inPath(named[level])}/${name}`, top);
  // To fast-glob, `top` is the root of all, and nothing is there but the directories of any name.
  const readdirSync = (directory: string): Entry[] => {
    const names = directory === '/' ? [] : namesIn(directory.slice(1));
    const path = enter(pathOf(names), named[names.length] ?? []);
    return path === undefined ? [] : list(path, options);
  };
  const found = fastGlob.sync(named.map(() => '*').join('/'), {
    cwd: '/',
    dot: true,
    followSymbolicLinks: false,
    onlyDirectories: true,
    unique: false,
    fs: { readdirSync: readdirSync as unknown as fastGlob.FileSystemAdapter['readdirSync'] },
  });
  return found.map((path) => pathOf(namesIn(path)));
}

/** The names of the way that stand before each of its levels of any name. */
function namesBetween(way: readonly (string | undefined)[]): string[][] {
  const between: string[][] = [];
  let names: string[] = [];
  for (const name of way) {
    if (name !== undefined) {
      names.push(name);
    } else {
      between.push(names);
      names = [];
    }
  }
  return between;
}

function inPath(names: readonly string[] = []): string {
  return names.map((name) => `/${name}`).join('');
}

/** The path of the directory that the names lead to; undefined if one is none, or a link. */
function enter(directory: string, names: readonly string[]): string | undefined {
  let path = directory;
  for (const name of names) {
    path = `${path}/${name}`;
    // Where nobody may know, the listing will tell why.
    const presence = presenceOf(path, 'no-follow');
    if (presence === 'other' || presence === 'absent') return undefined;
  }
  return path;
}

function list(directory: string, { refused, cut, ...options }: GlobOptions): Entry[] {
  try {
    const { entries, complete } = listDirectory(directory, options);
    if (!complete) cut(directory);
    return entries.sort(byName).map(shown);
  } catch (error) {
    refused(directory, error);
    return [];
  }
}

/** For fast-glob, a name that begins so begins with a needless `./`: it is shown with a byte that no name has. */
const DOT_SEGMENT = '.\\';

function shown(entry: Entry): Entry {
  if (!entry.name.startsWith(DOT_SEGMENT)) return entry;
  return {
    name: `\0${entry.name}`,
    isFile: () => entry.isFile(),
    isDirectory: () => entry.isDirectory(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  };
}

function namesIn(shownPath: string): string[] {
  return shownPath.split('/').map((name) => (name.startsWith('\0') ? name.slice(1) : name));
}
