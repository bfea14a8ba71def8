import { fdatasyncSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { describeErrno, SystemError } from '../errors/errors.js';
import { encodeRecord } from './codec.js';
import { encodeFrame } from './framing.js';
import type { CheckpointRecord } from './records.js';

/**
 * Appends records to a stream. The records of a call are one write, and are durable when the call returns; only then may
 * the caller act on them. The caller holds the stream's lock, so that nobody else writes.
 */
export class CheckpointWriter {
  readonly #fd: number;

  /** `fd` is open for appending; the caller closes it. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Throws SystemError `checkpoint-write-failed` if the record cannot be written completely (for example on a full
   * disk); a part that was written is removed, so that readers see the stream as it was.
   */
  append(record: CheckpointRecord): void {
    this.appendAll([record]);
  }

  /** As `append`. */
  appendAll(records: readonly CheckpointRecord[]): void {
    if (records.length === 0) return;
    const frame = Buffer.concat(records.map((record) => encodeFrame(encodeRecord(record))));
    const before = fstatSync(this.#fd).size;
    try {
      for (let at = 0; at < frame.length; ) at += writeSync(this.#fd, frame, at);
      fdatasyncSync(this.#fd);
    } catch (error) {
      if (fstatSync(this.#fd).size > before) ftruncateSync(this.#fd, before);
      throw new SystemError(
        'checkpoint-write-failed',
        `cannot write to the checkpoint: ${describeErrno(error)}`,
        undefined,
        error,
      );
    }
  }
}
