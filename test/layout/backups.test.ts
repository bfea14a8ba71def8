import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backupName, backupNumbers, backupOfName, isLogOrBackup } from '../../src/layout/backups.js';

test('a backup is a number as it is written', () => {
  expect(backupOfName('stdout.1', 'stdout')).toBe(1);
  for (const name of ['stdout', 'stdout.', 'stdout.0', 'stdout.01', 'stderr.1', 'stdout.1.gz']) {
    expect(backupOfName(name, 'stdout')).toBe(undefined);
  }
});

test('the newest backup comes first, whatever else is in the directory', () => {
  const names = ['stdout.10', 'stderr', 'stdout.2', 'stdout', 'stderr.3', 'stdout.1', 'stdout.x', 'core'];
  expect(backupNumbers(names, 'stdout')).toEqual([1, 2, 10]);
  expect(backupNumbers(names, 'stderr')).toEqual([3]);
  expect(names.filter((name) => isLogOrBackup(name, 'stderr'))).toEqual(['stderr', 'stderr.3']);
});

test('every name that is given is known again, and of no other log', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 999_999_999 }), (log, number) => {
      const name = backupName(log, number);
      expect(backupOfName(name, log)).toBe(number);
      expect(isLogOrBackup(name, log)).toBe(true);
      expect(backupOfName(log, log)).toBe(undefined);
      expect(backupOfName(name, `${log}x`)).toBe(undefined);
    }),
  );
});
