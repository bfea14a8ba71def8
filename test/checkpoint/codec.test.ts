import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { ThriftError, ThriftWriter, TYPE } from '../../src/checkpoint/thrift.js';
import { anyRecord } from './arbitraries.js';
import { decodeRecord } from './records.js';

/** A payload whose union has one member struct with these fields. */
function member(id: number, write: (out: ThriftWriter) => void): Buffer {
  const out = new ThriftWriter().field(TYPE.STRUCT, id);
  write(out);
  return out.stop().stop().finish();
}

/** Decodes bytes that may be anything; whatever is thrown must be a ThriftError. */
function decodeAnything(payload: Buffer): void {
  try {
    decodeRecord(payload);
  } catch (error) {
    expect(error).toBeInstanceOf(ThriftError);
  }
}

describe('a record', () => {
  it('is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
      { numRuns: 500 },
    );
  });

  it('may be longer than any buffer that was made in advance', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.nat({ max: 5000 }), fc.nat({ max: 200 }), (a, b, count) => {
        const ports: Record<string, number> = Object.create(null);
        for (let k = 0; k < count; k++) ports[`port-${k}`] = k;
        const value = { task_id: 'x'.repeat(a), launch_time_ms: 1, sandbox: '世'.repeat(b), ports, uid: 3 };
        expect(decodeRecord(encodeRecord({ type: 'runner_header', value })).value).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it('is not there when its payload is cut', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), (record, at) => {
        const payload = encodeRecord(record);
        expect(() => decodeRecord(payload.subarray(0, at % payload.length))).toThrow(ThriftError);
      }),
      { numRuns: 300 },
    );
  });

  it('with any byte changed is a record or a ThriftError', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, at, flip) => {
        const payload = encodeRecord(record);
        const index = at % payload.length;
        payload[index] = (payload[index] as number) ^ flip;
        decodeAnything(payload);
      }),
      { numRuns: 1000 },
    );
  });

  it('of any bytes is a record or a ThriftError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeAnything(Buffer.from(bytes));
        decodeAnything(Buffer.concat([Buffer.from([TYPE.STRUCT, 0, 2]), bytes]));
        decodeAnything(Buffer.concat([Buffer.from([TYPE.STRUCT, 0, 1, TYPE.MAP, 0, 6]), bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it('is read whatever lies around it in memory', () => {
    fc.assert(
      fc.property(
        anyRecord,
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        (record, a, b) => {
          const payload = encodeRecord(record);
          const around = Buffer.concat([a, payload, b]);
          expect(decodeRecord(around.subarray(a.length, a.length + payload.length))).toEqual(record);
        },
      ),
    );
  });
});

describe('what the original accepts silently', () => {
  it('bytes behind the struct', () => {
    const payload = Buffer.concat([
      encodeRecord({ type: 'task_status', value: { runner_pid: 7 } }),
      Buffer.from('xyz'),
    ]);
    expect(decodeRecord(payload)).toEqual({ type: 'task_status', value: { runner_pid: 7 } });
  });

  it('a repeated field: the last one wins', () => {
    const payload = member(3, (out) => out.field(TYPE.I32, 3).i32(1).field(TYPE.I32, 3).i32(2));
    expect(decodeRecord(payload)).toEqual({ type: 'task_status', value: { runner_pid: 2 } });
  });

  it('a known field of another type: it is skipped', () => {
    const payload = member(3, (out) => out.field(TYPE.DOUBLE, 2).double(1).field(TYPE.I32, 3).i32(2));
    expect(decodeRecord(payload)).toEqual({ type: 'task_status', value: { runner_pid: 2 } });
  });

  it('unknown fields of every type', () => {
    const payload = member(2, (out) => {
      out.field(TYPE.BOOL, 40).byte(1).field(TYPE.BYTE, 41).byte(1).field(TYPE.I16, 42).byte(0).byte(1);
      out.field(TYPE.STRING, 43).string('future').field(TYPE.STRUCT, 44).field(TYPE.I64, 1).i64(9).stop();
      out.field(TYPE.LIST, 45).byte(TYPE.STRING).i32(2).string('a').string('b');
      out.field(TYPE.SET, 46).byte(TYPE.I32).i32(1).i32(5);
      out
        .field(TYPE.MAP, 47)
        .byte(TYPE.STRING)
        .byte(TYPE.LIST)
        .i32(1)
        .string('k')
        .byte(TYPE.BYTE)
        .i32(1)
        .byte(3);
      out.field(TYPE.STRING, 3).string('web').field(TYPE.I32, -3).i32(1);
    });
    expect(decodeRecord(payload)).toEqual({ type: 'process_status', value: { process: 'web' } });
  });

  it('states that nobody knows, as numbers', () => {
    expect(decodeRecord(member(3, (out) => out.field(TYPE.I32, 1).i32(9)))).toEqual({
      type: 'task_status',
      value: { state: 9 },
    });
    expect(decodeRecord(member(2, (out) => out.field(TYPE.I32, 5).i32(-1)))).toEqual({
      type: 'process_status',
      value: { state: -1 },
    });
  });
});

describe('of several members of the union', () => {
  const out = (ids: readonly number[]): Buffer => {
    const writer = new ThriftWriter();
    for (const id of ids) writer.field(TYPE.STRUCT, id).stop();
    return writer.stop().finish();
  };

  it.each([
    [[1, 2, 3], 'runner_header'],
    [[3, 2, 1], 'runner_header'],
    [[2, 3], 'task_status'],
    [[3, 2], 'task_status'],
    [[2, 9], 'process_status'],
  ])('%j are read as %s', (ids, type) => {
    expect(decodeRecord(out(ids as number[])).type).toBe(type);
  });

  it('none that is known is an error', () => {
    expect(() => decodeRecord(out([4]))).toThrow(ThriftError);
    expect(() => decodeRecord(out([]))).toThrow(ThriftError);
  });
});

describe('lengths that no record can have', () => {
  const huge = 2 ** 31 - 1;

  it.each([
    ['a string', (w: ThriftWriter) => w.field(TYPE.STRING, 3).i32(huge)],
    ['an unknown string', (w: ThriftWriter) => w.field(TYPE.STRING, 30).i32(huge)],
    ['a list', (w: ThriftWriter) => w.field(TYPE.LIST, 30).byte(TYPE.BYTE).i32(huge)],
    ['a list of structs', (w: ThriftWriter) => w.field(TYPE.LIST, 30).byte(TYPE.STRUCT).i32(huge)],
    ['a map', (w: ThriftWriter) => w.field(TYPE.MAP, 30).byte(TYPE.BYTE).byte(TYPE.BYTE).i32(huge)],
    ['a negative string', (w: ThriftWriter) => w.field(TYPE.STRING, 3).i32(-1)],
    ['a negative list', (w: ThriftWriter) => w.field(TYPE.LIST, 30).byte(TYPE.BYTE).i32(-1)],
    ['a negative map', (w: ThriftWriter) => w.field(TYPE.MAP, 30).byte(TYPE.BYTE).byte(TYPE.BYTE).i32(-1)],
  ])('%s: a ThriftError, not memory', (_, write) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodeRecord(member(2, write))).toThrow(ThriftError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  });

  it('ports', () => {
    const write = (out: ThriftWriter) => out.field(TYPE.MAP, 6).byte(TYPE.STRING).byte(TYPE.I64).i32(huge);
    expect(() => decodeRecord(member(1, write))).toThrow(ThriftError);
  });

  it('containers inside each other as deep as the record is long', () => {
    const deep = (opening: Buffer) =>
      Buffer.concat([Buffer.from([TYPE.STRUCT, 0, 2]), ...Array(100_000).fill(opening)]);
    const list = Buffer.from([TYPE.LIST, 0, 0, 0, 1]);
    const map = Buffer.from([TYPE.BYTE, TYPE.MAP, 0, 0, 0, 1, 7]);
    const struct = Buffer.from([TYPE.STRUCT, 0, 40]);
    expect(() => decodeRecord(deep(struct))).toThrow(ThriftError);
    const fieldOf = (type: number, opening: Buffer) =>
      Buffer.concat([Buffer.from([TYPE.STRUCT, 0, 2, type, 0, 40]), ...Array(100_000).fill(opening)]);
    expect(() => decodeRecord(fieldOf(TYPE.LIST, list))).toThrow(ThriftError);
    expect(() => decodeRecord(fieldOf(TYPE.MAP, map))).toThrow(ThriftError);
  });
});

describe('64-bit integers', () => {
  it.each([
    ['0020000000000000', 2n ** 53n],
    ['001fffffffffffff', 2 ** 53 - 1],
    ['ffe0000000000001', -(2 ** 53) + 1],
    ['ffdfffffffffffff', -(2n ** 53n) - 1n],
    ['7fffffffffffffff', 2n ** 63n - 1n],
    ['8000000000000000', -(2n ** 63n)],
    ['ffffffffffffffff', -1],
    ['00000000ffffffff', 2 ** 32 - 1],
  ])('%s', (hex, value) => {
    const bytes = Buffer.concat([
      Buffer.from([TYPE.STRUCT, 0, 2, TYPE.I64, 0, 1]),
      Buffer.from(hex, 'hex'),
      Buffer.alloc(2),
    ]);
    expect(decodeRecord(bytes)).toEqual({ type: 'process_status', value: { seq: value } });
  });
});

describe('ports', () => {
  it('may be called like anything that every object has', () => {
    const ports: Record<string, number> = Object.create(null);
    for (const [index, name] of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].entries())
      ports[name] = index;
    const decoded = decodeRecord(encodeRecord({ type: 'runner_header', value: { ports } }));
    expect(decoded.type === 'runner_header' && Object.entries(decoded.value.ports ?? {})).toEqual(
      Object.entries(ports),
    );
    expect({}.toString).toBe(Object.prototype.toString);
  });
});
