import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cleanEnv, FIXTURES, runToEnd, tempDir, thermos } from '../e2e/harness.js';
import { isAlive } from '../e2e/run-task.js';
import { ARCHIVE, expectMade, NAME, ONE_FILE, VERSION } from './forms.js';

const IS_ROOT = process.getuid?.() === 0;
const STATUS = ['status', '--root', join(FIXTURES, 'host', 'root')];
const INSPECT = ['inspect', join(FIXTURES, 'config', 'basic_task.thermos')];
const PRINTED = `thermos/${VERSION}\n`;
const refusal = (text: string) => ({ status: 126, signal: null, stdout: '', stderr: `thermos: ${text}\n` });

let kept: ReturnType<typeof tempDir>;
/** The archive, unpacked. */
let tree: string;
/** Of the one file, for all tests that do not ask for another. */
let cache: string;
beforeAll(() => {
  expectMade(ARCHIVE, ONE_FILE);
  kept = tempDir();
  expect(runToEnd('tar', ['-xJf', ARCHIVE, '-C', kept.path])).toMatchObject({ status: 0, stderr: '' });
  tree = join(kept.path, NAME);
  cache = join(kept.path, 'cache');
});
afterAll(() => kept.remove());

let place: ReturnType<typeof tempDir>;
const children: ChildProcess[] = [];
beforeEach(() => {
  place = tempDir();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  place.remove();
});

const path = (...names: string[]) => join(place.path, ...names);

function oneFile(args: readonly string[], env: Record<string, string> = {}, program = ONE_FILE) {
  return runToEnd(program, args, { env: { THERMOS_CACHE_DIR: cache, ...env } });
}

