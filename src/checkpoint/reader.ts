import { cutShort, type Damage, PREFIX_BYTES, type StreamConsumer } from './framing.js';
import { Replay, type ReplayOptions } from './replay.js';
import { type Change, StreamMemory } from './stream-memory.js';

/** What is known of an open stream. Times in milliseconds since the epoch. */
export interface StreamStat {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly uid: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  /** Of 512 bytes, on disk. Absent or 0 if that isn't known. */
  readonly blocks?: number;
}

/** An open stream: an `OpenFile` of the store, or bytes from elsewhere. */
export interface StreamFile<Stat extends StreamStat = StreamStat> {
  /** As it was when it was opened. */
  readonly stat: Stat;
  /** Fills `length` bytes of the buffer from `offset` on with those at `position`; fewer at the end. */
  readAt(buffer: Buffer, offset: number, length: number, position: number): number;
}

export interface ReadResult<Stat extends StreamStat = StreamStat> {
  /** Of the open file: device and inode are those that a lock on it has. */
  stat: Stat;
  /** Why the stream could not be used to its end, if so. */
  damage: Damage | undefined;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * A stream is appended to and has no holes. One with so many times the bytes that it takes up on disk would cost
 * everybody the time to read zeros of which there may be more than fit on the disk: no more than its beginning is
 * read. No file system compresses streams as well; one that doesn't say how many blocks it uses says none.
 */
const SPARSE_FACTOR = 64;
const SPARSE_READ_BYTES = 1024 * 1024;
const BLOCK_BYTES = 512;

function isSparse({ size, blocks = 0 }: StreamStat): boolean {
  return blocks > 0 && size > SPARSE_READ_BYTES && size > SPARSE_FACTOR * BLOCK_BYTES * blocks;
}

/** Shared by all synchronous reads: thousands of small streams are read without allocating for each. */
let shared: Buffer | undefined;

/**
 * Feeds an open stream to `consumer`, from where it stands to the size the file had when it was opened: a
 * stream that grows faster than it is read ends too. Throws system errors. Memory is one chunk, or one record if
 * that is bigger, and never more than the file is long. Of a sparse file only the beginning is read, which is
 * damage too.
 */
export function readStream<Stat extends StreamStat>(
  file: StreamFile<Stat>,
  consumer: StreamConsumer,
): ReadResult<Stat> {
  return { stat: file.stat, damage: feedFile(file, consumer) };
}

function feedFile(file: StreamFile, consumer: StreamConsumer, memory?: StreamMemory): Damage | undefined {
  const { stat } = file;
  if (!isSparse(stat)) return feedFrom(file, stat.size, consumer, memory);
  const damage = feedFrom(file, SPARSE_READ_BYTES, consumer, memory);
  if (damage?.kind === 'damaged') return damage;
  const allocated = BLOCK_BYTES * (stat.blocks ?? 0);
  const reason = `a file without holes was expected, of ${stat.size} bytes only ${allocated} are on disk`;
  return { kind: 'damaged', offset: consumer.bytes, reason, sparse: true };
}

function feedFrom(
  file: StreamFile,
  size: number,
  consumer: StreamConsumer,
  memory: StreamMemory | undefined,
): Damage | undefined {
  shared ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let buffer = shared;
  let position = consumer.bytes;
  let held = 0;
  for (;;) {
    const wanted = Math.min(buffer.length - held, size - position);
    const count = wanted > 0 ? file.readAt(buffer, held, wanted, position) : 0;
    if (count === 0) return consumer.atEnd(buffer, 0, held);
    position += count;
    held += count;
    const used = consumer.feed(buffer, 0, held);
    memory?.used(position - held, buffer, 0, used);
    if (consumer.damage !== undefined) {
      memory?.damaged(consumer.bytes, buffer, used, held);
      return consumer.damage;
    }
    if (used === 0 && held >= PREFIX_BYTES) {
      const length = buffer.readUInt32BE(0);
      const left = held + size - position;
      // A record that the file doesn't hold to its end: nothing to gather.
      if (PREFIX_BYTES + length > left) return cutShort(consumer.bytes, left, length);
      if (PREFIX_BYTES + length > buffer.length) {
        const bigger = Buffer.allocUnsafeSlow(PREFIX_BYTES + length);
        buffer.copy(bigger, 0, 0, held);
        buffer = bigger;
      }
      continue;
    }
    buffer.copy(buffer, 0, used, held);
    held -= used;
  }
}

/** Opens the stream of a path anew; whoever asked closes it. */
export type OpenStream<Stat extends StreamStat> = () => StreamFile<Stat> & { close(): void };

export interface RereadResult<Stat extends StreamStat = StreamStat> extends ReadResult<Stat> {
  /** Why the stream was read from its start again, if it was. */
  change: Change | undefined;
}

/**
 * A stream on disk that is read again and again, each time only what was appended. What was replaced by another
 * file, became shorter or was written again is read from its start, by a new consumer; so is damage in other bytes.
 */
export class FollowedStream<T extends StreamConsumer, Stat extends StreamStat = StreamStat> {
  readonly #open: OpenStream<Stat>;
  readonly #start: (change?: Change) => T;
  consumer: T;
  #memory: StreamMemory | undefined;
  #failed = false;

  /**
   * `start` gives the consumer for a stream that is read from its start; the second time it is told why. `once`: it
   * is not read a second time, and nothing has to be remembered of it.
   */
  constructor(open: OpenStream<Stat>, start: (change?: Change) => T, once = false) {
    this.#open = open;
    this.#start = start;
    this.#memory = once ? undefined : new StreamMemory();
    this.consumer = start();
  }

  /**
   * Reads on. A file that could not be read the last time is read from its start. Throws what `open` throws and
   * system errors; the consumer is then still the old one.
   */
  refresh(): RereadResult<Stat> {
    const failed = this.#failed;
    this.#failed = true;
    const file = this.#open();
    try {
      const change = this.#memory?.changed(file);
      if (failed || change !== undefined) {
        this.consumer = this.#start(change);
        this.#memory = new StreamMemory();
        this.#memory.changed(file);
      }
      const damage = feedFile(file, this.consumer, this.#memory);
      this.#failed = false;
      return { stat: file.stat, change, damage };
    } finally {
      file.close();
    }
  }
}

/** The state that a stream on disk adds up to; see FollowedStream. */
export class CheckpointFile<Stat extends StreamStat = StreamStat> extends FollowedStream<Replay, Stat> {
  constructor(open: OpenStream<Stat>, options: ReplayOptions, once = false) {
    super(open, () => new Replay(options), once);
  }

  get replay(): Replay {
    return this.consumer;
  }
}
