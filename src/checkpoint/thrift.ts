/**
 * Thrift's binary protocol, old (non-strict) struct encoding: the types, skipping a value, and writing.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md
 */
export const TYPE = {
  STOP: 0,
  BOOL: 2,
  BYTE: 3,
  DOUBLE: 4,
  I16: 6,
  I32: 8,
  I64: 10,
  STRING: 11,
  STRUCT: 12,
  MAP: 13,
  SET: 14,
  LIST: 15,
} as const;

/** The bytes are not a value of the expected type. The message is the end of a sentence. */
export class ThriftError extends Error {}

/**
 * The original skips values recursively, up to Python's limit of 1000 frames. Structs and containers are accepted
 * here up to the depth that it can read.
 */
const MAX_DEPTH = 960;

export function endsInside(what: string): ThriftError {
  return new ThriftError(`the record ends inside ${what}`);
}

/**
 * Returns the position after a value of `type` that starts at `pos`; never reads at or beyond `end`.
 * Throws ThriftError.
 */
export function skipValue(view: DataView, type: number, pos: number, end: number, depth = 0): number {
  let next: number;
  switch (type) {
    case TYPE.BOOL:
    case TYPE.BYTE:
      next = pos + 1;
      break;
    case TYPE.I16:
      next = pos + 2;
      break;
    case TYPE.I32:
      next = pos + 4;
      break;
    case TYPE.I64:
    case TYPE.DOUBLE:
      next = pos + 8;
      break;
    case TYPE.STRING:
      return stringEnd(view, pos, end);
    case TYPE.STRUCT:
      checkDepth(depth);
      return skipStruct(view, pos, end, depth + 1);
    case TYPE.MAP: {
      checkDepth(depth);
      if (pos + 6 > end) throw endsInside('a map');
      const key = view.getInt8(pos);
      const value = view.getInt8(pos + 1);
      const count = countAt(view, pos + 2);
      let at = pos + 6;
      for (let i = 0; i < count; i++) {
        at = skipValue(view, key, at, end, depth + 1);
        at = skipValue(view, value, at, end, depth + 1);
      }
      return at;
    }
    case TYPE.SET:
    case TYPE.LIST: {
      checkDepth(depth);
      if (pos + 5 > end) throw endsInside('a list');
      const element = view.getInt8(pos);
      const count = countAt(view, pos + 1);
      let at = pos + 5;
      for (let i = 0; i < count; i++) at = skipValue(view, element, at, end, depth + 1);
      return at;
    }
    default:
      throw new ThriftError(`${type} is not a Thrift type`);
  }
  if (next > end) throw endsInside('a number');
  return next;
}

function checkDepth(depth: number): void {
  if (depth >= MAX_DEPTH) throw new ThriftError('values are nested too deep');
}

function skipStruct(view: DataView, pos: number, end: number, depth: number): number {
  let at = pos;
  for (;;) {
    if (at >= end) throw endsInside('a struct');
    const type = view.getInt8(at);
    if (type === TYPE.STOP) return at + 1;
    if (at + 3 > end) throw endsInside('a field header');
    at = skipValue(view, type, at + 3, end, depth);
  }
}

function countAt(view: DataView, pos: number): number {
  const count = view.getInt32(pos);
  if (count < 0) throw new ThriftError(`${count} is not a number of elements`);
  return count;
}

/** The end of the string whose length is at `pos`. Throws ThriftError. */
export function stringEnd(view: DataView, pos: number, end: number): number {
  if (pos + 4 > end) throw endsInside('a string');
  const length = view.getInt32(pos);
  if (length < 0) throw new ThriftError(`${length} is not a length of a string`);
  if (pos + 4 + length > end) throw endsInside('a string');
  return pos + 4 + length;
}

/** Writes values one after another into a growing buffer. */
export class ThriftWriter {
  #bytes = Buffer.allocUnsafe(512);
  #at = 0;

  #room(count: number): number {
    if (this.#at + count > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + count));
      this.#bytes.copy(grown, 0, 0, this.#at);
      this.#bytes = grown;
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }

  // `#room` may replace the buffer, so it is called before the buffer is used.

  byte(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeUInt8(value & 0xff, at);
    return this;
  }

  i16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  i64(value: number | bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  double(value: number): this {
    const at = this.#room(8);
    this.#bytes.writeDoubleBE(value, at);
    return this;
  }

  string(value: string): this {
    const length = Buffer.byteLength(value, 'utf8');
    this.i32(length);
    const at = this.#room(length);
    this.#bytes.write(value, at, 'utf8');
    return this;
  }

  /** A field's header; the value must follow. */
  field(type: number, id: number): this {
    return this.byte(type).i16(id);
  }

  stop(): this {
    return this.byte(TYPE.STOP);
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }
}
