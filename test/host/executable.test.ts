import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isForThisMachine } from '../../src/host/executable.js';
import { placeForEach } from '../e2e/harness.js';

const place = placeForEach();

test('Node is a program for this machine, and so are those beside it', () => {
  expect(isForThisMachine(process.execPath)).toBe(true);
  expect(isForThisMachine('/proc/self/exe')).toBe(true);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a text', Buffer.from('echo this is not a program\n')],
  [
    'a program for a machine of another word size',
    Buffer.from('\x7fELF\x09\x01\x01'.padEnd(64, '\0'), 'latin1'),
  ],
  ['a program that was cut off', Buffer.from('\x7fELF\x02\x01\x01', 'latin1')],
])('%s is none', (_, bytes) => {
  const path = join(place.path, 'program');
  writeFileSync(path, bytes);
  expect(isForThisMachine(path)).toBe(false);
});

test('a script that names its interpreter is one', () => {
  const path = join(place.path, 'script');
  writeFileSync(path, '#!/bin/sh\nexec true\n');
  expect(isForThisMachine(path)).toBe(true);
});

test('what is not there is none', () => {
  expect(isForThisMachine('/nowhere')).toBe(false);
});
