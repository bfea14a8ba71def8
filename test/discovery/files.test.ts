import { expect, test, vi } from 'vitest';
import {
  absolutePath,
  isWithin,
  listDirectory,
  nameOf,
  parentOf,
  presenceOf,
} from '../../src/discovery/files.js';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const fail = (syscall: string) => Object.assign(new Error(syscall), { code: 'ENOENT', syscall });
  const here = { isFile: () => false, isDirectory: () => true, isSymbolicLink: () => false };
  return {
    ...fs,
    // A file system that doesn't tell types: Node asks for each entry, and one of them has vanished.
    readdirSync: (path: string, options?: { withFileTypes: boolean }) => {
      if (path === '/gone') throw fail('scandir');
      if (options?.withFileTypes) throw fail('lstat');
      return ['here', 'vanished'];
    },
    lstatSync: (path: string, options: object) => {
      if (path === '/dir/here') return here;
      return path === '/dir/vanished' ? undefined : fs.lstatSync(path, options);
    },
  };
});

test('a listing goes on without what vanished in the meantime', () => {
  expect(listDirectory('/dir').map((entry) => [entry.name, entry.isDirectory()])).toEqual([['here', true]]);
});

test('a directory that is not there is an error', () => {
  expect(() => listDirectory('/gone')).toThrow('scandir');
});

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
});

test('names that can not be are absent', () => {
  expect(presenceOf('/a\0b')).toBe('absent');
  expect(presenceOf(`/${'x'.repeat(5000)}`)).toBe('absent');
  expect(presenceOf('/dev/null/x')).toBe('absent');
  expect(presenceOf('/dev/null')).toBe('other');
  expect(presenceOf('/')).toBe('directory');
});
