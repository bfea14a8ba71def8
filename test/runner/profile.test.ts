import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { profileOf } from '../../src/runner/profile.js';
import { tempDir } from '../e2e/harness.js';

const isRoot = process.getuid?.() === 0;
const ME = process.getuid?.() ?? 0;
const OTHER = 65_533;

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
  mkdirSync(at('above/sandbox'), { recursive: true });
});
afterEach(() => temp.remove());

const at = (...parts: string[]) => join(temp.path, ...parts);
const sandbox = () => at('above/sandbox');
const profile = () => at('above/sandbox/.thermos_profile');

test('is where it is, and there is none where there is none', () => {
  expect(profileOf(sandbox(), ME)).toBeUndefined();
  expect(profileOf(at('nowhere'), ME)).toBeUndefined();
  writeFileSync(profile(), '');
  expect(profileOf(sandbox(), ME)).toEqual({ path: profile() });
  expect(profileOf(sandbox(), ME, true)).toEqual({ path: '/.thermos_profile' });
});

test('by a path that has no links', () => {
  writeFileSync(profile(), '');
  symlinkSync('above', at('link'));
  expect(profileOf(at('link/sandbox'), ME)).toEqual({ path: profile() });
});

test('others may not write to it nor to any directory on the way', () => {
  writeFileSync(profile(), '');
  for (const path of [profile(), sandbox(), at('above'), temp.path]) {
    chmodSync(path, 0o757);
    expect(profileOf(sandbox(), ME)?.refusal).toBe(`${path} can be written by everybody`);
    chmodSync(path, 0o755);
    if (!isRoot) continue;
    chownSync(path, OTHER, OTHER);
    expect(profileOf(sandbox(), ME)?.refusal).toBe(`${path} belongs to uid ${OTHER}`);
    chownSync(path, ME, OTHER);
    chmodSync(path, 0o775);
    expect(profileOf(sandbox(), ME)?.refusal).toBe(`${path} can be written by group ${OTHER}`);
    chmodSync(path, 0o755);
  }
  expect(profileOf(sandbox(), ME)).toEqual({ path: profile() });
});

test("what is not the user's is not read in a sticky directory either", () => {
  writeFileSync(profile(), '');
  chmodSync(sandbox(), 0o1777);
  expect(profileOf(sandbox(), ME)).toEqual({ path: profile() });
  // Root's is trusted by everybody, ours by nobody but us.
  expect(profileOf(sandbox(), OTHER)?.refusal === undefined).toBe(isRoot);
});

test('only a regular file of one name: bash would wait at a FIFO', () => {
  writeFileSync(at('shared'), '');
  symlinkSync('../../shared', profile());
  expect(profileOf(sandbox(), ME)).toMatchObject({ refusal: `${profile()} is a symbolic link` });
  rmSync(profile());
  linkSync(at('shared'), profile());
  expect(profileOf(sandbox(), ME)?.refusal).toContain('hard links');
  rmSync(profile());
  execFileSync('mkfifo', [profile()]);
  expect(profileOf(sandbox(), ME)).toEqual({ refusal: 'it is not a regular file' });
});
