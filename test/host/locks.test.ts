import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceOf, type HeldLock, parseLocks, writeLocksOn } from '../../src/host/locks.js';
import { parseMounts } from '../../src/host/mounts.js';

/** gnu_dev_makedev of glibc, the other way round. */
function makedev(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

const lock = (
  major: number,
  minor: number,
  inode: number | string,
  rest: Partial<HeldLock> = {},
): HeldLock => ({
  kind: 'FLOCK',
  mode: 'WRITE',
  pid: 100,
  major,
  minor,
  inode: String(inode),
  ...rest,
});

describe('/proc/locks', () => {
  test('holders, not waiters; devices in hexadecimal, inodes in decimal', () => {
    const text = [
      '1: FLOCK  ADVISORY  WRITE 12456 fe:00:2147571 0 EOF',
      '1: -> FLOCK  ADVISORY  WRITE 12457 fe:00:2147571 0 EOF',
      '1:  -> POSIX  ADVISORY  WRITE 12458 fe:00:2147571 0 EOF',
      '2: POSIX  ADVISORY  READ 7 00:2a:10 128 128',
      '3: OFDLCK ADVISORY  WRITE -1 103:05:18446744073709551615 0 0',
      '4: LEASE  ACTIVE    READ 9 fe:00:3 0 EOF',
      '5: FLOCK  MSNFS     WRITE 9 fe:00:4 0 EOF',
      '6: POSIX  *NOINODE* WRITE 9 <none>:0 0 EOF',
      '',
    ].join('\n');
    expect(parseLocks(text)).toEqual([
      { kind: 'FLOCK', mode: 'WRITE', pid: 12456, major: 254, minor: 0, inode: '2147571' },
      { kind: 'POSIX', mode: 'READ', pid: 7, major: 0, minor: 42, inode: '10' },
      { kind: 'OFDLCK', mode: 'WRITE', pid: -1, major: 0x103, minor: 5, inode: '18446744073709551615' },
      { kind: 'FLOCK', mode: 'WRITE', pid: 9, major: 254, minor: 0, inode: '4' },
    ]);
  });

  test('any text is read without trouble', () => {
    fc.assert(fc.property(fc.string(), (text) => parseLocks(text).length <= text.length));
  });
});

describe('device numbers', () => {
  test('as stat gives them on Linux', () => {
    expect(deviceOf(65024)).toEqual({ major: 254, minor: 0 });
    expect(deviceOf(0x10305n)).toEqual({ major: 0x103, minor: 5 });
  });

  test('every major and minor that 64 bits hold', () => {
    const number32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(number32, number32, (major, minor) => {
        expect(deviceOf(makedev(major, minor))).toEqual({ major, minor });
      }),
    );
  });
});

describe('which locks are on a file', () => {
  const mounts = parseMounts(
    [
      '22 27 0:21 / /proc rw,relatime - proc proc rw',
      '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard',
      '30 27 0:24 / /run rw - tmpfs tmpfs rw',
      '31 27 0:25 / /dev/shm rw - tmpfs tmpfs rw',
      '40 27 0:48 /@home /home\\040dir rw - btrfs /dev/vdb rw',
      '41 27 0:60 / /var/lib/docker/merged rw - overlay overlay rw',
    ].join('\n'),
  );
  const on = (dev: bigint, ino: number | bigint, locks: HeldLock[]) =>
    writeLocksOn({ dev, ino }, locks, () => mounts);

  test('the mounts were understood', () => {
    expect(mounts.map(({ type }) => type)).toEqual(['proc', 'ext4', 'tmpfs', 'tmpfs', 'btrfs', 'overlay']);
  });

  test('device and inode agree', () => {
    const ours = lock(254, 0, 7);
    expect(on(makedev(254, 0), 7, [lock(254, 1, 7), ours, lock(254, 0, 8)])).toEqual([ours]);
  });

  test('a read lock is none', () => {
    expect(on(makedev(254, 0), 7, [lock(254, 0, 7, { mode: 'READ' })])).toEqual([]);
  });

  test('inodes beyond 2^53 are distinct', () => {
    const inode = 2n ** 60n + 1n;
    const ours = lock(254, 0, String(inode));
    expect(on(makedev(254, 0), inode, [ours])).toEqual([ours]);
    expect(on(makedev(254, 0), inode - 1n, [ours])).toEqual([]);
  });

  test('the same inode on another disk or tmpfs is another file', () => {
    expect(on(makedev(254, 0), 7, [lock(0, 24, 7), lock(8, 1, 7)])).toEqual([]);
    expect(on(makedev(0, 24), 7, [lock(0, 25, 7), lock(0, 48, 7)])).toEqual([]);
  });

  test('a btrfs subvolume or an overlay layer: no such device is mounted, so the inode decides', () => {
    const ours = lock(0, 48, 7);
    expect(on(makedev(0, 51), 7, [ours, lock(0, 24, 7), lock(254, 0, 7)])).toEqual([ours]);
    const inContainer = lock(0, 99, 7);
    expect(on(makedev(0, 51), 7, [inContainer])).toEqual([inContainer]);
    expect(on(makedev(0, 51), 8, [ours])).toEqual([]);
  });

  test('the mounts are not read for files that nobody has locked, nor for those that somebody surely has', () => {
    const refuse = () => {
      throw new Error('not needed');
    };
    expect(writeLocksOn({ dev: makedev(0, 51), ino: 7 }, [lock(0, 48, 8)], refuse)).toEqual([]);
    expect(writeLocksOn({ dev: makedev(0, 48), ino: 8 }, [lock(0, 48, 8)], refuse)).toHaveLength(1);
  });
});
