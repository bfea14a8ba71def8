import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
// @ts-expect-error: no types
import { timeOnce } from '../../scripts/bench/measure.mjs';
// @ts-expect-error: no types
import { oclifParts } from '../../scripts/build/oclif-parts.mjs';
import { HAS_NATIVE } from '../runner/harness.js';
import { cleanEnv, FIXTURES, PROGRAM, REPOSITORY, shell, tempDir } from './harness.js';

const {
  dependencies,
  engines,
  files: packed,
  scripts,
} = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));

let dir: ReturnType<typeof tempDir>;
let home: string;
beforeEach(() => {
  dir = tempDir();
  home = join(dir.path, 'home');
  mkdirSync(home);
});
afterEach(() => dir.remove());

const ROOT = join(FIXTURES, 'host', 'root');
const STATUS = ['status', '--json', '--root', ROOT];
const CONFIG = join(FIXTURES, 'config', 'basic_task.thermos');

interface Start {
  node?: string;
  program?: string;
  env?: Record<string, string>;
}

function start(
  args: readonly string[],
  { node = process.execPath, program = installedProgram, env }: Start = {},
) {
  const { status, signal, stdout, stderr } = spawnSync(node, [program, ...args], {
    env: cleanEnv({ HOME: home, ...env }),
    encoding: 'utf8',
  });
  return { status, signal, stdout, stderr };
}

/** A start that is the same whatever there is in the way of caches. */
function expectSame(options: Start = {}): void {
  expect(start(STATUS, options)).toEqual(expected);
}

/** The package as npm installs it; where pyodide is found. */
let installed: string;
let installedProgram: string;
let expected: ReturnType<typeof start>;
beforeAll(() => {
  installed = packagePlace();
  installedProgram = copyPackage(join(REPOSITORY, 'dist'), installed);
  home = process.env.HOME ?? '';
  expected = start(STATUS);
  expect(expected.status).toBe(0);
});
afterAll(() => rmSync(installed, { recursive: true, force: true }));

/** What a cache is of. */
const kindOf = (name: string) => name.replace(/-\w{12}-node-.*/, '');

const caches = (directory = join(home, '.cache', 'thermos')) =>
  existsSync(directory) ? readdirSync(directory).sort() : [];

/** The caches of a built dist/. Throws if it has none: their tests would say something else. */
function builtCaches(dist: string): string[] {
  const found = caches(join(dist, 'cache'));
  if (found.length === 0)
    throw new Error(
      'dist/ was built as for a release, which has no code caches: build it again without SOURCE_DATE_EPOCH',
    );
  return found;
}

/** What is packed of the repository, and the caches, as empty files: npm compresses even what it only lists. */
function emptyCopy(): string {
  const copy = join(dir.path, 'repository');
  cpSync(join(REPOSITORY, 'package.json'), join(copy, 'package.json'));
  const visit = (path: string): void => {
    const from = join(REPOSITORY, path);
    if (statSync(from).isDirectory()) {
      for (const name of readdirSync(from)) visit(join(path, name));
    } else {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      writeFileSync(join(copy, path), '');
    }
  };
  for (const path of packed as string[]) if (!path.startsWith('!')) visit(path);
  return copy;
}

describe('the package', () => {
  test('has no cache in it', () => {
    builtCaches(join(REPOSITORY, 'dist'));
    const list = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: emptyCopy(),
      env: cleanEnv({ HOME: home }),
      encoding: 'utf8',
    });
    const answer = JSON.parse(list.stdout);
    const [{ files }] = Array.isArray(answer) ? answer : Object.values(answer);
    const paths = (files as { path: string }[]).map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['dist/thermos.cjs', 'dist/report.cjs', 'dist/viewer.html']),
    );
    expect(paths).toEqual(expect.arrayContaining(['dist/THIRD-PARTY-LICENSES', 'dist/sbom.cdx.json']));
    expect(paths).toContain('src/coordinator/main.c');
    expect(paths).toEqual(expect.arrayContaining(['bin/thermos_runner.py', 'bin/embed_runner.py']));
    if (HAS_NATIVE) expect(paths).toContain('dist/coordinator');
    expect(paths.filter((path) => path.includes('cache'))).toEqual([]);
  });

  test('has no script that npm would warn of when it is installed', () => {
    expect(Object.keys(scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$|^prepare$/)]),
    );
  });
});

