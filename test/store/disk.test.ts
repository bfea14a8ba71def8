import { expect, test } from 'vitest';
import { deviceOf, fileSystemOf } from '../../src/store/disk.js';

test('a file system tells what it holds and has left', () => {
  const { bytes, available, free, inodes, freeInodes } = fileSystemOf('/');
  expect(bytes).toBeGreaterThan(0);
  expect(available).toBeLessThanOrEqual(free);
  expect(free).toBeLessThanOrEqual(bytes);
  expect(freeInodes).toBeLessThanOrEqual(inodes);
  expect(() => fileSystemOf('/no-such-place')).toThrow('ENOENT');
});

test('places on one file system have one device', () => {
  expect(deviceOf('/proc')).toBe(deviceOf('/proc/self'));
  expect(deviceOf('/proc')).not.toBe(deviceOf('/'));
  expect(() => deviceOf('/no-such-place')).toThrow('ENOENT');
});
