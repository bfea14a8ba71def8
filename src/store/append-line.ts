import { fchownSync, fstatSync, ftruncateSync, readSync, renameSync, writeSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { at, Directories } from './directories.js';
import { type OpenFile, openFile } from './open-file.js';
import { nameOf, parentOf } from './paths.js';
import { RefusedError } from './refused.js';

export interface AppendOptions {
  /** A directory above the file; below it no link is followed. */
  below: string;
  /** The file does not get longer than this. */
  max: number;
  /** The users who may own an existing file. */
  trusted: ReadonlySet<number>;
}

/**
 * Appends a line to a file of a task, in one write, or nothing of it. A missing file is made, and belongs to the owner of
 * its directory, so that the user of the task can append to what root made. Throws system errors, and RefusedError: as
 * `openFile`, also `EFBIG` if the line does not fit and `ENOTREADER` for a file of somebody else.
 */
export function appendLine(path: string, line: string, { below, max, trusted }: AppendOptions): void {
  const directories = new Directories();
  try {
    const file = openOrMake(path, below, directories);
    try {
      const { size, uid } = file.stat;
      if (!trusted.has(uid)) throw new RefusedError('ENOTREADER', `${path} belongs to uid ${uid}`);
      const bytes = Buffer.from(line);
      if (size + bytes.length > max) throw new RefusedError('EFBIG', `${path} is full`);
      writeLine(file.fd, bytes);
    } finally {
      file.close();
    }
  } finally {
    directories.close();
  }
}

/**
 * Appends a line to an open file, in one write. If the disk takes only a part of it, that part is taken back, so that the
 * file still ends with a whole line. Throws system errors.
 */
export function writeLine(fd: number, bytes: Uint8Array): void {
  let done = 0;
  try {
    while (done < bytes.length) done += writeSync(fd, bytes, done);
  } catch (error) {
    if (done > 0) takeBack(fd, bytes.subarray(0, done));
    throw error;
  }
}

/** Removes these bytes from the end of the file, unless somebody has appended to them. */
function takeBack(fd: number, bytes: Uint8Array): void {
  const begin = fstatSync(fd).size - bytes.length;
  const end = Buffer.alloc(bytes.length);
  if (begin >= 0 && readSync(fd, end, 0, end.length, begin) === end.length && end.equals(bytes))
    ftruncateSync(fd, begin);
}

/** Appends a text to an open file. Throws system errors: part of it may have been written then. */
export function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/**
 * As `appendLine`, but a file that is full gets the name `previous` in the same directory, and a new one is begun. Throws as
 * `appendLine`; `EFBIG` only for a line that fits into no file.
 */
export function appendBounded(path: string, line: string, previous: string, options: AppendOptions): void {
  try {
    appendLine(path, line, options);
  } catch (error) {
    if (errnoOf(error) !== 'EFBIG') throw error;
    const directories = new Directories();
    try {
      const fd = directories.below(options.below, parentOf(path));
      renameSync(at(fd, nameOf(path)), at(fd, previous));
    } finally {
      directories.close();
    }
    appendLine(path, line, options);
  }
}

function openOrMake(path: string, below: string, directories: Directories): OpenFile {
  const opening = { below, directories, oneName: true };
  try {
    return openFile(path, { ...opening, access: 'write' });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  let file: OpenFile;
  try {
    file = openFile(path, { ...opening, access: 'make' });
  } catch (error) {
    // Another process has just made it: a runner and who asks it to end its task do at the same time.
    if (errnoOf(error) === 'EEXIST') return openFile(path, { ...opening, access: 'write' });
    throw error;
  }
  try {
    const directory = fstatSync(directories.below(below, parentOf(path)));
    if (process.geteuid?.() === 0 && directory.uid !== 0) fchownSync(file.fd, directory.uid, directory.gid);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}
