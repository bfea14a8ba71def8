import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { errnoOf } from '../../errors/errors.js';
import { backupName } from '../../layout/backups.js';

/**
 * Appends to a log. With a size it rotates: a file that has reached the size becomes `PATH.1`, that becomes `PATH.2` and
 * so on, up to `backups`. A failed write loses its bytes, because a full disk must not block the process.
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
      try {
        ftruncateSync(this.#fd, 0);
      } catch {
        // Continue at the end of the file: it is tried again when as much was written.
      }
      return;
    }
    for (let i = backups - 1; i >= 1; i--) move(backupName(this.#path, i), backupName(this.#path, i + 1));
    try {
      renameSync(this.#path, backupName(this.#path, 1));
      const fresh = openSync(this.#path, 'a', 0o644);
      closeSync(this.#fd);
      this.#fd = fresh;
    } catch {
      // The directory was removed: continue with the old file, without rotation.
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
