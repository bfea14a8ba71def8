// Bundles src/ into dist/: main.cjs (the version and nothing else), thermos.cjs (everything) and coordinator.cjs
// (a process of its own beside each process of a task, so as small as can be). CommonJS,
// because Node 20 starts a CommonJS file 13 ms sooner than an ES module; one file, because dynamic imports
// inside it stay lazy and cost only the reading. A program that is running or started meanwhile finds whole files.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { lazyPackages } from './build/lazy-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dist = join(root, 'dist');
mkdirSync(dist, { recursive: true });
const fresh = mkdtempSync(join(dist, 'build-'));
process.on('exit', () => rmSync(fresh, { recursive: true }));

const settings = {
  absWorkingDir: root,
  outdir: fresh,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  keepNames: true,
  sourcemap: false,
  legalComments: 'none',
  define: { THERMOS_VERSION: JSON.stringify(version) },
  loader: { '.py': 'text' },
  external: ['./thermos.cjs', 'ts-node', 'typescript', 'tsx', 'pyodide', 'pyodide/*'],
  plugins: [lazyPackages],
  logLevel: 'warning',
};

await build({
  ...settings,
  entryPoints: [
    { in: 'src/cli/main.ts', out: 'main' },
    { in: 'src/cli/dispatch.ts', out: 'thermos' },
    { in: 'src/config/python/thread.ts', out: 'python' },
    { in: 'src/runner/coordinator/main.ts', out: 'coordinator' },
  ],
});

// esbuild escapes all but the regular expressions. One letter that is not ASCII would make V8 keep two bytes for
// each letter, and Node decode them.
const bundle = join(fresh, 'thermos.cjs');
writeFileSync(bundle, readFileSync(bundle, 'utf8').replace(/[^\0-\x7f]/g, escaped));

// What the cache holds is what these runs used: the commands that have to be there at once.
const warmUpCommands = [
  ['status', '--json', '--root', join(root, 'fixtures/host/root')],
  ['inspect', '--json', join(root, 'fixtures/config/json_task.json')],
].map((command) => JSON.stringify(command));
const warmUp = spawnSync(
  process.execPath,
  [join(root, 'scripts/code-cache.cjs'), bundle, ...warmUpCommands],
  { encoding: 'utf8' },
);
if (warmUp.status !== 0) throw new Error(`the built program does not run:\n${warmUp.stderr}`);

// Python's memory after it has started, and the compiled code of pyodide; what makes them is no part of the
// program. Making them takes 3 s, so they are kept until one of the things that they are made of changes.
await build({
  ...settings,
  entryPoints: [{ in: 'src/config/python/make-snapshot.ts', out: 'make-snapshot' }],
});
const maker = join(fresh, 'make-snapshot.cjs');
const { version: pyodide } = createRequire(import.meta.url)('pyodide/package.json');
const ingredients = createHash('sha256').update(readFileSync(maker)).update(`${pyodide} ${process.version}`);
const kept = join(root, 'node_modules/.cache/thermos', ingredients.digest('hex').slice(0, 16));
if (!existsSync(kept)) {
  rmSync(dirname(kept), { recursive: true, force: true });
  const making = join(dirname(kept), 'making');
  mkdirSync(making, { recursive: true });
  const made = spawnSync(process.execPath, [maker, making], { encoding: 'utf8' });
  if (made.status === 0) renameSync(making, kept);
  else process.stderr.write(`no snapshot of Python, configs will load slowly:\n${made.stderr.slice(-2000)}`);
}
const starters = ['python.snapshot', 'python.code-cache'];
for (const name of existsSync(kept) ? starters : []) {
  copyFileSync(join(kept, name), join(fresh, name), constants.COPYFILE_FICLONE);
}

// The caches go first: V8 knows one to be of another source by the length of the source alone, and Python's
// memory fits its own interpreter only.
rmSync(join(dist, 'thermos.cjs.cache'), { force: true });
for (const name of starters) rmSync(join(dist, name), { force: true });
for (const name of [
  'coordinator.cjs',
  'python.cjs',
  ...starters,
  'thermos.cjs',
  'main.cjs',
  'thermos.cjs.cache',
]) {
  if (existsSync(join(fresh, name))) renameSync(join(fresh, name), join(dist, name));
}

function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
