import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { parseSignal, signalName, signalWord } from '../../src/text/signals.js';

/** Second names of signals 6 and 29. */
const SECOND_NAMES = ['SIGIOT', 'SIGPOLL'];

test('signals have the names that this system gives them', () => {
  const own = Object.entries(constants.signals).filter(([name]) => !SECOND_NAMES.includes(name));
  expect(own.map(([, number]) => signalName(number))).toEqual(own.map(([name]) => name));
});

test('other numbers have no name', () => {
  expect([0, -1, 32, 64, 1.5, Number.NaN].map(signalName)).toEqual(Array(6).fill(undefined));
});

test('a signal is read as by kill(1): by name with or without SIG, or by number', () => {
  const own = Object.entries(constants.signals);
  for (const [name, number] of own) {
    for (const word of [name, name.slice(3), name.toLowerCase(), String(number)])
      expect(parseSignal(word)).toBe(number);
  }
  expect(['RTMIN', 'SIGRTMIN+3', 'rtmax-1', 'SIGRTMAX', '37'].map(parseSignal)).toEqual([34, 37, 63, 64, 37]);
  expect(['CLD', 'POLL', 'IOT'].map(parseSignal)).toEqual([17, 29, 6]);
});

test.each([
  '',
  '0',
  '65',
  '-9',
  '+1',
  '1.5',
  'SIG',
  'SIGSIGHUP',
  'HU',
  'RTMIN-1',
  'RTMAX+1',
  'RTMIN+31',
  'RTMIN+',
  'constructor',
])('no signal: %j', (word) => {
  expect(parseSignal(word)).toBeUndefined();
});

test('each signal has a word that means it', () => {
  for (let number = 1; number <= 64; number++) expect(parseSignal(signalWord(number))).toBe(number);
  expect([1, 34, 37, 32].map(signalWord)).toEqual(['SIGHUP', 'SIGRTMIN', 'SIGRTMIN+3', '32']);
});
