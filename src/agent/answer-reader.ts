import { NotHttp, tooLong } from './connection.js';

/** By lower-case names; of a header that comes twice, the first. */
export type HttpHeaders = Readonly<Record<string, string | undefined>>;

/** Of the lines before a body, and of those after one that came in chunks. */
const MOST_HEAD_BYTES = 64 * 1024;
/** The longest line with the size of a chunk. */
const MOST_SIZE_LINE = 1024;
/** Before the answer itself, such as `100 Continue`. */
const MOST_INTERIM = 8;
/** A body of a known length up to this one gets its memory at once. */
const AT_ONCE_BYTES = 1024 * 1024;

/** Of a body of an unknown length. */
const MOST_PART_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);
const STATUS = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const BEGINNING = 'HTTP/1.';
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([\da-f]{1,8})[ \t]*(?:;|$)/i;

type AnswerPart = 'head' | 'body' | 'to-the-end' | 'size' | 'chunk' | 'after-chunk' | 'trailer' | 'done';

/**
 * Reads one answer of HTTP/1.0 or 1.1 from bytes that come in pieces of any size. What comes is copied: the memory of a piece
 * may be used again. Stricter than a browser: what two programs could understand in two ways is no HTTP.
 */
export class AnswerReader {
  status = 0;
  headers: HttpHeaders = {};
  /** Another call may go over the same connection. Once the answer is there. */
  keeps = false;
  readonly #most: number;
  #part: AnswerPart = 'head';
  /** What came of a line, or of the head, that is not whole. */
  #pending: Buffer = NOTHING;
  #interim = 0;
  #parts: Buffer[] = [];
  /** The part that is being filled. */
  #last = NOTHING;
  #used = 0;
  /** The memory of the whole body, if its length is known. */
  #whole: Buffer | undefined;
  #length = 0;
  /** Of the body or the chunk. */
  #left = 0;
  #trailerBytes = 0;

  /** A body that is longer than `most` is a failure. */
  constructor(most: number) {
    this.#most = most;
  }

  get isDone(): boolean {
    return this.#part === 'done';
  }

  get body(): Buffer {
    if (this.#whole !== undefined) return this.#whole;
    const last = this.#last.subarray(0, this.#used);
    return this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last], this.#length);
  }

  /** Returns the index after the last byte that belongs to the answer. Throws NotHttp and AgentFailure. */
  feed(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && this.#part !== 'done') at = this.#step(bytes, at, to);
    return at;
  }

