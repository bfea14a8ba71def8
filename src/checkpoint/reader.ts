import { cutShort, type Damage, PREFIX_BYTES, type StreamConsumer } from './framing.js';
import { Replay, type ReplayOptions } from './replay.js';
import { type Change, StreamMemory } from './stream-memory.js';

/** The stat of an open stream. Times are in milliseconds since the epoch. */
export interface StreamStat {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly uid: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;
  /** Blocks of 512 bytes on disk. Absent or 0 if not known. */
  readonly blocks?: number;
}

/** An open stream: an `OpenFile` of the store, or bytes from elsewhere. */
export interface StreamFile<Stat extends StreamStat = StreamStat> {
  /** As it was when the file was opened. */
  readonly stat: Stat;
  /** Reads `length` bytes at `position` into the buffer at `offset`; fewer at the end of the file. */
  readAt(buffer: Buffer, offset: number, length: number, position: number): number;
}

export interface ReadResult<Stat extends StreamStat = StreamStat> {
  /** The stat of the open file: a lock on it has this device and inode. */
  stat: Stat;
  /** Why the stream could not be used to its end; undefined if it could. */
  damage: Damage | undefined;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * A stream is only appended to and has no holes. If a file is this many times as large as its blocks on disk, only its
 * beginning is read: it may have more zeros than fit on the disk, which would cost every reader time. No file system
 * compresses streams this well; a file system that does not report blocks reports 0.
 */
const SPARSE_FACTOR = 64;
const SPARSE_READ_BYTES = 1024 * 1024;
const BLOCK_BYTES = 512;

function isSparse({ size, blocks = 0 }: StreamStat): boolean {
  return blocks > 0 && size > SPARSE_READ_BYTES && size > SPARSE_FACTOR * BLOCK_BYTES * blocks;
}

/** Shared by all synchronous reads, so that thousands of small streams are read without allocating for each. */
let shared: Buffer | undefined;

/**
 * Feeds an open stream to `consumer`, from its current offset to the size that the file had when it was opened, so that
 * it ends even if the stream grows faster than it is read. Throws system errors. It uses the memory of one chunk, or of
 * one record if that is larger, and never more than the size of the file. Only the beginning of a sparse file is read,
 * which counts as damage.
 */
export function readStream<Stat extends StreamStat>(
  file: StreamFile<Stat>,
  consumer: StreamConsumer,
): ReadResult<Stat> {
  return { stat: file.stat, damage: feedFile(file, consumer, Number.POSITIVE_INFINITY) };
}

/** `most`: stops after about this many bytes, after a whole record. */
function feedFile(
  file: StreamFile,
  consumer: StreamConsumer,
  most: number,
  memory?: StreamMemory,
): Damage | undefined {
  const { stat } = file;
  if (!isSparse(stat)) return feedFrom(file, stat.size, consumer, most, memory);
  const damage = feedFrom(file, SPARSE_READ_BYTES, consumer, Number.POSITIVE_INFINITY, memory);
  if (damage?.kind === 'damaged') return damage;
  const allocated = BLOCK_BYTES * (stat.blocks ?? 0);
  const reason = `a file without holes was expected, but of ${stat.size} bytes only ${allocated} are on disk`;
  return { kind: 'damaged', offset: consumer.bytes, reason, sparse: true };
}

function feedFrom(
  file: StreamFile,
  size: number,
  consumer: StreamConsumer,
  most: number,
  memory: StreamMemory | undefined,
): Damage | undefined {
  const end = consumer.bytes + most;
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
    if (consumer.bytes >= end) return undefined;
    if (used === 0 && held >= PREFIX_BYTES) {
      const length = buffer.readUInt32BE(0);
      const left = held + size - position;
      // The file ends inside this record.
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

/** Opens the stream at a path again; the caller closes it. */
export type OpenStream<Stat extends StreamStat> = () => StreamFile<Stat> & { close(): void };

export interface RereadResult<Stat extends StreamStat = StreamStat> extends ReadResult<Stat> {
  /** Why the stream was read from its start again, if it was. */
  change: Change | undefined;
  /** There is more to read: the limit of this read was reached. */
  more: boolean;
}

/**
 * A stream on disk that is read repeatedly, each time only what was appended. A stream that was replaced by another
 * file, shortened or rewritten is read from its start, by a new consumer; so is a damaged one if the damaged bytes have
 * changed.
 */
export class FollowedStream<T extends StreamConsumer, Stat extends StreamStat = StreamStat> {
  readonly #open: OpenStream<Stat>;
  readonly #start: (change?: Change) => T;
  consumer: T;
  #memory: StreamMemory | undefined;
  #failed = false;

  /**
   * `start` returns the consumer for a stream that is read from its start; later calls get the reason. `once`: the
   * stream is read only once, so nothing is remembered of it.
   */
  constructor(open: OpenStream<Stat>, start: (change?: Change) => T, once = false) {
    this.#open = open;
    this.#start = start;
    this.#memory = once ? undefined : new StreamMemory();
    this.consumer = start();
  }

  /**
   * Reads what was appended, at most about `most` bytes. A file that could not be read the last time is read from its
   * start. Throws what `open` throws and system errors; the consumer is then unchanged.
   */
  refresh(most = Number.POSITIVE_INFINITY): RereadResult<Stat> {
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
      const from = this.consumer.bytes;
      const damage = feedFile(file, this.consumer, most, this.#memory);
      this.#failed = false;
      const more =
        damage === undefined && this.consumer.bytes - from >= most && this.consumer.bytes < file.stat.size;
      return { stat: file.stat, change, damage, more };
    } finally {
      file.close();
    }
  }
}

/** The state that a stream on disk describes; see FollowedStream. */
export class CheckpointFile<Stat extends StreamStat = StreamStat> extends FollowedStream<Replay, Stat> {
  constructor(open: OpenStream<Stat>, options: ReplayOptions, once = false) {
    super(open, () => new Replay(options), once);
  }

  get replay(): Replay {
    return this.consumer;
  }
}
