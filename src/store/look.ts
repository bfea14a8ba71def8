import { accessSync, constants, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isShortage } from '../errors/shortage.js';
import { at, Directories } from './directories.js';
import { nameOf, parentOf } from './paths.js';

/** What is at a path. A path that vanished, or is below a file, is also `absent`. */
export type Presence = 'directory' | 'other' | 'absent' | { error: unknown };

/** With `no-follow`, a link is `other`. */
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

/** As `presenceOf`. Throws if the machine is too short of something to know. */
export function presenceUnlessShort(path: string): Presence {
  const presence = presenceOf(path);
  if (typeof presence === 'object' && isShortage(presence.error)) throw presence.error;
  return presence;
}

/** What shows whether a directory has changed. */
export interface DirectoryMark {
  /** Differs as soon as an entry was added, renamed or removed, or the directory was replaced or its mode changed. */
  mark: string;
  /** Differs if another directory has replaced it. */
  identity: string;
  /** When that was last the case, by the clock of the file system; undefined if there is no directory. */
  changedMs: number | undefined;
}

/** Opens and lists nothing, and follows links. Never throws. */
export function directoryMark(path: string): DirectoryMark {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return { mark: 'absent', identity: 'absent', changedMs: undefined };
    const identity = `${stat.dev}:${stat.ino}:${stat.birthtimeMs}`;
    return { mark: `${identity}:${stat.ctimeMs}`, identity, changedMs: stat.ctimeMs };
  } catch (error) {
    const mark = errnoOf(error) ?? 'unknown';
    return { mark, identity: mark, changedMs: undefined };
  }
}

export function isDirectory(path: string): boolean {
  return presenceOf(path) === 'directory';
}

/** When a file was last written, milliseconds since the epoch; undefined if it cannot be known. */
export function modificationOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}

export interface StatOptions {
  /** As in `openFile`. Default: the directory that holds the file. */
  below?: string;
  directories?: Directories;
}

/**
 * The stat of what is at a path, not followed if it is a link; undefined if there is nothing. Opens nothing.
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

/** The stat of a name (bytes in latin1) in an open directory; a link is not followed. Undefined if there is nothing. */
export function statIn(directory: number, name: string): Stats | undefined {
  return absentAsUndefined(() => lstatSync(at(directory, name, 'latin1'), { throwIfNoEntry: false }));
}

/** How we may use a directory: to read it, or to write into it. */
const USES = {
  list: constants.R_OK | constants.X_OK,
  change: constants.W_OK | constants.X_OK,
} as const;

/** May we use the directory in this way? Undefined if there is nothing at the path. */
export function mayUse(directory: string, use: keyof typeof USES): boolean | undefined {
  try {
    accessSync(directory, USES[use]);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : false;
  }
}

/** The path without links; undefined if there is nothing or we may not know. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** The target of a link, as written; undefined if there is no link or we may not know. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * An absolute path without redundant slashes. The file system resolves `..`, because `link/..` is not the directory
 * that holds `link`.
 */
export function absolutePath(path: string, cwd: string): string {
  const whole = path.startsWith('/') ? path : `${cwd}/${path}`;
  const segments = whole.split('/').filter((segment) => segment !== '' && segment !== '.');
  const plain = `/${segments.join('/')}`;
  return segments.includes('..') ? (realPath(plain) ?? plain) : plain;
}