  /** The connection was closed: whether that was the end of the answer. Throws NotHttp. */
  atEnd(): boolean {
    if (this.#part === 'to-the-end') this.#part = 'done';
    if (this.#part === 'head' && this.#pending.length > 0) {
      const begun = this.#pending.toString('latin1', 0, BEGINNING.length);
      if (!BEGINNING.startsWith(begun)) throw new NotHttp();
    }
    return this.#part === 'done';
  }

  #step(bytes: Buffer, at: number, to: number): number {
    switch (this.#part) {
      case 'head':
        return this.#head(bytes, at, to);
      case 'to-the-end':
        this.#add(bytes, at, to);
        return to;
      case 'body':
      case 'chunk': {
        const end = Math.min(to, at + this.#left);
        this.#add(bytes, at, end);
        this.#left -= end - at;
        if (this.#left === 0) this.#part = this.#part === 'body' ? 'done' : 'after-chunk';
        return end;
      }
      default:
        return this.#lineOfChunks(bytes, at, to);
    }
  }

  #add(bytes: Buffer, at: number, to: number): void {
    const length = this.#length + to - at;
    if (length > this.#most) throw tooLong(this.#most);
    if (this.#whole !== undefined) bytes.copy(this.#whole, this.#length, at, to);
    else this.#collect(bytes, at, to);
    this.#length = length;
  }

  /** Chunks may have a byte each: they do not get a buffer each. */
  #collect(bytes: Buffer, at: number, to: number): void {
    const room = this.#last.length - this.#used;
    const fits = Math.min(room, to - at);
    bytes.copy(this.#last, this.#used, at, at + fits);
    this.#used += fits;
    if (fits === to - at) return;
    if (this.#used > 0) this.#parts.push(this.#last);
    const size = Math.max(to - at - fits, Math.min(MOST_PART_BYTES, 2 * this.#last.length));
    this.#last = Buffer.allocUnsafe(size);
    this.#used = bytes.copy(this.#last, 0, at + fits, to);
  }

  #head(bytes: Buffer, at: number, to: number): number {
    // Most heads come whole.
    const held = this.#pending.length;
    const all = held === 0 ? bytes : Buffer.concat([this.#pending, bytes.subarray(at, to)]);
    const begin = held === 0 ? at : 0;
    const limit = held === 0 ? to : all.length;
    const end = all.indexOf('\r\n\r\n', begin, 'latin1');
    const isWhole = end !== -1 && end + 4 <= limit;
    if ((isWhole ? end : limit) - begin > MOST_HEAD_BYTES) throw new NotHttp();
    if (!isWhole) {
      if (!BEGINNING.startsWith(all.toString('latin1', begin, Math.min(limit, begin + BEGINNING.length)))) {
        throw new NotHttp();
      }
      this.#pending = held === 0 ? Buffer.from(all.subarray(begin, limit)) : all;
      return to;
    }
    this.#pending = NOTHING;
    this.#begin(all.toString('latin1', begin, end));
    return at + (end + 4 - begin - held);
  }

  #begin(head: string): void {
    const [first = '', ...lines] = head.split('\r\n');
    const match = STATUS.exec(first);
    if (match === null) throw new NotHttp();
    this.status = Number(match[2]);
    const headers = headersIn(lines);
    if (this.status < 200) {
      this.#interim += 1;
      if (this.status === 101 || this.#interim > MOST_INTERIM) throw new NotHttp();
      return;
    }
    this.headers = headers;
    const connection = headers.connection?.toLowerCase();
    this.keeps = match[1] === '1' ? connection !== 'close' : connection === 'keep-alive';
    const { 'content-length': length, 'transfer-encoding': coding } = headers;
    if (length !== undefined && !LENGTH.test(length)) throw new NotHttp();
    if (this.status === 204 || this.status === 304) this.#part = 'done';
    else if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked' || length !== undefined) throw new NotHttp();
      this.#part = 'size';
    } else if (length !== undefined) this.#expect(Number(length));
    else {
      this.keeps = false;
      this.#part = 'to-the-end';
    }
  }

  #expect(length: number): void {
    if (length > this.#most) throw tooLong(this.#most);
    if (length <= AT_ONCE_BYTES) this.#whole = Buffer.allocUnsafe(length);
    this.#left = length;
    this.#part = length === 0 ? 'done' : 'body';
  }

  #lineOfChunks(bytes: Buffer, at: number, to: number): number {
    const end = bytes.indexOf(10, at);
    const stop = end === -1 || end >= to ? to : end + 1;
    const most = this.#part === 'trailer' ? MOST_HEAD_BYTES : MOST_SIZE_LINE;
    if (this.#pending.length + stop - at > most) throw new NotHttp();
    const piece = bytes.subarray(at, stop);
    const line = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    if (line.at(-1) !== 10) {
      this.#pending = Buffer.from(line);
      return to;
    }
    this.#pending = NOTHING;
    if (line.at(-2) !== 13) throw new NotHttp();
    this.#takeLine(line.toString('latin1', 0, line.length - 2));
    return stop;
  }

  #takeLine(line: string): void {
    if (this.#part === 'after-chunk') {
      if (line !== '') throw new NotHttp();
      this.#part = 'size';
    } else if (this.#part === 'trailer') {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MOST_HEAD_BYTES) throw new NotHttp();
      if (line === '') this.#part = 'done';
    } else {
      const [, size] = CHUNK_SIZE.exec(line) ?? [];
      if (size === undefined) throw new NotHttp();
      this.#left = Number.parseInt(size, 16);
      if (this.#length + this.#left > this.#most) throw tooLong(this.#most);
      this.#part = this.#left === 0 ? 'trailer' : 'chunk';
    }
  }
}

function headersIn(lines: readonly string[]): HttpHeaders {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon === -1 || !NAME.test(name)) throw new NotHttp();
    const key = name.toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers[key];
    if (before === undefined) headers[key] = value;
    // Two lengths are two answers.
    else if (before !== value && (key === 'content-length' || key === 'transfer-encoding'))
      throw new NotHttp();
  }
  return headers;
}
