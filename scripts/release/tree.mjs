import {
  chmodSync,
  cpSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ARCHITECTURES, hostArch } from './architectures.mjs';
import { PACKAGE, ROOT, releaseCommit, releaseTime, run } from './facts.mjs';
import { insideWithNode } from './inside.mjs';
import { launcher } from './launcher.mjs';
import { NODE_VERSION, nodeHere, shippedNode } from './node.mjs';

/** What of pyodide's package the program loads at run time; the rest is built into dist/. */
const PYODIDE_FILES = ['package.json', 'pyodide.js', 'pyodide.mjs', 'pyodide-lock.json', 'python_stdlib.zip'];

/** Where shells look for completions, below a prefix. */
const COMPLETIONS = {
  bash: 'share/bash-completion/completions/thermos',
  zsh: 'share/zsh/site-functions/_thermos',
  fish: 'share/fish/vendor_completions.d/thermos.fish',
};

/** @typedef {'tarball' | 'file' | 'deb' | 'rpm' | 'npm'} Form */

/**
 * Makes the tree that every form with a Node inside installs below a prefix:
 *
 *     bin/thermos, bin/thermos-runner           the launcher
 *     lib/thermos/                              the npm package, with node and release.json
 *     share/man/man1, man7                      manual pages, not compressed
 *     share/bash-completion, zsh, fish          completions
 *     share/doc/thermos                         README.md, CHANGELOG.md, licences, docs/
 *
 * All files have the time of the release, and are readable by everybody. `base` is such a tree of another form, which is copied instead of built.
 * @param {{ directory: string, form: Form, arch?: import('./architectures.mjs').Arch, base?: string }} options
 */
export function stageTree({ directory, form, arch = 'x64', base }) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const library = join(directory, 'lib/thermos');
  if (base === undefined) buildTree(directory, library, arch);
  else cpSync(base, directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  writeFileSync(join(library, 'release.json'), releaseFacts(form));
  settle(directory, releaseTime());
}

/**
 * The text of the file that tells `thermos version --verbose` what it is part of.
 * @param {Form} form
 */
export function releaseFacts(form) {
  const built = new Date(releaseTime() * 1000).toISOString().replace('.000Z', 'Z');
  return `${JSON.stringify({ form, commit: releaseCommit(), built })}\n`;
}

/**
 * @param {string} directory
 * @param {string} library
 * @param {import('./architectures.mjs').Arch} arch
 */
function buildTree(directory, library, arch) {
  const time = releaseTime();
  const from = shippedNode(arch);
  write(join(library, 'node'), readFileSync(join(from, 'node')), 0o755);
  write(join(library, 'NODE-LICENSE'), readFileSync(join(from, 'LICENSE')));
  utimesSync(join(library, 'node'), time, time);
  copyPackage(library);
  const compiler = arch === hostArch() ? [] : [ARCHITECTURES[arch].compiler];
  run(nodeHere(), [join(ROOT, 'scripts/build.mjs'), join(library, 'dist'), ...compiler], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
  });
  copyPyodide(library);
  checkBuilt(join(library, 'dist'));

  write(join(directory, 'bin/thermos'), launcher(arch), 0o755);
  symlinkSync('thermos', join(directory, 'bin/thermos-runner'));
  for (const page of readdirSync(join(ROOT, 'man'))) {
    const section = page.slice(-1);
    write(join(directory, `share/man/man${section}`, page), readFileSync(join(ROOT, 'man', page)));
  }
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const script = run(nodeHere(), [join(library, 'dist/main.cjs'), 'completion', shell], {
      env: { PATH: process.env.PATH, THERMOS_CONFIG: '' },
    });
    write(join(directory, path), script);
  }
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE', 'docs']) {
    cpSync(join(ROOT, name), join(directory, 'share/doc/thermos', name), { recursive: true });
  }
  const { licenses, bill } = insideWithNode(join(library, 'dist'), {
    version: NODE_VERSION,
    licence: join(from, 'LICENSE'),
  });
  write(join(directory, 'share/doc/thermos/THIRD-PARTY-LICENSES'), licenses);
  write(join(directory, 'share/doc/thermos/sbom.cdx.json'), bill);
}

/**
 * Copies what the npm package has besides dist/ and documentation.
 * @param {string} library
 */
export function copyPackage(library) {
  for (const name of ['bin', 'src/coordinator', 'schemas', 'LICENSE']) {
    cpSync(join(ROOT, name), join(library, name), { recursive: true });
  }
  const { version, description, license, engines } = PACKAGE;
  write(
    join(library, 'package.json'),
    json({ name: 'thermos', version, description, license, type: 'module', private: true, engines }),
  );
}

/**
 * Throws if what the build can do without was not made: Python's memory, without which configs would load slowly, and the
 * coordinator in C.
 * @param {string} dist
 */
function checkBuilt(dist) {
  if (!existsSync(join(dist, 'python.snapshot'))) throw new Error('there is no snapshot of Python');
  if (!existsSync(join(dist, 'coordinator'))) throw new Error('there is no coordinator in C');
}

/**
 * Copies what dist/ needs of pyodide's package. Not before dist/ is built, which takes more of it.
 * @param {string} library
 */
export function copyPyodide(library) {
  for (const name of PYODIDE_FILES) {
    write(
      join(library, 'node_modules/pyodide', name),
      readFileSync(join(ROOT, 'node_modules/pyodide', name)),
    );
  }
  // pyodide's loader opens it to start Python if there is no snapshot, and executes the one in dist/. It is a module with
  // nothing in it: rpmlint takes an empty file for a mistake.
  write(join(library, 'node_modules/pyodide/pyodide.asm.wasm'), Buffer.from('\0asm\x01\0\0\0', 'latin1'));
}

/** @param {unknown} value */
export function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Writes a file and the directories above it.
 * @param {string} path
 * @param {string | Buffer} content
 */
export function write(path, content, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

/**
 * Gives everything in a directory one time and the permissions of installed files.
 * @param {string} directory
 * @param {number} time
 */
export function settle(directory, time) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) {
      lutimesSync(path, time, time);
    } else if (entry.isDirectory()) {
      settle(path, time);
    } else {
      chmodSync(path, isExecutable(path) ? 0o755 : 0o644);
      utimesSync(path, time, time);
    }
  }
  chmodSync(directory, 0o755);
  utimesSync(directory, time, time);
}

/** @param {string} path */
function isExecutable(path) {
  return /\/(?:bin\/[\w-]+(?:\.js)?|lib\/thermos\/(?:node|gc-with-limits)|dist\/coordinator)$/.test(path);
}
