import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realPathsOfOneMoment } from '../../src/discovery/real-paths.js';
import { realPath } from '../../src/store/look.js';
import { tempDir } from '../e2e/harness.js';

let temp: { path: string; remove: () => void };
beforeAll(() => {
  temp = tempDir();
});
afterAll(() => temp.remove());

const NAMES = ['a', 'b', 'c', 'd', 'e e', '…'];
const name = fc.constantFrom(...NAMES);
const relative = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const odd = fc.array(fc.oneof(name, fc.constantFrom('.', '..', '', 'not here', 'x'.repeat(300))), {
  maxLength: 6,
});

type Made = { at: string } & ({ kind: 'directory' | 'file' } | { kind: 'link'; target: string });
const made: fc.Arbitrary<Made> = fc.oneof(
  fc.record({ at: relative, kind: fc.constantFrom('directory' as const, 'file' as const) }),
  fc.record({
    at: relative,
    kind: fc.constant('link' as const),
    target: fc.oneof(
      relative,
      relative.map((path) => `../${path}`),
      fc.constantFrom('.', '..', '/', '/tmp', 'loop'),
    ),
  }),
);

/** Makes whatever can be made; existing entries stay. Nothing is made where links lead out of it. */
function makeTree(base: string, things: readonly Made[]): void {
  for (const thing of things) {
    const path = join(base, thing.at);
    if (!isBelow(temp.path, path)) continue;
    try {
      mkdirSync(thing.kind === 'directory' ? path : dirname(path), { recursive: true });
      if (thing.kind === 'file') writeFileSync(path, '', { flag: 'wx' });
      if (thing.kind === 'link') symlinkSync(thing.target, path);
    } catch {}
  }
}

/** Whether the existing part of a path stays below a directory. */
function isBelow(directory: string, path: string): boolean {
  for (let existing = dirname(path); ; existing = dirname(existing)) {
    const real = realPath(existing);
    if (real !== undefined) return `${real}/`.startsWith(`${realpathSync(directory)}/`);
  }
}

test('agrees with realpath(3) about any tree of directories, files and links', () => {
  fc.assert(
    fc.property(fc.array(made, { maxLength: 25 }), fc.array(odd, { maxLength: 40 }), (things, questions) => {
      const base = mkdtempSync(join(temp.path, 'tree-'));
      makeTree(base, things);
      const resolve = realPathsOfOneMoment();
      // Enough lookups in one directory that it is listed on the way.
      const paths = [...questions.map((names) => names.join('/')), ...things.map(({ at }) => at), ...NAMES];
      for (const path of [...paths, ...paths.toReversed()]) {
        expect([path, resolve(`${base}/${path}`)]).toEqual([path, realPath(`${base}/${path}`)]);
      }
    }),
  );
});

describe('odd paths', () => {
  test.each([
    '/',
    '//',
    '/.',
    '/..',
    '/tmp',
    '/tmp/',
    '/proc/self/root/tmp',
    '/dev/null',
    '/dev/null/x',
    '/dev/fd/none',
  ])('%s', (path) => {
    expect(realPathsOfOneMoment()(path)).toBe(realPath(path));
  });

  test('an empty path, a NUL, a relative path', () => {
    const resolve = realPathsOfOneMoment();
    for (const path of ['', '.', 'nowhere/at/all', 'a\0b', '/tmp\0', '/tmp/\0/x']) {
      expect(resolve(path)).toBe(realPath(path));
    }
  });

  test('a link to / leads to no double slash', () => {
    const link = join(temp.path, 'top');
    symlinkSync('/', link);
    const resolve = realPathsOfOneMoment();
    expect(resolve(`${link}/proc`)).toBe('/proc');
    expect(resolve(`${link}${temp.path}`)).toBe(realpathSync(temp.path));
    expect(resolve(link)).toBe('/');
  });

  test('a path of megabytes does not resolve, without a deep stack', () => {
    const resolve = realPathsOfOneMoment();
    expect(resolve('/a'.repeat(2_000_000))).toBeUndefined();
    expect(resolve('/tmp'.repeat(1023))).toBeUndefined();
    expect(resolve(`/${'a'.repeat(5000)}`)).toBeUndefined();
  });

  test('loops and dangling links lead nowhere', () => {
    const base = mkdtempSync(join(temp.path, 'links-'));
    symlinkSync('loop', join(base, 'loop'));
    symlinkSync('two', join(base, 'one'));
    symlinkSync('one', join(base, 'two'));
    symlinkSync('nothing', join(base, 'dangling'));
    const resolve = realPathsOfOneMoment();
    for (const name of ['loop', 'one', 'two', 'dangling', 'loop/x', 'dangling/x']) {
      expect(resolve(join(base, name))).toBeUndefined();
    }
  });
});

test('it is one point in time: an entry made after a lookup may be missed, but none is invented', () => {
  const base = mkdtempSync(join(temp.path, 'moment-'));
  const resolve = realPathsOfOneMoment();
  for (let i = 0; i < 40; i++) expect(resolve(`${base}/x${i}`)).toBeUndefined();
  writeFileSync(join(base, 'late'), '');
  expect(resolve(`${base}/late`)).toBeUndefined();
  expect(realPathsOfOneMoment()(`${base}/late`)).toBe(realpathSync(join(base, 'late')));
});
