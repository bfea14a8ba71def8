import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ExactStart, encodeBoot, encodeStart, parseStarts } from '../../src/layout/starts.js';

const BOOT = '5f6c1b1e-0d0c-4d1b-9f07-6d6a3a0d3f11';
const start = fc.record<ExactStart>({
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  time: fc.option(fc.double({ min: 0, max: 4e9, noNaN: true }), { nil: undefined }),
  ticks: fc.nat(),
});
const textOf = (starts: readonly ExactStart[]) => encodeBoot(BOOT) + starts.map(encodeStart).join('');

test('what is kept is found again by what the stream records, and as of an earlier boot after one', () => {
  fc.assert(
    fc.property(fc.array(start), (starts) => {
      const now = parseStarts(textOf(starts), BOOT);
      const later = parseStarts(textOf(starts), 'another');
      for (const { pid, time } of starts) {
        const latest = starts.findLast(
          (each) => each.pid === pid && Object.is(each.time ?? null, time ?? null),
        );
        if (time === 0) continue;
        expect(now.of(pid, time)).toBe(latest?.ticks);
        expect(later.of(pid, time)).toBe('earlier-boot');
      }
      expect([now.of(undefined, 1), later.of(0)]).toEqual([undefined, undefined]);
    }),
  );
});

test('a file that was cut anywhere says nothing wrong', () => {
  fc.assert(
    fc.property(
      fc.array(start, { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (starts, part) => {
        const text = textOf(starts);
        const cut = parseStarts(text.slice(0, Math.floor(text.length * part)), BOOT);
        for (const { pid, time, ticks } of cut.all()) {
          expect(starts).toContainEqual({ pid, time, ticks });
        }
      },
    ),
  );
});

test('what is not a start is left out, and without the boot nothing counts', () => {
  const good = { pid: 7, time: 1.5, ticks: 9 };
  const bad = [
    'null',
    '[]',
    '{',
    '{"pid":7,"time":1.5}',
    '{"pid":"7","time":1.5,"ticks":8}',
    '{"pid":7,"time":"1.5","ticks":8}',
    '{"pid":7,"time":-1,"ticks":8}',
    '{"pid":7,"time":1.5,"ticks":8.5}',
    '{"pid":7,"time":1.5,"ticks":-1}',
    '{"pid":0,"ticks":8}',
    '{"__proto__":{"pid":7,"time":1.5,"ticks":8}}',
    `{"pid":7,"time":1.5,"ticks":8}${encodeBoot(BOOT)}`.trim(),
  ];
  expect(parseStarts(`${encodeBoot(BOOT)}${encodeStart(good)}${bad.join('\n')}\n`, BOOT).all()).toEqual([
    good,
  ]);
  for (const first of ['', encodeStart(good), '{"boot_id":7}\n', '{"boot_id":"5f6c']) {
    expect(parseStarts(first + encodeStart(good), BOOT).all()).toEqual([]);
  }
  expect(parseStarts(textOf([good]), undefined).all()).toEqual([]);
});

test('random bytes are no starts', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(parseStarts(Buffer.from(bytes).toString('utf8'), BOOT).all()).toEqual([]);
    }),
  );
});
