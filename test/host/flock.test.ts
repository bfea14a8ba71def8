import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tryLock } from '../../src/host/flock.js';
import { Host } from '../../src/host/host.js';
import { tempDir } from '../e2e/harness.js';

let path: string;
let remove: () => void;
beforeEach(() => {
  const dir = tempDir();
  path = join(dir.path, 'runner');
  remove = dir.remove;
});
afterEach(() => remove());

describe('tryLock', () => {
  it('holds the lock until the descriptor is closed', () => {
    const first = openSync(path, 'a');
    const second = openSync(path, 'a');
    expect(tryLock(first)).toBe(true);
    expect(tryLock(first)).toBe(true);
    expect(tryLock(second)).toBe(false);
    // The one that took it, flock(1), is gone: only the initial pid namespace lists it all the same.
    expect(Host.local().isLocked(statSync(path))).not.toBe(false);
    closeSync(first);
    expect(tryLock(second)).toBe(true);
    closeSync(second);
  });
});
