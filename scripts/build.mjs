// node scripts/build.mjs [DIRECTORY [COMPILER]]
//
// Bundles src/ into dist/, or another directory of the repository: main.cjs (only the version),
// thermos.cjs (everything except what makes pages and what asks agents), report.cjs and agent.cjs (those), viewer.html (a page that reads agents), disk.cjs (the thread of top that measures) and coordinator.cjs (as small as possible, because one runs beside each process of a task), and
// src/coordinator/ into the program coordinator, which is even smaller, if there is a C compiler. CommonJS, because Node 20 starts a CommonJS file 13 ms sooner than an ES module; one file, because
// dynamic imports inside it stay lazy and cost only the reading. A program that runs or starts during a build
// finds complete files. COMPILER: of another architecture, for the program coordinator.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundledPackages, inOrder, libraryOfCoordinator, partsOfPython } from './build/components.mjs';
import { buildCoordinator } from './build/coordinator.mjs';
import { inline, inlinedOutputs } from './build/inline.mjs';
import { thirdPartyLicenses } from './build/licenses.mjs';
import { oclifParts } from './build/oclif-parts.mjs';
import { oneStringWidth } from './build/one-string-width.mjs';
import { ownBundles } from './build/own-bundles.mjs';
import { identityOf, smallerPyodide, versionsOfPython } from './build/pyodide.mjs';
import { billOfMaterials } from './build/sbom.mjs';
import { buildViewer } from './build/viewer.mjs';
import { whenUsed } from './build/when-used.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { version } = manifest;
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
mkdirSync(dist, { recursive: true });
const fresh = mkdtempSync(join(dist, 'build-'));
process.on('exit', () => rmSync(fresh, { recursive: true }));

/** @satisfies {import('esbuild').BuildOptions} */
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
  define: {
    THERMOS_VERSION: JSON.stringify(version),
    THERMOS_PYTHON: JSON.stringify(versionsOfPython(root)),
  },
  loader: { '.py': 'text' },
  external: ['./thermos.cjs', 'ts-node', 'typescript', 'tsx', '@colors/colors/*', 'pyodide', 'pyodide/*'],
  plugins: [oclifParts, oneStringWidth, whenUsed, ownBundles, inline],
  logLevel: 'warning',
};

const { metafile } = await build({
  ...settings,
  metafile: true,
  entryPoints: [
    { in: 'src/cli/main.ts', out: 'main' },
    { in: 'src/commands/program.ts', out: 'thermos' },
    { in: 'src/config/python/thread.ts', out: 'python' },
    { in: 'src/top/disk-thread.ts', out: 'disk' },
    { in: 'src/runner/coordinator/main.ts', out: 'coordinator' },
    { in: 'src/report/pages.ts', out: 'report' },
    { in: 'src/agent/client.ts', out: 'agent' },
  ],
});

const viewer = await buildViewer(root, settings.define);
writeFileSync(join(fresh, 'viewer.html'), viewer.page);
const outputs = { ...metafile.outputs, ...viewer.metafile.outputs, ...inlinedOutputs };
const components = inOrder([
  ...bundledPackages(root, { outputs }),
  ...partsOfPython(installedVersion('pyodide')),
  libraryOfCoordinator(),
]);
writeFileSync(join(fresh, 'THIRD-PARTY-LICENSES'), thirdPartyLicenses(components));
writeFileSync(join(fresh, 'sbom.cdx.json'), billOfMaterials(manifest, components));
// A test compares what the bundles are made of with the licences.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
writeFileSync(join(root, 'node_modules/.cache/thermos-outputs.json'), JSON.stringify(outputs));

// esbuild escapes everything except regular expressions. One character that is not ASCII would make V8 store two
// bytes per character, and Node decode them.
const bundle = join(fresh, 'thermos.cjs');
// As Node wraps a module: wrapping it at each start would copy it once more.
const BEFORE = '(function (exports, require, module, __filename, __dirname) { ';
writeFileSync(bundle, `${BEFORE}${readFileSync(bundle, 'utf8').replace(/[^\0-\x7f]/g, escaped)}});\n`);

const hash = createHash('sha256').update(readFileSync(bundle)).digest('hex');
appendFileSync(bundle, `\n// ${hash}\n`);

