import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failedCopy, staysWithin } from '../../src/sandbox/copy.js';
import { realPath } from '../../src/store/look.js';
import { tempDir } from '../e2e/harness.js';

describe('a link of a copied directory', () => {
  test.each([
    ['file', 0, true],
    ['./a/b', 0, true],
    ['a//b/', 3, true],
    ['../a', 1, true],
    ['../../a', 2, true],
    ['.', 0, true],
    ['..', 1, true],
    ['..', 0, false],
    ['../../a', 1, false],
    ['a/..', 1, false],
    ['a/../../b', 1, false],
    ['/etc', 5, false],
    ['/', 0, false],
  ])('to %s, %i directories down: %s', (target, depth, stays) => {
    expect(staysWithin(target, depth)).toBe(stays);
  });

  test('that stays in it leads nowhere else, whatever the other links are', () => {
    const temp = tempDir();
    try {
      const name = fc.constantFrom('a', 'b', 'c');
      const target = fc
        .array(fc.constantFrom('..', '.', 'a', 'b', 'c'), { minLength: 1, maxLength: 5 })
        .map((names) => names.join('/'));
      const links = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), target), {
        maxLength: 6,
      });
      let round = 0;
      fc.assert(
        fc.property(links, (made) => {
          const top = join(temp.path, String(round++), 'top');
          mkdirSync(top, { recursive: true });
          const kept: string[] = [];
          for (const [names, to] of made) {
            if (!staysWithin(to, names.length - 1)) continue;
            const path = join(top, ...names);
            try {
              // What is copied is made in directories, not through links.
              mkdirSync(dirname(path), { recursive: true });
              if (realPath(dirname(path)) !== join(realPath(top) as string, ...names.slice(0, -1))) continue;
              symlinkSync(to, path);
              kept.push(path);
            } catch {
              // Something has the name.
            }
          }
          const base = realPath(top) as string;
          for (const path of kept) {
            const real = realPath(path);
            if (real !== undefined) expect(`${real}/`.startsWith(`${base}/`)).toBe(true);
          }
        }),
        { numRuns: 150 },
      );
    } finally {
      temp.remove();
    }
  });
});

test.each([
  ['EEXIST', 'copy-refused', '--force replaces files'],
  ['ENOSPC', 'copy-failed', 'free space on the disk, for example with thermos gc'],
])('%s is %s', (code, problem, hint) => {
  expect(failedCopy('/x', { code })).toMatchObject({ code: problem, severity: 'error', path: '/x', hint });
});
