import { chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLogDirectory } from '../../src/runner/coordinator/log-directory.js';
import { tempDir } from '../e2e/harness.js';

const isRoot = process.getuid?.() === 0;
/** A user that is not us, if we may give something to one. */
const [uid, gid] = isRoot ? [65534, 65534] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const USER = { name: 'user', uid, gid };

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const at = (...parts: string[]) => join(temp.path, ...parts);
const ownerOf = (path: string) => (existsSync(path) ? statSync(path).uid : undefined);

test('the last directory is made for the user in those of others', () => {
  mkdirSync(at('.logs/web'), { recursive: true });
  makeLogDirectory(at('.logs/web/1'), USER);
  expect([ownerOf(at('.logs/web')), ownerOf(at('.logs/web/1'))]).toEqual(
    isRoot ? [0, uid] : [uid, undefined],
  );
});

test('what the original made and had no time to give to the user is given', () => {
  mkdirSync(at('.logs/web/1'), { recursive: true });
  makeLogDirectory(at('.logs/web/1'), USER);
  expect(ownerOf(at('.logs/web/1'))).toBe(uid);
});

test('what lies in a directory of the user is left to the user', () => {
  makeLogDirectory(at('.logs/web/1'), USER);
  expect([ownerOf(at('.logs')), ownerOf(at('.logs/web'))]).toEqual([isRoot ? uid : undefined, undefined]);
  chownSync(temp.path, uid, gid);
  makeLogDirectory(at('.others/web/1'), USER);
  expect(existsSync(at('.others'))).toBe(false);
});

test('no link is followed', () => {
  mkdirSync(at('elsewhere/web/1'), { recursive: true });
  const before = ownerOf(at('elsewhere/web/1'));
  symlinkSync(at('elsewhere'), at('.logs'));
  makeLogDirectory(at('.logs/web/1'), USER);
  makeLogDirectory(at('.logs/other/1'), USER);
  expect(readdirSync(at('elsewhere'))).toEqual(['web']);
  expect(ownerOf(at('elsewhere/web/1'))).toBe(before);
});

test('where nothing is to be made it is the user who will see', () => {
  expect(() => makeLogDirectory(at('no/such/logs/web/1'), USER)).not.toThrow();
});
