import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { errnoOf } from '../../errors/errors.js';
import { backupName } from '../../layout/backups.js';

/**
 * A log that is appended to. With a size it is rotated: a file that has reached the size becomes `PATH.1`, that
 * `PATH.2` and so on, `backups` of them. A write that fails loses its bytes: whoever writes the log must not be
 * held up by a full disk.
 */
export class LogWriter {
  readonly #path: string;
  readonly #rotation: { size: number; backups: number } | undefined;
  #fd: number;
  #size: number;

  constructor(path: string, rotation?: { size: number; backups: number }) {
    this.#path = path;
    this.#rotation = rotation !== undefined && rotation.size > 0 ? rotation : undefined;
    this.#fd = openSync(path, 'a', 0o644);
    this.#size = fstatSync(this.#fd).size;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = this.#rotation === undefined ? bytes.length : this.#rotation.size - this.#size;
      if (room <= 0) {
        this.#rotate();
        continue;
      }
      try {
        const count = writeSync(this.#fd, bytes, at, Math.min(room, bytes.length - at));
        at += count;
        this.#size += count;
      } catch {
        return;
      }
    }
    if (this.#rotation !== undefined && this.#size >= this.#rotation.size) this.#rotate();
  }

  #rotate(): void {
    const { backups } = this.#rotation as { size: number; backups: number };
    this.#size = 0;
    if (backups === 0) {
      ftruncateSync(this.#fd, 0);
      return;
    }
    for (let i = backups - 1; i >= 1; i--) move(backupName(this.#path, i), backupName(this.#path, i + 1));
    try {
      renameSync(this.#path, backupName(this.#path, 1));
      const fresh = openSync(this.#path, 'a', 0o644);
      closeSync(this.#fd);
      this.#fd = fresh;
    } catch {
      // Somebody took the directory away: the old file takes what comes, as a log that isn't rotated.
    }
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return;
  }
}
