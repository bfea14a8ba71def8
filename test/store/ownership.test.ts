import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findUntrusted, type PathOwner } from '../../src/store/ownership.js';

const noGroups = { isOnlyOf: () => false };
const file = (changes: Partial<PathOwner> = {}): PathOwner => ({
  path: '/f',
  uid: 7,
  gid: 7,
  mode: 0o644,
  nlink: 1,
  isDirectory: false,
  isLink: false,
  isAbove: false,
  ...changes,
});
const seen = (changes: Partial<PathOwner>, groups = noGroups) =>
  findUntrusted([file(changes)], new Set([0, 7]), groups)?.what;

describe('findUntrusted', () => {
  test("believes the task's user and root", () => {
    expect(seen({})).toBe(undefined);
    expect(seen({ uid: 0 })).toBe(undefined);
    expect(seen({ uid: 8 })).toBe('belongs to uid 8');
  });

  test('believes nobody who may write', () => {
    expect(seen({ uid: 0, mode: 0o666 })).toBe('can be written by everybody');
    expect(seen({ uid: 0, mode: 0o664, gid: 9 })).toBe('can be written by group 9');
    expect(seen({ mode: 0o664 }, { isOnlyOf: () => true })).toBe(undefined);
    expect(seen({ mode: 0o666 }, { isOnlyOf: () => true })).toBe('can be written by everybody');
  });

  test('believes no file that has another name, where somebody else may write it', () => {
    expect(seen({ nlink: 2 })).toBe('has 2 names (hard links)');
    expect(seen({ nlink: 2, isDirectory: true })).toBe(undefined);
  });

  test('lets everybody write to a directory above the root only if names in it cannot be removed', () => {
    const tmp = { path: '/tmp', uid: 0, isDirectory: true, mode: 0o1777 };
    expect(seen({ ...tmp, isAbove: true })).toBe(undefined);
    expect(seen({ ...tmp, isAbove: false })).toBe('can be written by everybody');
    expect(seen({ ...tmp, isAbove: true, mode: 0o777 })).toBe('can be written by everybody');
    expect(seen({ ...tmp, isAbove: true, uid: 8 })).toBe('belongs to uid 8');
  });

  test('an untrusted user who may write is found, whatever else there is', () => {
    const arbitrary = fc.record({
      path: fc.constant('/x'),
      uid: fc.constantFrom(0, 7, 8),
      gid: fc.constantFrom(0, 7, 8),
      mode: fc.nat(0o1777),
      nlink: fc.integer({ min: 1, max: 3 }),
      isDirectory: fc.boolean(),
      isLink: fc.constant(false),
      isAbove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 5 }), (paths) => {
        const isSafe = ({ uid, mode, nlink, isDirectory, isAbove }: PathOwner) =>
          uid !== 8 &&
          (isDirectory || nlink === 1) &&
          ((mode & 0o022) === 0 || (isAbove && (mode & 0o1000) !== 0));
        expect(findUntrusted(paths, new Set([0, 7]), noGroups) === undefined).toBe(paths.every(isSafe));
      }),
    );
  });
});
