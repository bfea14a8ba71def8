import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { signalName } from '../../src/text/signals.js';

/** Second names of signals 6 and 29. */
const SECOND_NAMES = ['SIGIOT', 'SIGPOLL'];

test('signals have the names that this system gives them', () => {
  const own = Object.entries(constants.signals).filter(([name]) => !SECOND_NAMES.includes(name));
  expect(own.map(([, number]) => signalName(number))).toEqual(own.map(([name]) => name));
});

test('other numbers have no name', () => {
  expect([0, -1, 32, 64, 1.5, Number.NaN].map(signalName)).toEqual(Array(6).fill(undefined));
});
