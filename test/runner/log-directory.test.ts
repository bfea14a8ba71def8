import { chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { underUmask } from '../../src/host/umask.js';
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

test("only the last is the user's: who owns those above could move the logs", () => {
  makeLogDirectory(at('.logs/web/1'), USER);
  expect(['.logs', '.logs/web', '.logs/web/1'].map((path) => ownerOf(at(path)))).toEqual(
    isRoot ? [0, 0, uid] : [undefined, undefined, undefined],
  );
});

test('those above can be passed and the last is as private as we want', () => {
  if (!isRoot) return expect(() => makeLogDirectory(at('.logs/web/1'), USER)).not.toThrow();
  underUmask(0o077, () => makeLogDirectory(at('.logs/web/1'), USER));
  expect(['.logs', '.logs/web', '.logs/web/1'].map((path) => statSync(at(path)).mode & 0o777)).toEqual([
    0o755, 0o755, 0o700,
  ]);
});

test('what the original made and had no time to give to the user is given', () => {
  mkdirSync(at('.logs/web/1'), { recursive: true });
  makeLogDirectory(at('.logs/web/1'), USER);
  expect(ownerOf(at('.logs/web/1'))).toBe(uid);
});

test('what lies in a directory of the user is left to the user, as older versions made it', () => {
  mkdirSync(at('.logs'));
  chownSync(at('.logs'), uid, gid);
  makeLogDirectory(at('.logs/web/1'), USER);
  expect(readdirSync(at('.logs'))).toEqual([]);
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
