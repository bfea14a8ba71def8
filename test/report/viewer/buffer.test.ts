import * as buffer from 'node:buffer';
import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Buffer as Bytes, isUtf8 } from '../../../src/report/viewer/stand-ins/buffer.js';
import * as path from '../../../src/report/viewer/stand-ins/path.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));

describe('what stands for Buffer in a browser does as Node does', () => {
  test('when it decodes', () => {
    fc.assert(
      fc.property(bytes, fc.nat(300), fc.nat(300), (given, a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        const expected = Buffer.from(given).toString('utf8', start, end);
        expect(Bytes.concat([given]).toString('utf8', start, end)).toBe(expected);
        expect(isUtf8(given)).toBe(buffer.isUtf8(given));
      }),
    );
    const mark = Buffer.from('\ufefftext');
    expect(Bytes.concat([mark]).toString()).toBe(mark.toString());
  });

  test('when it measures, joins, copies and reads', () => {
    fc.assert(
      fc.property(anyText, fc.array(bytes), fc.nat(300), fc.nat(300), (text, parts, at, start) => {
        expect(Bytes.byteLength(text)).toBe(Buffer.byteLength(text));
        expect([...Bytes.concat(parts)]).toEqual([...Buffer.concat(parts)]);
        const [ours, theirs] = [Bytes.alloc(600), Buffer.alloc(600)];
        const source = Buffer.concat(parts).subarray(0, 200);
        Bytes.concat([source]).copy(ours, at, Math.min(start, source.length));
        source.copy(theirs, at, Math.min(start, source.length));
        expect([...ours]).toEqual([...theirs]);
        // Parts that overlap.
        ours.copy(ours, 3, 0, 100);
        theirs.copy(theirs, 3, 0, 100);
        expect([...ours]).toEqual([...theirs]);
        expect(ours.readUInt32BE(at)).toBe(theirs.readUInt32BE(at));
        expect(ours.subarray(5)).toBeInstanceOf(Bytes);
      }),
    );
    expect(Bytes.concat([Uint8Array.of(255, 254, 253, 252)]).readUInt32BE(0)).toBe(0xfffefdfc);
  });
});

test('what stands for node:path does as Node does for plain paths', () => {
  const name = fc.string({ minLength: 1 }).filter((each) => !/[/]|^\.\.?$/.test(each));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1 }), name, (names, last) => {
      const directory = `/${names.join('/')}`;
      expect(path.join(directory, last)).toBe(posix.join(directory, last));
      expect(path.dirname(`${directory}/${last}`)).toBe(posix.dirname(`${directory}/${last}`));
      expect(path.basename(`${directory}/${last}`)).toBe(posix.basename(`${directory}/${last}`));
    }),
  );
  expect(path.dirname('/a')).toBe('/');
});
