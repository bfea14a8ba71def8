import { lstatSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT, releaseTime } from './facts.mjs';
import { settle, stageTree, write } from './tree.mjs';

const { DEBFULLNAME, DEBEMAIL } = process.env;

/**
 * Who answers for the packages: who makes them says it, as to any tool of Debian. Nobody else's address stands in for that:
 * .invalid is a domain that never exists.
 */
export const MAINTAINER = `${DEBFULLNAME ?? 'Unnamed maintainer'} <${DEBEMAIL ?? 'unnamed@maintainer.invalid'}>`;

/** What is wrong with that, if something is. */
export const MAINTAINER_PROBLEM =
  DEBEMAIL === undefined
    ? `the packages name no maintainer, but ${MAINTAINER}: set DEBFULLNAME and DEBEMAIL before they are made for others`
    : undefined;

/** What thermos is, in lines that fit in a terminal. */
export const DESCRIPTION = [
  'Thermos runs a task, which is a graph of shell processes, and appends',
  'every transition to checkpoint files. This program shows, runs, ends and',
  'collects such tasks, also those of the original Thermos of Apache Aurora,',
  'from disk alone.',
];

const SYSTEM = join(ROOT, 'scripts/release/system');

/**
 * Makes what a package of the system installs, below `directory`: the tree of a release in usr/ with manual pages
 * compressed, the units of thermos-gc and the defaults of the host. `base` is a tree of another form, if there is one.
 * @param {{ directory: string, form: 'deb' | 'rpm', base?: string }} options
 */
export function stageSystem({ directory, form, base }) {
  rmSync(directory, { recursive: true, force: true });
  const usr = join(directory, 'usr');
  stageTree({ directory: usr, form, base });
  for (const page of filesBelow(join(usr, 'share/man'))) compress(join(usr, 'share/man', page));
  const copies = {
    'etc/thermos/config.json': 'config.json',
    'usr/lib/systemd/system/thermos-gc.service': 'thermos-gc.service',
    'usr/lib/systemd/system/thermos-gc.timer': 'thermos-gc.timer',
  };
  for (const [to, from] of Object.entries(copies))
    write(join(directory, to), readFileSync(join(SYSTEM, from)));
  write(join(usr, 'lib/thermos/gc-with-limits'), readFileSync(join(SYSTEM, 'gc-with-limits')), 0o755);
}

/**
 * Gives everything the time of the release, and what is executable its permission.
 * @param {string} directory
 */
export function settleSystem(directory) {
  settle(directory, releaseTime());
}

/**
 * A file of scripts/release/system/ with the words in it that are written as @WORD@.
 * @param {string} name
 * @param {Record<string, string>} words
 */
export function template(name, words = {}) {
  return readFileSync(join(SYSTEM, name), 'utf8').replace(/@([A-Z]+)@/g, (_, word) => words[word]);
}

/**
 * Replaces a file by what gzip makes of it, without its name and time.
 * @param {string} path
 */
export function compress(path, to = `${path}.gz`) {
  write(to, gzipSync(readFileSync(path), { level: 9 }));
  rmSync(path);
}

/**
 * @param {string} from
 * @param {string} to
 */
export function move(from, to) {
  write(to, '');
  renameSync(from, to);
  if (readdirSync(dirname(from)).length === 0) rmSync(dirname(from), { recursive: true });
}

/**
 * The paths of files below a directory, in order.
 * @param {string} directory
 */
export function filesBelow(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => lstatSync(join(directory, path)).isFile())
    .sort();
}
