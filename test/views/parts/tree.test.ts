import fc from 'fast-check';
import { expect, test } from 'vitest';
import { branchesOf } from '../../../src/views/parts/tree.js';

const UTF8 = { unicode: true };

function drawn(depths: readonly number[], style = UTF8): string[] {
  return branchesOf(depths, style).map((branch, i) => `${branch}${i}`);
}

test('siblings hang on one line, which stays open until the last of them', () => {
  expect(drawn([0, 1, 2, 2, 1, 2, 0])).toEqual(['0', '├─ 1', '│  ├─ 2', '│  └─ 3', '└─ 4', '   └─ 5', '6']);
});

test('without Unicode it is drawn with ASCII', () => {
  expect(drawn([0, 1, 2, 1], { unicode: false })).toEqual(['0', '|- 1', '|  `- 2', '`- 3']);
});

test('a chain of 20,000 takes room in proportion to its length', () => {
  const branches = branchesOf(
    Array.from({ length: 20_000 }, (_, i) => i),
    UTF8,
  );
  expect(branches.join('').length).toBeLessThan(20_000 * 3 * 50);
  expect(branches.at(-2)).toBe(`${' '.repeat(3 * 49)}├─ `);
  expect(branches.at(-1)).toBe(`${' '.repeat(3 * 49)}└─ `);
});

/** Depths as a walk from the top gives them: each at most one deeper than the one before. */
const depths = fc.array(fc.tuple(fc.boolean(), fc.nat(70)), { maxLength: 200 }).map((steps) =>
  steps.reduce<number[]>((before, [deeper, back]) => {
    const last = before.at(-1);
    const next = last === undefined ? 0 : deeper ? last + 1 : Math.max(0, last - back);
    before.push(next);
    return before;
  }, []),
);

test('of any tree: each branch begins below its parent, goes on without a gap, and ends', () => {
  fc.assert(
    fc.property(depths, (given) => {
      const rows = drawn(given).map((row) => [...row]);
      for (const [y, row] of rows.entries()) {
        for (const [x, mark] of row.entries()) {
          const above = rows[y - 1]?.[x];
          const below = rows[y + 1]?.[x];
          // The name of the parent begins where the branch does.
          if ('├└│'.includes(mark)) expect('├│0123456789').toContain(above);
          if ('├│'.includes(mark)) expect('├│└').toContain(below);
          if (mark === '└') expect('├│└').not.toContain(below ?? ' ');
        }
      }
    }),
  );
});
