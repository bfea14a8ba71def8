import { errnoOf } from '../errors/errors.js';
import { Host } from '../host/host.js';
import { encodeReason, MOST_REASONS_BYTES, type Reason } from '../layout/reasons.js';
import { pathsOf, type TaskPlace } from '../layout/task-paths.js';
import { appendLine } from '../store/append-line.js';
import { RefusedError } from '../store/refused.js';
import { baseOf, trustedUsers } from './trust.js';

/**
 * Keeps a reason beside the stream of a task, for those who look at the task later. `uid`: the task's user. To be called
 * only for a task whose files may be acted on. If it cannot be kept (the disk is full, the file is somebody else's), it is
 * not: the task goes on all the same, and what is an error is also reported where it happens. Throws only on bugs.
 */
export function keepReason(place: TaskPlace, reason: Reason, uid: number | undefined): void {
  try {
    appendLine(pathsOf(place).reasons, encodeReason(reason), {
      below: baseOf(place.root),
      max: MOST_REASONS_BYTES,
      trusted: trustedUsers(uid, process.geteuid?.() ?? 0),
    });
  } catch (error) {
    if (!(error instanceof RefusedError) && errnoOf(error) === undefined) throw error;
  }
}

/** The person who uses this program, as far as it can be known: `root (sudo of alice)`. */
export function currentUser({ SUDO_USER }: Readonly<Record<string, string | undefined>>): string {
  const uid = process.getuid?.() ?? 0;
  const name = Host.local().userName(uid) ?? `uid ${uid}`;
  return uid === 0 && SUDO_USER ? `${name} (sudo of ${SUDO_USER})` : name;
}
