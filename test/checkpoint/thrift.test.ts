import fc from 'fast-check';
import { TBinaryProtocol, TFramedTransport } from 'thrift';
import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import {
  type CheckpointRecord,
  type Int64,
  PROCESS_STATES,
  TASK_STATES,
} from '../../src/checkpoint/records.js';
import { skipValue, TYPE } from '../../src/checkpoint/thrift.js';
import { anyRecord, int64, text } from './arbitraries.js';
import { loadCases, readCase } from './corpus.js';
import { decodeRecord } from './records.js';

// The other implementation: Apache's own, from npm. Struct by struct, as its generated code would do it.

const FIELDS: Record<CheckpointRecord['type'], { member: number; names: Record<number, string> }> = {
  runner_header: {
    member: 1,
    names: {
      1: 'task_id',
      2: 'launch_time_ms',
      3: 'sandbox',
      4: 'hostname',
      5: 'user',
      6: 'ports',
      7: 'log_dir',
      8: 'uid',
    },
  },
  process_status: {
    member: 2,
    names: {
      1: 'seq',
      3: 'process',
      5: 'state',
      6: 'start_time',
      7: 'pid',
      8: 'stop_time',
      9: 'return_code',
      10: 'coordinator_pid',
      11: 'fork_time',
    },
  },
  task_status: { member: 3, names: { 1: 'state', 2: 'timestamp_ms', 3: 'runner_pid', 4: 'runner_uid' } },
};
const I64_FIELDS = new Set(['seq', 'launch_time_ms', 'timestamp_ms']);
const DOUBLE_FIELDS = new Set(['start_time', 'stop_time', 'fork_time']);

function readStruct(protocol: TBinaryProtocol, names: Record<number, string>): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (;;) {
    const { ftype, fid } = protocol.readFieldBegin();
    if (ftype === TYPE.STOP) return value;
    value[names[fid] ?? `field ${fid}`] = readValue(protocol, ftype);
  }
}

function readValue(protocol: TBinaryProtocol, type: number): unknown {
  if (type === TYPE.STRING) return protocol.readString();
  if (type === TYPE.I32) return protocol.readI32();
  if (type === TYPE.DOUBLE) return protocol.readDouble();
  if (type === TYPE.I64) return readI64(protocol);
  if (type !== TYPE.MAP) throw new Error(`type ${type} is in no record`);
  const { ktype, vtype, size } = protocol.readMapBegin();
  expect(size === 0 || [ktype, vtype]).toEqual(size === 0 || [TYPE.STRING, TYPE.I64]);
  const map: Record<string, Int64> = Object.create(null);
  for (let i = 0; i < size; i++) {
    const name = protocol.readString();
    map[name] = readI64(protocol);
  }
  return map;
}

function readI64(protocol: TBinaryProtocol): Int64 {
  const { buffer, offset } = protocol.readI64();
  const value = buffer.readBigInt64BE(offset);
  return value >= -(2n ** 53n) && value < 2n ** 53n ? Number(value) : value;
}

function decodeByThrift(payload: Buffer): CheckpointRecord {
  const transport = new TFramedTransport(payload);
  const protocol = new TBinaryProtocol(transport, false, false);
  const { ftype, fid } = protocol.readFieldBegin();
  expect(ftype).toBe(TYPE.STRUCT);
  const found = Object.entries(FIELDS).find(([, { member }]) => member === fid);
  if (found === undefined) throw new Error(`the union has no member ${fid}`);
  const [type, { names }] = found;
  const value = readStruct(protocol, names);
  expect(protocol.readFieldBegin().ftype).toBe(TYPE.STOP);
  expect(transport.readPos).toBe(payload.length);
  const states: readonly string[] = type === 'task_status' ? TASK_STATES : PROCESS_STATES;
  if (typeof value.state === 'number') value.state = states[value.state] ?? value.state;
  return { type, value } as CheckpointRecord;
}

function i64(value: Int64): { buffer: Buffer } {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value));
  return { buffer };
}

/** A framed record; the package's framed transport has the framing of a checkpoint stream. */
function encodeByThrift(record: CheckpointRecord): Buffer {
  let message = Buffer.alloc(0);
  const transport = new TFramedTransport(undefined, (bytes) => {
    message = Buffer.from(bytes);
  });
  const protocol = new TBinaryProtocol(transport, false, false);
  const { member, names } = FIELDS[record.type];
  const states: readonly string[] = record.type === 'task_status' ? TASK_STATES : PROCESS_STATES;
  protocol.writeFieldBegin('', TYPE.STRUCT, member);
  for (const [id, name] of Object.entries(names)) {
    const value = (record.value as Record<string, unknown>)[name];
    if (value !== undefined) writeField(protocol, Number(id), name, value, states);
  }
  protocol.writeFieldStop();
  protocol.writeFieldStop();
  transport.flush();
  return message;
}

