import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of packages that must be distributed with them. */
const NOTICE = /^(licen[cs]e|notice|copying)/i;

/**
 * What thermos brings that others wrote.
 *
 * @typedef {object} Component
 * @property {string} name
 * @property {string} [version] If it is known.
 * @property {string} licence An SPDX expression, or words if SPDX has none.
 * @property {string} purl Where it comes from, as a package URL.
 * @property {string} [cpe] Its vendor and product in lists of vulnerabilities.
 * @property {string} [place] Where it is, if not in the bundles.
 * @property {string} [part] A word for the place, if the same component is elsewhere, too.
 * @property {string} text Its licence and its notices, whole.
 */

/**
 * The packages that are part of an output according to esbuild's metafile, in the order of their names. Throws if one has
 * no licence to distribute: then it is not shipped.
 *
 * @returns {Component[]}
 */
export function bundledPackages(root, metafile) {
  const directories = new Set();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const directory = packageOf(file);
      if (directory !== undefined && bytesInOutput > 0) directories.add(directory);
    }
  }
  // A package may be installed in several places.
  const components = new Map();
  for (const directory of directories) {
    const component = componentIn(join(root, directory));
    // It has no licence file; it is among the parts of Python.
    if (component.name !== 'pyodide') components.set(component.purl, component);
  }
  return inOrder([...components.values()]);
}

export function inOrder(components) {
  const key = ({ name, version = '' }) => `${name} ${version}`;
  return components.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for our own files. */
export function packageOf(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

function componentIn(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  if (name === 'pyodide') return { name, version, licence: license, purl, text: '' };
  const files = readdirSync(directory).filter((file) => NOTICE.test(file) && !file.endsWith('.js'));
  if (files.length === 0)
    throw new Error(`${name} ${version} (${license}) is bundled, but has no licence file`);
  const text = files.map((file) => readFileSync(join(directory, file), 'utf8').trim()).join('\n\n');
  return { name, version, licence: license, purl, text };
}

const INTERPRETER = 'in pyodide.wasm and python.snapshot';

/** The version of pyodide whose parts are listed here. */
const PYODIDE = '314.0.7';

/**
 * The parts of Python: Pyodide's package has no licence files, and does not say what is linked into it. They were found
 * by what its WebAssembly exports and by the names of source files and the versions that are in it.
 */
const PARTS_OF_PYTHON = [
  {
    name: 'Pyodide',
    version: PYODIDE,
    licence: 'MPL-2.0',
    purl: `pkg:npm/pyodide@${PYODIDE}`,
    place:
      'in pyodide.js, pyodide.wasm and python.snapshot; its source is at https://github.com/pyodide/pyodide',
    texts: ['mpl-2.0'],
  },
  {
    name: 'hiwire',
    licence: 'MPL-2.0',
    purl: 'pkg:github/pyodide/hiwire',
    place: 'in pyodide.wasm; its source is at https://github.com/pyodide/hiwire',
    texts: ['mpl-2.0'],
  },
  // Also the standard library, whose modules are in the memory.
  part('CPython', '3.14.2', 'PSF-2.0', 'cpython', 'python:python', INTERPRETER),
  part('bzip2', '1.0.6', 'bzip2-1.0.6', 'bzip2', 'bzip:bzip2'),
  part('Emscripten', '5.0.3', 'MIT OR NCSA', 'emscripten', undefined, 'in pyodide.js and pyodide.wasm'),
  part('Expat', '2.7.3', 'MIT', 'expat', 'libexpat_project:libexpat'),
  part('HACL*', undefined, 'MIT', 'hacl'),
  part('libffi', undefined, 'MIT', 'libffi'),
  part('liblzma', '5.2.2', 'public domain', 'xz', 'tukaani:xz'),
  part('libmpdec', '2.5.1', 'BSD-2-Clause', 'libmpdec'),
  // compiler-rt, libc++ and libc++abi.
  part('LLVM', '23.0.0git', 'Apache-2.0 WITH LLVM-exception', 'llvm'),
  part('mimalloc', undefined, 'MIT', 'mimalloc'),
  part(
    'musl',
    undefined,
    'MIT',
    'musl',
    undefined,
    'in pyodide.wasm, and in coordinator where musl-gcc built it',
  ),
  part('SQLite', '3.39.0', 'blessing', 'sqlite', 'sqlite:sqlite'),
  part('zlib', '1.3.1', 'Zlib', 'zlib', 'zlib:zlib'),
  part('Zstandard', '1.5.7', 'BSD-3-Clause', 'zstd', 'facebook:zstandard'),
  part('error-stack-parser', undefined, 'MIT', 'error-stack-parser', undefined, "in pyodide's loader"),
  part('stackframe', undefined, 'MIT', 'error-stack-parser', undefined, "in pyodide's loader"),
];

function part(name, version, licence, text, cpe, place = 'in pyodide.wasm') {
  const path = name.toLowerCase().replace('*', '-star');
  const purl = `pkg:generic/${path}${version === undefined ? '' : `@${version}`}`;
  return { name, version, licence, purl, cpe, place, texts: [text] };
}

/**
 * The interpreter of Python and what is linked into it. Throws if the installed pyodide is another than that whose parts
 * are listed here.
 *
 * @returns {Component[]}
 */
export function partsOfPython(installed) {
  if (installed !== PYODIDE)
    throw new Error(
      `pyodide is ${installed}, but the licences of what is linked into it are listed for ${PYODIDE}: look anew what is in it, see ${import.meta.filename}`,
    );
  return PARTS_OF_PYTHON.map(({ texts, ...component }) => ({ ...component, text: licences(texts) }));
}

/**
 * The coordinator in C holds parts of the C library; its own source is in the package, so that it can be linked again.
 *
 * @returns {Component}
 */
export function libraryOfCoordinator() {
  return {
    name: 'GNU C Library',
    licence: 'LGPL-2.1-or-later',
    purl: 'pkg:generic/glibc',
    place: 'in coordinator; its source is at https://www.gnu.org/software/libc/',
    text: licences(['lgpl-2.1', 'glibc-parts']),
  };
}

/**
 * Node with all that is linked into it, where it is shipped with thermos. `text` is its own licence file, which names the
 * rest.
 *
 * @returns {Component}
 */
export function shippedNodeIs(version, text) {
  const purl = `pkg:generic/node@${version}`;
  return {
    name: 'Node.js',
    version,
    licence: 'MIT',
    purl,
    cpe: 'nodejs:node.js',
    place: 'the program node',
    text,
  };
}

/**
 * What is linked into the program that unpacks the one file, whose own source is in the package. `zstd` is the version of
 * the library there.
 *
 * @returns {Component[]}
 */
export function librariesOfOneFile(zstd) {
  const place = 'in the program that unpacks the one file';
  const { place: _, ...library } = libraryOfCoordinator();
  return [
    {
      ...library,
      place: `${place}; its source is at https://www.gnu.org/software/libc/`,
      part: 'one-file',
    },
    {
      name: 'Zstandard',
      version: zstd,
      licence: 'BSD-3-Clause',
      purl: `pkg:generic/zstd@${zstd}`,
      cpe: 'facebook:zstandard',
      place,
      part: 'one-file',
      text: licences(['zstd']),
    },
  ];
}

function licences(names) {
  return names
    .map((name) => readFileSync(new URL(`licenses/${name}.txt`, import.meta.url), 'utf8').trim())
    .join('\n\n\n');
}
