import type { FileIdentity } from './file-identity.js';
import type { Mount } from './mounts.js';

/** A held file lock, as /proc/locks lists it. */
export interface HeldLock {
  kind: 'FLOCK' | 'POSIX' | 'OFDLCK';
  mode: 'READ' | 'WRITE';
  /**
   * The process that took it, in our pid namespace. A lock belongs to the open file, so after a fork the taker may have
   * ended while its child still holds the lock. -1 for open-file-description locks, 0 if the taker is in another
   * namespace.
   */
  pid: number;
  major: number;
  minor: number;
  /** Decimal; a string because inodes may exceed 2^53. */
  inode: string;
}

const LINE = /^\d+: +(FLOCK|POSIX|OFDLCK) +\S+ +(READ|WRITE) +(-?\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) /;

/**
 * Parses /proc/locks (proc(5)). Waiters (`1: -> FLOCK …`), leases and unknown lines are left out.
 * Devices are printed in hexadecimal, inodes in decimal.
 */
export function parseLocks(text: string): HeldLock[] {
  const locks: HeldLock[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, kind, mode, pid, major, minor, inode] = match;
    locks.push({
      kind: kind as HeldLock['kind'],
      mode: mode as HeldLock['mode'],
      pid: Number(pid),
      major: Number.parseInt(major as string, 16),
      minor: Number.parseInt(minor as string, 16),
      inode: inode as string,
    });
  }
  return locks;
}

export interface Device {
  major: number;
  minor: number;
}

/** Splits the device number of a Linux `stat` (gnu_dev_major, gnu_dev_minor of glibc; musl agrees). */
export function deviceOf(dev: number | bigint): Device {
  const bits = BigInt(dev);
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)),
  };
}

/** Their `stat` may return a different device from the one that locks are listed under. */
const MANY_DEVICES = new Set(['btrfs', 'bcachefs', 'overlay', 'aufs']);

/**
 * The write locks on a file. Normally device and inode must both agree. On btrfs (each subvolume) and overlay
 * (each layer) `stat` returns a device of its own, on which nothing is mounted, while /proc/locks has the device of
 * the file system; there only the inode is compared, among locks on such file systems. So, rarely, a lock may be
 * mistaken for another file's, which makes a dead runner look alive as long as that lock is held; the opposite
 * error would let a live task be collected.
 */
export function writeLocksOn(
  file: FileIdentity,
  locks: readonly HeldLock[],
  mounts: () => readonly Pick<Mount, keyof Device | 'type'>[],
): HeldLock[] {
  const { major, minor } = deviceOf(file.dev);
  const inode = String(file.ino);
  const sameInode = locks.filter((lock) => lock.mode === 'WRITE' && lock.inode === inode);
  if (sameInode.length === 0) return sameInode;
  const exact = sameInode.filter((lock) => lock.major === major && lock.minor === minor);
  if (exact.length > 0) return exact;
  const mounted = mounts();
  const typeOf = (device: Device) =>
    mounted.find((mount) => mount.major === device.major && mount.minor === device.minor)?.type;
  const ambiguous = (device: Device) => {
    const type = typeOf(device);
    return type === undefined ? device.major === 0 : MANY_DEVICES.has(type);
  };
  return ambiguous({ major, minor }) ? sameInode.filter(ambiguous) : [];
}
