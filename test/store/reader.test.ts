import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayRead, maySearch } from '../../src/store/reader.js';

const none = () => [];

test('the owner goes by the bits of the owner, whatever others may', () => {
  const file = { uid: 7, gid: 8, mode: 0o044 };
  expect(mayRead(file, { uid: 7, groups: none })).toBe(false);
  expect(mayRead(file, { uid: 9, groups: none })).toBe(true);
});

test('a member of the group goes by the bits of the group', () => {
  expect(mayRead({ uid: 7, gid: 8, mode: 0o640 }, { uid: 9, groups: () => [8] })).toBe(true);
  expect(mayRead({ uid: 7, gid: 8, mode: 0o640 }, { uid: 9, groups: none })).toBe(false);
  expect(mayRead({ uid: 7, gid: 8, mode: 0o604 }, { uid: 9, groups: () => [8] })).toBe(false);
});

test('groups are asked only where they matter', () => {
  const groups = () => {
    throw new Error('asked');
  };
  expect(mayRead({ uid: 7, gid: 8, mode: 0o644 }, { uid: 9, groups })).toBe(true);
  expect(maySearch({ uid: 7, gid: 8, mode: 0o700 }, { uid: 9, groups })).toBe(false);
});

test('a user may do what exactly one of the three triples says', () => {
  fc.assert(
    fc.property(
      fc.nat(0o777),
      fc.nat(3),
      fc.nat(3),
      fc.integer({ min: 1, max: 3 }),
      (mode, uid, gid, who) => {
        const groups = () => [2];
        const shift = uid === who ? 6 : gid === 2 ? 3 : 0;
        expect(mayRead({ uid, gid, mode }, { uid: who, groups })).toBe(((mode >> shift) & 4) !== 0);
        expect(maySearch({ uid, gid, mode }, { uid: who, groups })).toBe(((mode >> shift) & 1) !== 0);
      },
    ),
  );
});

test('root may everything', () => {
  expect(mayRead({ uid: 7, gid: 8, mode: 0 }, { uid: 0, groups: none })).toBe(true);
});
