// Bundles src/ into dist/: main.cjs (the version and nothing else) and thermos.cjs (everything). CommonJS,
// because Node 20 starts a CommonJS file 13 ms sooner than an ES module; one file, because dynamic imports
// inside it stay lazy and cost only the reading.

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
rmSync(join(root, 'dist'), { recursive: true, force: true });

await build({
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/cli/main.ts', out: 'main' },
    { in: 'src/cli/dispatch.ts', out: 'thermos' },
  ],
  outdir: 'dist',
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
  logLevel: 'warning',
});

// What the cache holds is what this run used: the command that is waited for most often.
const warmUpArgs = ['status', '--json', '--root', join(root, 'fixtures/host/root')];
const warmUp = spawnSync(process.execPath, [join(root, 'scripts/code-cache.cjs'), ...warmUpArgs], {
  encoding: 'utf8',
});
if (warmUp.status !== 0) throw new Error(`the built program does not run:\n${warmUp.stderr}`);
