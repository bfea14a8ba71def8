import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CopyTarget } from '../../src/store/copy-target.js';
import { tempDir } from '../e2e/harness.js';

const LIKE = { mode: 0o4751, atime_ms: 1_400_000_000_000, mtime_ms: 1_400_000_001_000 };
const TAKEN = expect.objectContaining({ code: 'EEXIST' });

let temp: ReturnType<typeof tempDir>;
let target: CopyTarget;
beforeEach(() => {
  temp = tempDir();
  target = new CopyTarget(temp.path);
});
afterEach(() => {
  target.close();
  temp.remove();
});

const at = (name: string) => join(temp.path, name);

function make(name: string, text: string, replace = false): void {
  const copy = target.makeFile(name, replace);
  copy.write(Buffer.from(text), 0);
  copy.finish(LIKE);
}

describe('a file', () => {
  test('has its permissions without setuid, and its times', () => {
    make('file', 'text');
    expect(readFileSync(at('file'), 'utf8')).toBe('text');
    const { mode, mtimeMs, atimeMs } = lstatSync(at('file'));
    expect([mode & 0o7777, mtimeMs]).toEqual([0o751, LIKE.mtime_ms]);
    // Reading it may have changed it since.
    expect(atimeMs).toBeGreaterThanOrEqual(LIKE.atime_ms);
  });

  test('has its name when it is complete, and none before', () => {
    const copy = target.makeFile('file', false);
    copy.write(Buffer.from('half'), 0);
    expect(existsSync(at('file'))).toBe(false);
    copy.abandon();
    expect(readdirSync(temp.path)).toEqual([]);
  });

  test('replaces nothing unless it is told to, also what comes in between', () => {
    writeFileSync(at('file'), 'old');
    expect(() => target.makeFile('file', false)).toThrow(TAKEN);
    const copy = target.makeFile('other', false);
    writeFileSync(at('other'), 'old');
    expect(() => copy.finish(LIKE)).toThrow(TAKEN);
    make('file', 'new', true);
    expect(readFileSync(at('file'), 'utf8')).toBe('new');
    expect(readFileSync(at('other'), 'utf8')).toBe('old');
    expect(readdirSync(temp.path).sort()).toEqual(['file', 'other']);
  });

  test('replaces a link, not what it leads to', () => {
    writeFileSync(at('precious'), 'kept');
    symlinkSync('precious', at('file'));
    make('file', 'new', true);
    expect(lstatSync(at('file')).isFile()).toBe(true);
    expect(readFileSync(at('precious'), 'utf8')).toBe('kept');
  });

  test('does not replace a directory', () => {
    mkdirSync(at('file'));
    expect(() => make('file', 'new', true)).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    expect(readdirSync(temp.path)).toEqual(['file']);
  });

  test('takes another hidden name if one is taken', () => {
    symlinkSync('precious', at(`.thermos-cp-${process.pid}-0`));
    make('file', 'text');
    expect(existsSync(at('precious'))).toBe(false);
    expect(readFileSync(at('file'), 'utf8')).toBe('text');
  });

  test('may end with a hole', () => {
    const copy = target.makeFile('file', false);
    copy.extend(1 << 24);
    copy.finish(LIKE);
    const { size, blocks } = lstatSync(at('file'));
    expect(size).toBe(1 << 24);
    expect(blocks * 512).toBeLessThan(1 << 20);
  });
});

describe('a directory', () => {
  test('has its name when it is complete, its permissions and its times', () => {
    target.enter('\xff');
    make('file', 'text');
    target.enter('below');
    make('file', 'text');
    target.leave(LIKE);
    expect(readdirSync(temp.path)).toEqual([`.thermos-cp-${process.pid}-0`]);
    expect(lstatSync(at(`.thermos-cp-${process.pid}-0`)).mode & 0o777).toBe(0o700);
    target.leave(LIKE);
    expect(readdirSync(temp.path, 'latin1')).toEqual(['\xff']);
    const made = Buffer.concat([Buffer.from(`${temp.path}/`), Buffer.from([0xff])]);
    expect(readdirSync(made).sort()).toEqual(['below', 'file']);
    expect([lstatSync(made).mode & 0o7777, lstatSync(made).mtimeMs]).toEqual([0o751, LIKE.mtime_ms]);
  });

  test('that is there is used as it is', () => {
    mkdirSync(at('there'), 0o711);
    target.enter('there');
    make('file', 'text');
    target.leave(LIKE);
    expect(readdirSync(at('there'))).toEqual(['file']);
    expect(lstatSync(at('there')).mode & 0o777).toBe(0o711);
  });

  test('that is a link is not followed', () => {
    mkdirSync(at('elsewhere'));
    symlinkSync('elsewhere', at('link'));
    expect(() => target.enter('link')).toThrow();
  });
});

test('links are made as they are, and replace nothing unless they are told to', () => {
  target.makeLink('link', '/nowhere', false, LIKE);
  expect(readlinkSync(at('link'))).toBe('/nowhere');
  expect(lstatSync(at('link')).mtimeMs).toBe(LIKE.mtime_ms);
  expect(() => target.makeLink('link', 'else', false, LIKE)).toThrow(TAKEN);
  target.makeLink('link', 'else', true, LIKE);
  expect(readlinkSync(at('link'))).toBe('else');
  expect(readdirSync(temp.path)).toEqual(['link']);
});

test('times beyond those of file systems are cut', () => {
  const copy = target.makeFile('file', false);
  copy.finish({ ...LIKE, mtime_ms: 1e22 });
  expect(lstatSync(at('file')).mtimeMs).toBeGreaterThan(LIKE.mtime_ms);
});
