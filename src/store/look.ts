import { accessSync, constants, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { at, Directories } from './directories.js';
import { nameOf, parentOf } from './paths.js';

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

export function isDirectory(path: string): boolean {
  return presenceOf(path) === 'directory';
}

export interface StatOptions {
  /** As in `openFile`. Default: the directory that the file is in. */
  below?: string;
  directories?: Directories;
}

/**
 * What is at a path, the last name not followed if it is a link; undefined if there is nothing. Opens nothing.
 * Throws system errors, and RefusedError `ELINK` if a directory below `below` is a link.
 */
export function statFile(path: string, options: StatOptions = {}): Stats | undefined {
  const directory = parentOf(path);
  if (options.below === undefined && options.directories === undefined) {
    return absentAsUndefined(() => lstatSync(path, { throwIfNoEntry: false }));
  }
  const below = options.below ?? directory;
  const own = options.directories === undefined ? new Directories() : undefined;
  try {
    const directories = own ?? (options.directories as Directories);
    return absentAsUndefined(() =>
      lstatSync(at(directories.below(below, directory), nameOf(path)), { throwIfNoEntry: false }),
    );
  } finally {
    own?.close();
  }
}

function absentAsUndefined(look: () => Stats | undefined): Stats | undefined {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** What a name of bytes, in latin1, is in an open directory; a link is not followed. Undefined if there is nothing. */
export function statIn(directory: number, name: string): Stats | undefined {
  return absentAsUndefined(() => lstatSync(at(directory, name, 'latin1'), { throwIfNoEntry: false }));
}

/** What a directory may be for us: to be looked through, or to be written into. */
const USES = {
  list: constants.R_OK | constants.X_OK,
  change: constants.W_OK | constants.X_OK,
} as const;

/** May we use the directory so? Undefined if there is nothing at the path. */
export function mayUse(directory: string, use: keyof typeof USES): boolean | undefined {
  try {
    accessSync(directory, USES[use]);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : false;
  }
}

/** The path without links, or undefined if there is nothing or we may not know. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** Where a link leads, as it is written; undefined if there is no link or we may not know. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
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
