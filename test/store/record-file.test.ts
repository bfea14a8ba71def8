import { spawnSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecordFile } from '../../src/store/record-file.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

const record = (name = 'f', maxBytes = 1000) =>
  new RecordFile(`${dir}/${name}`, { maxBytes, previous: `${name}.1`, head: '{' });
const read = (name: string) => readFileSync(`${dir}/${name}`, 'utf8');
const refusal = (code: string) => expect.objectContaining({ code });

test('a missing file is made, for this user alone, and lines are appended to what is there', () => {
  record();
  expect(lstatSync(`${dir}/f`).mode & 0o777).toBe(0o600);
  expect(read('f')).toBe('');
  record().append('{1}\n');
  record().append('{2}\n');
  expect(read('f')).toBe('{1}\n{2}\n');
});

test('a full file gets another name, in the place of the one before; a long line has a file of its own', () => {
  const file = record('f', 10);
  for (const line of ['{1}\n', '{2}\n', '{3}\n', '{a long line}\n', '{4}\n']) file.append(line);
  expect([read('f.1'), read('f')]).toEqual(['{a long line}\n', '{4}\n']);
});

test('a file that somebody has renamed or removed is made again', () => {
  const file = record();
  file.append('{1}\n');
  renameSync(`${dir}/f`, `${dir}/elsewhere`);
  file.append('{2}\n');
  expect([read('elsewhere'), read('f')]).toEqual(['{1}\n', '{2}\n']);
});

test('a line that a crash has cut is ended, so that the next one is whole', () => {
  writeFileSync(`${dir}/f`, '{1}\n{2');
  record().append('{3}\n');
  expect(read('f')).toBe('{1}\n{2\n{3}\n');
});

test('nothing is appended to a file that holds something else, and none is replaced', () => {
  writeFileSync(`${dir}/f`, 'root:x:0:0\n');
  expect(() => record()).toThrow('holds something else');
  expect(read('f')).toBe('root:x:0:0\n');
  const file = record('g', 5);
  file.append('{1}\n');
  writeFileSync(`${dir}/g.1`, 'notes\n');
  expect(() => file.append('{2}\n')).toThrow('holds something else');
  expect([read('g.1'), read('g')]).toEqual(['notes\n', '{1}\n']);
});

test('no link is followed, no file with another name is written, and only regular files are', () => {
  writeFileSync(`${dir}/victim`, '');
  symlinkSync(`${dir}/victim`, `${dir}/link`);
  symlinkSync(`${dir}/not-there`, `${dir}/dangling`);
  linkSync(`${dir}/victim`, `${dir}/hard`);
  for (const name of ['link', 'dangling', 'hard']) expect(() => record(name)).toThrow(refusal('ELINK'));
  mkdirSync(`${dir}/directory`);
  spawnSync('mkfifo', [`${dir}/pipe`]);
  for (const name of ['directory', 'pipe']) expect(() => record(name)).toThrow(refusal('ENOTREG'));
  expect(read('victim')).toBe('');
});

test('a link that is put in the way later is not followed', () => {
  mkdirSync(`${dir}/way`);
  mkdirSync(`${dir}/other`);
  const file = record('way/f');
  renameSync(`${dir}/way`, `${dir}/moved`);
  symlinkSync(`${dir}/other`, `${dir}/way`);
  expect(() => file.append('{1}\n')).toThrow(refusal('ELINK'));
});

test.runIf(process.geteuid?.() === 0)(
  "root does not write another user's file, and follows none of its links",
  () => {
    writeFileSync(`${dir}/f`, '');
    chownSync(`${dir}/f`, 65534, 65534);
    expect(() => record()).toThrow(refusal('ENOTREADER'));
    mkdirSync(`${dir}/theirs`);
    symlinkSync('/etc', `${dir}/theirs/way`);
    chownSync(`${dir}/theirs`, 65534, 65534);
    expect(() => record('theirs/way/f')).toThrow(refusal('ELINK'));
  },
);
