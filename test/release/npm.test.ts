import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIXTURES, REPOSITORY, runToEnd, tempDir, thermos } from '../e2e/harness.js';
import { expectMade, NPM, VERSION } from './forms.js';

let place: ReturnType<typeof tempDir>;
/** npm that reaches no registry. */
let env: Record<string, string>;
beforeAll(() => {
  expectMade(NPM);
  place = tempDir();
  env = {
    HOME: place.path,
    npm_config_offline: 'true',
    npm_config_registry: 'http://127.0.0.1:9',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
});
afterAll(() => place.remove());

const listed = () => runToEnd('tar', ['-tzf', NPM]).stdout.trim().split('\n').sort();
const files = (folder: string) => readdirSync(join(REPOSITORY, folder)).map((name) => `${folder}/${name}`);

const DIST =
  'THIRD-PARTY-LICENSES agent.cjs coordinator coordinator.cjs disk.cjs main.cjs pyodide.js pyodide.wasm python.cjs python.snapshot report.cjs sbom.cdx.json thermos.cjs viewer.html';
const PYODIDE = 'package.json pyodide-lock.json pyodide.asm.wasm pyodide.js pyodide.mjs python_stdlib.zip';

test('the npm package has exactly the files that it needs', () => {
  const expected = [
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'release.json'],
    ...['bin', 'man', 'schemas', 'src/coordinator'].flatMap(files),
    ...DIST.split(' ').map((name) => `dist/${name}`),
    ...PYODIDE.split(' ').map((name) => `node_modules/pyodide/${name}`),
  ];
  expect(listed()).toEqual(expected.map((name) => `package/${name}`).sort());
});

test('the npm package has a name of its own, no scripts, and nothing to fetch', () => {
  const facts = JSON.parse(runToEnd('tar', ['-xzOf', NPM, 'package/package.json']).stdout);
  expect(facts).toMatchObject({ name: '@thermos-cli/thermos', version: VERSION, os: ['linux'] });
  expect(Object.keys(facts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/scripts|private/)]));
  expect(Object.keys(facts.dependencies)).toEqual(facts.bundleDependencies);
});

test('the npm package is installed without a registry, in 35 MB, and evaluates configs', () => {
  const prefix = join(place.path, 'prefix');
  const installed = runToEnd('npm', ['install', '--global', '--prefix', prefix, NPM], { env });
  expect(installed).toMatchObject({ status: 0 });
  const words = ['inspect', join(FIXTURES, 'config', 'basic_task.thermos')];
  expect(runToEnd(join(prefix, 'bin/thermos'), words)).toEqual(thermos(words));
  const version = runToEnd(join(prefix, 'bin/thermos'), ['version', '--verbose', '--json']);
  expect(JSON.parse(version.stdout)).toMatchObject({ form: 'npm', version: VERSION, coordinator: 'native' });
  const bytes = runToEnd('du', ['-s', '--bytes', join(prefix, 'lib')]).stdout.split('\t')[0];
  expect(Number(bytes)).toBeLessThan(35e6);
  expect(readFileSync(join(prefix, 'share/man/man1/thermos.1'), 'utf8')).toContain('thermos');
});

test('npx runs the npm package from its file', () => {
  mkdirSync(join(place.path, 'empty'));
  const { status, stdout } = runToEnd('npx', ['--yes', `--package=${NPM}`, 'thermos', '--version'], {
    env,
    cwd: join(place.path, 'empty'),
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `thermos/${VERSION}\n` });
});
