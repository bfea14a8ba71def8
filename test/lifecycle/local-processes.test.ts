import { expect, test } from 'vitest';
import { LOCAL_PROCESSES } from '../../src/lifecycle/local-processes.js';

test('a signal that the system refuses is explained in words', () => {
  expect(LOCAL_PROCESSES.signal(process.pid, 999)).toEqual({ why: 'invalid argument' });
});
