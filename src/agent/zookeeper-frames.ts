/** The wire of ZooKeeper, as far as reading needs it: frames of a length and that many bytes, numbers big-endian. */

/** More than a server gives (`jute.maxbuffer`). */
const MOST_FRAME_BYTES = 4 * 1024 * 1024;

/** A frame of these values: numbers are 32 bits, bigints 64, bytes have their length before them. Pure. */
export function request(values: readonly (number | bigint | boolean | Buffer)[]): Buffer {
  const parts = values.map((value) => {
    if (typeof value === 'boolean') return Buffer.from([value ? 1 : 0]);
    if (typeof value === 'number') return int(value);
    if (typeof value === 'bigint') {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value);
      return bytes;
    }
    return Buffer.concat([int(value.length), value]);
  });
  const body = Buffer.concat(parts);
  return Buffer.concat([int(body.length), body]);
}

export function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Cuts what arrives into frames. */
export class Frames {
  #parts: Buffer[] = [];
  #length = 0;

  /** False if the next frame cannot be one. */
  add(bytes: Buffer): boolean {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    const size = this.#size();
    return size === undefined || (size >= 0 && size <= MOST_FRAME_BYTES);
  }

  /** The next whole frame. */
  next(): Buffer | undefined {
    const size = this.#size();
    if (size === undefined || size < 0 || this.#length < 4 + size) return undefined;
    const all = this.#joined();
    const rest = all.subarray(4 + size);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return all.subarray(4, 4 + size);
  }

  #size(): number | undefined {
    return this.#length < 4 ? undefined : this.#joined(4).readInt32BE(0);
  }

  /** Of all that arrived: at least so many bytes at once. */
  #joined(least = this.#length): Buffer {
    const [first] = this.#parts;
    if (first !== undefined && first.length >= least && least < this.#length) return first;
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts, this.#length)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }
}

/** Reads the values of a frame. Past its end, or for a length that cannot be one, everything is empty and it `failed`. */
export class FrameReader {
  readonly #bytes: Buffer;
  #at = 0;
  failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    const at = this.#take(4);
    return at === undefined ? 0 : this.#bytes.readInt32BE(at);
  }

  long(): bigint {
    const at = this.#take(8);
    return at === undefined ? 0n : this.#bytes.readBigInt64BE(at);
  }

  /** Bytes with their length before them; none for the length -1. */
  buffer(): Buffer {
    const length = this.int();
    if (length === -1) return Buffer.alloc(0);
    const at = length < 0 ? undefined : this.#take(length);
    if (at === undefined) this.failed = true;
    return at === undefined ? Buffer.alloc(0) : this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number | undefined {
    const at = this.#at;
    if (this.failed || length > this.#bytes.length - at) {
      this.failed = true;
      return undefined;
    }
    this.#at += length;
    return at;
  }
}
