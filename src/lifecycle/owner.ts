import type { Stats } from 'node:fs';
import { othersMayWrite } from '../host/mode.js';
import { LAYOUTS } from '../layout/layouts.js';
import { layoutOf } from './trust.js';

/** Whose processes the files of a task may name. */
export interface Owner {
  /** The task's user. */
  readonly uid: number;
  /**
   * Nobody but root, and no root in a container, can have written the files: then what descends from the task's
   * processes is the task's whoever it runs as.
   */
  readonly isWrittenByRoot: boolean;
  /** As in `Criteria`. */
  readonly recordsSuffice: boolean;
}

/**
 * The owner of a task whose files are believed; one that doesn't say whose it is, is ours. `isRoots`: they would be
 * believed of a task of root's, too.
 */
export function ownerOf(root: string, uid: number | undefined, isRoots: () => boolean): Owner {
  const me = process.geteuid?.() ?? 0;
  const executes = mayExecute(root);
  return { uid: uid ?? me, isWrittenByRoot: executes && me === 0 && isRoots(), recordsSuffice: executes };
}

/** May a process of this user be signalled, if everything else says that it is the task's? */
export function mayBeSignalled({ uid, isWrittenByRoot }: Owner, realUid: number): boolean {
  return realUid === uid || isWrittenByRoot;
}

type Written = Pick<Stats, 'uid' | 'mode' | 'nlink'>;

/** Can nobody but root have opened the file for writing, or put it under another name? */
export function onlyRootCanWrite({ uid, mode, nlink }: Written): boolean {
  return uid === 0 && nlink === 1 && !othersMayWrite(mode);
}

/** May what the files say be executed? */
export function mayExecute(root: string): boolean {
  return LAYOUTS[layoutOf(root)].executes;
}
