import { closeSync, fstatSync } from 'node:fs';
import { SystemError } from '../errors/errors.js';
import { tryLock } from '../host/flock.js';
import { Host } from '../host/host.js';
import { openDirectory } from '../store/directories.js';
import { workDirOf } from './mesos.js';
import type { PlannedTask } from './plan.js';

/**
 * Locks the root directories of these tasks, or the agent's work directory, against other gc runs until the returned
 * function is called. Throws SystemError `gc-running` if one is locked, before anything is touched.
 */
export function lockRoots(tasks: readonly PlannedTask[]): () => void {
  const paths = new Set(
    tasks.map(({ root, subject: { runDir } }) => (runDir === undefined ? root : (workDirOf(runDir) ?? root))),
  );
  const held: number[] = [];
  const release = () => {
    for (const fd of held) closeSync(fd);
  };
  try {
    for (const path of paths) {
      const fd = openDirectory(path);
      held.push(fd);
      if (tryLock(fd)) continue;
      const holders = Host.local().lockHolders(fstatSync(fd));
      const who = holders.length === 0 ? 'another process' : `process ${holders.join(', ')}`;
      throw new SystemError(
        'gc-running',
        `${who} holds the lock of gc on ${path}`,
        'try again when it is done',
      );
    }
    return release;
  } catch (error) {
    release();
    throw error;
  }
}
