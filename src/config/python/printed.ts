import { LIMITS } from '../limits.js';

/** What a config prints on both streams together: the beginning is passed on, the rest is counted. */
export class Printed {
  readonly #print: (text: string) => void;
  readonly #leftOut: BigInt64Array;
  #left: number = LIMITS.printed.most;

  /** The count of bytes is where others can read it, whatever happens to this thread. */
  constructor(print: (text: string) => void, leftOut: BigInt64Array = new BigInt64Array(1)) {
    this.#print = print;
    this.#leftOut = leftOut;
  }

  /** A writer for one stream of bytes; it returns how many of them it has taken. */
  stream(): (bytes: Uint8Array) => number {
    const decoder = new TextDecoder();
    return (bytes) => {
      const shown = bytes.subarray(0, this.#left);
      this.#left -= shown.length;
      if (shown.length > 0) this.#print(decoder.decode(shown, { stream: true }));
      if (shown.length < bytes.length) Atomics.add(this.#leftOut, 0, BigInt(bytes.length - shown.length));
      return bytes.length;
    };
  }
}
