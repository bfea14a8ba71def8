import { errnoOf } from '../errors/errors.js';
import type { FileIdentity } from '../host/file-identity.js';
import {
  encodeSandboxMark,
  LONGEST_MARK,
  parseSandboxMark,
  SANDBOX_MARK,
  type SandboxMark,
} from '../layout/sandbox-mark.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { Directories } from '../store/directories.js';
import { realPath, statFile } from '../store/look.js';
import { writeNewFile } from '../store/new-file.js';
import { useFile } from '../store/open-file.js';
import { nameOf, parentOf } from '../store/paths.js';

/** The mark of the task's sandboxes; undefined if the root does not exist. */
export function sandboxMarkOf({ root, taskId }: TaskPlace): SandboxMark | undefined {
  const path = realPath(root);
  const stat = path === undefined ? undefined : statFile(path);
  if (path === undefined || !stat?.isDirectory()) return undefined;
  return { task_id: taskId, root: path, dev: stat.dev, ino: stat.ino };
}

/**
 * Writes the mark into a sandbox that was just created for a task, so that gc recognizes it. Must not be called for a
 * directory that existed before. An existing file of that name stays: no link is followed and nothing is overwritten.
 * Throws system errors.
 */
export function writeSandboxMark(sandbox: string, place: TaskPlace): void {
  const mark = sandboxMarkOf(place);
  if (mark === undefined) return;
  const directories = new Directories();
  try {
    writeMarkIn(directories.fd(parentOf(sandbox), [nameOf(sandbox)]), mark);
  } finally {
    directories.close();
  }
}

/** The same in an open directory. `made` is called with the new file before anything is written. */
export function writeMarkIn(directory: number, mark: SandboxMark, made?: (file: FileIdentity) => void): void {
  try {
    writeNewFile(directory, SANDBOX_MARK, encodeSandboxMark(mark), { mode: 0o644, made });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** A mark with the properties of its file that show who may have written it. */
export interface FoundMark {
  readonly mark: SandboxMark;
  readonly uid: number;
  readonly nlink: number;
}

/**
 * Reads the mark in the directory at `path`; undefined if there is none or it is invalid. The caller decides whether to
 * trust it: anyone who can write to the directory can write a mark.
 */
export function readSandboxMark(path: string): FoundMark | undefined {
  try {
    return useFile(`${path}/${SANDBOX_MARK}`, { max: LONGEST_MARK }, (file) => {
      const mark = parseSandboxMark(file.read(LONGEST_MARK).toString('utf8'));
      return mark && { mark, uid: file.stat.uid, nlink: file.stat.nlink };
    });
  } catch {
    return undefined;
  }
}
