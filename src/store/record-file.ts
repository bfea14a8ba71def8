import { closeSync, lstatSync, readlinkSync, readSync, renameSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { writeLine } from './append-line.js';
import { at, Directories } from './directories.js';
import { type OpenFile, openFile } from './open-file.js';
import { nameOf, parentOf } from './paths.js';
import { RefusedError } from './refused.js';
import { openWay } from './way.js';

export interface RecordFileOptions {
  /** The file gets no longer, but for a single line that is. */
  readonly maxBytes: number;
  /** The name that a full file gets, in the same directory. */
  readonly previous: string;
  /** What each line begins with: a file that begins otherwise is not one of ours. */
  readonly head: string;
}

/**
 * A file of lines that only this user reads and writes. It is opened for each line, so that it may be renamed meanwhile.
 * Its directory is found once, over links of root and ourselves only; after that, no link is followed.
 */
export class RecordFile {
  readonly path: string;
  readonly #options: RecordFileOptions;

  /** `path`: absolute. Makes the file, or checks it. Throws as `append`. */
  constructor(path: string, options: RecordFileOptions) {
    const me = process.geteuid?.() ?? 0;
    const { fd } = openWay(parentOf(path), { trusted: new Set([0, me]) });
    try {
      const directory = readlinkSync(`/proc/self/fd/${fd}`);
      this.path = `${directory === '/' ? '' : directory}/${nameOf(path)}`;
    } finally {
      closeSync(fd);
    }
    this.#options = options;
    this.#open((file) => this.#check(file));
  }

  /**
   * Appends a line, with its newline, in one write, or nothing of it. Throws system errors, and RefusedError for what is not
   * a regular file, has another name, is somebody else's, or holds something else.
   */
  append(line: string): void {
    const bytes = Buffer.from(line);
    const isWritten = this.#open((file) => {
      this.#check(file);
      const { size } = file.stat;
      if (size > 0 && size + bytes.length > this.#options.maxBytes) return false;
      // A machine that crashed may have left a part of a line.
      const isWhole = size === 0 || textAt(file, size - 1, 1) === '\n';
      writeLine(file.fd, isWhole ? bytes : Buffer.concat([Buffer.from('\n'), bytes]));
      return true;
    });
    if (isWritten) return;
    this.#putAside();
    this.#open((file) => writeLine(file.fd, bytes));
  }

  #open<T>(use: (file: OpenFile, directories: Directories) => T): T {
    const directories = new Directories();
    try {
      const options = { below: '/', directories, access: 'create', oneName: true, mode: 0o600 } as const;
      const file = openFile(this.path, options);
      try {
        return use(file, directories);
      } finally {
        file.close();
      }
    } finally {
      directories.close();
    }
  }

  #check(file: OpenFile): void {
    const { uid, size } = file.stat;
    if (uid !== process.geteuid?.())
      throw new RefusedError('ENOTREADER', `${file.path} belongs to uid ${uid}`);
    const { head } = this.#options;
    if (size > 0 && textAt(file, 0, head.length) !== head)
      throw new RefusedError('ENOTREG', `${file.path} holds something else`);
  }

  #putAside(): void {
    const { previous } = this.#options;
    const directories = new Directories();
    try {
      const place = parentOf(this.path);
      const fd = directories.below('/', place);
      const path = `${place === '/' ? '' : place}/${previous}`;
      if (lstatSync(at(fd, previous), { throwIfNoEntry: false }) !== undefined) {
        const older = openFile(path, { below: '/', directories, oneName: true });
        try {
          this.#check(older);
        } finally {
          older.close();
        }
      }
      renameSync(at(fd, nameOf(this.path)), at(fd, previous));
    } catch (error) {
      // Somebody else has put it aside.
      if (errnoOf(error) !== 'ENOENT') throw error;
    } finally {
      directories.close();
    }
  }
}

function textAt(file: OpenFile, position: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString('latin1', 0, readSync(file.fd, buffer, 0, length, position));
}
