import {
  chmodSync,
  closeSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openWay } from '../../src/store/way.js';

const me = process.getuid?.() as number;
const trusted = new Set([0, me]);
let directory: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'thermos-way-')));
  chmodSync(directory, 0o755);
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Where the way leads, and whether its end was made. */
function walk(path: string, make?: (path: string | Buffer) => void) {
  const { fd, made } = openWay(path, { trusted, make });
  try {
    return [readlinkSync(`/proc/self/fd/${fd}`), made];
  } finally {
    closeSync(fd);
  }
}

describe('openWay', () => {
  test('walks, and makes what is missing', () => {
    expect(walk(`${directory}//a/./b`, (path) => mkdirSync(path))).toEqual([`${directory}/a/b`, true]);
    expect(walk(`${directory}/a/b`, (path) => mkdirSync(path))).toEqual([`${directory}/a/b`, false]);
    expect(() => walk(`${directory}/a/c`)).toThrow('ENOENT');
    writeFileSync(`${directory}/f`, '');
    expect(() => walk(`${directory}/f`)).toThrow('ENOTDIR');
  });

  test('follows a link of ours where nobody else can lay one', () => {
    mkdirSync(`${directory}/a/b`, { recursive: true });
    symlinkSync('a', `${directory}/link`);
    expect(walk(`${directory}/link/b`)).toEqual([`${directory}/a/b`, false]);
    expect(walk(`${directory}/link/c`, (path) => mkdirSync(path))).toEqual([`${directory}/a/c`, true]);
  });

  test('follows none where somebody else could have laid it', () => {
    mkdirSync(`${directory}/open`);
    mkdirSync(`${directory}/elsewhere`);
    symlinkSync('../elsewhere', `${directory}/open/link`);
    chmodSync(`${directory}/open`, 0o777);
    expect(() => walk(`${directory}/open/link`)).toThrow(`${directory}/open/link is a symbolic link`);
    expect(() => walk(`${directory}/open/link/x`, (path) => mkdirSync(path))).toThrow('is a symbolic link');
    // In a directory like /tmp everybody keeps what is his own.
    chmodSync(`${directory}/open`, 0o1777);
    expect(walk(`${directory}/open/link`)).toEqual([`${directory}/elsewhere`, false]);
    if (me !== 0) return;
    lchownSync(`${directory}/open/link`, 4711, 4711);
    expect(() => walk(`${directory}/open/link`)).toThrow('is a symbolic link');
  });
});
