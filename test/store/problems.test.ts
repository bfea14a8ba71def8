import { expect, test } from 'vitest';
import { PERMISSION_DENIED, unreadable } from '../../src/store/problems.js';
import { RefusedError } from '../../src/store/refused.js';

const SUDO = process.geteuid?.() === 0 ? undefined : 'run it again with sudo';
const errno = (code: string) => Object.assign(new Error(`${code}: as Node says it`), { code });
const about = { code: 'checkpoint-unreadable', tried: 'read the checkpoint /c', path: '/c' } as const;

test('what the system refused has a hint, unless root was refused', () => {
  for (const error of [PERMISSION_DENIED, errno('EACCES')]) {
    expect(unreadable({ ...about, error })).toEqual({
      code: 'checkpoint-unreadable',
      severity: 'error',
      message: 'cannot read the checkpoint /c: permission denied',
      path: '/c',
      hint: SUDO,
    });
  }
  expect(unreadable({ ...about, error: errno('EPERM'), hint: 'ask its user' })).toMatchObject({
    message: 'cannot read the checkpoint /c: operation not permitted',
    hint: 'ask its user',
  });
});

test('what nobody could read has none', () => {
  const error = errno('EIO');
  const problem = unreadable({ ...about, error, hint: 'ask its user', severity: 'warning', task_id: 't' });
  expect(problem).toEqual({
    code: 'checkpoint-unreadable',
    severity: 'warning',
    message: 'cannot read the checkpoint /c: input/output error',
    path: '/c',
    task_id: 't',
  });
});

test('what the store refused tells why', () => {
  const error = new RefusedError('ELINK', '/c is a link');
  expect(unreadable({ ...about, what: 'the checkpoint', error })).toEqual({
    code: 'checkpoint-unreadable',
    severity: 'error',
    message: 'the checkpoint is not read: /c is a link',
    path: '/c',
  });
});
