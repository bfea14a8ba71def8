import { expect, test } from 'vitest';
import { Lane } from '../../src/agent/lane.js';

test('no more calls run at once than a lane has places, and those that are urgent begin first', async () => {
  const lane = new Lane(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const call = (name: string, urgent = false) =>
    lane.run(() => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    }, urgent);
  const all = [call('a'), call('b'), call('c'), call('d'), call('u', true)];
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  expect(begun).toEqual(['a', 'b']);
  ends.get('a')?.();
  await settle();
  expect(begun).toEqual(['a', 'b', 'u']);
  ends.get('b')?.();
  ends.get('u')?.();
  await settle();
  expect(begun).toEqual(['a', 'b', 'u', 'c', 'd']);
  ends.get('c')?.();
  ends.get('d')?.();
  await Promise.all(all);
});

test('a call that fails gives its place to the next one', async () => {
  const lane = new Lane(1);
  const failing = lane.run(() => Promise.reject(new Error('no')));
  const next = lane.run(() => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  await expect(next).resolves.toBe('yes');
});
