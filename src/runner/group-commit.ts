import type { CheckpointRecord } from '../checkpoint/records.js';
import type { CheckpointWriter } from '../checkpoint/writer.js';
import type { SystemError } from '../errors/errors.js';

interface CommitCalls {
  /** These records are durable. Called with all records, in their order. */
  readonly durable: (records: readonly CheckpointRecord[]) => void;
  /** The records that are not durable are removed, and nothing else is called. */
  readonly failed: (error: SystemError) => void;
}

/**
 * The end of a task's stream. The records of a turn are one write, and all records that are written while the disk is
 * busy are one sync: a slow disk makes the groups larger, and nobody waits for a record that nothing depends on.
 */
export class GroupCommit {
  readonly #writer: Pick<CheckpointWriter, 'appendAll' | 'write' | 'sync' | 'close'>;
  readonly #calls: CommitCalls;
  /** Of this turn. */
  #collected: CheckpointRecord[] = [];
  /** Not durable yet. */
  #written: CheckpointRecord[] = [];
  #isSyncing = false;
  #isClosed = false;

  constructor(writer: Pick<CheckpointWriter, 'appendAll' | 'write' | 'sync' | 'close'>, calls: CommitCalls) {
    this.#writer = writer;
    this.#calls = calls;
  }

  /** Adds a record to those of this turn. */
  add(record: CheckpointRecord): void {
    this.#collected.push(record);
  }

  /** Ends a turn: writes its records. Throws like CheckpointWriter; then the turn has not ended, and may go on. */
  commit(): void {
    if (this.#collected.length === 0) return;
    this.#writer.write(this.#collected);
    this.#written = this.#written.concat(this.#collected);
    this.#collected = [];
    this.#sync();
  }

  /** Ends the first turn: its records are durable when this returns. Throws like CheckpointWriter. */
  commitNow(): void {
    const records = this.#collected;
    this.#writer.appendAll(records);
    this.#collected = [];
    this.#calls.durable(records);
  }

  /** Must be called before the stream is closed; nothing is called from then on. */
  close(): void {
    this.#isClosed = true;
    this.#writer.close();
  }

  #sync(): void {
    if (this.#isSyncing || this.#isClosed || this.#written.length === 0) return;
    this.#isSyncing = true;
    const records = this.#written;
    this.#written = [];
    this.#writer.sync((error) => {
      this.#isSyncing = false;
      if (error !== undefined) return this.#calls.failed(error);
      this.#calls.durable(records);
      // What was written meanwhile goes with what these lead to.
      setImmediate(() => this.#sync());
    });
  }
}
