import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';

/** What is at a path. `absent` is also what vanished, and what lies below a file. */
export type Presence = 'directory' | 'other' | 'absent' | { error: unknown };

/** Links are followed, unless they are not: then a link is `other`. */
export function presenceOf(path: string, links: 'follow' | 'no-follow' = 'follow'): Presence {
  const look = links === 'follow' ? statSync : lstatSync;
  let stat: Stats | undefined;
  try {
    stat = look(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = errnoOf(error);
    return code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ERR_INVALID_ARG_VALUE'
      ? 'absent'
      : { error };
  }
  if (stat === undefined) return 'absent';
  return stat.isDirectory() ? 'directory' : 'other';
}

export type Entry = Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

/**
 * The entries of a directory, in one call and without a `stat` for each where the file system tells the types
 * in the listing. Where it doesn't, Node asks for each and gives up if one has vanished; then they are asked
 * here one by one. Throws the error of `readdir`.
 */
export function listDirectory(path: string): Entry[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'lstat') throw error;
  }
  const entries: Entry[] = [];
  for (const name of readdirSync(path)) {
    const stat = lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    entries.push({
      name,
      isFile: () => stat.isFile(),
      isDirectory: () => stat.isDirectory(),
      isSymbolicLink: () => stat.isSymbolicLink(),
    });
  }
  return entries;
}

export function isDirectory(path: string): boolean {
  return presenceOf(path) === 'directory';
}

/** The path without links, or undefined if there is nothing or we may not know. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/**
 * An absolute path without needless slashes. `..` is left to the file system where it appears, because
 * `link/..` is not where `link` is.
 */
export function absolutePath(path: string, cwd: string): string {
  const whole = path.startsWith('/') ? path : `${cwd}/${path}`;
  const segments = whole.split('/').filter((segment) => segment !== '' && segment !== '.');
  const plain = `/${segments.join('/')}`;
  return segments.includes('..') ? (realPath(plain) ?? plain) : plain;
}

/** PATH_MAX of Linux, with the NUL at the end. A checkpoint may record a path of 64 MiB: it leads nowhere. */
export const LONGEST_PATH = 4096;

/** The directory that holds a path; of `/` itself `/`. Pure text. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Is `path` the directory or something in it? Pure text, both absolute and plain. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
