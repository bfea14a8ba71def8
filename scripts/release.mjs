// node scripts/release.mjs [--only tree|tar|file|npm|deb|rpm|sbom]… [--arch x64|arm64]… [--quick] [--twice] [--report]
//
// Makes what a release consists of, in the directory release/: thermos-VERSION-linux-x64.tar.xz, thermos-VERSION-linux-x64
// (one file), the npm package, the packages for Debian and for RPM, the bill of materials, and SHA256SUMS over all of them;
// or the parts that --only names. `tree` is what is installed, as a directory. All of it is for x64, or for the architectures
// that --arch names: programs in C are made for others by a compiler of Debian's packages gcc-*-linux-gnu. With --quick, files are compressed less,
// which takes a tenth of the time: for tests. With --twice, everything is made again from nothing and compared byte by byte.
// With --report, it measures what each form takes beside the built checkout, and writes REPORT.md.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHITECTURES, hostArch } from './release/architectures.mjs';
import { archive } from './release/archive.mjs';
import { debPackage } from './release/deb.mjs';
import { PACKAGE, RELEASE, ROOT } from './release/facts.mjs';
import { checksums } from './release/inside.mjs';
import { npmPackage } from './release/npm.mjs';
import { billOfRelease, oneFile, stageOneFile } from './release/one-file.mjs';
import { reportOf } from './release/report.mjs';
import { rpmPackage } from './release/rpm.mjs';
import { MAINTAINER_PROBLEM } from './release/system.mjs';
import { stageTree } from './release/tree.mjs';

/**
 * What makes each part from the tree of an architecture and returns its file, in `directory`. What is packed in another form
 * is left in `trees`.
 *
 * @typedef {{ arch: import('./release/architectures.mjs').Arch, name: string, trees: string, tree: string }} Made
 * @type {Record<string, (directory: string, made: Made) => string | undefined>}
 */
const PARTS = {
  tree: () => undefined,
  tar: (directory, { name, tree }) => {
    const file = join(directory, `${name}.tar.xz`);
    archive(tree, file, { quick });
    return file;
  },
  file: (directory, { arch, name, trees, tree: base }) => {
    const file = join(directory, name);
    const tree = join(trees, 'file');
    stageOneFile(tree, base);
    oneFile(tree, file, { arch, quick });
    return file;
  },
  deb: (directory, { arch, trees, tree: base }) => debPackage(directory, { arch, trees, base, quick }),
  rpm: (directory, { arch, trees, tree: base }) => rpmPackage(directory, { arch, trees, base, quick }),
  npm: (directory, { trees, tree }) => {
    const file = join(directory, `thermos-${PACKAGE.version}.tgz`);
    npmPackage(tree, join(trees, 'npm'), file);
    return file;
  },
  sbom: (directory, { tree }) => {
    const file = join(directory, `thermos-${PACKAGE.version}.sbom.cdx.json`);
    writeFileSync(file, billOfRelease(tree));
    return file;
  },
};

/** Parts that are the same for all architectures. */
const COMMON = ['npm', 'sbom'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    arch: { type: 'string', multiple: true },
    twice: { type: 'boolean' },
    quick: { type: 'boolean' },
    report: { type: 'boolean' },
  },
});
const { only = Object.keys(PARTS), twice = false, quick = false, report = false } = values;
for (const part of only) {
  if (PARTS[part] === undefined)
    throw new Error(`--only is one of ${Object.keys(PARTS).join(', ')}, not ${part}`);
}

const architectures = (values.arch ?? ['x64']).map((arch) => {
  if (arch === 'x64' || arch === 'arm64') return arch;
  throw new Error(`--arch is one of ${Object.keys(ARCHITECTURES).join(', ')}, not ${arch}`);
});
if (report && architectures[0] !== hostArch())
  throw new Error(`--report measures programs that run here: let --arch ${hostArch()} be the first`);

const files = make(RELEASE);
if (twice) compare(files);
if (MAINTAINER_PROBLEM !== undefined && (only.includes('deb') || only.includes('rpm')))
  process.stderr.write(`${MAINTAINER_PROBLEM}\n`);
for (const file of files) process.stdout.write(`${sizeOf(file)}  ${relative(ROOT, file)}\n`);
if (report) {
  const text = reportOf(forms());
  writeFileSync(join(RELEASE, 'REPORT.md'), text);
  process.stdout.write(`\n${text}`);
}

/** What was made, as commands, beside the checkout. */
function forms() {
  const name = nameOf(hostArch());
  const trees = treesIn(RELEASE, hostArch());
  const tree = join(trees, name);
  const all = [
    { name: 'checkout', command: ['node', join(ROOT, 'dist/main.cjs')] },
    { part: 'tar', name: 'archive', command: [join(tree, 'bin/thermos')], tree },
    { part: 'file', name: 'one file', command: [join(RELEASE, name)], tree: join(trees, 'file') },
    { part: 'deb', name: 'Debian', command: [join(trees, 'deb/usr/bin/thermos')], tree: join(trees, 'deb') },
    {
      part: 'rpm',
      name: 'RPM',
      command: [join(trees, 'rpm/stage/usr/bin/thermos')],
      tree: join(trees, 'rpm/stage'),
    },
    {
      part: 'npm',
      name: 'npm',
      command: ['node', join(trees, 'npm/dist/main.cjs')],
      tree: join(trees, 'npm'),
    },
  ];
  return all
    .filter(({ part }) => part === undefined || only.includes(part))
    .map(({ part, ...form }) => ({
      ...form,
      file: part && files[only.filter((each) => each !== 'tree').indexOf(part)],
    }));
}

/**
 * Makes the parts in a directory; returns their files.
 * @param {string} directory
 */
function make(directory) {
  mkdirSync(directory, { recursive: true });
  const made = architectures.flatMap((arch, i) => {
    const name = nameOf(arch);
    const trees = treesIn(directory, arch);
    const tree = join(trees, name);
    stageTree({ directory: tree, form: 'tarball', arch });
    return only
      .filter((part) => i === 0 || !COMMON.includes(part))
      .map((part) => PARTS[part](directory, { arch, name, trees, tree }))
      .filter((file) => file !== undefined);
  });
  const sums = join(directory, 'SHA256SUMS');
  writeFileSync(sums, checksums(made));
  return [...made, sums];
}

/**
 * Where trees are left that are made in a directory.
 * @param {string} directory
 * @param {string} arch
 */
function treesIn(directory, arch) {
  return arch === 'x64' ? join(directory, 'trees') : join(directory, 'trees', arch);
}

/** @param {string} arch */
function nameOf(arch) {
  return `thermos-${PACKAGE.version}-linux-${arch}`;
}

/**
 * Makes the parts again, from nothing that the first time has left, and throws if one differs.
 * @param {string[]} first
 */
function compare(first) {
  const again = join(RELEASE, 'again');
  rmSync(again, { recursive: true, force: true });
  rmSync(join(ROOT, 'node_modules/.cache/thermos'), { recursive: true, force: true });
  const second = make(again);
  for (const [i, file] of first.entries()) {
    if (!readFileSync(file).equals(readFileSync(second[i])))
      throw new Error(
        `${second[i]} differs from ${file}; compare ${join(again, 'trees')} with ${join(RELEASE, 'trees')}`,
      );
  }
  rmSync(again, { recursive: true });
  process.stdout.write('built twice: the same bytes\n');
}

/** @param {string} file */
function sizeOf(file) {
  return `${(statSync(file).size / 1e6).toFixed(1)} MB`.padStart(9);
}
