import type { LogHandle } from './log-tree.js';

/** How many bytes before the offset and at the start of the file are remembered, to recognize the file. */
const REMEMBERED = 1024;
const BLOCK = 256 * 1024;

/** Takes bytes. The caller reuses them after it has returned. */
export type Sink = (bytes: Buffer) => void;

/** How far a file was read. `changed`: reading stopped, because what was read before is no longer there. */
export type Drained = 'whole' | 'part' | 'changed';

/** Unused blocks. There may be several, because logs over a network are read concurrently. */
const free: Buffer[] = [];

/** How far a file has been read, and the bytes before that offset. */
export class Position {
  readonly file: LogHandle;
  #offset: number;
  #head: Buffer;
  #tail: Buffer;

  private constructor(file: LogHandle, offset: number, head: Buffer, tail: Buffer) {
    this.file = file;
    this.#offset = offset;
    this.#head = head;
    this.#tail = tail;
  }

  get offset(): number {
    return this.#offset;
  }

  static async at(file: LogHandle, offset: number): Promise<Position> {
    const length = Math.min(REMEMBERED, offset);
    const head = await peek(file, 0, length);
    return new Position(file, offset, head, await peek(file, offset - length, length));
  }

  /**
   * Reads on to the end of the file, or `most` bytes of it. Gives no bytes of a file that is no longer intact: they may
   * not be the bytes that come next. `isIntact` is given how many were read.
   */
  async drain(
    sink: Sink,
    most = Number.POSITIVE_INFINITY,
    isIntact: (got: number) => Promise<boolean> = () => this.isIntact(),
  ): Promise<Drained> {
    const block = free.pop() ?? Buffer.allocUnsafe(BLOCK);
    try {
      for (let left = most; left > 0; ) {
        const got = await this.file.readAt(block, Math.min(BLOCK, left), this.#offset);
        if (got === 0 && left < most) return 'whole';
        // Checked after the read: the file may have been truncated and rewritten just before.
        if (!(await isIntact(got))) return 'changed';
        if (got === 0) return 'whole';
        this.#take(block.subarray(0, got), sink);
        left -= got;
      }
      return 'part';
    } finally {
      free.push(block);
    }
  }

  #take(bytes: Buffer, sink: Sink): void {
    sink(bytes);
    this.#offset += bytes.length;
    if (this.#head.length < REMEMBERED) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, REMEMBERED - this.#head.length)]);
    }
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-REMEMBERED)]).subarray(-REMEMBERED);
  }

  /** The same position in a copy of the file, or the copy's end if the copy is shorter. */
  continuedIn(copy: LogHandle): Promise<Position> {
    return Position.at(copy, Math.min(this.#offset, copy.size));
  }

  /** False if what was read is no longer there: the file was truncated, and perhaps rewritten. */
  async isIntact(): Promise<boolean> {
    if ((await this.file.stat()).size < this.#offset) return false;
    const { length } = this.#tail;
    return this.#tail.equals(await peek(this.file, this.#offset - length, length));
  }

  /** `whole`: the file contains everything that was read; `part`: it is shorter, but has the same bytes. */
  async copiedTo(file: LogHandle): Promise<'whole' | 'part' | 'no'> {
    const start = this.#offset - this.#tail.length;
    const overlap = Math.max(0, Math.min(file.size, this.#offset) - start);
    const beginning = Math.min(this.#head.length, file.size);
    const same =
      this.#head.subarray(0, beginning).equals(await peek(file, 0, beginning)) &&
      this.#tail.subarray(0, overlap).equals(await peek(file, start, overlap));
    if (!same) return 'no';
    return file.size >= this.#offset ? 'whole' : 'part';
  }
}

/** Passes the bytes from one offset to another, or to the end of the file, to the sink. */
export async function copyOut(file: LogHandle, from: number, to: number, sink: Sink): Promise<void> {
  const block = free.pop() ?? Buffer.allocUnsafe(BLOCK);
  try {
    let at = from;
    while (at < to) {
      const got = await file.readAt(block, Math.min(BLOCK, to - at), at);
      if (got === 0) break;
      at += got;
      sink(block.subarray(0, got));
    }
  } finally {
    free.push(block);
  }
}

/** True if the first and last bytes of `copy` are at the same offsets in `file`. */
export async function isBeginningOf(copy: LogHandle, file: LogHandle): Promise<boolean> {
  const { size } = await copy.stat();
  if (size > (await file.stat()).size) return false;
  const length = Math.min(4 * REMEMBERED, size);
  const isSame = async (offset: number) =>
    (await peek(copy, offset, length)).equals(await peek(file, offset, length));
  return (await isSame(0)) && (await isSame(size - length));
}

async function peek(file: LogHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, await file.readAt(buffer, length, offset));
}
