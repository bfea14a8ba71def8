import { expect, test } from 'vitest';
import { findAccount } from '../../src/host/account.js';
import { accountGroups, groupsOf } from '../../src/host/groups.js';

test('a user by name and by uid; none of a name that is nobody’s, or that is an option', () => {
  const root = { name: 'root', uid: 0, gid: 0 };
  expect(findAccount('root')).toEqual(root);
  expect(findAccount(0)).toEqual(root);
  expect(findAccount('0')).toBeUndefined();
  for (const name of ['no-such-user', '', '--help', '-s', 'root\nroot', 4_123_456_789]) {
    expect([name, findAccount(name)]).toEqual([name, undefined]);
  }
});

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
