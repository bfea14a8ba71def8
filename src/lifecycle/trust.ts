import { UsageError } from '../errors/errors.js';
import { accountGroups } from '../host/groups.js';
import { HOST, LAYOUTS, type LayoutName, MESOS } from '../layout/layouts.js';
import { mesosIdsOf } from '../layout/mesos.js';
import { CHECKPOINTS, TASKS } from '../layout/root-paths.js';
import { RUNNER, type TaskPlace } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { statFile } from '../store/look.js';
import type { OpenFile } from '../store/open-file.js';
import { namesBelow, parentOf } from '../store/paths.js';
import { findStranger, type Stranger, type Witness, wayTo, witness } from '../store/witnesses.js';

/** Whose files are believed: root's, those of the task's user, and our own. */
export function trustedUsers(uid: number | undefined, euid: number): ReadonlySet<number> {
  return new Set(uid === undefined ? [0, euid] : [0, euid, uid]);
}

/** The layout of a checkpoint root by its path. */
export function layoutOf(root: string): LayoutName {
  return (mesosIdsOf(parentOf(root)) === undefined ? HOST : MESOS).name;
}

/** The directory below which no link is followed in the checkpoint root of this path. */
export function baseOf(root: string): string {
  return LAYOUTS[layoutOf(root)].base({ path: root });
}

/** What a task's files and the directories around them are, as far as they are there. */
function* witnessesOf({ root, taskId }: TaskPlace, directories: Directories): Generator<Witness> {
  const base = baseOf(root);
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
 * `uid` is the task's user, as its header has it; `opened` are files of the task that are open already. What can't be
 * looked at is not believed either.
 */
export function checkOwnership(
  place: TaskPlace,
  uid: number | undefined,
  opened: readonly OpenFile[] = [],
): UsageError | undefined {
  const directories = new Directories();
  try {
    const trusted = trustedUsers(uid, process.geteuid?.() ?? 0);
    const groups = accountGroups();
    const stranger =
      findStranger(
        opened.map((file) => witness(file.path, file.statNow())),
        trusted,
        groups,
      ) ?? findStranger(witnessesOf(place, directories), trusted, groups);
    return stranger && untrusted(place.taskId, uid, stranger);
  } catch (error) {
    return new UsageError(
      'task-untrusted',
      `cannot determine who may have written the files of task ${place.taskId}: ${(error as Error).message}`,
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
    `if its files are correct: ${remedy}`,
  );
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
    `the root ${root} is not used, because somebody else could replace what is in it: ${path} ${what}`,
    `choose another with --root, or: ${remedy}`,
  );
}
