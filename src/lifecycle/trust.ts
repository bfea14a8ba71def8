import { fstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { UsageError } from '../errors/errors.js';
import { accountGroups, type Groups } from '../host/groups.js';
import { overflowUid } from '../host/user-namespace.js';
import { LAYOUTS, type LayoutName } from '../layout/layouts.js';
import { mesosIdsOf } from '../layout/mesos.js';
import { CHECKPOINTS, TASKS } from '../layout/root-paths.js';
import { type Place, RUNNER } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { statFile } from '../store/look.js';
import { namesBelow, parentOf } from '../store/paths.js';

/** A file or a directory that decides whether what a task's files say is believed. */
export interface Witness extends Pick<Stats, 'uid' | 'gid' | 'mode' | 'nlink'> {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
  /** Above the checkpoint root: names in it may be exchanged, but nothing is read from it. */
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

/** Whose files are believed: root's, those of the task's user, and our own. */
export function trustedUsers(uid: number | undefined, euid: number): ReadonlySet<number> {
  return new Set(uid === undefined ? [0, euid] : [0, euid, uid]);
}

/** The layout of a checkpoint root by its path. */
export function layoutOf(root: string): LayoutName {
  return mesosIdsOf(parentOf(root)) === undefined ? 'host' : 'mesos';
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

/** What a task's files and the directories around them are, as far as they are there. */
function* witnessesOf({ root, taskId }: Place, directories: Directories): Generator<Witness> {
  const base = LAYOUTS[layoutOf(root)].base({ path: root });
  const below = namesBelow(root, base) as string[];
  yield* wayTo(base, below, directories);
  for (const [names, file] of [
    [[CHECKPOINTS, taskId], RUNNER],
    [[TASKS, 'active'], taskId],
  ] as const) {
    for (let depth = 1; depth <= names.length; depth++) {
      const path = [root, ...names.slice(0, depth)].join('/');
      const stat = statFile(path, { below: base, directories });
      if (stat === undefined) break;
      yield witness(path, stat);
      if (!stat.isDirectory()) break;
    }
    const path = [root, ...names, file].join('/');
    const stat = statFile(path, { below: base, directories });
    if (stat !== undefined) yield witness(path, stat);
  }
}

/**
 * What somebody else may have written must not run as the user that it names, nor say what of that user's is
 * killed: returns the error `task-untrusted` then. It is asked before anything is done that a task's files say.
 * `uid` is the task's user, as its header has it. What can't be looked at is not believed either.
 */
export function distrust(place: Place, uid: number | undefined): UsageError | undefined {
  const directories = new Directories();
  try {
    const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
    const stranger = findStranger(witnessesOf(place, directories), trusted, accountGroups());
    return stranger && untrusted(place.taskId, uid, stranger);
  } catch (error) {
    return new UsageError(
      'task-untrusted',
      `it can't be seen who may have written the files of task ${place.taskId}: ${(error as Error).message}`,
    );
  } finally {
    directories.close();
  }
}

/** The error of a task that is not believed. */
export function untrusted(
  taskId: string,
  uid: number | undefined,
  { path, what, remedy }: Stranger,
): UsageError {
  const whose = uid === undefined ? 'does not say whose it is' : `runs as uid ${uid}`;
  return new UsageError(
    'task-untrusted',
    `task ${taskId} ${whose}, but somebody else may have written its files: ${path} ${what}`,
    `if its files are right: ${remedy}`,
  );
}

/** The directories above a place where a root is to be made, and the nearest one that is there. */
export function* wayAbove(base: string, directories: Directories): Generator<Witness> {
  for (const each of wayTo(base, [], directories)) yield { ...each, isAbove: true };
}

/**
 * Refuses a checkpoint root if somebody else than root, the task's user and ourselves may have put there what the
 * witnesses are, and so may exchange what we are about to make in it. Throws UsageError `root-untrusted`.
 */
export function refuseStrangers(root: string, witnesses: Iterable<Witness>, uid: number): void {
  const stranger = findStranger(witnesses, trustedUsers(uid, process.geteuid?.() ?? 0), accountGroups());
  if (stranger === undefined) return;
  const { path, what, remedy } = stranger;
  throw new UsageError(
    'root-untrusted',
    `the root ${root} is not used, because somebody else could exchange what is in it: ${path} ${what}`,
    `choose another with --root, or: ${remedy}`,
  );
}