/** The directory that the one file has unpacked. */
function unpacked(directory = cache): string {
  const names = readdirSync(directory).filter((name) => /^[0-9a-f]{16}$/.test(name));
  expect(names).toHaveLength(1);
  return join(directory, names[0] as string);
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition(); ) {
    if (Date.now() > end) throw new Error('it has not come true in a minute');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const FORMS: [form: 'tarball' | 'file', program: () => string][] = [
  ['tarball', () => join(tree, 'bin', 'thermos')],
  ['file', () => ONE_FILE],
];

describe.each(FORMS)('the %s', (form, programOf) => {
  const env = () => ({ THERMOS_CACHE_DIR: cache });
  const run = (...args: string[]) => runToEnd(programOf(), args, { env: env() });

  test('tells what it is', () => {
    const document = JSON.parse(run('version', '--verbose', '--json').stdout);
    const place = form === 'file' ? unpacked() : tree;
    expect(document).toMatchObject({ version: VERSION, form, place: join(place, 'lib/thermos') });
    expect(document).toMatchObject({ node: 'v24.21.0', coordinator: 'native' });
    expect(readlinkSync(`/proc/self/exe`)).not.toContain(place);
  });

  test('answers as the build does, without a Node of the host', () => {
    const alone = (words: string[]) =>
      runToEnd(programOf(), words, { env: { ...env(), PATH: '/usr/bin:/bin', HOME: '/nonexistent' } });
    expect(alone(STATUS)).toEqual(thermos(STATUS));
    expect(alone(INSPECT)).toEqual(thermos(INSPECT));
  });

  test('resumes a task whose runner was killed, shows its log and collects it', async () => {
    const config = path('web.json');
    const cmdline = 'until [ -e go ]; do sleep 0.02; done; echo done';
    writeFileSync(config, JSON.stringify({ name: 'web', processes: [{ name: 'main', cmdline }] }));
    const words = ['run', '--root', path('root'), '--task-id', 'web', config];
    mkdirSync(path('root'));
    const child = spawn(programOf(), words, { env: cleanEnv(env()), stdio: 'ignore' });
    children.push(child);
    const state = () =>
      JSON.parse(run('status', '--json', '--root', path('root')).stdout).tasks[0]?.processes[0]?.state;
    await until(() => state() === 'RUNNING');
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(path('root', 'sandboxes', 'web', 'go'), '');
    expect(run(...words)).toMatchObject({ status: 0 });
    expect(run('tail', '--no-prefix', '--root', path('root'), 'web')).toMatchObject({
      status: 0,
      stdout: 'done\n',
    });
    const collected = run('gc', '--yes', '--max-age', '0s', '--root', path('root'));
    expect(collected).toMatchObject({ status: 0 });
    expect(existsSync(path('root', 'checkpoints', 'web'))).toBe(false);
  });
});

/** Another version's `thermos`, if there is one to compare with. */
const { THERMOS_TEST_OTHER: OTHER } = process.env;

type Installation = [name: string, program: () => string];
const [[, archiveProgram], [, fileProgram]] = FORMS as [Installation, Installation];
const archiveAndFile: [Installation, Installation] = [
  ['archive', archiveProgram],
  ['one file', fileProgram],
];
const versions: [Installation, Installation] = [
  ['archive', archiveProgram],
  ['other version', () => OTHER ?? ''],
];
const pairs = [archiveAndFile, ...(OTHER === undefined ? [] : [versions])]
  .flatMap(([one, other]) => [[one, other] as const, [other, one] as const])
  .map(([one, other]) => [one[0], other[0], one[1], other[1]] as const);

describe.each(pairs)('of two installations, a task that the %s has started', (_, other, first, second) => {
  const run = (programOf: () => string, ...args: string[]) =>
    runToEnd(programOf(), [...args, '--root', path('root')], {
      env: { THERMOS_CACHE_DIR: cache },
    });

  test(`is killed and collected by the ${other}`, () => {
    mkdirSync(path('root'));
    const config = path('web.json');
    writeFileSync(
      config,
      JSON.stringify({ name: 'web', processes: [{ name: 'main', cmdline: 'sleep 1000' }] }),
    );
    expect(run(first, 'run', '--daemon', '--task-id', 'web', config)).toMatchObject({ status: 0 });
    expect(run(second, 'wait', 'web', '--for', 'process=main:RUNNING')).toMatchObject({ status: 0 });
    expect(run(second, 'kill', '--yes', 'web')).toMatchObject({ status: 0 });
    const { tasks } = JSON.parse(run(first, 'status', '--json').stdout);
    expect(tasks).toMatchObject([{ task_id: 'web', state: 'KILLED', verdict: 'ok' }]);
    expect(run(second, 'gc', '--yes', '--max-age', '0s')).toMatchObject({ status: 0 });
    expect(existsSync(path('root', 'checkpoints', 'web'))).toBe(false);
  });

  test(`is resumed by the ${other} after its runner was killed`, async () => {
    mkdirSync(path('root'));
    const config = path('web.json');
    const cmdline = 'until [ -e go ]; do sleep 0.02; done; echo done';
    writeFileSync(config, JSON.stringify({ name: 'web', processes: [{ name: 'main', cmdline }] }));
    const words = ['run', '--task-id', 'web', config];
    expect(run(first, ...words, '--daemon')).toMatchObject({ status: 0 });
    expect(run(second, 'wait', 'web', '--for', 'process=main:RUNNING')).toMatchObject({ status: 0 });
    const { tasks } = JSON.parse(run(second, 'status', '--json').stdout);
    process.kill(tasks[0].runner.pid, 'SIGKILL');
    await until(() => !isAlive(tasks[0].runner.pid));
    writeFileSync(path('root', 'sandboxes', 'web', 'go'), '');
    expect(run(second, ...words)).toMatchObject({ status: 0 });
    expect(run(first, 'tail', '--no-prefix', 'web')).toMatchObject({ status: 0, stdout: 'done\n' });
  });
});

describe('the archive', () => {
  test('has manual pages, schemas, licences, and completions as the program prints them', () => {
    const program = join(tree, 'bin', 'thermos');
    for (const [shell, file] of [
      ['bash', 'bash-completion/completions/thermos'],
      ['zsh', 'zsh/site-functions/_thermos'],
      ['fish', 'fish/vendor_completions.d/thermos.fish'],
    ] as const) {
      expect(readFileSync(join(tree, 'share', file), 'utf8')).toBe(
        runToEnd(program, ['completion', shell]).stdout,
      );
    }
    for (const name of [
      'share/man/man1/thermos.1',
      'share/man/man7/thermos-codes.7',
      'lib/thermos/schemas/status.json',
      'lib/thermos/NODE-LICENSE',
      'lib/thermos/dist/THIRD-PARTY-LICENSES',
      'share/doc/thermos/LICENSE',
    ]) {
      expect([name, existsSync(join(tree, name))]).toEqual([name, true]);
    }
  });

  test('ships no compiled code, and keeps that of its user', () => {
    const home = path('home');
    mkdirSync(home);
    expect(existsSync(join(tree, 'lib/thermos/dist/cache'))).toBe(false);
    for (let i = 0; i < 2; i++) {
      expect(runToEnd(join(tree, 'bin/thermos'), STATUS, { env: { HOME: home } }).status).toBe(0);
      expect(readdirSync(join(home, '.cache/thermos')).join()).toContain('thermos-status');
    }
  });

  test('runs by links to its program and to its directories', () => {
    mkdirSync(path('a'));
    symlinkSync(join(tree, 'bin', 'thermos'), path('absolute'));
    symlinkSync('../absolute', path('a', 'relative'));
    symlinkSync(join(tree, 'bin'), path('bin'));
    symlinkSync(tree, path('tree'));
    for (const name of ['absolute', 'a/relative', 'bin/thermos', 'tree/bin/thermos']) {
      expect([name, runToEnd(path(name), ['--version']).stdout]).toEqual([name, PRINTED]);
    }
    const shell = (line: string) =>
      runToEnd('sh', ['-c', line], { cwd: place.path, env: { PATH: `${path('a')}:/usr/bin:/bin` } });
    for (const line of ['relative --version', 'sh absolute --version', './bin/../bin/./thermos --version']) {
      expect([line, shell(line).stdout]).toEqual([line, PRINTED]);
    }
    expect(runToEnd(path('bin/thermos-runner'), ['--help']).stdout).toContain('thermos-runner');
  });

  const missing = (file: string) =>
    refusal(`${file} is missing or empty: unpack or install thermos again, with its directory lib`);

  test('says in one line what is missing, and what to do', () => {
    mkdirSync(path('bin'));
    const program = path('bin', 'thermos');
    copyFileSync(join(tree, 'bin', 'thermos'), program);
    const refused = () => runToEnd(program, ['--version']);
    for (const name of ['node', 'bin/run.js', 'dist/main.cjs', 'dist/thermos.cjs', 'release.json']) {
      const file = path('lib/thermos', name);
      expect(refused()).toEqual(missing(file));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
      expect(refused()).toEqual(missing(file));
      writeFileSync(file, 'something', { mode: 0o644 });
    }
    expect(refused()).toEqual(
      refusal(
        `${path('lib/thermos/node')} may not be executed: allow it with chmod +x, or mount its file system without noexec`,
      ),
    );
  });

  test.each([0.02, 0.3, 0.6])('says so if only %d of it were unpacked', (part) => {
    const bytes = Math.floor(statSync(ARCHIVE).size * part);
    runToEnd('sh', ['-c', `head -c ${bytes} '${ARCHIVE}' | tar -xJ -C '${place.path}'`]);
    const { status, stdout, stderr } = runToEnd(path(NAME, 'bin/thermos'), STATUS);
    expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
    expect(stderr).toMatch(/^thermos: \/\S+ is missing or empty: unpack or install thermos again, .*\n$/);
  });
});

/** The programs that are linked with libraries of C, and what shows which. */
const SIGNS = { 'GNU C Library': 'Fatal glibc error', Zstandard: 'Unspecified error code' };

test('the licences name what the programs in C are linked with', () => {
  expect(oneFile(['--version']).stdout).toBe(PRINTED);
  const textOf = (directory: string) =>
    readFileSync(join(directory, 'share/doc/thermos/THIRD-PARTY-LICENSES'), 'utf8');
  const start = readFileSync(ONE_FILE).subarray(0, 4_000_000).toString('latin1');
  for (const [name, sign] of Object.entries(SIGNS)) {
    const title = new RegExp(`^${name} .*\\(.*\\), in the program that unpacks the one file`, 'm');
    expect([name, title.test(textOf(unpacked()))]).toEqual([name, start.includes(sign)]);
    expect(title.test(textOf(tree))).toBe(false);
  }
  const coordinator = readFileSync(join(tree, 'lib/thermos/dist/coordinator'), 'latin1');
  const library = coordinator.includes(SIGNS['GNU C Library']) ? /^GNU C Library / : /^musl .*coordinator/;
  expect(new RegExp(library.source, 'm').test(textOf(tree))).toBe(true);
  for (const name of ['main.c', 'package.h'])
    expect(existsSync(join(unpacked(), 'lib/thermos/src/one-file', name))).toBe(true);
});

describe('the one file', () => {
  test('unpacks itself once, for its user alone', () => {
    const first = path('cache');
    const run = () => oneFile(['--version'], { THERMOS_CACHE_DIR: first }).stdout;
    expect(run()).toBe(PRINTED);
    const mode = (file: string) => runToEnd('stat', ['-c', '%a', file]).stdout.trim();
    expect([mode(first), mode(unpacked(first))]).toEqual(['700', '700']);
    const mark = join(unpacked(first), 'mark');
    writeFileSync(mark, '');
    expect([run(), existsSync(mark)]).toEqual([PRINTED, true]);
  });

  test('started six times at once, is unpacked once, and all answer', async () => {
    const env = cleanEnv({ THERMOS_CACHE_DIR: path('cache') });
    const texts = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const child = spawn(ONE_FILE, ['--version'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
        children.push(child);
        let text = '';
        child.stdout.on('data', (chunk) => {
          text += chunk;
        });
        await once(child, 'close');
        return text;
      }),
    );
    expect(texts).toEqual(Array(6).fill(PRINTED));
    expect(readdirSync(path('cache')).sort()).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), 'lock']);
  });

  test.each([
    ['has lost a file', (lib: string) => renameSync(join(lib, 'dist/main.cjs'), join(lib, 'dist/other.cjs'))],
    ['has a file that was cut off', (lib: string) => truncateSync(join(lib, 'node'), 1000)],
    ['has a file of another time', (lib: string) => utimesSync(join(lib, 'dist/thermos.cjs'), 1, 1)],
  ])('unpacks itself again if what is there %s', (_, damage) => {
    const env = { THERMOS_CACHE_DIR: path('cache') };
    expect(oneFile(['--version'], env).stdout).toBe(PRINTED);
    damage(join(unpacked(path('cache')), 'lib/thermos'));
    expect(oneFile(['--version'], env)).toMatchObject({ status: 0, stdout: PRINTED, stderr: '' });
    expect(readdirSync(path('cache'))).toHaveLength(2);
  });

  test('removes what a start has left that was killed', () => {
    mkdirSync(path('cache'), { mode: 0o700 });
    const left = path('cache', 'unpacking-99999999');
    mkdirSync(left);
    writeFileSync(join(left, 'node'), '');
    expect(oneFile(['--version'], { THERMOS_CACHE_DIR: path('cache') }).stdout).toBe(PRINTED);
    expect(existsSync(left)).toBe(false);
  });

  test('removes another version that nobody has used for a week, and none that is used', async () => {
    const env = { THERMOS_CACHE_DIR: path('cache') };
    const names = { used: '00000000000000aa', old: '00000000000000bb', recent: '00000000000000cc' };
    for (const name of Object.values(names)) {
      mkdirSync(path('cache', name), { recursive: true, mode: 0o700 });
      copyFileSync('/bin/sleep', path('cache', name, 'sleep'));
      chmodSync(path('cache', name, 'sleep'), 0o755);
    }
    chmodSync(path('cache'), 0o700);
    const child = spawn(path('cache', names.used, 'sleep'), ['1000']);
    children.push(child);
    await once(child, 'spawn');
    await until(() => readlinkSync(`/proc/${child.pid}/exe`).includes(names.used));
    const old = Date.now() / 1000 - 8 * 24 * 3600;
    for (const name of [names.used, names.old]) utimesSync(path('cache', name), old, old);
    expect(oneFile(['--version'], env).stdout).toBe(PRINTED);
    const others = () => readdirSync(path('cache')).filter((name) => name.startsWith('0000'));
    expect(others().sort()).toEqual([names.used, names.recent]);
  });

  test('refuses a cache that others can write, or that is not a directory', () => {
    mkdirSync(path('cache'));
    chmodSync(path('cache'), 0o777);
    const env = { THERMOS_CACHE_DIR: path('cache') };
    const end =
      'so thermos does not execute what is in it: set THERMOS_CACHE_DIR to a directory that only you can write';
    expect(oneFile(['--version'], env)).toEqual(
      refusal(`${path('cache')}: other users can write there, ${end}`),
    );
    symlinkSync('cache', path('link'));
    expect(oneFile(['--version'], { THERMOS_CACHE_DIR: path('link') })).toEqual(
      refusal(`${path('link')}: it is not a directory, ${end}`),
    );
    expect(oneFile(['--version'], { THERMOS_CACHE_DIR: 'cache' })).toEqual(
      refusal('THERMOS_CACHE_DIR is not an absolute path'),
    );
    if (!IS_ROOT) return;
    chmodSync(path('cache'), 0o700);
    chownSync(path('cache'), 12345, 12345);
    expect(oneFile(['--version'], env)).toEqual(
      refusal(`${path('cache')}: it belongs to another user, ${end}`),
    );
  });

  test('on a full disk leaves nothing, and says where it needs room', () => {
    const line = `ulimit -f 1000; THERMOS_CACHE_DIR='${path('cache')}' exec '${ONE_FILE}' --version`;
    const where = `there is no place for its 140 MB: ${path('cache')}: File too large`;
    const advice = 'set THERMOS_CACHE_DIR to a directory of yours with room, or use the archive .tar.xz';
    expect(runToEnd('bash', ['-c', line])).toEqual(refusal(`${where}; ${advice}`));
    expect(readdirSync(path('cache'))).toEqual(['lock']);
  });

  test('that was cut off or changed is not executed', () => {
    const copy = path('thermos');
    copyFileSync(ONE_FILE, copy);
    truncateSync(copy, 5_000_000);
    const env = { THERMOS_CACHE_DIR: path('cache') };
    expect(oneFile(['--version'], env, copy)).toEqual(
      refusal('its own file was cut off or changed: copy it again, and compare it with SHA256SUMS'),
    );
    for (const place of [0.3, 0.6, 0.9]) {
      copyFileSync(ONE_FILE, copy);
      const fd = openSync(copy, 'r+');
      writeSync(fd, 'damage', Math.floor(fstatSync(fd).size * place));
      closeSync(fd);
      expect(oneFile(['--version'], env, copy)).toEqual(
        refusal('its own file was damaged: copy it again, and compare it with SHA256SUMS'),
      );
      expect(readdirSync(path('cache'))).toEqual(['lock']);
    }
  });
});
