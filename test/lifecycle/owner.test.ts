import { expect, test } from 'vitest';
import { mayBeSignalled, mayExecute, onlyRootCanWrite, ownerOf } from '../../src/lifecycle/owner.js';

const ME = process.geteuid?.() ?? 0;
const MESOS_ROOT = '/w/slaves/S0/frameworks/F0/executors/thermos-t/runs/C0/checkpoints';

test('a task that does not say whose it is is ours', () => {
  expect(ownerOf('/root', undefined, () => false)).toEqual({
    uid: ME,
    isWrittenByRoot: false,
    recordsSuffice: true,
  });
  expect(ownerOf('/root', 1234, () => true)).toEqual({
    uid: 1234,
    isWrittenByRoot: ME === 0,
    recordsSuffice: true,
  });
});

test('root in a container is not root here', () => {
  expect(mayExecute('/root')).toBe(true);
  expect(mayExecute(MESOS_ROOT)).toBe(false);
  expect(ownerOf(MESOS_ROOT, 0, () => true)).toMatchObject({ isWrittenByRoot: false, recordsSuffice: false });
});

test('only the owner’s processes may be signalled, all if root says so', () => {
  const owner = { uid: 5, isWrittenByRoot: false, recordsSuffice: true };
  expect([5, 6, 0].map((uid) => mayBeSignalled(owner, uid))).toEqual([true, false, false]);
  expect(mayBeSignalled({ ...owner, isWrittenByRoot: true }, 6)).toBe(true);
});

test.each([
  [{ uid: 0, mode: 0o100644, nlink: 1 }, true],
  [{ uid: 5, mode: 0o100644, nlink: 1 }, false],
  [{ uid: 0, mode: 0o100664, nlink: 1 }, false],
  [{ uid: 0, mode: 0o100646, nlink: 1 }, false],
  [{ uid: 0, mode: 0o100600, nlink: 2 }, false],
])('%j is root’s alone: %s', (file, expected) => {
  expect(onlyRootCanWrite(file)).toBe(expected);
});
