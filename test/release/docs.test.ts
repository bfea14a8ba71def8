import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REPOSITORY, runToEnd, tempDir } from '../e2e/harness.js';
import { ARCHIVE, expectMade, NAME, NPM, ONE_FILE, VERSION } from './forms.js';

const INSTALL = /^(?:tar|scp|npm) .*$/gm;

/** The command lines of a page that can be run anywhere, without comments. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');
  return [...text.matchAll(INSTALL)].map(([line]) => line.replace(/ +# .*$/, ''));
}

/** What the table of docs/install.md says to remove a way of installing. */
function removalOf(way: string): string {
  const text = readFileSync(join(REPOSITORY, 'docs/install.md'), 'utf8');
  const row = text.split('\n').find((line) => line.startsWith(`| ${way} | `)) ?? '';
  return /`([^`]+)`/.exec(row)?.[1] ?? '';
}

let place: ReturnType<typeof tempDir>;
beforeEach(() => {
  expectMade(ARCHIVE, ONE_FILE, NPM);
  place = tempDir();
  for (const name of ['opt', 'local/bin', 'cache', 'release']) mkdirSync(path(name), { recursive: true });
  chmodSync(path('cache'), 0o700);
  for (const file of [ARCHIVE, ONE_FILE, NPM, join(ONE_FILE, '../SHA256SUMS')])
    symlinkSync(file, path('release', file.replace(/.*\//, '')));
});
afterEach(() => place.remove());

const path = (...names: string[]) => join(place.path, ...names);

/** Runs a line of a page with directories of the test in the places of those of a host. */
function run(line: string) {
  const here = line
    .replaceAll('VERSION', VERSION)
    .replaceAll('/opt', path('opt'))
    .replaceAll('/usr/local', path('local'))
    .replaceAll('/var/cache/thermos', path('cache'))
    .replace(/^scp (.*) HOST:/, 'cp -L $1 ');
  return runToEnd('sh', ['-c', here], {
    cwd: path('release'),
    env: {
      HOME: place.path,
      THERMOS_CACHE_DIR: path('cache'),
      npm_config_prefix: path('local'),
      npm_config_offline: 'true',
    },
  });
}

const installed = (program: string) =>
  runToEnd(program, ['--version'], { env: { THERMOS_CACHE_DIR: path('cache') } }).stdout;

describe.each(['README.md', 'docs/install.md'])('the commands of %s', (page) => {
  test.each([
    ['tar ', 'the archive'],
    ['scp ', 'the one file'],
    ['npm install ', 'npm'],
  ])('that begin with %j install thermos, and remove it again', (start, way) => {
    const [line = ''] = commandsOf(page).filter((each) => each.startsWith(start));
    expect([line, run(line)]).toMatchObject([line, { status: 0 }]);
    expect(installed(path('local/bin/thermos'))).toBe(`thermos/${VERSION}\n`);
    const removal = removalOf(way);
    expect([removal, run(removal)]).toMatchObject([removal, { status: 0 }]);
    expect(existsSync(path('local/bin/thermos'))).toBe(false);
    expect(existsSync(path('opt', NAME))).toBe(false);
  });

  test('verify what was made', () => {
    const text = readFileSync(join(REPOSITORY, page), 'utf8');
    const [line = ''] = /sha256sum --check [\w -]+SUMS/.exec(text) ?? [];
    const { status, stdout } = run(line);
    expect([line, status]).toEqual([line, 0]);
    expect(stdout).toContain(`${NAME}: OK\n`);
  });
});
