import { expect, test } from 'vitest';
import { isSticky, othersMayWrite } from '../../src/host/mode.js';
import { procText } from '../../src/host/proc-text.js';

test.each([
  [0o100644, false],
  [0o100600, false],
  [0o40755, false],
  [0o100664, true],
  [0o100602, true],
  [0o41777, true],
  [0o41755, false],
])('%o may be written by others: %s', (mode, expected) => {
  expect(othersMayWrite(mode)).toBe(expected);
});

test('a sticky directory', () => {
  expect([isSticky(0o41777), isSticky(0o40777), isSticky(0o44755)]).toEqual([true, false, false]);
});

test('the text of /proc, empty of what is not there', () => {
  expect(procText('/proc/self/status')).toMatch(/^Name:/);
  expect(procText('/proc/none')).toBe('');
  expect(procText('/proc/self')).toBe('');
});
