import type { Damage, StreamConsumer } from '../checkpoint/framing.js';
import { PIECE_BYTES } from './agent-files.js';
import type { Sandbox } from './sandbox.js';

/** A longer stream is read so far: a browser keeps what it reads in its memory. */
export const MOST_STREAM_BYTES = 32 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/** Why no more of a stream was read. */
export type Unread = 'refused' | 'too-long';

/**
 * Feeds a stream in a sandbox to a consumer, piece by piece, and later only what was appended. What is not a whole record
 * yet is kept.
 */
export class RemoteStream {
  readonly #consumer: StreamConsumer;
  #kept = NOTHING;
  #held = 0;
  #isTooLong = false;

  constructor(
    readonly path: string,
    consumer: StreamConsumer,
  ) {
    this.#consumer = consumer;
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#consumer.bytes + this.#held;
  }

  /**
   * Reads up to `size`, which the agent's listing says, or else to the first piece that is not full; a damaged stream is
   * not read any further.
   */
  async refresh(sandbox: Sandbox, size = Infinity): Promise<{ damage?: Damage; unread?: Unread }> {
    const most = Math.min(size, MOST_STREAM_BYTES);
    while (!this.#isTooLong && this.#consumer.damage === undefined && this.position < most) {
      const begins = this.position === 0 && most <= PIECE_BYTES;
      const piece = begins
        ? await sandbox.readListed(this.path, most)
        : await sandbox.read(this.path, this.position, most - this.position);
      if (piece === undefined) return { damage: this.#consumer.damage, unread: 'refused' };
      if (piece.length > 0) this.#feed(piece);
      if (piece.length === 0 || (size === Infinity && piece.length < PIECE_BYTES)) break;
    }
    if (this.position >= MOST_STREAM_BYTES) this.#isTooLong = true;
    if (!this.#isTooLong) return { damage: this.#consumer.atEnd(this.#kept, 0, this.#held) };
    this.#kept = NOTHING;
    this.#held = 0;
    return { damage: this.#consumer.damage, unread: 'too-long' };
  }

  #feed(piece: Buffer): void {
    if (this.#held === 0) {
      const used = this.#consumer.feed(piece, 0, piece.length);
      this.#held = piece.length - used;
      this.#kept = this.#held === 0 ? NOTHING : Buffer.from(piece.subarray(used));
      return;
    }
    const length = this.#held + piece.length;
    if (length > this.#kept.length) {
      // Twice as much, so that a long record is not copied once for each of its pieces.
      const bigger = Buffer.alloc(Math.max(length, 2 * this.#kept.length));
      this.#kept.copy(bigger, 0, 0, this.#held);
      this.#kept = bigger;
    }
    piece.copy(this.#kept, this.#held);
    const used = this.#consumer.feed(this.#kept, 0, length);
    this.#kept.copy(this.#kept, 0, used, length);
    this.#held = length - used;
  }
}
