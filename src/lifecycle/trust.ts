import { UsageError } from '../errors/errors.js';
import { isShortage } from '../errors/shortage.js';
import { accountGroups } from '../host/groups.js';
import { layoutAt } from '../layout/layouts.js';
import { CHECKPOINTS, type Phase, TASKS } from '../layout/root-paths.js';
import { RUNNER, type TaskPlace } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { statFile } from '../store/look.js';
import type { OpenFile } from '../store/open-file.js';
import {
  directoriesTo,
  findUntrusted,
  type PathOwner,
  pathOwner,
  type UntrustedPath,
} from '../store/ownership.js';
import { namesBelow } from '../store/paths.js';

/** The users whose files are trusted: root, ourselves and the task's user. */
export function trustedUsers(uid: number | undefined, euid: number): ReadonlySet<number> {
  return new Set(uid === undefined ? [0, euid] : [0, euid, uid]);
}

/** The directory of a checkpoint root below which no link is followed. */
export function baseOf(root: string): string {
  return layoutAt(root).base({ path: root });
}

/** The existing files of a task and the directories around them. */
function* pathOwnersOf(
  { root, taskId }: TaskPlace,
  phase: Phase,
  directories: Directories,
): Generator<PathOwner> {
  const base = baseOf(root);
  const below = namesBelow(root, base) as string[];
  yield* directoriesTo(base, below, directories);
  for (const [names, file] of [
    [[CHECKPOINTS, taskId], RUNNER],
    [[TASKS, phase], taskId],
  ] as const) {
    for (let depth = 1; depth <= names.length; depth++) {
      const path = [root, ...names.slice(0, depth)].join('/');
      const stat = statFile(path, { below: base, directories });
      if (stat === undefined) break;
      yield pathOwner(path, stat);
      if (!stat.isDirectory()) break;
    }
    const path = [root, ...names, file].join('/');
    const stat = statFile(path, { below: base, directories });
    if (stat !== undefined) yield pathOwner(path, stat);
  }
}

export interface OwnershipOptions {
  /** Where the task file is. Default: `active`. */
  readonly phase?: Phase;
  /** The error for a file that somebody else may have written. Default: `untrusted`. */
  readonly refusal?: (stranger: UntrustedPath) => UsageError;
}

/**
 * Checks that only root, ourselves and the task's user can have written the files of a task: files of anyone else must
 * neither run commands as the user that they name nor decide which of that user's processes are killed. Returns the
 * error `task-untrusted` otherwise, also for files that cannot be checked. To be called before acting on a task's files.
 * `uid` is the task's user by its header; `opened` are files of the task that are already open.
 */
export function checkOwnership(
  place: TaskPlace,
  uid: number | undefined,
  opened: readonly OpenFile[] = [],
  { phase = 'active', refusal = (stranger) => untrusted(place.taskId, uid, stranger) }: OwnershipOptions = {},
): UsageError | undefined {
  const directories = new Directories();
  try {
    const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
    const groups = accountGroups();
    const stranger =
      findUntrusted(
        opened.map((file) => pathOwner(file.path, file.statNow())),
        trusted,
        groups,
      ) ?? findUntrusted(pathOwnersOf(place, phase, directories), trusted, groups);
    return stranger && refusal(stranger);
  } catch (error) {
    if (isShortage(error)) throw error;
    return new UsageError(
      'task-untrusted',
      `cannot determine who may have written the files of task ${place.taskId}: ${(error as Error).message}`,
    );
  } finally {
    directories.close();
  }
}

/** The error for a task that is not trusted. */
export function untrusted(
  taskId: string,
  uid: number | undefined,
  { path, what, remedy }: UntrustedPath,
): UsageError {
  const whose = uid === undefined ? 'does not say whose it is' : `runs as uid ${uid}`;
  return new UsageError(
    'task-untrusted',
    `task ${taskId} ${whose}, but somebody else may have written its files: ${path} ${what}`,
    `if its files are correct: ${remedy}`,
  );
}

/**
 * Refuses a checkpoint root if anyone but root, ourselves and the task's user controls the paths, and could replace
 * what we create there. Throws UsageError `root-untrusted`.
 */
export function refuseStrangers(root: string, owners: Iterable<PathOwner>, uid: number): void {
  const stranger = findUntrusted(owners, trustedUsers(uid, process.geteuid?.() ?? 0), accountGroups());
  if (stranger === undefined) return;
  const { path, what, remedy } = stranger;
  throw new UsageError(
    'root-untrusted',
    `the root ${root} is not used, because somebody else could replace what is in it: ${path} ${what}`,
    `choose another with --root, or: ${remedy}`,
  );
}
