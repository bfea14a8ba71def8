import { RecordDecoder } from './codec.js';
import { ThriftError } from './thrift.js';

/**
 * RecordIO framing: a 4-byte big-endian length, then that many bytes, repeated. This is the greatest length of a
 * record; the original refuses 67108865.
 */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
export const PREFIX_BYTES = 4;

/** Why reading ended before the end of the stream. */
export interface Damage {
  /** `incomplete`: the stream ends inside a record, as it does while one is being written. */
  kind: 'damaged' | 'incomplete';
  /** Where the first record that could not be used starts. */
  offset: number;
  /** What was expected and what was found, without a full stop. */
  reason: string;
  /** The file is almost all holes: it was not read beyond `offset`. */
  sparse?: true;
}

/** Receives each record while the decoder holds it; returns why it cannot be used, or undefined. */
export type RecordHandler = (decoder: RecordDecoder, offset: number, length: number) => string | undefined;

/** Consumes a stream in pieces: a RecordScanner, or something built on one. */
export interface StreamConsumer {
  /** The offset of the first record that has not been used yet. */
  readonly bytes: number;
  readonly damage: Damage | undefined;
  feed(bytes: Buffer, start: number, end: number): number;
  atEnd(bytes: Buffer, start: number, end: number): Damage | undefined;
}

/** A frame around an encoded record. */
export function encodeFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + payload.length);
  frame.writeUInt32BE(payload.length);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}

/**
 * Takes a stream in pieces of any size and passes its records on. Stops for good at the first record that is
 * damaged or refused: what follows it cannot be trusted.
 */
export class RecordScanner implements StreamConsumer {
  readonly #handler: RecordHandler;
  readonly #decoder = new RecordDecoder();
  #attached: Buffer | undefined;

  /** The number of records used so far, and their bytes in the stream. */
  records = 0;
  bytes = 0;
  damage: Damage | undefined;

  constructor(handler: RecordHandler) {
    this.#handler = handler;
  }

  /**
   * Uses the complete records in bytes[start, end), which continue the stream at offset `this.bytes`. Returns
   * the position after the last one; the rest must be passed again, with more bytes after it.
   */
  feed(bytes: Buffer, start: number, end: number): number {
    if (this.damage !== undefined) return start;
    if (this.#attached !== bytes) {
      this.#attached = bytes;
      this.#decoder.attach(bytes);
    }
    const origin = this.bytes - start;
    let pos = start;
    while (end - pos >= PREFIX_BYTES) {
      const length = bytes.readUInt32BE(pos);
      if (length > MAX_RECORD_BYTES) {
        this.#stop(
          pos + origin,
          `a record of at most ${MAX_RECORD_BYTES} bytes was expected, this one says ${length}`,
        );
        break;
      }
      const next = pos + PREFIX_BYTES + length;
      if (next > end) break;
      const refusal = this.#use(pos, next, origin);
      if (refusal !== undefined) {
        this.#stop(pos + origin, refusal);
        break;
      }
      this.records += 1;
      pos = next;
    }
    this.bytes = pos + origin;
    return pos;
  }

  #use(pos: number, next: number, origin: number): string | undefined {
    try {
      this.#decoder.decode(pos + PREFIX_BYTES, next);
    } catch (error) {
      if (!(error instanceof ThriftError)) throw error;
      return error.message;
    }
    return this.#handler(this.#decoder, pos + origin, next - pos - PREFIX_BYTES);
  }

  /**
   * The damage if the stream ends here, with bytes[start, end) left over: none, the damage that was found before, or
   * a record that was cut short. More bytes may be fed afterwards.
   */
  atEnd(bytes: Buffer, start: number, end: number): Damage | undefined {
    if (this.damage !== undefined || start === end) return this.damage;
    const have = end - start;
    return cutShort(this.bytes, have, have < PREFIX_BYTES ? undefined : bytes.readUInt32BE(start));
  }

  #stop(offset: number, reason: string): void {
    this.damage = { kind: 'damaged', offset, reason };
  }
}

/** The damage of a record at `offset` of which only `have` bytes (prefix included) are there. */
export function cutShort(offset: number, have: number, length: number | undefined): Damage {
  const reason =
    length === undefined
      ? `${PREFIX_BYTES} bytes of a record's length were expected, ${have} are there`
      : `${length} bytes of a record were expected, ${have - PREFIX_BYTES} are there`;
  return { kind: 'incomplete', offset, reason };
}
