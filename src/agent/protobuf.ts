/**
 * Reads protocol buffers, as far as the files of a Mesos agent and the nodes of its masters need it: fields by number, nothing else. Malformed
 * data ends the message; nothing throws, and only views of the given bytes are allocated.
 */

export interface ProtobufField {
  number: number;
  /** Of varints and fixed-length fields; read doubles from `bytes`. */
  value?: bigint;
  /** Of length-delimited fields, and of fixed 64-bit ones. */
  bytes?: Buffer;
}

export function* fieldsOf(message: Buffer): Generator<ProtobufField> {
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < message.length) {
    const key = varint();
    if (key === undefined) return;
    const number = Number(key >> 3n);
    const wire = Number(key & 7n);
    if (wire === 0) {
      const value = varint();
      if (value === undefined) return;
      yield { number, value };
    } else if (wire === 1 || wire === 2 || wire === 5) {
      const length = wire === 2 ? varint() : wire === 1 ? 8n : 4n;
      if (length === undefined || length > BigInt(message.length - at)) return;
      const bytes = message.subarray(at, at + Number(length));
      at += bytes.length;
      yield { number, bytes };
    } else {
      return;
    }
  }
}

/** The last field with this number, which is the one that counts; undefined if there is none. */
export function fieldOf(message: Buffer | undefined, number: number): ProtobufField | undefined {
  let found: ProtobufField | undefined;
  if (message === undefined) return undefined;
  for (const field of fieldsOf(message)) if (field.number === number) found = field;
  return found;
}

export function textOf(message: Buffer | undefined, number: number): string | undefined {
  return fieldOf(message, number)?.bytes?.toString('utf8');
}

export function numberOf(message: Buffer | undefined, number: number): number | undefined {
  const value = fieldOf(message, number)?.value;
  return value === undefined ? undefined : Number(value);
}

export function doubleOf(message: Buffer | undefined, number: number): number | undefined {
  const bytes = fieldOf(message, number)?.bytes;
  return bytes?.length === 8 ? bytes.readDoubleLE(0) : undefined;
}
