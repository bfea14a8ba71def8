import { linkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { measure } from '../../src/gc/measure.js';
import { Directories } from '../../src/store/directories.js';
import { du, put, setAge } from '../e2e/gc-trees.js';
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

const measured = (name: string, options = {}) => measure(fd, name, { links: new Map(), ...options });
const bytes = (name: string, options = {}) => measured(name, options)?.bytes as number;

test('as du(1) does, and without what is excepted', () => {
  put(`${dir}/t/a/f`, 'x'.repeat(5000));
  put(`${dir}/t/b/f`, 'x'.repeat(5000));
  expect(bytes('t')).toBe(du(`${dir}/t`));
  expect(bytes('t', { except: [measured('t/b')] })).toBe(du(`${dir}/t`) - du(`${dir}/t/b`));
});

test('nothing of the name is undefined; a file is no directory', () => {
  put(`${dir}/f`, 'x');
  expect(measured('none')).toBeUndefined();
  expect(measured('f')).toMatchObject({ isDirectory: false, uid: process.getuid?.() });
});

test('the first entry that does not fit is told', () => {
  put(`${dir}/t/b/f`, 'x');
  expect(measured('t', { fits: (names: string[]) => names[0] !== 'b' })?.unfit).toBe('b/f');
  expect(measured('t', { fits: () => true })?.unfit).toBeUndefined();
});

test('a file with two names counts once, by the last of them; with one elsewhere not at all', () => {
  put(`${dir}/t/f`, 'x'.repeat(5000));
  const alone = bytes('t');
  linkSync(`${dir}/t/f`, `${dir}/t/g`);
  expect(bytes('t')).toBe(alone);
  linkSync(`${dir}/t/f`, `${dir}/outside`);
  expect(bytes('t')).toBeLessThan(alone);
});

test('two trees of one plan that share a file count it once', () => {
  put(`${dir}/t/f`, 'x'.repeat(5000));
  const alone = bytes('t');
  put(`${dir}/u/g`, 'x');
  linkSync(`${dir}/t/f`, `${dir}/u/f`);
  const links = new Map();
  const first = bytes('t', { links });
  const second = bytes('u', { links });
  expect(first).toBeLessThan(alone);
  expect(second - bytes('u')).toBe(alone - first);
});

test('the newest change is that of the status, which nobody can set back', () => {
  put(`${dir}/t/f`, 'x');
  const before = measured('t')?.newest as number;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  setAge(`${dir}/t/f`, 1e9);
  expect(measured('t')?.newest).toBeGreaterThan(before);
});
