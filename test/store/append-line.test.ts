import { spawnSync } from 'node:child_process';
import { chownSync, linkSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendBounded, appendLine } from '../../src/store/append-line.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  mkdirSync(`${dir}/task`);
});
afterEach(() => remove());

const me = process.geteuid?.() ?? 0;
const NOBODY = 65534;

function append(line: string, { max = 1000, trusted = [0, me] } = {}, name = 'task/f'): void {
  appendLine(`${dir}/${name}`, line, { below: dir, max, trusted: new Set(trusted) });
}

const refusal = (code: string) => expect.objectContaining({ code });

test('a missing file is made; then lines are appended, as long as they fit', () => {
  append('one\n');
  append('two\n');
  expect(lstatSync(`${dir}/task/f`).mode & 0o777).toBe(0o644);
  expect(() => append('three\n', { max: 13 })).toThrow(refusal('EFBIG'));
  append('four\n', { max: 13 });
  expect(readFileSync(`${dir}/task/f`, 'utf8')).toBe('one\ntwo\nfour\n');
});

test('a bounded file that is full gets another name, in the place of the one before', () => {
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n', 'five\n']) {
    appendBounded(`${dir}/task/f`, line, 'f.1', { below: dir, max: 10, trusted: new Set([me]) });
  }
  expect(readFileSync(`${dir}/task/f.1`, 'utf8')).toBe('three\n');
  expect(readFileSync(`${dir}/task/f`, 'utf8')).toBe('four\nfive\n');
  expect(() =>
    appendBounded(`${dir}/task/f`, 'longer than the bound\n', 'f.1', {
      below: dir,
      max: 10,
      trusted: new Set([me]),
    }),
  ).toThrow(refusal('EFBIG'));
});

test('no link is followed, on the way or at its end, and no file with another name is written', () => {
  writeFileSync(`${dir}/victim`, '');
  symlinkSync(`${dir}/victim`, `${dir}/task/link`);
  linkSync(`${dir}/victim`, `${dir}/task/hard`);
  symlinkSync(`${dir}/task`, `${dir}/way`);
  for (const name of ['task/link', 'task/hard', 'way/f']) {
    expect(() => append('x\n', {}, name)).toThrow(refusal('ELINK'));
  }
  symlinkSync(`${dir}/not-there`, `${dir}/task/dangling`);
  expect(() => append('x\n', {}, 'task/dangling')).toThrow(refusal('ELINK'));
  expect(readFileSync(`${dir}/victim`, 'utf8')).toBe('');
});

test('a pipe that nobody reads does not stop it, and a directory is not written', () => {
  spawnSync('mkfifo', [`${dir}/task/pipe`]);
  mkdirSync(`${dir}/task/d`);
  for (const name of ['task/pipe', 'task/d']) {
    expect(() => append('x\n', {}, name)).toThrow(refusal('ENOTREG'));
  }
});

test('the file of a user who is not trusted is not written', () => {
  append('one\n');
  expect(() => append('two\n', { trusted: [4711] })).toThrow(refusal('ENOTREADER'));
  expect(readFileSync(`${dir}/task/f`, 'utf8')).toBe('one\n');
});

test.runIf(me === 0)('what root makes belongs to the owner of the directory', () => {
  chownSync(`${dir}/task`, NOBODY, NOBODY);
  append('one\n');
  expect(lstatSync(`${dir}/task/f`)).toMatchObject({ uid: NOBODY, gid: NOBODY });
  append('two\n', { trusted: [0, NOBODY] });
  expect(readFileSync(`${dir}/task/f`, 'utf8')).toBe('one\ntwo\n');
});
