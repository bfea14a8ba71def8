import { constants, fstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import type { Groups } from '../host/groups.js';
import { isSticky } from '../host/mode.js';
import { overflowUid } from '../host/namespaces.js';
import { shellArguments } from '../text/shell.js';
import type { Directories } from './directories.js';
import { parentOf } from './paths.js';

/** A file or directory whose owner and mode decide whether what is in or below it is trusted. */
export interface PathOwner extends Pick<Stats, 'uid' | 'gid' | 'mode' | 'nlink'> {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
  /** Above what is read: names in it may be replaced, but nothing is read from it. */
  readonly isAbove: boolean;
}

/** A sign that an untrusted user may have written what we were about to trust. */
export interface UntrustedPath {
  readonly path: string;
  /** What was found, as text that follows the path. */
  readonly what: string;
  /** A shell command that removes the reason. */
  readonly remedy: string;
}

/**
 * The first of the paths that an untrusted user may have written or put there; undefined if there is none. The
 * owner, the write bits of group and others, and a second name of a file count. (With an ACL, the write bit of the
 * group is the ACL's mask, acl(5): it is set if the ACL lets anybody write.) A group whose only member is the owner of
 * the file writes nothing that the owner could not. Pure except for `groups`.
 */
export function findUntrusted(
  paths: Iterable<PathOwner>,
  trusted: ReadonlySet<number>,
  groups: Groups,
): UntrustedPath | undefined {
  for (const each of paths) {
    const { path, uid, gid, mode, nlink, isDirectory, isLink, isAbove } = each;
    const untrusted = (what: string, remedy: string): UntrustedPath => ({
      path,
      what,
      remedy: `${remedy} ${shellArguments(path)}`,
    });
    if (isLink) return untrusted('is a symbolic link', 'rm');
    if (!trusted.has(uid)) return untrusted(`belongs to uid ${uid}`, 'chown root');
    if (!isDirectory && nlink > 1) {
      const fresh = shellArguments(`${path}.new`);
      const quoted = shellArguments(path);
      const remedy = `cp -p ${quoted} ${fresh} && mv ${fresh} ${quoted}`;
      return { path, what: `has ${nlink} names (hard links)`, remedy };
    }
    if (isAbove && isSticky(mode)) continue;
    if ((mode & constants.S_IWOTH) !== 0) return untrusted('can be written by everybody', 'chmod o-w');
    if ((mode & constants.S_IWGRP) !== 0 && !groups.isOnlyOf(gid, uid, path)) {
      return untrusted(`can be written by group ${gid}`, 'chmod g-w');
    }
  }
  return undefined;
}

/**
 * A directory and those above it, outermost first: those from `/` to the real path of its base, then those below the
 * base, each by its open descriptor. Throws system errors, also if one does not exist, and RefusedError `ELINK` for a
 * link below the base. Above the base, a user that our user namespace does not know counts as root: it is a user of
 * the machine that hosts the namespace.
 */
export function* directoriesTo(
  base: string,
  names: readonly string[],
  directories: Directories,
): Generator<PathOwner> {
  const real = readlinkSync(`/proc/self/fd/${directories.fd(base)}`);
  const above: string[] = [];
  for (let path = real; path !== '/'; path = parentOf(path)) above.unshift(parentOf(path));
  const outsider = overflowUid();
  for (const path of above) {
    const found = pathOwner(path, statSync(path), true);
    yield found.uid === outsider ? { ...found, uid: 0 } : found;
  }
  for (let depth = 0; depth <= names.length; depth++) {
    const way = names.slice(0, depth);
    yield pathOwner(
      [real === '/' ? '' : real, ...way].join('/') || '/',
      fstatSync(directories.fd(base, way)),
      false,
    );
  }
}

/** The owner and mode of a file or directory from its stat. */
export function pathOwner(path: string, stat: Stats, isAbove = false): PathOwner {
  const { uid, gid, mode, nlink } = stat;
  return {
    path,
    uid,
    gid,
    mode,
    nlink,
    isDirectory: stat.isDirectory(),
    isLink: stat.isSymbolicLink(),
    isAbove,
  };
}

/** The directories above the path of a new root, and the nearest existing one. */
export function* directoriesAbove(base: string, directories: Directories): Generator<PathOwner> {
  for (const each of directoriesTo(base, [], directories)) yield { ...each, isAbove: true };
}
