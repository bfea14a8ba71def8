import { expect, test } from 'vitest';
import { mountOf, parseMounts } from '../../src/host/mounts.js';

const MOUNTINFO = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:30 /x /var/my\\040disk\\134c ro,relatime - ext4 /dev/sdb1 rw
31 22 0:31 / /data rw master:2 propagate_from:3 - xfs /dev/sdc1 ro,noquota
32 22 0:32 / /data rw - tmpfs tmpfs rw
33 22 0:33 / /srv rw - fuse.sshfs a\\040b rw
garbage
34 22 x:y / /nowhere rw - tmpfs tmpfs rw
35 22 0:35 / /nowhere rw
`;

const mounts = parseMounts(MOUNTINFO);

test('a line of mountinfo, with blanks and backslashes; read-only by either of the two lists', () => {
  expect(mounts).toEqual([
    { path: '/', root: '/', major: 8, minor: 1, type: 'ext4', options: ['rw'], readOnly: false },
    {
      path: '/var/my disk\\c',
      root: '/x',
      major: 0,
      minor: 30,
      type: 'ext4',
      options: ['rw'],
      readOnly: true,
    },
    {
      path: '/data',
      root: '/',
      major: 0,
      minor: 31,
      type: 'xfs',
      options: ['ro', 'noquota'],
      readOnly: true,
    },
    { path: '/data', root: '/', major: 0, minor: 32, type: 'tmpfs', options: ['rw'], readOnly: false },
    { path: '/srv', root: '/', major: 0, minor: 33, type: 'fuse.sshfs', options: ['rw'], readOnly: false },
  ]);
});

test('the mount of a path is the innermost, and the last one on it', () => {
  expect(mountOf('/var/my disk\\c/x', mounts)?.path).toBe('/var/my disk\\c');
  expect(mountOf('/var/my disks', mounts)?.path).toBe('/');
  expect(mountOf('/data', mounts)).toMatchObject({ path: '/data', type: 'tmpfs', readOnly: false });
  expect(mountOf('/x', [])).toBeUndefined();
});
