/** A name is hashed in pieces of this many bytes. No process that ran has a longer name, because it names a file. */
const PIECE = 256;
/** A prime below 2^26, so that a product of two smaller numbers is exact. */
const PRIME = 67_108_859;

/**
 * Hashes names with secret random numbers, so that nobody can choose names that have the same hash. Any two different
 * names of up to 256 bytes collide with a probability of 2^-25 (multilinear hashing); the pieces of longer names are the
 * coefficients of a polynomial, which is evaluated at a secret point.
 */
export class NameHash {
  readonly #keys = new Int32Array(PIECE + 2);
  readonly #place: number;

  /** `random`: as Math.random. */
  constructor(random: () => number = Math.random) {
    for (let i = 0; i < this.#keys.length; i++) this.#keys[i] = Math.floor(random() * 2 ** 32) | 0;
    this.#place = 1 + Math.floor(random() * (PRIME - 1));
  }

  /** The hash of bytes[start, end): a whole number from 0 to 2^26. */
  of(bytes: Uint8Array, start: number, end: number): number {
    if (end - start <= PIECE) return this.#piece(bytes, start, end);
    let value = 1;
    for (let at = start; at < end; at += PIECE) {
      value = (value * this.#place + this.#piece(bytes, at, Math.min(end, at + PIECE))) % PRIME;
    }
    return value;
  }

  /** The key after that of the last byte is added, so that zero bytes after a name change its hash. */
  #piece(bytes: Uint8Array, start: number, end: number): number {
    const keys = this.#keys;
    const length = end - start;
    let sum = ((keys[PIECE + 1] as number) + (keys[length] as number)) | 0;
    for (let i = 0; i < length; i++) {
      sum = (sum + Math.imul(keys[i] as number, bytes[start + i] as number)) | 0;
    }
    return sum >>> 7;
  }
}

let shared: NameHash | undefined;

/** The hash function of this process; its random numbers are made when they are first needed. */
export function nameHash(): NameHash {
  shared ??= new NameHash();
  return shared;
}
