import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Directories } from '../../src/store/directories.js';
import { bytesOf, textOf, type Visitor, walk } from '../../src/store/walk.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let fd: number;
let directories: Directories;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  directories = new Directories();
  fd = directories.fdWithoutLinks(dir);
});
afterEach(() => {
  directories.close();
  remove();
});

function put(path: string): void {
  mkdirSync(`${dir}/${path.slice(0, path.lastIndexOf('/'))}`, { recursive: true });
  writeFileSync(`${dir}/${path}`, 'x');
}

function visited(given: Partial<Visitor> = {}, last: string[] = [], name = 't'): string[] {
  const seen: string[] = [];
  const say = (what: string, names: readonly string[]) => seen.push(`${what} ${textOf(names.join('/'))}`);
  walk(
    fd,
    name,
    {
      file: (_path, _stat, names) => say('file', names),
      leave: (_path, _stat, names) => say('leave', names),
      failed: (error, names) => say(`failed (${(error as Error).message.split(',')[0]})`, names),
      ...given,
    },
    last,
  );
  return seen;
}

const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('a walk', () => {
  test('visits each directory after what is in it, named ones of the top last', () => {
    put('t/a/f');
    put('t/a/g');
    put('t/b');
    put('t/late');
    expect(visited()).toEqual(['file a/f', 'file a/g', 'leave a', 'file b', 'file late', 'leave ']);
    expect(visited({}, ['a'])).toEqual(['file b', 'file late', 'file a/f', 'file a/g', 'leave a', 'leave ']);
  });

  test('of a file is that file, of nothing is nothing', () => {
    put('d/f');
    directories.close();
    fd = directories.fdWithoutLinks(`${dir}/d`);
    expect(visited({}, [], 'f')).toEqual(['file ']);
    expect(visited({}, [], 'none')).toEqual([]);
  });

  test('follows no link', () => {
    put('elsewhere/f');
    mkdirSync(`${dir}/t`);
    symlinkSync(`${dir}/elsewhere`, `${dir}/t/link`);
    expect(visited()).toEqual(['file link', 'leave ']);
  });

  test('follows no link that took the place of a directory after it was listed', () => {
    put('elsewhere/f');
    put('t/a/g');
    put('t/b/g');
    let other: string | undefined;
    const enter: Visitor['enter'] = (_fd, _stat, [name]) => {
      if (name === undefined || other !== undefined) return undefined;
      other = name === 'a' ? 'b' : 'a';
      rmSync(`${dir}/t/${other}`, { recursive: true });
      symlinkSync(`${dir}/elsewhere`, `${dir}/t/${other}`);
      return undefined;
    };
    const seen = visited({ enter });
    const first = other === 'a' ? 'b' : 'a';
    expect(seen).toEqual([`file ${first}/g`, `leave ${first}`, `file ${other}`, 'leave ']);
  });

  test('passes over what is to be skipped, without a word', () => {
    put('t/a/f');
    put('t/b/f');
    const enter: Visitor['enter'] = (_fd, _stat, names) => (names[0] === 'a' ? 'skip' : undefined);
    expect(visited({ enter })).toEqual(['file b/f', 'leave b', 'leave ']);
  });

  test('does not enter what must not be, and goes on', () => {
    put('t/a/f');
    put('t/b/f');
    const enter: Visitor['enter'] = (_fd, _stat, names) => {
      if (names[0] === 'a') throw new Error('not this');
    };
    expect(visited({ enter })).toEqual(['failed (not this) a', 'file b/f', 'leave b', 'leave ']);
  });

  test('passes over what vanishes meanwhile', () => {
    put('t/a/f');
    put('t/b/f');
    const enter: Visitor['enter'] = (_fd, _stat, names) => {
      if (names.length === 0) rmSync(`${dir}/t/a`, { recursive: true });
    };
    expect(visited({ enter })).toEqual(['file b/f', 'leave b', 'leave ']);
  });

  test('goes on where it was, whatever is moved meanwhile', () => {
    put('t/a/f');
    put('other/a/secret');
    const enter: Visitor['enter'] = (_fd, _stat, names) => {
      if (names[0] !== 'a') return;
      renameSync(`${dir}/t`, `${dir}/moved`);
      symlinkSync(`${dir}/other`, `${dir}/t`);
    };
    expect(visited({ enter })).toEqual(['file a/f', 'leave a', 'leave ']);
    expect(existsSync(`${dir}/other/a/secret`)).toBe(true);
  });

  test('is as deep as the tree, with few directories open', () => {
    let path = `${dir}/t`;
    for (let i = 0; i < 600; i++) {
      mkdirSync(path);
      path += '/d';
    }
    let most = 0;
    let deepest = 0;
    const before = openDescriptors();
    visited({
      enter: (_fd, _stat, names) => {
        deepest = Math.max(deepest, names.length);
        if (names.length % 50 === 0) most = Math.max(most, openDescriptors());
      },
    });
    expect(deepest).toBe(599);
    expect(most - before).toBeLessThan(200);
    expect(openDescriptors()).toBeLessThan(before + 20);
  });

  test('of names that are no UTF-8', () => {
    mkdirSync(`${dir}/t`);
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/t/`), Buffer.from([0xff, 0x61])]), '');
    writeFileSync(`${dir}/t/ü…`, '');
    expect(visited()).toEqual(expect.arrayContaining(['file \ufffda', 'file ü…']));
  });
});

test('names as bytes and back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(textOf(bytesOf(text))).toBe(Buffer.from(text, 'utf8').toString('utf8'));
    }),
  );
});
