import type { Stats } from 'node:fs';
import { othersMayWrite } from '../host/mode.js';
import { layoutAt } from '../layout/layouts.js';

/** The user whose processes the files of a task may name. */
export interface Owner {
  /** The task's user. */
  readonly uid: number;
  /**
   * Only root, and not root in a container, can have written the files: then descendants of the task's processes
   * belong to the task, no matter which user they run as.
   */
  readonly isWrittenByRoot: boolean;
  /** As in `Criteria`. */
  readonly recordsSuffice: boolean;
}

/**
 * The owner of a task whose files are trusted; ourselves if the task does not name its user. `isRoots`: the files would
 * also be trusted if the task were root's.
 */
export function ownerOf(root: string, uid: number | undefined, isRoots: () => boolean): Owner {
  const me = process.geteuid?.() ?? 0;
  const executes = mayExecute(root);
  return { uid: uid ?? me, isWrittenByRoot: executes && me === 0 && isRoots(), recordsSuffice: executes };
}

/** May a process of this user be signalled, if all else shows that it belongs to the task? */
export function mayBeSignalled({ uid, isWrittenByRoot }: Owner, realUid: number): boolean {
  return realUid === uid || isWrittenByRoot;
}

type Written = Pick<Stats, 'uid' | 'mode' | 'nlink'>;

/** Is root the only user who can have opened the file for writing or linked it? */
export function onlyRootCanWrite({ uid, mode, nlink }: Written): boolean {
  return uid === 0 && nlink === 1 && !othersMayWrite(mode);
}

/** May commands from the files of this root be executed? */
export function mayExecute(root: string): boolean {
  return layoutAt(root).executes;
}