describe('other packages', () => {
  const built = readdirSync(join(REPOSITORY, 'dist')).filter((name) => name.endsWith('.cjs'));
  const read = (name: string) => readFileSync(join(REPOSITORY, 'dist', name), 'utf8');

  test('are dependencies if they are not bundled', () => {
    const required = built.flatMap((name) => [
      ...read(name).matchAll(/\b(?:require|import)\("([^".][^"]*)"\)/g),
    ]);
    const packages = required.map(([, name = '']) => name.replace(/^(@[^/]+\/)?([^/]+).*/, '$1$2'));
    const others = new Set(packages.filter((name) => !isBuiltin(name)));
    // What oclif reads sources in TypeScript by, if there are any; what cli-table3 paints borders with.
    for (const name of ['ts-node', 'tsx', 'typescript', '@colors/colors']) others.delete(name);
    expect([...others]).toEqual(Object.keys(dependencies));
  });

  test('are left out in part only as long as they are what they were', async () => {
    const lib = join(dir.path, 'node_modules', '@oclif', 'core', 'lib');
    mkdirSync(lib, { recursive: true });
    const command = join(lib, 'command.js');
    const listener = "process.stdout.on('error', () => {\n});\n";
    const bundle = (source: string) => {
      writeFileSync(command, source);
      return build({
        entryPoints: [command],
        bundle: true,
        platform: 'node',
        write: false,
        logLevel: 'silent',
        plugins: [oclifParts],
      });
    };
    await expect(bundle(`require('./config');\n${listener}`)).rejects.toThrow(
      /oclif has changed: no longer imported is command.js \.\/ux/,
    );
    await expect(bundle("require('./config');")).rejects.toThrow('command.js has no longer what');
  });
});

