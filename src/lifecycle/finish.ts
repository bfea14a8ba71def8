import { lstatSync, lutimesSync, mkdirSync, renameSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { TASKS } from '../layout/root-paths.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { at, Directories } from '../store/directories.js';
import { namesBelow } from '../store/paths.js';
import { baseOf } from './trust.js';

/**
 * Moves the task file of a task that is over to the finished ones and sets its time to the end of the task
 * (milliseconds). Follows no link on the way, and moves any type of file. Does nothing if there is no such file. Throws
 * system errors, and RefusedError `ELINK`.
 */
export function moveTaskFile({ root, taskId }: TaskPlace, endedMs: number): void {
  const base = baseOf(root);
  const tasks = [...(namesBelow(root, base) as string[]), TASKS];
  const directories = new Directories();
  try {
    const active = at(directories.fd(base, [...tasks, 'active']), taskId);
    setTime(active, endedMs / 1000);
    makeFinished(at(directories.fd(base, tasks), 'finished'));
    const finished = at(directories.fd(base, [...tasks, 'finished']), taskId);
    renameSync(active, finished);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  } finally {
    directories.close();
  }
}

/** Before the move, which is the last step: this can be done again if the machine is short of something. */
function setTime(path: string | Buffer, seconds: number): void {
  // A file with a second name may also be the task file of another task.
  if (lstatSync(path).nlink === 1) lutimesSync(path, seconds, seconds);
}

/** The original creates it only when the first task of a root ends. */
function makeFinished(path: string | Buffer): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
