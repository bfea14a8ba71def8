import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of packages that must be distributed with them. */
const NOTICE = /^(licen[cs]e|notice|copying)/i;

/**
 * The text that goes with the bundle: name, version and licence of each package that is part of an output according to
 * esbuild's metafile. Throws if a package has no licence to distribute: then it is not shipped.
 */
export function thirdPartyLicenses(root, metafile) {
  const directories = new Set();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const directory = packageOf(file);
      if (directory !== undefined && bytesInOutput > 0) directories.add(directory);
    }
  }
  // A package may be installed in several places.
  const texts = new Map();
  for (const directory of directories) texts.set(...entryOf(join(root, directory)));
  const entries = [...texts, ...pythonEntries(), libraryEntry()].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    'thermos is under the Apache License 2.0, see LICENSE. Its files in dist/ hold parts of the following programs.\n',
    ...entries.map(([title, text]) => `${'='.repeat(80)}\n${title}\n\n${text.trim()}\n`),
  ].join('\n');
}

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for our own files. */
function packageOf(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

/** @returns {[title: string, text: string]} */
function entryOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter((file) => NOTICE.test(file) && !file.endsWith('.js'));
  if (files.length === 0)
    throw new Error(`${name} ${version} (${license}) is bundled, but has no licence file`);
  const text = files.map((file) => readFileSync(join(directory, file), 'utf8').trim()).join('\n\n');
  return [`${name} ${version} (${license})`, text];
}

/** The coordinator in C holds parts of the C library; its own source is in the package, so that it can be linked again. */
function libraryEntry() {
  const text = licence('lgpl-2.1');
  return [
    'GNU C Library (LGPL-2.1-or-later), in coordinator; its source is at https://www.gnu.org/software/libc/',
    text,
  ];
}

/** The interpreter and its memory; the package that they are made of has no licence files. */
function pythonEntries() {
  return [
    ['CPython (PSF-2.0), in pyodide.wasm and python.snapshot', licence('cpython')],
    [
      'Pyodide (MPL-2.0), in pyodide.js, pyodide.wasm and python.snapshot; its source is at https://github.com/pyodide/pyodide',
      licence('mpl-2.0'),
    ],
  ];
}

function licence(name) {
  return readFileSync(new URL(`licenses/${name}.txt`, import.meta.url), 'utf8');
}
