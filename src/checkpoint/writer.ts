import { fdatasync, fdatasyncSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { describeErrno, SystemError } from '../errors/errors.js';
import { encodeRecord } from './codec.js';
import { encodeFrame } from './framing.js';
import type { CheckpointRecord } from './records.js';

/**
 * Appends records to a stream. The caller holds the stream's lock, so that nobody else writes, and acts on records only
 * when they are durable. All methods fail with SystemError `checkpoint-write-failed` (for example on a full disk); what
 * was not durable by then is removed, so that readers see the stream as it was.
 */
export class CheckpointWriter {
  readonly #fd: number;
  /** The length of the durable part; undefined before the first write. */
  #durable: number | undefined;
  #written = 0;
  #isClosed = false;

  /** `fd` is open for appending; the caller closes it. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** As `appendAll`. */
  append(record: CheckpointRecord): void {
    this.appendAll([record]);
  }

  /** Appends the records in one write. They are durable when this returns. */
  appendAll(records: readonly CheckpointRecord[]): void {
    if (records.length === 0) return;
    this.write(records);
    this.syncNow();
    this.#durable = this.#written;
  }

  /** All that is in the stream is durable when this returns, whoever wrote it. */
  syncNow(): void {
    try {
      fdatasyncSync(this.#fd);
    } catch (error) {
      throw this.#failed(this.#durable, error);
    }
  }

  /** Appends the records in one write. They are durable after the next `sync`, which begins later. */
  write(records: readonly CheckpointRecord[]): void {
    const bytes = Buffer.concat(records.map((record) => encodeFrame(encodeRecord(record))));
    const before = fstatSync(this.#fd).size;
    this.#durable ??= before;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw this.#failed(before, error);
    }
    this.#written = before + bytes.length;
  }

  /** Makes durable what was written, while the caller goes on. `done` is called later, but not after `close`. */
  sync(done: (error: SystemError | undefined) => void): void {
    const written = this.#written;
    fdatasync(this.#fd, (error) => {
      if (this.#isClosed) return;
      if (error === null) this.#durable = written;
      done(error === null ? undefined : this.#failed(this.#durable, error));
    });
  }

  /** To be called before `fd` is closed, if a `sync` may not be done yet. */
  close(): void {
    this.#isClosed = true;
  }

  #failed(length: number | undefined, error: unknown): SystemError {
    try {
      if (length !== undefined && fstatSync(this.#fd).size > length) ftruncateSync(this.#fd, length);
    } catch {
      // Whoever resumes the task removes what is incomplete; nothing depends on the rest.
    }
    const message = `cannot write to the checkpoint: ${describeErrno(error)}`;
    return new SystemError('checkpoint-write-failed', message, undefined, error);
  }
}
