import { expect, test } from 'vitest';
import { accountGroups, groupsOf } from '../../src/host/groups.js';

test('the groups of a user; none of who has no account', () => {
  expect(groupsOf(0)).toContain(0);
  expect(groupsOf(4_123_456)).toEqual([]);
});

test('a group is a user’s own only if it has the name and no other member', () => {
  const groups = accountGroups();
  expect(groups.isOnlyOf(0, 0, '/')).toBe(true);
  expect(groups.isOnlyOf(0, 4_123_456, '/')).toBe(false);
  expect(groups.isOnlyOf(4_123_456, 0, '/')).toBe(false);
  expect(groups.isOnlyOf(0, 0, '/no/such/path')).toBe(false);
});
