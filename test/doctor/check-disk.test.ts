import { describe, expect, test } from 'vitest';
import { checkDisk, type Disk } from '../../src/doctor/check-disk.js';
import { modeText } from '../../src/doctor/gather-host.js';

const GIB = 2 ** 30;
const disk = (given: Partial<Disk>): Disk => ({
  path: '/var/run/thermos',
  mountPoint: '/',
  readOnly: false,
  bytes: 100 * GIB,
  available: 50 * GIB,
  free: 50 * GIB,
  inodes: 1000,
  freeInodes: 500,
  inUse: true,
  ...given,
});
const codes = (given: Partial<Disk>) =>
  [...checkDisk(disk(given), {})].map(({ code, severity }) => `${code} ${severity}`);

describe('disks', () => {
  test.each<[string[], Partial<Disk>]>([
    [[], {}],
    [['disk-full error'], { available: 0, free: 5 * GIB }],
    [['disk-full error'], { available: 0.9 * GIB }],
    [['disk-nearly-full warning'], { available: 4 * GIB }],
    [[], { available: 5 * GIB }],
    [['disk-no-inodes error'], { freeInodes: 0 }],
    [[], { inodes: 0, freeInodes: 0 }],
    [['disk-full error', 'disk-no-inodes error'], { available: 0, freeInodes: 0 }],
    [[], { bytes: 0, available: 0, free: 0 }],
    [['disk-read-only error'], { readOnly: true, available: 0 }],
    [['disk-read-only note'], { readOnly: true, inUse: false }],
  ])('%j of %j', (expected, given) => {
    expect(codes(given)).toEqual(expected);
  });

  test("an agent's headroom counts free blocks, as the agent does", () => {
    expect(codes({ headroom: 0.1, available: 11 * GIB, free: 11 * GIB })).toEqual([]);
    expect(codes({ headroom: 0.1, available: 7 * GIB, free: 10 * GIB })).toEqual(['disk-pressure warning']);
    expect(codes({ headroom: 0, available: 7 * GIB, free: 10 * GIB })).toEqual([]);
  });

  test('says how much is free, and where', () => {
    const [symptom] = checkDisk(disk({ available: 0.5 * GIB }), {});
    expect(symptom?.what(1)).toBe(
      'the disk at / is full: runners cannot record what happens, and tasks fail',
    );
    expect(symptom?.evidence).toEqual([{ path: '/var/run/thermos', text: '512MiB of 100GiB free (1%)' }]);
  });
});

test('modes as ls writes them', () => {
  expect([0o040750, 0o100644, 0o120777].map(modeText)).toEqual(['drwxr-x---', '-rw-r--r--', 'lrwxrwxrwx']);
});
