import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answered, type Pause } from '../../src/app/late.js';

const patient: Pause = async (until) => {
  await until;
  return undefined;
};
const interrupted: Pause = async () => 130;
const never: Pause = () => {
  throw new Error('nothing had to be waited for');
};

describe('an answer', () => {
  test('that is there is not waited for', async () => {
    expect(await answered({ a: 1 }, never)).toEqual({ a: 1 });
  });

  test('that is late is waited for', async () => {
    expect(await answered(sleep(5, { a: 1 }), patient)).toEqual({ a: 1 });
  });

  test('is waited for also by who pauses for a moment only', async () => {
    expect(await answered(sleep(20, { a: 1 }), async () => undefined)).toEqual({ a: 1 });
  });

  test('that fails is thrown', async () => {
    await expect(answered(Promise.reject(new Error('no')), patient)).rejects.toThrow('no');
  });

  test('is given up for a signal, and may fail then', async () => {
    const failing = sleep(5).then(() => Promise.reject(new Error('too late')));
    expect(await answered(failing, interrupted)).toBe(130);
    await sleep(20);
  });
});
