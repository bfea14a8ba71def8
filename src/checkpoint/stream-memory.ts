import type { StreamFile, StreamStat } from './reader.js';

/** Why a file is not just the one that was read before with more appended. */
export type Change = 'replaced' | 'shortened' | 'rewritten';

interface StreamSample {
  offset: number;
  bytes: Buffer;
}

/** Bytes remembered of the beginning, of the end, and from the damage on: often the whole stream. */
const EDGE_BYTES = 4096;
/** Bytes remembered of each piece in between. */
const SAMPLE_BYTES = 64;
/** When there are more, every other one is forgotten. */
const MOST_SAMPLES = 4096;

let scratch: Buffer | undefined;

/**
 * Remembers enough of a stream to notice when its file is replaced, shortened or rewritten: the file's identity and some
 * of its bytes. A runner touches its stream every few seconds, so a new mtime alone says nothing.
 */
export class StreamMemory {
  #stat: StreamStat | undefined;
  #samples: StreamSample[] = [];
  #last: StreamSample | undefined;
  /** The bytes from which the stream could not be used. */
  #damaged: StreamSample | undefined;
  #end = 0;

  /** Remembers bytes[start, end), which were read at `offset` and used. */
  used(offset: number, bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#end = offset + end - start;
    const most = offset === 0 ? EDGE_BYTES : SAMPLE_BYTES;
    this.#samples.push({ offset, bytes: copy(bytes, start, Math.min(end, start + most)) });
    if (this.#samples.length > MOST_SAMPLES) this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
    const from = Math.max(start, end - EDGE_BYTES);
    this.#last =
      end - start <= most ? undefined : { offset: offset + from - start, bytes: copy(bytes, from, end) };
  }

  /** Remembers bytes[start, end), which were read at `offset`, as damage. */
  damaged(offset: number, bytes: Buffer, start: number, end: number): void {
    this.#damaged = { offset, bytes: copy(bytes, start, Math.min(end, start + EDGE_BYTES)) };
  }

  /** What happened to the file since it was read; undefined if it at most grew. Remembers its stat. */
  changed(file: StreamFile): Change | undefined {
    const now = file.stat;
    const before = this.#stat;
    this.#stat = now;
    if (before === undefined) return undefined;
    // The inode of a removed file is soon reused by a new one, which has a different birth time.
    const same = now.ino === before.ino && now.dev === before.dev && now.birthtimeMs === before.birthtimeMs;
    if (!same) return 'replaced';
    if (now.size < this.#end) return 'shortened';
    const touched =
      now.size !== before.size || now.mtimeMs !== before.mtimeMs || now.ctimeMs !== before.ctimeMs;
    // The clock of a file system is coarse and may miss a change: a cheap sample is always compared.
    const samples = touched ? this.#samples : this.#samples.slice(0, 1);
    const isThere = (sample: StreamSample | undefined) => sample === undefined || reads(sample, file);
    const still = isThere(this.#last) && isThere(this.#damaged) && samples.every(isThere);
    return still ? undefined : 'rewritten';
  }
}

function copy(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

function reads({ offset, bytes }: StreamSample, file: StreamFile): boolean {
  scratch ??= Buffer.allocUnsafeSlow(EDGE_BYTES);
  const count = file.readAt(scratch, 0, bytes.length, offset);
  return count === bytes.length && scratch.compare(bytes, 0, count, 0, count) === 0;
}
