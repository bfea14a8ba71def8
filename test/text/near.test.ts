import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from '../../src/text/near.js';

const COMMANDS = ['status', 'inspect', 'tail', 'read', 'roots', 'help', 'version', 'gc', 'run', 'simplerun'];

test.each([
  ['statsu', ['status']],
  ['stat', ['status']],
  ['STAT', ['status']],
  ['tial', ['tail']],
  ['raed', ['read']],
  ['ehlp', ['help']],
  ['root', ['roots']],
  ['rn', ['run']],
  ['run', ['run', 'simplerun']],
  ['rum', ['run']],
  ['xyzzy', []],
  ['', []],
  ['g', ['gc']],
  ['x', []],
  ['c', []],
])('%s may be %s', (word, names) => {
  expect(nearest(word, COMMANDS)).toEqual(names);
});

test('the nearest come first, each once, and no more than five', () => {
  const names = ['x-web', 'web-1', 'wbe', 'web-0', 'web-0', 'wed', 'db'];
  expect(nearest('web', names)).toEqual(['web-0', 'web-1', 'x-web', 'wbe', 'wed']);
  expect(
    nearest(
      'a',
      Array.from({ length: 100 }, (_, i) => `a${i}`),
    ),
  ).toHaveLength(5);
});

test('many long names take no time', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `www-data-prod-hello-${i}`);
  expect(nearest('www-data-prod-helo-77', names)[0]).toBe('www-data-prod-hello-77');
});

describe('the distance of two words', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

  /** By the definition, step by step. */
  function simple(a: string, b: string): number {
    const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
    const at = (i: number, j: number) => rows[i]?.[j] as number;
    for (let i = 0; i <= a.length; i++) {
      for (let j = 0; j <= b.length; j++) {
        const steps = [i === 0 ? j : i + (j === 0 ? 0 : 99)];
        if (i > 0 && j > 0) {
          steps.push(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
        }
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
          steps.push(at(i - 2, j - 2) + 1);
        (rows[i] as number[])[j] = Math.min(...steps);
      }
    }
    return at(a.length, b.length);
  }

  test('counts letters that differ, and neighbours that changed places, up to a bound', () => {
    fc.assert(
      fc.property(word, word, fc.nat({ max: 9 }), (a, b, most) => {
        const far = simple(a, b);
        const told = editDistance(a, b, most);
        if (far <= most) expect(told).toBe(far);
        else expect(told).toBeGreaterThan(most);
      }),
    );
  });
});
