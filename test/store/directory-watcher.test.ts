import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryWatcher, watchNames } from '../../src/store/directory-watcher.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let watcher: DirectoryWatcher;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  watcher = new DirectoryWatcher();
});
afterEach(() => {
  watcher.close();
  remove();
});

/** Longer than anything here takes, were it waited for. */
const LONG = 30_000;

describe('watching', () => {
  test('begins with what may have happened before', async () => {
    expect(watcher.watch(dir)).toBe(true);
    await watcher.changes(LONG);
    expect([...watcher.take()]).toEqual([dir]);
    expect([...watcher.take()]).toEqual([]);
  });

  test('tells of a change, and in which directory', async () => {
    mkdirSync(`${dir}/a`);
    mkdirSync(`${dir}/b`);
    for (const name of ['a', 'b']) watcher.watch(`${dir}/${name}`);
    watcher.take();
    writeFileSync(`${dir}/b/f`, 'x');
    while (!watcher.take().has(`${dir}/b`)) await watcher.changes(LONG);
    expect([watcher.watches(`${dir}/a`), watcher.watches(`${dir}/c`)]).toEqual([true, false]);
  });

  test('the nearest existing ancestor is watched for a missing directory', () => {
    expect(watcher.watch(`${dir}/a/b`)).toBe(false);
    expect(watcher.watches(dir)).toBe(false);
    expect(watcher.watch(`${dir}/a/b`, 2)).toBe(false);
    expect(watcher.watches(dir)).toBe(true);
  });

  test('stops watching, and ends when it is closed', async () => {
    watcher.watch(dir);
    watcher.unwatch(dir);
    watcher.take();
    expect(watcher.watches(dir)).toBe(false);
    const waited = watcher.changes(LONG);
    watcher.close();
    await waited;
  });
});

describe('waiting', () => {
  const elapsed = async (longest: number) => {
    const start = performance.now();
    await watcher.changes(longest);
    return performance.now() - start;
  };

  test('is not longer than asked, nor than a second, without events', async () => {
    const fastest = Math.min(await elapsed(10), await elapsed(10), await elapsed(10));
    expect(fastest).toBeLessThan(900);
    expect(await elapsed(LONG)).toBeGreaterThan(900);
  });

  test('is short where news comes that nobody announced, and stays so', async () => {
    for (const announced of [false, false, true, false, false]) watcher.found(true, announced);
    watcher.found(false, false);
    expect(await elapsed(LONG)).toBeGreaterThan(900);
    watcher.found(true, false);
    const fastest = Math.min(await elapsed(LONG), await elapsed(LONG), await elapsed(LONG));
    expect(fastest).toBeLessThan(900);
  });
});

test('names of what changes, until it is closed', async () => {
  const names: string[] = [];
  let wake = () => {};
  const told = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const watching = watchNames(dir, (name) => {
    names.push(name);
    wake();
  });
  writeFileSync(`${dir}/f`, 'x');
  await told;
  watching.close();
  expect(new Set(names)).toEqual(new Set(['f']));
  rmSync(dir, { recursive: true });
  expect(() => watchNames(dir, () => {})).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  mkdirSync(dir);
});
