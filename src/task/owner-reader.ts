import { findAccount } from '../host/accounts.js';
import { groupsOf } from '../host/groups.js';
import { statFile } from '../store/look.js';
import type { Reader } from '../store/reader.js';
import type { TaskView } from './view.js';

/**
 * The user on whose behalf root reads what is in the sandbox of a task, because that user may have written its path: the
 * owner of the checkpoint directory, else the user of the task. Undefined if neither is known. `base`: below it, no link
 * is followed.
 */
export function ownerReader(view: TaskView, base: string): Reader | undefined {
  let owner = 0;
  try {
    owner = statFile(view.found.checkpoint_dir, { below: base })?.uid ?? 0;
  } catch {
    // Reading the stream reported this already. The task's user is used instead.
  }
  const uid = owner !== 0 ? owner : (view.uid ?? (view.user && findAccount(view.user)?.uid));
  return uid === undefined || uid === '' ? undefined : readerWith(uid);
}

/** A user whose groups are asked for once, when they matter. */
export function readerWith(uid: number): Reader {
  let groups: readonly number[] | undefined;
  return {
    uid,
    groups: () => {
      groups ??= groupsOf(uid);
      return groups;
    },
  };
}
