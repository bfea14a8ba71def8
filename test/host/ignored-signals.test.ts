import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ignoredSignals } from '../../src/host/ignored-signals.js';

const ignored = (bits: string) => ignoredSignals({ THERMOS_IGNORED_SIGNALS: bits });

test('the signals of a set of bits as in proc(5), as far as they are meant to end a program', () => {
  expect(ignored('1')).toEqual(['SIGHUP']);
  expect(ignored(String((1 << 1) | (1 << 2)))).toEqual(['SIGINT', 'SIGQUIT']);
  expect(ignored(String(1 << 14))).toEqual(['SIGTERM']);
  // SIGKILL, SIGUSR1, SIGPIPE and SIGXFSZ.
  expect(ignored(String((1 << 8) | (1 << 9) | (1 << 12) | (1 << 24)))).toEqual([]);
  expect(ignored(String(2n ** 64n - 1n))).toEqual(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);
});

test('none if nothing is known', () => {
  expect(ignoredSignals({})).toEqual([]);
  for (const text of ['', '0', '-1', '0x1', '1 ', 'HUP']) expect(ignored(text)).toEqual([]);
  fc.assert(fc.property(fc.string(), (text) => ignored(text).length <= 4));
});
