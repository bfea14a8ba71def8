import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { absolutePath, mayUse, presenceOf } from '../../src/store/look.js';
import { isWithin, nameOf, namesBelow, parentOf } from '../../src/store/paths.js';
import { tempDir } from '../e2e/harness.js';

test('paths as text', () => {
  expect(absolutePath('a//b/./c/', '/x')).toBe('/x/a/b/c');
  expect(absolutePath('/', '/x')).toBe('/');
  expect(absolutePath('.', '/')).toBe('/');
  expect(absolutePath('/no-such-place/../a', '/x')).toBe('/no-such-place/../a');
  expect([parentOf('/a/b'), parentOf('/a'), parentOf('/')]).toEqual(['/a', '/', '/']);
  expect(nameOf('/a/b')).toBe('b');
  expect(isWithin('/a/b', '/a')).toBe(true);
  expect(isWithin('/a', '/a')).toBe(true);
  expect(isWithin('/ab', '/a')).toBe(false);
  expect(isWithin('/a', '/')).toBe(true);
  expect(namesBelow('/a/b/c', '/a')).toEqual(['b', 'c']);
  expect(namesBelow('/a', '/')).toEqual(['a']);
  expect(namesBelow('/a', '/a')).toEqual([]);
  expect(namesBelow('/ab', '/a')).toBe(undefined);
});

test('impossible names are absent', () => {
  expect(presenceOf('/a\0b')).toBe('absent');
  expect(presenceOf(`/${'x'.repeat(5000)}`)).toBe('absent');
  expect(presenceOf('/dev/null/x')).toBe('absent');
  expect(presenceOf('/dev/null')).toBe('other');
  expect(presenceOf('/')).toBe('directory');
});

test('what a directory may be used for', () => {
  const { path, remove } = tempDir();
  try {
    expect([mayUse(path, 'list'), mayUse(path, 'change')]).toEqual([true, true]);
    expect(mayUse(`${path}/none`, 'list')).toBe(undefined);
    expect(mayUse('/dev/null/x', 'change')).toBe(false);
    const isRoot = process.geteuid?.() === 0;
    chmodSync(path, 0o500);
    expect([mayUse(path, 'list'), mayUse(path, 'change')]).toEqual([true, isRoot]);
    chmodSync(path, 0o300);
    expect([mayUse(path, 'list'), mayUse(path, 'change')]).toEqual([isRoot, true]);
    chmodSync(path, 0o700);
  } finally {
    remove();
  }
});
