import { fstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import type { Groups } from '../host/groups.js';
import { overflowUid } from '../host/user-namespace.js';
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
  /** A command that takes the reason away. */
  readonly remedy: string;
}

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
/** Of a directory: a name in it can be taken away only by the owner of what it names. */
const STICKY = 0o1000;

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
    if (isLink) return { path, what: 'is a symbolic link', remedy: `rm ${path}` };
    if (!trusted.has(uid)) return { path, what: `belongs to uid ${uid}`, remedy: `chown root ${path}` };
    if (!isDirectory && nlink > 1) {
      return { path, what: `has ${nlink} names (hard links)`, remedy: `cp -p ${path} elsewhere, and back` };
    }
    if (isAbove && (mode & STICKY) !== 0) continue;
    if ((mode & OTHERS_WRITE) !== 0) {
      return { path, what: 'can be written by everybody', remedy: `chmod o-w ${path}` };
    }
    if ((mode & GROUP_WRITES) !== 0 && !groups.isOnlyOf(gid, uid, path)) {
      return { path, what: `can be written by group ${gid}`, remedy: `chmod g-w ${path}` };
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
