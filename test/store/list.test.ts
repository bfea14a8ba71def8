import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listDirectory } from '../../src/store/list.js';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const fail = (syscall: string) => Object.assign(new Error(syscall), { code: 'ENOENT', syscall });
  const here = { isFile: () => false, isDirectory: () => true, isSymbolicLink: () => false };
  return {
    ...fs,
    // A file system that does not report types: Node asks for each entry, and one of them has vanished.
    opendirSync: (path: string, options: object) =>
      path === '/untyped'
        ? {
            readSync: () => {
              throw fail('lstat');
            },
            closeSync: () => {},
          }
        : fs.opendirSync(path, options),
    readdirSync: (path: string, options?: object) =>
      path === '/untyped' ? ['here', 'vanished'] : fs.readdirSync(path, options),
    lstatSync: (path: string, options: object) => {
      if (path === '/untyped/here') return here;
      return path === '/untyped/vanished' ? undefined : fs.lstatSync(path, options);
    },
  };
});

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermos-list-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const names = ({ entries }: { entries: readonly { name: string }[] }) =>
  entries.map(({ name }) => name).sort();

describe('listDirectory', () => {
  test('tells the kinds of entries', () => {
    mkdirSync(`${directory}/d`);
    writeFileSync(`${directory}/f`, '');
    symlinkSync('f', `${directory}/l`);
    const { entries, complete } = listDirectory(directory, { max: 3 });
    expect(complete).toBe(true);
    expect(
      entries.map((each) => [each.name, each.isDirectory(), each.isFile(), each.isSymbolicLink()]).sort(),
    ).toEqual([
      ['d', true, false, false],
      ['f', false, true, false],
      ['l', false, false, true],
    ]);
  });

  test('reads no more entries than it was asked for, and says so', () => {
    for (let i = 0; i < 10; i++) writeFileSync(`${directory}/${i}`, '');
    const listing = listDirectory(directory, { max: 4 });
    expect(listing.entries).toHaveLength(4);
    expect(listing.complete).toBe(false);
    expect(listDirectory(directory, { max: 10 }).complete).toBe(true);
  });

  test('goes on without what vanished in the meantime', () => {
    expect(names(listDirectory('/untyped', { max: 9 }))).toEqual(['here']);
  });

  test('follows no link below a base', () => {
    mkdirSync(`${directory}/d/e`, { recursive: true });
    symlinkSync('d', `${directory}/l`);
    expect(names(listDirectory(`${directory}/d`, { below: directory, max: 9 }))).toEqual(['e']);
    expect(() => listDirectory(`${directory}/l`, { below: directory, max: 9 })).toThrow(
      `${directory}/l is a symbolic link`,
    );
    expect(() => listDirectory(`${directory}/l/e`, { below: directory, max: 9 })).toThrow('symbolic link');
    expect(names(listDirectory(`${directory}/l`, { max: 9 }))).toEqual(['e']);
    expect(() => listDirectory(`${directory}/d/../d`, { below: directory, max: 9 })).toThrow(
      'is not allowed in',
    );
    expect(() => listDirectory('/', { below: directory, max: 9 })).toThrow('is not in');
  });

  test('throws the system error for a path that does not exist, or is not a directory', () => {
    expect(() => listDirectory(`${directory}/gone`, { max: 9 })).toThrow('ENOENT');
    writeFileSync(`${directory}/f`, '');
    expect(() => listDirectory(`${directory}/f`, { max: 9 })).toThrow('ENOTDIR');
    expect(() => listDirectory(`${directory}/f`, { below: directory, max: 9 })).toThrow('ENOTDIR');
  });
});
