/** Writes protocol buffers, as an agent does; the other direction of src/agent/protobuf.ts. */

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    const more = rest > 0x7fn;
    bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export type Value = number | string | Buffer | { double: number };

/** Fields by number, in order. */
export function message(...fields: [number, Value][]): Buffer {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
      if (Buffer.isBuffer(value) || typeof value === 'string') {
        const bytes = Buffer.from(value as string);
        return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
      }
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value.double);
      return Buffer.concat([varint((number << 3) | 1), bytes]);
    }),
  );
}

/** A file of messages. */
export function frames(...messages: Buffer[]): Buffer {
  return Buffer.concat(
    messages.map((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}

/** `slave.info` with these attributes. */
export function slaveInfo(hostname: string, ...attributes: string[]): Buffer {
  return frames(
    message(
      [1, hostname],
      ...attributes.map((name): [number, Buffer] => [
        5,
        message([1, name], [2, 3], [5, message([1, 'value'])]),
      ]),
      [6, message([1, 'S0'])],
      [8, 5051],
    ),
  );
}

/** `executor.info` of a container of this type: 1 DOCKER, 2 MESOS. */
export function executorInfo(type: number): Buffer {
  return frames(message([1, message([1, 'thermos-x'])], [11, message([1, type])]));
}

/** `task.updates`: state, seconds and message of each update. */
export function taskUpdates(...updates: [number, number, string][]): Buffer {
  return frames(
    ...updates.map(([state, seconds, text]) =>
      message(
        [1, 0],
        [2, message([4, message([2, state], [4, text], [6, { double: seconds }])], [5, { double: seconds }])],
      ),
    ),
    message([1, 1], [3, 'uuid']),
  );
}
