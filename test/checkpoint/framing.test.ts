import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord, recordIn } from '../../src/checkpoint/codec.js';
import { encodeFrame, MAX_RECORD_BYTES, RecordScanner } from '../../src/checkpoint/framing.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { anyRecord, streamOf } from './arbitraries.js';

interface Found {
  record: CheckpointRecord;
  offset: number;
  length: number;
}

function scanner(): { scanner: RecordScanner; found: Found[] } {
  const found: Found[] = [];
  return {
    found,
    scanner: new RecordScanner((decoder, offset, length) => {
      if (decoder.member === 0) return 'no known member';
      found.push({ record: recordIn(decoder), offset, length });
      return undefined;
    }),
  };
}

function scan(bytes: Buffer) {
  const { scanner: records, found } = scanner();
  const rest = records.feed(bytes, 0, bytes.length);
  return { found, scanner: records, damage: records.atEnd(bytes, rest, bytes.length) };
}

const someRecords = fc.array(anyRecord, { maxLength: 12 });

describe('a stream', () => {
  it('gives its records, each with its place', () => {
    fc.assert(
      fc.property(someRecords, (records) => {
        const bytes = streamOf(records);
        const { found, damage, scanner: records2 } = scan(bytes);
        expect(damage).toBeUndefined();
        expect(records2.bytes).toBe(bytes.length);
        expect(found.map(({ record }) => record)).toEqual(records);
        let offset = 0;
        for (const one of found) {
          expect(one.offset).toBe(offset);
          offset += 4 + one.length;
        }
      }),
    );
  });

  it('gives the same in any pieces', () => {
    fc.assert(
      fc.property(
        someRecords,
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (records, sizes) => {
          const bytes = streamOf(records);
          const { scanner: piecewise, found } = scanner();
          let held = Buffer.alloc(0);
          for (let at = 0, k = 0; at < bytes.length; k++) {
            const size = sizes[k % sizes.length] as number;
            held = Buffer.concat([held, bytes.subarray(at, at + size)]);
            at += size;
            held = held.subarray(piecewise.feed(held, 0, held.length));
          }
          expect(piecewise.atEnd(held, 0, held.length)).toBeUndefined();
          expect(piecewise.bytes).toBe(bytes.length);
          expect(found).toEqual(scan(bytes).found);
        },
      ),
    );
  });

  it('cut anywhere gives the records before the cut, and says where the next one starts', () => {
    fc.assert(
      fc.property(someRecords, fc.nat(), (records, at) => {
        const bytes = streamOf(records);
        const whole = scan(bytes).found;
        const cut = at % (bytes.length + 1);
        const { found, damage } = scan(bytes.subarray(0, cut));
        const kept = whole.filter(({ offset, length }) => offset + 4 + length <= cut);
        expect(found).toEqual(kept);
        const last = kept.at(-1);
        const next = last === undefined ? 0 : last.offset + 4 + last.length;
        expect(damage).toEqual(
          cut === next ? undefined : { kind: 'incomplete', offset: next, reason: expect.any(String) },
        );
      }),
      { numRuns: 300 },
    );
  });

  it('with any byte changed keeps the records before it', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (records, at, flip) => {
          const bytes = streamOf(records);
          const before = scan(bytes).found.filter(
            ({ offset, length }) => offset + 4 + length <= at % bytes.length,
          );
          bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
          const { found, damage, scanner: records2 } = scan(bytes);
          expect(found.slice(0, before.length)).toEqual(before);
          expect(damage === undefined ? bytes.length : damage.offset).toBe(records2.bytes);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of any bytes ends at its end or at a damage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (anything) => {
        const bytes = Buffer.from(anything);
        const { damage, scanner: records } = scan(bytes);
        expect(records.bytes).toBeLessThanOrEqual(bytes.length);
        expect(damage === undefined).toBe(records.bytes === bytes.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the length of a record', () => {
  const prefix = (length: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    return bytes;
  };
  const good = encodeFrame(encodeRecord({ type: 'task_status', value: { state: 'ACTIVE' } }));

  it('may be 64 MiB', () => {
    const status = encodeRecord({ type: 'task_status', value: { runner_pid: 1 } });
    const bytes = Buffer.concat([
      prefix(MAX_RECORD_BYTES),
      status,
      Buffer.alloc(MAX_RECORD_BYTES - status.length),
      good,
    ]);
    const { found, damage } = scan(bytes);
    expect(damage).toBeUndefined();
    expect(found.map(({ length }) => length)).toEqual([MAX_RECORD_BYTES, good.length - 4]);
  });

  it.each([MAX_RECORD_BYTES + 1, 0x7fffffff, 0x80000000, 0xffffffff])('may not be %d', (length) => {
    const { damage, found } = scan(Buffer.concat([good, prefix(length), good]));
    expect(found).toHaveLength(1);
    expect(damage).toEqual({
      kind: 'damaged',
      offset: good.length,
      reason: `a record of at most 67108864 bytes was expected, this one says ${length}`,
    });
  });

  it('may not be 0', () => {
    const { damage, found } = scan(Buffer.concat([good, prefix(0), good]));
    expect(found).toHaveLength(1);
    expect(damage).toMatchObject({ kind: 'damaged', offset: good.length });
  });

  it('that the stream does not hold is a record cut short', () => {
    expect(scan(Buffer.concat([good, prefix(100), Buffer.alloc(7)])).damage).toEqual({
      kind: 'incomplete',
      offset: good.length,
      reason: '100 bytes of a record were expected, 7 are there',
    });
    expect(scan(Buffer.concat([good, Buffer.alloc(3)])).damage).toEqual({
      kind: 'incomplete',
      offset: good.length,
      reason: "4 bytes of a record's length were expected, 3 are there",
    });
  });
});

describe('after a damage', () => {
  it('nothing more is taken', () => {
    const good = streamOf([{ type: 'task_status', value: { state: 'ACTIVE' } }]);
    const { scanner: records, found } = scanner();
    const broken = Buffer.concat([good, Buffer.alloc(4)]);
    expect(records.feed(broken, 0, broken.length)).toBe(good.length);
    expect(records.feed(good, 0, good.length)).toBe(0);
    expect(found).toHaveLength(1);
    expect(records.bytes).toBe(good.length);
  });
});
