import { cpSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PACKAGE, ROOT, releaseTime, run } from './facts.mjs';
import { json, releaseFacts, settle, write } from './tree.mjs';

/** The name `thermos` is taken in the registry. */
export const NPM_NAME = '@thermos-cli/thermos';

/** What of lib/thermos is not part of the package: it runs with the Node of the host. */
const LEFT_OUT = ['node', 'NODE-LICENSE', 'release.json', 'package.json'];

/**
 * Makes the npm package `file` from the tree of a release. Everything that it needs is in it, so that it is installed
 * without a registry; it has no scripts.
 * @param {string} tree
 * @param {string} directory for the package before it is packed
 * @param {string} file
 */
export function npmPackage(tree, directory, file) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(join(tree, 'lib/thermos'), directory, { recursive: true });
  for (const name of LEFT_OUT) rmSync(join(directory, name), { recursive: true });
  for (const name of ['man', 'README.md', 'CHANGELOG.md']) {
    cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  }
  const { version, description, license, engines, bin, man } = PACKAGE;
  const { version: pyodide } = JSON.parse(
    readFileSync(join(directory, 'node_modules/pyodide/package.json'), 'utf8'),
  );
  const facts = {
    name: NPM_NAME,
    version,
    description,
    keywords: ['thermos', 'aurora', 'mesos', 'checkpoint', 'task'],
    license,
    type: 'module',
    engines,
    os: ['linux'],
    bin,
    man,
    files: ['*'],
    dependencies: { pyodide },
    bundleDependencies: ['pyodide'],
  };
  write(join(directory, 'package.json'), json(facts));
  write(join(directory, 'release.json'), releaseFacts('npm'));
  lessOfPyodide(join(directory, 'node_modules/pyodide/package.json'));
  settle(directory, releaseTime());
  const answer = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dirname(file)], {
    cwd: directory,
  });
  const packed = JSON.parse(answer);
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  renameSync(join(dirname(file), basename(filename)), file);
}

/**
 * Its dependencies are types, and a module for sockets that configs cannot reach: npm would fetch them.
 * @param {string} path
 */
function lessOfPyodide(path) {
  const { name, version, license, homepage, repository, main, exports } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  write(path, json({ name, version, license, homepage, repository, main, exports }));
}
