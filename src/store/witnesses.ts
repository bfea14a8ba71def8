import { constants, fstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import type { Groups } from '../host/groups.js';
import { isSticky } from '../host/mode.js';
import { overflowUid } from '../host/user-namespace.js';
import { shellArguments } from '../text/shell.js';
import type { Directories } from './directories.js';
import { parentOf } from './paths.js';

/** A file or a directory that decides whether what is written in or below it is believed. */
export interface Witness extends Pick<Stats, 'uid' | 'gid' | 'mode' | 'nlink'> {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
  /** Above what is read: names in it may be exchanged, but nothing is read from it. */
  readonly isAbove: boolean;
}

/** Somebody who may have written what we were about to believe. */
export interface Stranger {
  readonly path: string;
  /** What was seen, after the name of the path. */
  readonly what: string;
  /** A command that takes the reason away, as a shell reads it. */
  readonly remedy: string;
}

/**
 * The first of the witnesses that somebody else than the trusted users may have written or put there; undefined
 * if there is none. Owner, write bits of group and others, and a second name of a file count. (With an ACL the
 * write bit of the group is the ACL's mask, acl(5): whoever an ACL lets write sets it, too.) A group that has the
 * owner of the file as its only member writes nothing that the owner could not. Pure but for `groups`.
 */
export function findStranger(
  witnesses: Iterable<Witness>,
  trusted: ReadonlySet<number>,
  groups: Groups,
): Stranger | undefined {
  for (const witness of witnesses) {
    const { path, uid, gid, mode, nlink, isDirectory, isLink, isAbove } = witness;
    const stranger = (what: string, remedy: string): Stranger => ({
      path,
      what,
      remedy: `${remedy} ${shellArguments(path)}`,
    });
    if (isLink) return stranger('is a symbolic link', 'rm');
    if (!trusted.has(uid)) return stranger(`belongs to uid ${uid}`, 'chown root');
    if (!isDirectory && nlink > 1) {
      const fresh = shellArguments(`${path}.new`);
      const quoted = shellArguments(path);
      const remedy = `cp -p ${quoted} ${fresh} && mv ${fresh} ${quoted}`;
      return { path, what: `has ${nlink} names (hard links)`, remedy };
    }
    if (isAbove && isSticky(mode)) continue;
    if ((mode & constants.S_IWOTH) !== 0) return stranger('can be written by everybody', 'chmod o-w');
    if ((mode & constants.S_IWGRP) !== 0 && !groups.isOnlyOf(gid, uid, path)) {
      return stranger(`can be written by group ${gid}`, 'chmod g-w');
    }
  }
  return undefined;
}

/**
 * The directories that lead to a directory and itself, outermost first: those from `/` to the one that its base
 * really is, then those below it, each as it is open. Where one isn't there the way ends. Throws system errors,
 * and RefusedError `ELINK` for a link below the base. Above the base, a user that our user namespace doesn't know
 * counts as root: it is somebody of the machine that the namespace is a guest of.
 */
export function* wayTo(base: string, names: readonly string[], directories: Directories): Generator<Witness> {
  const real = readlinkSync(`/proc/self/fd/${directories.fd(base)}`);
  const above: string[] = [];
  for (let path = real; path !== '/'; path = parentOf(path)) above.unshift(parentOf(path));
  const outsider = overflowUid();
  for (const path of above) {
    const found = witness(path, statSync(path), true);
    yield found.uid === outsider ? { ...found, uid: 0 } : found;
  }
  for (let depth = 0; depth <= names.length; depth++) {
    const way = names.slice(0, depth);
    yield witness(
      [real === '/' ? '' : real, ...way].join('/') || '/',
      fstatSync(directories.fd(base, way)),
      false,
    );
  }
}

/** A file or a directory as a witness. */
export function witness(path: string, stat: Stats, isAbove = false): Witness {
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

/** The directories above a place where a root is to be made, and the nearest one that is there. */
export function* wayAbove(base: string, directories: Directories): Generator<Witness> {
  for (const each of wayTo(base, [], directories)) yield { ...each, isAbove: true };
}
