import { expect, test } from 'vitest';
import { DirectoryUsage } from '../../src/gc/usage.js';

const user = (pid: number, path: string) => ({ pid, path, how: 'works in it' });

test('who uses a directory or something in it, not what is beside it', () => {
  const users = ['/s/a/deep/er', '/s/a-b', '/s/ab', '/s/b'].map((path, i) => user(i, path));
  const usage = new DirectoryUsage(() => users);
  expect(usage.of('/s/a')?.path).toBe('/s/a/deep/er');
  expect(usage.of('/s/ab')?.path).toBe('/s/ab');
  expect(usage.of('/s')).toBeDefined();
  expect([usage.of('/s/a/d'), usage.of('/s/c'), usage.of('/s/a/deep/er/x')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('by the inode, where the process sees another tree', () => {
  const usage = new DirectoryUsage(() => [{ ...user(1, '/other/name'), identity: { dev: 1, ino: 2 } }]);
  expect(usage.of('/s/a', { dev: 1, ino: 2 })?.pid).toBe(1);
  expect(usage.of('/s/a', { dev: 1, ino: 3 })).toBeUndefined();
});

test('asked again when the look is too old, and the later the longer it took', () => {
  let now = 0;
  let looks = 0;
  let takes = 0;
  const usage = new DirectoryUsage(
    () => {
      looks += 1;
      now += takes;
      return [];
    },
    () => now,
  );
  const askAt = (time: number) => {
    now = time;
    usage.of('/s');
    return looks;
  };
  expect([askAt(0), askAt(1000), askAt(1001)]).toEqual([1, 1, 2]);
  takes = 100;
  expect([askAt(3000), askAt(8100), askAt(8101)]).toEqual([3, 3, 4]);
  const forEver = new DirectoryUsage(() => {
    looks += 1;
    return [];
  });
  forEver.of('/s');
  forEver.of('/s');
  expect(looks).toBe(5);
});
