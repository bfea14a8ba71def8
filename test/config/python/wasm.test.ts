import { afterAll, expect, it } from 'vitest';
import { compilePython, setBudget } from '../../../src/config/python/wasm.js';
import { cacheName } from '../../../src/host/code-cache.js';
import { DIST } from './run.js';

afterAll(() => setBudget('usual'));

it("leaves V8's flags as they were, so that caches of code are still read and written", async () => {
  const name = () => cacheName({ name: 'python', id: 'x' });
  const before = name();
  await compilePython(DIST);
  expect(name()).toBe(before);
  setBudget('all');
  expect(name()).not.toBe(before);
  setBudget('usual');
  expect(name()).toBe(before);
});
