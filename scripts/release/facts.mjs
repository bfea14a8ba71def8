import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** package.json of the repository. */
export const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Where everything of a release is written; not part of the repository. */
export const RELEASE = join(ROOT, 'release');

/**
 * Seconds since the epoch, which all files of a release have as their time: SOURCE_DATE_EPOCH, else the time of the last
 * commit. Throws without both.
 */
export function releaseTime() {
  const { SOURCE_DATE_EPOCH: given = '' } = process.env;
  const text = given === '' ? git('log', '-1', '--format=%ct') : given;
  if (text === undefined || !/^\d{1,10}$/.test(text))
    throw new Error('SOURCE_DATE_EPOCH is not set to a number of seconds, and there is no git repository');
  return Number(text);
}

/** The commit that is built, with `-changed` if the files differ from it; undefined without a git repository. */
export function releaseCommit() {
  const commit = git('rev-parse', '--short=12', 'HEAD');
  if (commit === undefined) return undefined;
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-changed`;
}

/** @param {string[]} words */
function git(...words) {
  const { status, stdout } = spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Runs a program to its end and returns what it prints. Throws with its errors if it fails.
 * @param {string} program
 * @param {string[]} words
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 */
export function run(program, words, options = {}) {
  return execFileSync(program, words, {
    cwd: ROOT,
    ...options,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
