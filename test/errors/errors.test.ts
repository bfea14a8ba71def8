import { readdirSync, rmdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeErrno } from '../../src/errors/errors.js';

const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

test.each([
  ['a common one', thrownBy(() => readdirSync('/none')), 'no such file or directory'],
  ['one of a path that nobody knows', thrownBy(() => rmdirSync('/proc/self/..')), undefined],
  [
    'a rare one',
    Object.assign(new Error("EROFS: x, unlink '/y'"), { code: 'EROFS', errno: -30 }),
    'read-only',
  ],
  ['one of ours', Object.assign(new Error('it changed'), { code: 'ECHANGED' }), 'it changed'],
  ['no error at all', undefined, 'undefined'],
])('%s is told in words, without a path', (_, error, words) => {
  if (words !== undefined) expect(describeErrno(error)).toContain(words);
  expect(describeErrno(error)).not.toContain('/');
});
