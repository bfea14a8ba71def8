import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Excerpt } from '../../../src/logs/excerpt.js';
import { bytesOf } from '../../../src/report/page/html.js';
import { logText } from '../../../src/report/page/logs.js';

const LOG = { process: 'main', run: 0, stream: 'stdout' as const, path: '/log', bytes: 100 };
const excerpt = (first: string[], last: string[] = [], left_out?: Excerpt['left_out']): Excerpt => ({
  ...LOG,
  first,
  last,
  left_out,
});
const numbers = (lines: readonly { number: number }[]) => lines.map(({ number }) => number);

test('a log that is there as a whole has its lines from 1', () => {
  const text = logText(excerpt(['a', 'b'], ['c']));
  expect(numbers(text.first)).toEqual([1, 2, 3]);
  expect([text.left_out, text.last]).toEqual([undefined, []]);
});

test('the numbers go on after the lines that are left out', () => {
  const text = logText(excerpt(['a', 'b'], ['c', 'd'], { bytes: 50, lines: 10 }));
  expect([numbers(text.first), numbers(text.last)]).toEqual([
    [1, 2],
    [13, 14],
  ]);
  expect(text.left_out).toEqual({ bytes: 50, lines: 10 });
});

test('the numbers count from the end if nobody counted what is left out', () => {
  const text = logText(excerpt(['a'], ['c', 'd'], { bytes: 50 }));
  expect([numbers(text.first), numbers(text.last)]).toEqual([[1], [-2, -1]]);
  expect(text.left_out).toEqual({ bytes: 50, lines: undefined });
});

test('of a long log the end is kept, then the beginning, and what is left out is counted', () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `${i + 1} ${'x'.repeat(100)}`);
  const text = logText(excerpt(lines));
  const kept = text.first.length + text.last.length;
  expect(numbers(text.last).at(-1)).toBe(1000);
  expect(numbers(text.first)[0]).toBe(1);
  expect(text.left_out?.lines).toBe(1000 - kept);
  expect(text.last.length).toBeGreaterThan(2 * text.first.length);
});

test('a line of a megabyte is cut, and says so', () => {
  const text = logText(excerpt(['x'.repeat(1_000_000)]));
  expect(text.first[0]?.text).toMatch(/^x{2000}<i>… \(998000 more characters\)<\/i>$/);
});

test('no log takes more of a page than it may, and every line is shown or counted', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('\u202e', '<', '\u001b[31m', '\u0000', 'x').map((piece) => piece.repeat(3000)),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.array(line, { maxLength: 250 }),
      fc.option(fc.record({ bytes: fc.nat(), lines: fc.nat() }), { nil: undefined }),
      (first, last, left_out) => {
        const text = logText(excerpt(first, last, left_out));
        const all = [...text.first, ...text.last];
        expect(all.reduce((sum, each) => sum + bytesOf(each.text), 0)).toBeLessThan(400_000);
        expect(all.length + (text.left_out?.lines ?? 0)).toBe(
          first.length + last.length + (left_out?.lines ?? 0),
        );
        expect(numbers(all)).toEqual([...new Set(numbers(all))].sort((a, b) => a - b));
      },
    ),
    { numRuns: 30 },
  );
});