function writeField(
  protocol: TBinaryProtocol,
  id: number,
  name: string,
  value: unknown,
  states: readonly string[],
): void {
  if (name === 'state') {
    protocol.writeFieldBegin('', TYPE.I32, id);
    protocol.writeI32(typeof value === 'string' ? states.indexOf(value) : (value as number));
  } else if (I64_FIELDS.has(name)) {
    protocol.writeFieldBegin('', TYPE.I64, id);
    protocol.writeI64(i64(value as Int64));
  } else if (DOUBLE_FIELDS.has(name)) {
    protocol.writeFieldBegin('', TYPE.DOUBLE, id);
    protocol.writeDouble(value as number);
  } else if (name === 'ports') {
    const entries = Object.entries(value as Record<string, Int64>);
    protocol.writeFieldBegin('', TYPE.MAP, id);
    protocol.writeMapBegin(TYPE.STRING, TYPE.I64, entries.length);
    for (const [port, number] of entries) {
      protocol.writeString(port);
      protocol.writeI64(i64(number));
    }
  } else if (typeof value === 'string') {
    protocol.writeFieldBegin('', TYPE.STRING, id);
    protocol.writeString(value);
  } else {
    protocol.writeFieldBegin('', TYPE.I32, id);
    protocol.writeI32(value as number);
  }
}

describe("Apache's implementation", () => {
  it('reads what we write', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(decodeByThrift(encodeRecord(record))).toEqual(record);
      }),
      { numRuns: 400 },
    );
  });

  it('writes what we write, byte for byte, and we read it', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        // The package writes -0 as 0, and a NaN may be any of many bit patterns.
        fc.pre(!Object.values(record.value).some((value) => Object.is(value, -0) || Number.isNaN(value)));
        const theirs = encodeByThrift(record);
        expect(encodeFrame(encodeRecord(record)).equals(theirs)).toBe(true);
        expect(decodeRecord(theirs.subarray(4))).toEqual(record);
      }),
      { numRuns: 400 },
    );
  });

  it('reads every record of the sound corpus streams as we do', () => {
    let compared = 0;
    for (const from of loadCases()) {
      if (from.damaged) continue;
      for (const [path, records] of Object.entries(from.records)) {
        const bytes = readCase(from, path);
        for (const { offset, length = 0 } of records) {
          const payload = bytes.subarray(offset + 4, offset + 4 + length);
          const record = decodeRecord(payload);
          expect(decodeByThrift(payload)).toEqual(record);
          expect(encodeRecord(record).length).toBe(payload.length);
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });
});

describe('skipping a value', () => {
  interface Value {
    type: number;
    write: (protocol: TBinaryProtocol) => void;
  }
  const scalar = fc.oneof(
    fc.boolean().map((value): Value => ({ type: TYPE.BOOL, write: (to) => to.writeBool(value) })),
    fc.nat({ max: 32767 }).map((value): Value => ({ type: TYPE.I16, write: (to) => to.writeI16(value) })),
    fc.integer().map((value): Value => ({ type: TYPE.I32, write: (to) => to.writeI32(value) })),
    int64.map((value): Value => ({ type: TYPE.I64, write: (to) => to.writeI64(i64(value)) })),
    fc.double().map((value): Value => ({ type: TYPE.DOUBLE, write: (to) => to.writeDouble(value) })),
    text.map((value): Value => ({ type: TYPE.STRING, write: (to) => to.writeString(value) })),
  );
  const { value } = fc.letrec<{ value: Value; struct: Value; list: Value; map: Value }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, scalar, tie('struct'), tie('list'), tie('map')),
    struct: fc
      .array(fc.tuple(fc.integer({ min: -9, max: 99 }), tie('value')), { maxLength: 4 })
      .map((fields) => ({
        type: TYPE.STRUCT,
        write: (to) => {
          for (const [id, field] of fields) {
            to.writeFieldBegin('', field.type, id);
            field.write(to);
          }
          to.writeFieldStop();
        },
      })),
    list: fc
      .tuple(tie('value'), fc.nat({ max: 4 }), fc.constantFrom(TYPE.LIST, TYPE.SET))
      .map(([of, size, type]) => ({
        type,
        write: (to) => {
          to.writeListBegin(of.type, size);
          for (let i = 0; i < size; i++) of.write(to);
        },
      })),
    map: fc.tuple(tie('value'), tie('value'), fc.nat({ max: 3 })).map(([key, item, size]) => ({
      type: TYPE.MAP,
      write: (to) => {
        to.writeMapBegin(key.type, item.type, size);
        for (let i = 0; i < size; i++) {
          key.write(to);
          item.write(to);
        }
      },
    })),
  }));

  it('of any type ends where it ends, and nowhere if it is cut', () => {
    fc.assert(
      fc.property(value, fc.nat(), ({ type, write }, cut) => {
        let bytes = Buffer.alloc(0);
        const transport = new TFramedTransport(undefined, (message) => {
          bytes = Buffer.from(message.subarray(4));
        });
        write(new TBinaryProtocol(transport, false, false));
        transport.flush();
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        expect(skipValue(view, type, 0, bytes.length)).toBe(bytes.length);
        expect(() => skipValue(view, type, 0, cut % bytes.length)).toThrow();
      }),
      { numRuns: 400 },
    );
  });
});
