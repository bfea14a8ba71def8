import { errnoOf } from '../errors/errors.js';
import { firstDenied } from '../store/denied.js';
import { listDirectory } from '../store/list.js';
import { statFile } from '../store/look.js';
import { type FileStat, type OpenFile, type OpenOptions, openFile } from '../store/open-file.js';
import type { LogHandle, LogNames, LogStat, LogTree, OpenedLog } from './log-tree.js';
import { tooLarge, unreadableLog } from './problems.js';

/** How the logs of a task are opened: below which directory no link is followed, and on whose behalf. */
export type LogAccess = Pick<OpenOptions, 'below' | 'as'>;

/**
 * Logs on this host. The task's user can write there and root reads, so only a regular file that is really in its
 * directory, and that the user could read, is opened: a FIFO would block, opening a device may have effects, a link
 * may lead to a file that only root can read.
 */
export class LocalLogTree implements LogTree {
  readonly #access: LogAccess;

  constructor(access: LogAccess) {
    this.#access = access;
  }

  list(directory: string, most: number): LogNames {
    try {
      const { entries, complete } = listDirectory(directory, { below: this.#access.below, max: most });
      return { names: entries.map(({ name }) => name), complete };
    } catch (error) {
      return errnoOf(error) === 'ENOENT'
        ? { absent: true }
        : { problem: unreadableLog(directory, error, 'the log directory') };
    }
  }

  stat(path: string): LogStat {
    try {
      const stat = statFile(path, { below: this.#access.below });
      if (stat === undefined) return { absent: true };
      if (!stat.isFile()) return { id: idOf(stat) };
      return { id: idOf(stat), size: stat.size, modified_ms: stat.mtimeMs };
    } catch (error) {
      return { problem: unreadableLog(path, error) };
    }
  }

  open(path: string): OpenedLog {
    try {
      const file = openFile(path, this.#access);
      const { size } = file.stat;
      if (size <= Number.MAX_SAFE_INTEGER) return { file: new LocalLog(file) };
      file.close();
      return { problem: tooLarge(path, size) };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return { absent: true };
      return { problem: unreadableLog(path, error) };
    }
  }

  denied(directory: string, ...below: string[]): string | undefined {
    return firstDenied(directory, ...below);
  }
}

class LocalLog implements LogHandle {
  readonly #file: OpenFile;
  readonly id: string;

  constructor(file: OpenFile) {
    this.#file = file;
    this.id = idOf(file.stat);
  }

  get path(): string {
    return this.#file.path;
  }

  get size(): number {
    return this.#file.stat.size;
  }

  get modified_ms(): number {
    return this.#file.stat.mtimeMs;
  }

  readAt(buffer: Uint8Array, length: number, offset: number): number {
    return this.#file.readAt(buffer, 0, length, offset);
  }

  stat(): { size: number; deleted: boolean } {
    const { size, nlink } = this.#file.statNow();
    return { size: Math.min(size, Number.MAX_SAFE_INTEGER), deleted: nlink === 0 };
  }

  close(): void {
    this.#file.close();
  }
}

function idOf({ dev, ino }: FileStat): string {
  return `${dev}:${ino}`;
}
