import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { cutShort, type Damage, PREFIX_BYTES, type StreamConsumer } from './framing.js';
import { Replay, type ReplayOptions } from './replay.js';

/** Thrown for a checkpoint that is no regular file: reading a pipe or a device might never end. */
export class NotRegularFileError extends Error {
  readonly code = 'ENOTREG';
}

export interface ReadResult {
  /** Of the open file: device and inode are those that a lock on it has. */
  stat: Stats;
  /** Why the stream could not be used to its end, if so. */
  damage: Damage | undefined;
}

const CHUNK_BYTES = 256 * 1024;

/** Shared by all synchronous reads: thousands of small streams are read without allocating for each. */
let shared: Buffer | undefined;

/**
 * Feeds a stream on disk to `consumer`, from where it stands to the size the file has when it is opened: a
 * stream that grows faster than it is read ends too. Throws system errors and NotRegularFileError. Memory
 * is one chunk, or one record if that is bigger, and never more than the file is long.
 */
export function readStream(path: string, consumer: StreamConsumer): ReadResult {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new NotRegularFileError(`${path} is not a regular file`);
    return { stat, damage: feedFrom(fd, stat.size, consumer) };
  } finally {
    closeSync(fd);
  }
}

function feedFrom(fd: number, size: number, consumer: StreamConsumer): Damage | undefined {
  shared ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let buffer = shared;
  let position = consumer.bytes;
  let held = 0;
  for (;;) {
    const wanted = Math.min(buffer.length - held, size - position);
    const count = wanted > 0 ? readSync(fd, buffer, held, wanted, position) : 0;
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

/** A stream on disk that is read again and again, each time only what was appended. */
export class CheckpointFile {
  readonly path: string;
  readonly #options: ReplayOptions;
  replay: Replay;
  #stat: Stats | undefined;
  #failed = false;

  constructor(path: string, options: ReplayOptions) {
    this.path = path;
    this.#options = options;
    this.replay = new Replay(options);
  }

  /**
   * Reads on. A file that was replaced, or is shorter than what was read of it, is read from its start; so is
   * one that could not be read the last time. Throws as readStream does; the state is then still the old one.
   */
  refresh(): ReadResult {
    if (this.#failed) this.replay = new Replay(this.#options);
    const before = this.#failed ? undefined : this.#stat;
    const read = this.replay.bytes;
    this.#failed = true;
    let result = readStream(this.path, this.replay);
    if (before !== undefined && !continues(before, read, result.stat)) {
      this.replay = new Replay(this.#options);
      result = readStream(this.path, this.replay);
    }
    this.#failed = false;
    this.#stat = result.stat;
    return result;
  }
}

/** True if `now` is the file of which the first `read` bytes were read when it was `before`. */
function continues(before: Stats, read: number, now: Stats): boolean {
  // The inode of a removed file is soon given to a new one; its time of birth is another.
  const same = now.ino === before.ino && now.dev === before.dev && now.birthtimeMs === before.birthtimeMs;
  return same && now.size >= read;
}
