import { cutShort, type Damage, PREFIX_BYTES, type StreamConsumer } from './framing.js';
import { Replay, type ReplayOptions } from './replay.js';

/** What is known of an open stream. Times in milliseconds since the epoch. */
export interface StreamStat {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly uid: number;
  readonly mtimeMs: number;
  readonly birthtimeMs: number;
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

/** Shared by all synchronous reads: thousands of small streams are read without allocating for each. */
let shared: Buffer | undefined;

/**
 * Feeds an open stream to `consumer`, from where it stands to the size the file had when it was opened: a
 * stream that grows faster than it is read ends too. Throws system errors. Memory is one chunk, or one record if
 * that is bigger, and never more than the file is long.
 */
export function readStream<Stat extends StreamStat>(
  file: StreamFile<Stat>,
  consumer: StreamConsumer,
): ReadResult<Stat> {
  return { stat: file.stat, damage: feedFrom(file, file.stat.size, consumer) };
}

function feedFrom(file: StreamFile, size: number, consumer: StreamConsumer): Damage | undefined {
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
    if (consumer.damage !== undefined) return consumer.damage;
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

/** A stream on disk that is read again and again, each time only what was appended. */
export class CheckpointFile<Stat extends StreamStat = StreamStat> {
  readonly #open: OpenStream<Stat>;
  readonly #options: ReplayOptions;
  replay: Replay;
  #stat: Stat | undefined;
  #failed = false;

  constructor(open: OpenStream<Stat>, options: ReplayOptions) {
    this.#open = open;
    this.#options = options;
    this.replay = new Replay(options);
  }

  /**
   * Reads on. A file that was replaced, or is shorter than what was read of it, is read from its start; so is
   * one that could not be read the last time. Throws what `open` throws and system errors; the state is then
   * still the old one.
   */
  refresh(): ReadResult<Stat> {
    if (this.#failed) this.replay = new Replay(this.#options);
    const before = this.#failed ? undefined : this.#stat;
    const read = this.replay.bytes;
    this.#failed = true;
    const file = this.#open();
    try {
      let result = readStream(file, this.replay);
      if (before !== undefined && !continues(before, read, result.stat)) {
        this.replay = new Replay(this.#options);
        result = readStream(file, this.replay);
      }
      this.#failed = false;
      this.#stat = result.stat;
      return result;
    } finally {
      file.close();
    }
  }
}

/** True if `now` is the file of which the first `read` bytes were read when it was `before`. */
function continues(before: StreamStat, read: number, now: StreamStat): boolean {
  // The inode of a removed file is soon given to a new one; its time of birth is another.
  const same = now.ino === before.ino && now.dev === before.dev && now.birthtimeMs === before.birthtimeMs;
  return same && now.size >= read;
}