describe('a Node that is too old', () => {
  /** The entry, as if it were run by another version. */
  function startAs(version: string) {
    const preload = join(dir.path, 'version.cjs');
    const versions = JSON.stringify({ ...process.versions, node: version });
    writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', preload, PROGRAM, '--version'], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  test.each(['0.10.48', '4.9.1', '18.20.8', '20.0.0', '20.12.0', '20.18.3'])(
    '%s gets one line',
    (version) => {
      const stderr = `thermos: Node 20.19 or newer is needed, this is Node ${version}\n`;
      expect(startAs(version)).toEqual({ status: 2, stdout: '', stderr });
    },
  );

  test.each(['20.19.0', '20.20.2', '21.0.0', '22.0.0', '24.21.0', '100.1.0'])('%s is not', (version) => {
    expect(startAs(version)).toMatchObject({ status: 0, stderr: '' });
  });

  test('npm is told the same', () => {
    expect(engines).toEqual({ node: '>=20.19' });
  });

  test('can read the entry', () => {
    const program = readFileSync(PROGRAM, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(program).toContain('require(');
    expect(program).not.toMatch(/=>|[`?]\.?|\.\.\.|\b(let|const|class|async|import|of)\b/);
  });
});

describe('code caches', () => {
  test('are made at the first start, in the home of who starts it', () => {
    expectSame();
    expect(caches()).toEqual([expect.stringMatching(`^thermos-.*-node-${process.version}-.*\\.cache$`)]);
    expectSame();
    expect(caches()).toHaveLength(1);
  });

  test('of eight first starts at once are whole', async () => {
    const starts = Array.from({ length: 8 }, () => {
      const child = spawn(process.execPath, [installedProgram, ...STATUS], { env: cleanEnv({ HOME: home }) });
      return output(child);
    });
    for (const stdout of await Promise.all(starts)) expect(stdout).toBe(expected.stdout);
    expect(caches()).toEqual([expect.stringMatching(/\.cache$/)]);
    expectSame();
  });

  test.each<[string, () => Record<string, string>]>([
    ['in a home that is missing', () => ({ HOME: join(dir.path, 'nobody') })],
    ['in a home that is a file', () => ({ HOME: PROGRAM })],
    ['without a home', () => ({ HOME: '' })],
    ['in /proc', () => ({ XDG_CACHE_HOME: '/proc' })],
    ['in /dev/full', () => ({ XDG_CACHE_HOME: '/dev/full' })],
  ])('are not made %s', (_, env) => {
    expectSame({ env: env() });
    expectSame({ env: env() });
    expect(caches()).toEqual([]);
    expect(existsSync(join(dir.path, 'nobody'))).toBe(false);
  });

  test('are not made on a full disk, and nothing is left', () => {
    const { stdout, stderr, status } = shell(
      `ulimit -f 64; '${process.execPath}' '${installedProgram}' ${STATUS.join(' ')}`,
      {
        env: { HOME: home },
      },
    );
    expect({ stdout, stderr, status }).toEqual({ stdout: expected.stdout, stderr: '', status: 0 });
    expect(caches()).toEqual([]);
  });

  test('are not made in a home that may not be written', () => {
    chmodSync(home, 0o555);
    // Whoever is root may: the home is then of somebody else.
    if (process.getuid?.() === 0) execFileSync('chown', ['12345', home]);
    expectSame();
    expect(readdirSync(home)).toEqual([]);
  });

  test('of another program or Node are not used, whatever they are called', () => {
    expectSame();
    const directory = join(home, '.cache', 'thermos');
    const [name = ''] = caches();
    const file = join(directory, name);
    const bytes = readFileSync(file);
    // As V8 would take it, and run into what it is.
    bytes.fill(0x55, 200, bytes.length - 1000);
    for (const version of ['v20.19.98', 'v99.0.0']) {
      const foreign = Buffer.from(bytes.toString('latin1').replace(process.version, version), 'latin1');
      writeFileSync(file, foreign);
      expectSame();
      expect(readFileSync(file)).not.toEqual(foreign);
    }
  });

  test('of the version before are not used by a package that was upgraded', () => {
    expectSame();
    const cache = join(home, '.cache', 'thermos', caches()[0] as string);
    const { ino } = statSync(cache);
    const bundle = join(installed, 'dist', 'thermos.cjs');
    const before = readFileSync(bundle, 'latin1');
    // As long as before, which is all that V8 looks at.
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    const after = before.replace(`"${version}"`, `"${version.slice(0, -1)}x"`);
    expect(after).not.toBe(before);
    try {
      writeFileSync(bundle, after, 'latin1');
      expectSame();
      expect(statSync(cache).ino).not.toBe(ino);
    } finally {
      writeFileSync(bundle, before, 'latin1');
    }
  });
});

/** Directories with bin/node, separated by colons. */
const { THERMOS_TEST_NODES: nodes = '' } = process.env;
const NODES = [
  process.execPath,
  ...nodes
    .split(':')
    .filter((path) => path !== '')
    .map((path) => join(path, 'bin', 'node')),
];

describe('a package', () => {
  let place: string;
  beforeAll(() => {
    place = packagePlace();
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  const builders: [name: string, node: string | undefined][] = [
    ['as it was built here', undefined],
    ...NODES.slice(1)
      .slice(-1)
      .map((newest): [string, string] => ['built by the newest', newest]),
  ];
  test.each(builders)('%s runs with all Nodes', async (_, builder) => {
    const built = join(place, 'built', 'dist');
    rmSync(join(place, 'built'), { recursive: true, force: true });
    if (builder === undefined) cpSync(join(REPOSITORY, 'dist'), built, { recursive: true });
    else execFileSync(builder, [join(REPOSITORY, 'scripts', 'build.mjs'), built]);
    const program = copyPackage(built, join(place, 'built'));
    const made = builtCaches(built).map(kindOf);
    expect(made).toEqual(['python', 'thermos-inspect', 'thermos-status']);
    rmSync(join(built, 'cache'), { recursive: true });
    const inspect = { status: 0, stderr: '', stdout: expect.stringMatching(/^{"task":/) };
    for (const node of NODES) {
      expectSame({ node, program });
      expectSame({ node, program });
      const root = join(dir.path, `root-${NODES.indexOf(node)}`);
      mkdirSync(root);
      const { status, stdout } = start(['simplerun', '--root', root, '--', 'echo', 'hi'], {
        node,
        program,
      });
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('hi') });
      expect(start(['inspect', '--json', CONFIG], { node, program })).toMatchObject(inspect);
    }
    // Each under the names of all others.
    const directory = join(home, '.cache', 'thermos');
    const names = caches();
    const commands = ['__show-run', 'inspect', 'simplerun', 'status'];
    const kinds = ['python', ...commands.map((command) => `thermos-${command}`)];
    expect([...new Set(names.map(kindOf))]).toEqual(kinds);
    expect(names).toHaveLength(NODES.length * kinds.length);
    for (const kind of ['python', 'thermos']) {
      const mine = names.filter((name) => name.startsWith(kind));
      for (const [i, name] of mine.entries())
        renameSync(join(directory, name), join(directory, `${i}.moved`));
      for (const [i] of mine.entries()) {
        renameSync(join(directory, `${i}.moved`), join(directory, mine[(i + 1) % mine.length] as string));
      }
    }
    for (const node of NODES) {
      expectSame({ node, program });
      expect(start(['inspect', '--json', CONFIG], { node, program })).toMatchObject(inspect);
    }
    // All of them start from the builder's memory of Python; from nothing it takes three times as long.
    const cost = (node: string): number =>
      timeOnce([node, program, 'inspect', '--json', CONFIG].join(' '), cleanEnv({ HOME: home })).cpu;
    const ends = [...new Set([NODES[0], NODES.at(-1)])] as string[];
    // What else the machine does makes it more at times, never less.
    const quick = ends.map((node) => Math.min(cost(node), cost(node), cost(node)));
    rmSync(join(built, 'python.snapshot'));
    for (const [i, node] of ends.entries()) expect(quick[i]).toBeLessThan(0.7 * cost(node));
  });
});

function packagePlace(): string {
  const parent = join(REPOSITORY, 'node_modules', '.cache');
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, 'thermos-test-'));
  chmodSync(path, 0o755);
  return path;
}

/** Copies what `npm pack` would take of a package, without its caches; returns its program. */
function copyPackage(dist: string, to: string): string {
  mkdirSync(join(to, 'bin'), { recursive: true });
  mkdirSync(join(to, 'dist'), { recursive: true });
  for (const name of readdirSync(join(REPOSITORY, 'bin'))) {
    copyFileSync(join(REPOSITORY, 'bin', name), join(to, 'bin', name));
  }
  for (const name of readdirSync(dist)) {
    const target = join(to, 'dist', name);
    if (existsSync(target) || name === 'cache') continue;
    if (name.endsWith('.cjs')) copyFileSync(join(dist, name), target);
    else symlinkSync(join(dist, name), target);
  }
  return join(to, 'bin', 'run.js');
}

async function output(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}
