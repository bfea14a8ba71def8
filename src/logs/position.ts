import { type LogFile, readAt, statLog } from './open-log.js';

/** Bytes remembered from before the offset and from the beginning of the file, to know it again. */
const REMEMBERED = 1024;
const BLOCK = 256 * 1024;

/** Takes bytes; they are reused after it has returned. */
export type Sink = (bytes: Buffer) => void;

let block: Buffer | undefined;

/** How far a file has been read, and what stands before that place. */
export class Position {
  readonly file: LogFile;
  #offset: number;
  #head: Buffer;
  #tail: Buffer;

  constructor(file: LogFile, offset: number) {
    this.file = file;
    this.#offset = offset;
    const length = Math.min(REMEMBERED, offset);
    this.#head = peek(file, 0, length);
    this.#tail = peek(file, offset - length, length);
  }

  /** Reads on to the end of the file, or `most` bytes of it; returns whether it has come to the end. */
  drain(sink: Sink, most = Number.POSITIVE_INFINITY): boolean {
    const to = this.#offset + most;
    this.#offset = copyOut(this.file, this.#offset, to, (bytes) => {
      sink(bytes);
      if (this.#head.length < REMEMBERED) {
        this.#head = Buffer.concat([this.#head, bytes.subarray(0, REMEMBERED - this.#head.length)]);
      }
      this.#tail = Buffer.concat([this.#tail, bytes.subarray(-REMEMBERED)]).subarray(-REMEMBERED);
    });
    return this.#offset < to;
  }

  /** The same place in a copy of the file, or the copy's end if it goes no further. */
  continuedIn(copy: LogFile): Position {
    return new Position(copy, Math.min(this.#offset, copy.size));
  }

  /** False if what was read is no longer there: truncated, and perhaps written again. */
  isIntact(): boolean {
    if (statLog(this.file).size < this.#offset) return false;
    const { length } = this.#tail;
    return this.#tail.equals(peek(this.file, this.#offset - length, length));
  }

  /** `whole`: the file has what was read and goes on behind it; `part`: it has less, but that is the same. */
  copiedTo(file: LogFile): 'whole' | 'part' | 'no' {
    const start = this.#offset - this.#tail.length;
    const overlap = Math.max(0, Math.min(file.size, this.#offset) - start);
    const beginning = Math.min(this.#head.length, file.size);
    const same =
      this.#head.subarray(0, beginning).equals(peek(file, 0, beginning)) &&
      this.#tail.subarray(0, overlap).equals(peek(file, start, overlap));
    if (!same) return 'no';
    return file.size >= this.#offset ? 'whole' : 'part';
  }
}

/** Gives the bytes from one offset up to another or to the end of the file; returns where it stopped. */
export function copyOut(file: LogFile, from: number, to: number, sink: Sink): number {
  block ??= Buffer.allocUnsafe(BLOCK);
  let at = from;
  while (at < to) {
    const got = readAt(file, block, Math.min(BLOCK, to - at), at);
    if (got === 0) break;
    at += got;
    sink(block.subarray(0, got));
  }
  return at;
}

/** True if the first file's first and last bytes stand in the second where they would if it were a copy. */
export function isBeginningOf(copy: LogFile, file: LogFile): boolean {
  const { size } = statLog(copy);
  if (size > statLog(file).size) return false;
  const length = Math.min(4 * REMEMBERED, size);
  return (
    peek(copy, 0, length).equals(peek(file, 0, length)) &&
    peek(copy, size - length, length).equals(peek(file, size - length, length))
  );
}

function peek(file: LogFile, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readAt(file, buffer, length, offset));
}
