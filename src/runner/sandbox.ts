import { accessSync, chownSync, closeSync, constants, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeErrno, errnoOf, SystemError, UsageError } from '../errors/errors.js';
import { isShortage, shortageRemedy } from '../errors/shortage.js';
import type { Account } from '../host/accounts.js';
import { accountGroups } from '../host/groups.js';
import { makeDirectory } from '../host/make-directory.js';
import { OPEN_TO_ALL, underUmask } from '../host/umask.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { sandboxMarkOf, writeMarkIn, writeSandboxMark } from '../lifecycle/sandbox-mark.js';
import { at, Directories } from '../store/directories.js';
import { presenceOf } from '../store/look.js';
import { directoriesAbove, findUntrusted } from '../store/ownership.js';
import { RefusedError } from '../store/refused.js';
import { openWay } from '../store/way.js';

/** Only links that root or we created are followed, because the task's user could lead root anywhere. */
const TRUSTED: ReadonlySet<number> = new Set([0, process.geteuid?.() ?? 0]);

/**
 * Creates the sandbox of a task for its user, if missing, with the mark by which gc recognizes it. Throws UsageError
 * `sandbox-unusable`, for a task of root's also if another user could replace the sandbox or a directory above it;
 * SystemError `sandbox-unwritable` if the disk is full or similar.
 */
export function makeSandbox(path: string, user: Account, place: TaskPlace): void {
  const unusable = (why: string) =>
    new UsageError(
      'sandbox-unusable',
      `the sandbox ${path} cannot be used: ${why}`,
      'choose another with --sandbox',
    );
  try {
    if (process.geteuid?.() === 0) makeAsRoot(path, user, place);
    else if (makeDirectory(path)) writeSandboxMark(path, place);
    const presence = presenceOf(path);
    if (typeof presence === 'object') throw presence.error;
    if (presence !== 'directory') throw unusable('it is not a directory');
    accessSync(path, constants.W_OK | constants.X_OK);
    const stranger = user.uid === 0 ? strangerTo(path) : undefined;
    if (stranger !== undefined) throw unusable(`${stranger.path} ${stranger.what}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof RefusedError ? error.message : describeErrno(error);
    // The chosen sandbox is not at fault.
    if (isShortage(error) || errnoOf(error) === 'EFBIG') {
      throw unwritable(`cannot write to the sandbox ${path}: ${why}`, error);
    }
    throw unusable(
      errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR' ? 'it is not a directory' : why,
    );
  }
}

/** The directories above are accessible to all users; the last one belongs to the user. */
function makeAsRoot(path: string, { uid, gid }: Account, place: TaskPlace): void {
  const above = openWay(dirname(path), {
    trusted: TRUSTED,
    make: (missing) => underUmask(OPEN_TO_ALL, () => mkdirSync(missing, 0o755)),
  });
  closeSync(above.fd);
  const { fd, made } = openWay(path, { trusted: TRUSTED, make: (missing) => mkdirSync(missing, 0o755) });
  try {
    const mark = made ? sandboxMarkOf(place) : undefined;
    if (mark !== undefined) writeMarkIn(fd, mark);
    if (made && uid !== 0) chownSync(at(fd, '.'), uid, gid);
  } finally {
    closeSync(fd);
  }
}

/** A user other than root who could replace root's sandbox. */
function strangerTo(path: string) {
  const directories = new Directories();
  try {
    return findUntrusted(directoriesAbove(path, directories), TRUSTED, accountGroups());
  } finally {
    directories.close();
  }
}

/**
 * Creates the log directory of a task. As in the original it stays ours, so that the task cannot move its logs; only the
 * directory of a run belongs to its user. Throws UsageError `sandbox-unusable`, SystemError `sandbox-unwritable`.
 */
export function makeLogDir(path: string): void {
  try {
    if (process.geteuid?.() !== 0) makeDirectory(path);
    else {
      const make = (missing: string | Buffer) => underUmask(OPEN_TO_ALL, () => mkdirSync(missing, 0o755));
      closeSync(openWay(path, { trusted: TRUSTED, make }).fd);
    }
  } catch (error) {
    const why = error instanceof RefusedError ? error.message : describeErrno(error);
    const message = `cannot make the log directory ${path}: ${why}`;
    if (isShortage(error)) throw unwritable(message, error);
    throw new UsageError('sandbox-unusable', message);
  }
}

function unwritable(message: string, error: unknown): SystemError {
  return new SystemError('sandbox-unwritable', message, shortageRemedy(error), error);
}
