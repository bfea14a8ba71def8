// Bundles src/ into dist/: main.cjs (the version and nothing else), thermos.cjs (everything) and coordinator.cjs
// (a process of its own beside each process of a task, so as small as can be). CommonJS,
// because Node 20 starts a CommonJS file 13 ms sooner than an ES module; one file, because dynamic imports
// inside it stay lazy and cost only the reading. A program that is running or started meanwhile finds whole files.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { lazyOclif } from './build/lazy-oclif.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dist = join(root, 'dist');
mkdirSync(dist, { recursive: true });
const fresh = mkdtempSync(join(dist, 'build-'));
process.on('exit', () => rmSync(fresh, { recursive: true }));

await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/cli/main.ts', out: 'main' },
    { in: 'src/cli/dispatch.ts', out: 'thermos' },
    { in: 'src/runner/coordinator/main.ts', out: 'coordinator' },
  ],
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
  external: ['./thermos.cjs', 'ts-node', 'typescript', 'tsx'],
  plugins: [lazyOclif],
  logLevel: 'warning',
});

// What the cache holds is what this run used: the command that is waited for most often.
const warmUpArgs = ['status', '--json', '--root', join(root, 'fixtures/host/root')];
const warmUp = spawnSync(
  process.execPath,
  [join(root, 'scripts/code-cache.cjs'), join(fresh, 'thermos.cjs'), ...warmUpArgs],
  {
    encoding: 'utf8',
  },
);
if (warmUp.status !== 0) throw new Error(`the built program does not run:\n${warmUp.stderr}`);

// The cache goes first: V8 knows it to be of another source by the length of the source alone.
rmSync(join(dist, 'thermos.cjs.cache'), { force: true });
for (const name of ['coordinator.cjs', 'thermos.cjs', 'main.cjs', 'thermos.cjs.cache'])
  renameSync(join(fresh, name), join(dist, name));
