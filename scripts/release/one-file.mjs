import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, hostArch } from './architectures.mjs';
import { RELEASE, ROOT, releaseTime, run } from './facts.mjs';
import { insideOneFile } from './inside.mjs';
import { nodeHere } from './node.mjs';
import { settle, stageTree, write } from './tree.mjs';

const SOURCES = join(ROOT, 'scripts/release/one-file');

/** Static, because it must start on any host to tell what is missing there. */
const FLAGS = [
  ...['-std=c11', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-D_TIME_BITS=64'],
  ...['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'],
  ...[
    '-O2',
    '-U_FORTIFY_SOURCE',
    '-D_FORTIFY_SOURCE=2',
    '-fstack-protector-strong',
    '-fPIE',
    '-static-pie',
    '-s',
  ],
];

/** As scripts/release/one-file/package.h has it. */
const TRAILER_BYTES = 128;

/**
 * Makes the tree that is in the one file from that of another form: with the source of the program that unpacks it, and the
 * licences of what is linked into that.
 * @param {string} tree
 * @param {string} base
 */
export function stageOneFile(tree, base) {
  stageTree({ directory: tree, form: 'file', base });
  for (const name of readdirSync(SOURCES))
    write(join(tree, 'lib/thermos/src/one-file', name), readFileSync(join(SOURCES, name)));
  const { licenses, bill } = insideOneFile(tree, zstdVersion());
  write(join(tree, 'share/doc/thermos/THIRD-PARTY-LICENSES'), licenses);
  write(join(tree, 'share/doc/thermos/sbom.cdx.json'), bill);
  settle(tree, releaseTime());
}

/**
 * The bill of materials of a release: of the tree, and of the one file, which has the most in it.
 * @param {string} base
 */
export function billOfRelease(base) {
  return insideOneFile(base, zstdVersion()).bill;
}

/** The version of the library of zstd that is installed. */
function zstdVersion() {
  const macros = run(ARCHITECTURES[hostArch()].compiler, [
    '-E',
    '-dM',
    '-include',
    'zstd.h',
    '-x',
    'c',
    '/dev/null',
  ]);
  return ['MAJOR', 'MINOR', 'RELEASE']
    .map((word) => new RegExp(`^#define ZSTD_VERSION_${word} +(\\d+)$`, 'm').exec(macros)?.[1] ?? '?')
    .join('.');
}

/**
 * Makes the program `file` that holds a tree and unpacks it by itself. Throws without a C compiler and the static library of
 * zstd (the packages gcc and libzstd-dev; for arm64 gcc-aarch64-linux-gnu and libzstd-dev:arm64).
 * @param {string} tree
 * @param {string} file
 * @param {{ arch?: import('./architectures.mjs').Arch, quick?: boolean }} options `quick` takes a tenth of the time, and the file is larger
 */
export function oneFile(tree, file, { arch = 'x64', quick = false } = {}) {
  const place = mkdtempSync(join(RELEASE, 'one-file-'));
  try {
    const program = join(place, 'program');
    const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
    run(ARCHITECTURES[arch].compiler, [
      ...FLAGS,
      '-o',
      program,
      ...sources.map((name) => join(SOURCES, name)),
      '-lzstd',
    ]);
    const { manifest, contents } = packed(tree);
    writeFileSync(join(place, 'contents'), contents);
    run(nodeHere(), [
      join(ROOT, 'scripts/release/compress.mjs'),
      join(place, 'contents'),
      join(place, 'contents.zst'),
      quick ? '1' : '19',
    ]);
    const compressed = readFileSync(join(place, 'contents.zst'));
    const start = readFileSync(program);
    const hash = createHash('sha256').update(manifest).update(contents).digest('hex').slice(0, 16);
    const numbers = [start.length, manifest.length, compressed.length, releaseTime(), hash];
    const trailer = `thermos-one-file 1 ${numbers.join(' ')}\n`.padEnd(TRAILER_BYTES);
    const making = join(place, 'whole');
    writeFileSync(making, Buffer.concat([start, manifest, compressed, Buffer.from(trailer)]));
    chmodSync(making, 0o755);
    renameSync(making, file);
  } finally {
    rmSync(place, { recursive: true });
  }
}

/**
 * The manifest and the contents of a directory, as scripts/release/one-file/package.h has them.
 * @param {string} tree
 */
function packed(tree) {
  /** @type {string[]} */
  const lines = [];
  /** @type {Buffer[]} */
  const contents = [];
  const names = readdirSync(tree, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names) {
    const path = join(tree, name);
    const stats = lstatSync(path);
    if (/\s/.test(name)) throw new Error(`${name} has a space in its name`);
    if (stats.isSymbolicLink()) {
      lines.push(`l ${readlinkSync(path)} ${name}\n`);
    } else if (stats.isDirectory()) {
      lines.push(`d ${name}\n`);
    } else {
      lines.push(`f ${(stats.mode & 0o7777).toString(8)} ${stats.size} ${name}\n`);
      contents.push(readFileSync(path));
    }
  }
  return { manifest: Buffer.from(lines.join('')), contents: Buffer.concat(contents) };
}
