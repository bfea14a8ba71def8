import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Measure, measure } from '../../src/gc/measure.js';
import { EFFECTS, type RemoveOptions, remove } from '../../src/gc/remove.js';
import { keyOf } from '../../src/host/file-identity.js';
import { Directories } from '../../src/store/directories.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let fd: number;
let directories: Directories;
let removeDir: () => void;

beforeEach(() => {
  ({ path: dir, remove: removeDir } = tempDir());
  directories = new Directories();
  fd = directories.fdWithoutLinks(dir);
});
afterEach(() => {
  directories.close();
  removeDir();
});

function put(name: string, text = 'x'): void {
  mkdirSync(dirname(`${dir}/${name}`), { recursive: true });
  writeFileSync(`${dir}/${name}`, text);
}

/** The clock of a file system goes by ticks of a few milliseconds. */
function later(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}

const measured = (name = 't', options = {}) => measure(fd, name, { links: new Map(), ...options }) as Measure;
const removed = (planned: Measure, options: Partial<RemoveOptions> = {}) =>
  remove(fd, 't', { effects: EFFECTS, planned, touched: new Map(), ...options });

describe('removing', () => {
  test('a directory whose inode is another one by now, but which is on the same mount', () => {
    put('t/a/b/f');
    const planned = measured();
    expect(planned.directories).toHaveLength(3);
    for (const directories of [[], [...planned.directories].reverse()]) {
      put('t/a/b/f');
      expect(removed({ ...measured(), directories }).failure).toBeUndefined();
      expect(existsSync(`${dir}/t`)).toBe(false);
    }
  });

  test('all of it, the last ones last', () => {
    put('t/last');
    put('t/a/f');
    symlinkSync('/', `${dir}/t/link`);
    const order: string[] = [];
    const effects = {
      unlink: (path: string | Buffer) => {
        order.push(String(path).replace(/.*\//, ''));
        unlinkSync(path);
      },
      rmdir: rmdirSync,
    };
    const { bytes } = measured();
    expect(removed(measured(), { effects, last: ['last'] })).toEqual({ bytes, removed: 5 });
    expect(order.at(-1)).toBe('last');
    expect(existsSync(`${dir}/t`)).toBe(false);
  });

  test('not the last ones, if anything else stays', () => {
    put('t/last');
    put('t/a/f');
    const planned = measured();
    later();
    put('t/a/new');
    const { failure } = removed(planned, { last: ['last'] });
    expect([failure?.names, existsSync(`${dir}/t/last`)]).toEqual(['a', true]);
  });

  test('nothing that was replaced, nothing that changed', () => {
    put('t/f');
    put('t/g');
    const planned = measured();
    later();
    writeFileSync(`${dir}/t/f`, 'new');
    expect(removed(planned).failure).toMatchObject({
      names: 'f',
      error: { message: 'it changed since the plan was made' },
    });
    expect(readdirSync(`${dir}/t`)).toEqual(['f']);
    renameSync(`${dir}/t`, `${dir}/moved`);
    put('t/f');
    expect(removed(planned).failure).toMatchObject({
      error: { message: 'it was replaced since the plan was made' },
    });
  });

  test('a file that lost another name through us goes, unless it was written to as well', () => {
    put('t/f');
    put('t/g');
    const planned = measured();
    const touched: RemoveOptions['touched'] = new Map([
      [keyOf(measured('t/f')), 'unlinked'],
      [keyOf(measured('t/g')), 'unlinked'],
    ]);
    later();
    chmodSync(`${dir}/t/f`, 0o600);
    utimesSync(`${dir}/t/g`, 4e9, 4e9);
    expect(removed(planned, { touched }).failure).toMatchObject({ names: 'g', count: 1 });
    expect(readdirSync(`${dir}/t`)).toEqual(['g']);
  });

  test('what we wrote ourselves goes, and frees nothing', () => {
    put('t/f');
    const planned = measured();
    later();
    put('t/mark', 'x'.repeat(5000));
    const touched: RemoveOptions['touched'] = new Map([
      [keyOf(measured('t')), 'written'],
      [keyOf(measured('t/mark')), 'written'],
    ]);
    expect(removed(planned, { touched })).toEqual({ bytes: planned.bytes, removed: 3 });
  });
});
