import { expect, test } from 'vitest';
import { counted } from '../../src/text/count.js';

test('one thing is one', () => {
  expect([0, 1, 2].map((count) => counted(count, 'task'))).toEqual(['0 tasks', '1 task', '2 tasks']);
  expect(counted(2, 'process', 'processes')).toBe('2 processes');
});
