import type { FileIdentity } from '../host/file-identity.js';
import { recordIn } from './codec.js';
import { type Damage, RecordScanner, type StreamConsumer } from './framing.js';
import { FollowedStream, type OpenStream, type StreamStat } from './reader.js';
import { type CheckpointRecord, isTerminalTaskState } from './records.js';
import type { Change } from './stream-memory.js';
import { ThriftError } from './thrift.js';

/** Receives a record with the offset of its frame in the stream and the length of its payload. */
export type OnRecord = (record: CheckpointRecord, offset: number, length: number) => void;

/** Lists the records of a stream as they are on disk: they are decoded but not replayed. */
export class RecordLister implements StreamConsumer {
  readonly #sink: OnRecord;
  #scanner: RecordScanner;
  /** The last task status says that the task is over. */
  over = false;

  constructor(sink: OnRecord) {
    this.#sink = sink;
    this.#scanner = this.#newScanner();
  }

  /** Starts a stream from its beginning again. */
  restart(): void {
    this.#scanner = this.#newScanner();
    this.over = false;
  }

  #newScanner(): RecordScanner {
    return new RecordScanner((decoder, offset, length) => {
      let record: CheckpointRecord;
      try {
        record = recordIn(decoder);
      } catch (error) {
        if (error instanceof ThriftError) return error.message;
        throw error;
      }
      if (record.type === 'task_status') this.over = isTerminalTaskState(record.value.state);
      this.#sink(record, offset, length);
      return undefined;
    });
  }

  get records(): number {
    return this.#scanner.records;
  }

  get bytes(): number {
    return this.#scanner.bytes;
  }

  get damage(): Damage | undefined {
    return this.#scanner.damage;
  }

  feed(bytes: Buffer, start: number, end: number): number {
    return this.#scanner.feed(bytes, start, end);
  }

  atEnd(bytes: Buffer, start: number, end: number): Damage | undefined {
    return this.#scanner.atEnd(bytes, start, end);
  }
}

export interface FollowRecordsOptions {
  /** Resolves when the file may have changed, at the latest after a while; rejects to end the following. */
  changed: () => Promise<void>;
  /** Does any process hold the stream's lock? Undefined if that cannot be known. */
  isLocked: (file: FileIdentity) => boolean | undefined;
  /** Called before the records of a stream that replaced the followed one. */
  restarted: (change: Change) => void;
  /** Called after each read, to write out the listed records. */
  flush: () => void;
}

/**
 * Lists the records of a stream and then those that are appended, until the task is over and nobody holds the
 * lock, or the stream is damaged. A stream that replaces it is listed from its start. Resolves to the damage at its
 * end, if any. Throws what `open` throws and system errors.
 */
export async function followRecords(
  open: OpenStream<StreamStat>,
  lister: RecordLister,
  options: FollowRecordsOptions,
): Promise<Damage | undefined> {
  const stream = new FollowedStream(open, (change) => {
    if (change !== undefined) {
      lister.restart();
      options.restarted(change);
    }
    return lister;
  });
  let unlocked = false;
  for (;;) {
    const before = lister.bytes;
    const { stat, damage, change } = stream.refresh();
    options.flush();
    if (damage?.kind === 'damaged') return damage;
    // The lock was checked before this read, so everything that its last holder wrote has been read.
    if (lister.over && unlocked && lister.bytes === before && change === undefined) return damage;
    unlocked = options.isLocked(stat) !== true;
    if (!(lister.over && unlocked)) await options.changed();
  }
}
