import fastGlob from 'fast-glob';
import { byName, type Entry, type ListOptions, listDirectory } from './list.js';
import { presenceOf } from './look.js';

export interface GlobOptions extends ListOptions {
  /** Called for each directory that cannot be listed; it counts as empty. */
  refused: (directory: string, error: unknown) => void;
  /** Called for each directory that is listed. */
  listed?: (directory: string) => void;
  /** Called for each directory that has more than `max` entries; only the first ones are read. */
  cut: (directory: string) => void;
}

/**
 * The directories that match a path pattern below `top`, in the order of their names. For each level the pattern
 * (`way`) has a name, or undefined for any name; its last level is undefined. No link is followed. A name is looked
 * up, so that its directory need not be listable, and other entries in it cost nothing.
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
  // fast-glob sees `top` as the root directory, and only the levels of any name.
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

/** The names of the pattern before each of its levels of any name. */
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

/** The path of the directory that the names lead to; undefined if one is not a directory, or is a link. */
function enter(directory: string, names: readonly string[]): string | undefined {
  let path = directory;
  for (const name of names) {
    path = `${path}/${name}`;
    // If we may not know, the listing will fail and say why.
    const presence = presenceOf(path, 'no-follow');
    if (presence === 'other' || presence === 'absent') return undefined;
  }
  return path;
}

function list(directory: string, { refused, cut, listed, ...options }: GlobOptions): Entry[] {
  listed?.(directory);
  try {
    const { entries, complete } = listDirectory(directory, options);
    if (!complete) cut(directory);
    return entries.sort(byName).map(shown);
  } catch (error) {
    refused(directory, error);
    return [];
  }
}

/** fast-glob takes this prefix of a name for a redundant `./`: such a name is given to it after a NUL. */
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
