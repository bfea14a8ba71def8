import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineFilter } from '../../src/logs/line-filter.js';
import { linePattern } from '../../src/logs/pattern.js';
import type { Bytes } from '../../src/logs/scan-back.js';
import { ChosenLinesScan } from '../../src/logs/scan-chosen.js';

function bytesOf(text: string): Bytes {
  const content = Buffer.from(text);
  return {
    size: content.length,
    readAt: (buffer, length, offset) => content.copy(buffer, 0, offset, offset + length),
  };
}

const filterOf = (grep: string) => new LineFilter({ grep: linePattern('grep', [grep], false) });

const logText = fc.string({ unit: fc.constantFrom('a', 'a', 'b', '\n', '\r'), maxLength: 30 });

/** What is printed of the files: the ranges, oldest first. */
async function found(oldestFirst: readonly string[], scan: ChosenLinesScan): Promise<string> {
  const files = oldestFirst.map((text) => ({ text, bytes: bytesOf(text) }));
  let complete = false;
  for (const { bytes } of files.toReversed()) {
    complete = await scan.scan(bytes);
    if (complete) break;
  }
  if (!complete) scan.finish();
  return files
    .map(({ text, bytes }) =>
      scan
        .ranges(bytes)
        .map((range) => text.slice(...range))
        .join(''),
    )
    .join('');
}

it('finds the last lines that match in the concatenation of rotated files, whatever the block size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(logText, { minLength: 1, maxLength: 4 }),
      fc.nat(6),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('b', '^a+$', 'ab'),
      async (oldestFirst, n, block, grep) => {
        const lines = oldestFirst.join('').match(/[^\n]*\n|[^\n]+$/g) ?? [];
        const matching = lines.filter((line) => new RegExp(grep).test(line.replace(/\n$/, '')));
        const scan = new ChosenLinesScan(n, filterOf(grep), { first: 3, block });
        expect(await found(oldestFirst, scan)).toBe(n === 0 ? '' : matching.slice(-n).join(''));
      },
    ),
    { numRuns: 2000 },
  );
});

it('keeps the end of a log that goes on, whether it matches or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(logText, { minLength: 1, maxLength: 3 }), fc.nat(3), async (oldestFirst, n) => {
      const lines = oldestFirst.join('').match(/[^\n]*\n|[^\n]+$/g) ?? [];
      const end = lines.at(-1)?.endsWith('\n') === false ? (lines.pop() as string) : '';
      const missing = n - (end.includes('b') && n > 0 ? 1 : 0);
      const before = lines.filter((line) => line.includes('b'));
      const scan = new ChosenLinesScan(n, filterOf('b'), { keepsEnd: true, first: 2, block: 4 });
      expect(await found(oldestFirst, scan)).toBe(
        (missing === 0 ? '' : before.slice(-missing).join('')) + end,
      );
    }),
    { numRuns: 1000 },
  );
});

it('looks for no line further back than the longest, and says where it stopped', async () => {
  const scan = new ChosenLinesScan(5, filterOf('b'), { first: 4, block: 4, longest: 8 });
  expect(await found(['b\n', `${'a'.repeat(100)}b\nab\n`], scan)).toBe('ab\n');
  expect(scan.cut).toBe(93);
});
