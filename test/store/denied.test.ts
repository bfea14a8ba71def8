import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { firstDenied, isDenied } from '../../src/store/denied.js';
import { tempDir } from '../e2e/harness.js';

test('what a more privileged user would get through', () => {
  const error = (code: string) => Object.assign(new Error(), { code });
  expect(['EACCES', 'EPERM', 'ENOENT', 'ELOOP'].map((code) => isDenied(error(code)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(isDenied(new Error('EACCES'))).toBe(false);
});

describe('the outermost directory that may not be looked into', () => {
  let dir: string;
  let remove: () => void;
  beforeEach(() => {
    ({ path: dir, remove } = tempDir());
    mkdirSync(`${dir}/a/b/c`, { recursive: true });
  });
  afterEach(() => {
    chmodSync(`${dir}/a`, 0o755);
    remove();
  });

  test('is none if all may, or are not there', () => {
    expect(firstDenied(dir, 'a', 'b', 'c')).toBeUndefined();
    expect(firstDenied(dir, 'none', 'b')).toBeUndefined();
  });

  test('is reported; root may look into any', () => {
    const denied = (path: string) => (process.geteuid?.() === 0 ? undefined : path);
    chmodSync(`${dir}/a`, 0o000);
    expect(firstDenied(dir, 'a', 'b', 'c')).toBe(denied(`${dir}/a`));
    chmodSync(`${dir}/a`, 0o755);
    chmodSync(`${dir}/a/b`, 0o000);
    expect(firstDenied(dir, 'a', 'b', 'c')).toBe(denied(`${dir}/a/b`));
    chmodSync(`${dir}/a/b`, 0o755);
  });
});
