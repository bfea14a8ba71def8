import { expect, test } from 'vitest';
import { codeOf } from '../../src/cli/kill.js';
import { NotFoundError, SystemError } from '../../src/errors/errors.js';

// A word that means no task exits 1 and no more; a task that went while it was ended is something that was not done.
test('a task that vanished while it was ended is not one that was never meant', () => {
  expect(codeOf(new NotFoundError('task-not-found', 'there is no task web'))).toBe('task-vanished');
  expect(codeOf(new SystemError('kill-refused', 'it was not ended'))).toBe('kill-refused');
  expect(codeOf(Object.assign(new Error(), { code: 'EIO' }))).toBe('kill-failed');
});