const pyodide = await smallerPyodide();
writeFileSync(join(fresh, 'pyodide.js'), `// ${identityOf(pyodide)}\n${pyodide.code}`, 'latin1');
writeFileSync(join(fresh, 'pyodide.wasm'), pyodide.wasm);

// Python's memory after its start; the code that makes it is not part of the program. Making it takes 2 s, so it is
// kept until one of its inputs changes. Any Node can start from it.
await build({
  ...settings,
  entryPoints: [{ in: 'src/config/python/make-snapshot.ts', out: 'make-snapshot' }],
});
const maker = join(fresh, 'make-snapshot.cjs');
const ingredients = createHash('sha256')
  .update(`${process.version} ${identityOf(pyodide)}`)
  .update(readFileSync(maker))
  .digest('hex');
const kept = join(root, 'node_modules/.cache/thermos', `${ingredients.slice(0, 16)}.snapshot`);
if (!existsSync(kept)) {
  rmSync(dirname(kept), { recursive: true, force: true });
  mkdirSync(dirname(kept), { recursive: true });
  const making = `${kept}.making`;
  const made = spawnSync(process.execPath, [maker, fresh, making], { encoding: 'utf8' });
  if (made.status === 0) renameSync(making, kept);
  else process.stderr.write(`no snapshot of Python, configs will load slowly:\n${made.stderr.slice(-2000)}`);
}
if (existsSync(kept)) copyFileSync(kept, join(fresh, 'python.snapshot'), constants.COPYFILE_FICLONE);

const reason = buildCoordinator(join(fresh, 'coordinator'), undefined, process.argv[3]);
if (reason !== undefined)
  process.stderr.write(`${reason}: Node will watch the processes of tasks, which takes more memory\n`);

// Python's memory is removed first: it fits only its own interpreter.
rmSync(join(dist, 'python.snapshot'), { force: true });
const parts = [
  'coordinator.cjs',
  'coordinator',
  'python.cjs',
  'disk.cjs',
  'pyodide.js',
  'pyodide.wasm',
  'python.snapshot',
  'report.cjs',
  'agent.cjs',
  'viewer.html',
  'THIRD-PARTY-LICENSES',
  'sbom.cdx.json',
  'thermos.cjs',
  'main.cjs',
];
// One of an older build does not understand the new jobs.
if (reason !== undefined) rmSync(join(dist, 'coordinator'), { force: true });
for (const name of parts) {
  if (existsSync(join(fresh, name))) renameSync(join(fresh, name), join(dist, name));
}
// A code cache fits only files of one time: a release (SOURCE_DATE_EPOCH) gives them the one that they are installed with.
const time = Number(process.env.SOURCE_DATE_EPOCH);
if (time > 0) {
  for (const name of parts.filter((each) => existsSync(join(dist, each))))
    utimesSync(join(dist, name), time, time);
}
// Files of an older build would be packed.
for (const name of readdirSync(dist)) {
  const old = ![...parts, 'cache'].includes(name) && !name.startsWith('build-');
  if (old) rmSync(join(dist, name), { recursive: true, force: true });
}

// The program itself makes its code caches. Those of the commands that must start fast at once are made here, for
// this Node. A release has none: what V8 writes differs from time to time, and each user's program makes its own.
rmSync(join(dist, 'cache'), { recursive: true, force: true });
if (!(time > 0)) makeCaches();

function makeCaches() {
  const home = join(fresh, 'home');
  mkdirSync(home);
  for (const command of [
    ['status', '--json', '--root', join(root, 'fixtures/host/root')],
    ['status', '--root', join(root, 'fixtures/host/root')],
    ['inspect', '--json', join(root, 'fixtures/config/json_task.json')],
    ['inspect', '--json', join(root, 'fixtures/config/basic_task.thermos')],
  ]) {
    const { status, signal, stderr } = spawnSync(process.execPath, [join(dist, 'main.cjs'), ...command], {
      env: { PATH: process.env.PATH, XDG_CACHE_HOME: home },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${status ?? signal}\n${stderr}`);
  }
  const caches = join(home, 'thermos');
  chmodSync(caches, 0o755);
  for (const name of readdirSync(caches)) chmodSync(join(caches, name), 0o644);
  renameSync(caches, join(dist, 'cache'));
}

function installedVersion(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
