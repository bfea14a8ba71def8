import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Records, writeTask } from '../task/trees.js';
import { type Finished, PROGRAM, placeForEach, shell, thermos } from './harness.js';
import { expectContract } from './tasks.js';

const AS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

const place = placeForEach();
let sandbox: string;
let dest: string;
beforeEach(() => {
  sandbox = plant(place.root, 'web-0');
  dest = join(place.path, 'dest');
  mkdirSync(dest);
});

/** A task that is over, with a file in its sandbox; returns the path of that. */
function plant(root: string, id: string, uid = process.getuid?.() ?? 0): string {
  const path = join(root, 'sandboxes', id);
  const header = { task_id: id, sandbox: path, log_dir: join(path, '.logs'), uid };
  const runner = new Records().status('ACTIVE').header(header).status('SUCCESS');
  writeTask(root, id, { phase: 'finished', runner });
  mkdirSync(join(path, 'logs'), { recursive: true });
  writeFileSync(join(path, 'logs', 'app.log'), `hello from ${id}\n`);
  return path;
}

const run = (command: string, ...args: string[]): Finished =>
  thermos([command, '--root', place.root, ...args], { cwd: dest });

describe('ls', () => {
  test('shows mode, owner, size, time and name of everything, hidden or not', () => {
    mkdirSync(join(sandbox, '.logs'));
    chmodSync(join(sandbox, '.logs'), 0o755);
    chmodSync(join(sandbox, 'logs'), 0o750);
    symlinkSync('logs/app.log', join(sandbox, 'current'));
    writeFileSync(join(sandbox, 'esc\u001b[31m\n'), 'x');
    const { stdout, stderr, status } = run('ls', 'web-0');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const rows = stdout.split('\n').map((line) => line.split(/ +/));
    expect(rows.map(([mode, , size, , ...name]) => [mode, size, name.join(' ')])).toEqual([
      ['MODE', 'SIZE', 'NAME'],
      ['drwxr-xr-x', '-', '.logs'],
      [expect.stringMatching(/^l/), '-', 'current -> logs/app.log'],
      [expect.stringMatching(/^-/), '1', 'esc\\e[31m\\n'],
      ['drwxr-x---', '-', 'logs'],
      ['', undefined, ''],
    ]);
    expect(rows[1]?.[3]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('lists a directory, a file, what a link leads to, and with --recursive all below', () => {
    symlinkSync('logs', join(sandbox, 'link'));
    const names = (...args: string[]) =>
      JSON.parse(run('ls', '--json', ...args).stdout).entries.map(({ name }: { name: string }) => name);
    expect(names('web-0:logs')).toEqual(['app.log']);
    expect(names('web-0:link')).toEqual(['app.log']);
    expect(names('web-0:logs/app.log')).toEqual(['app.log']);
    expect(names('web-0', '-R')).toEqual(['link', 'logs', 'logs/app.log']);
  });

  test('prints a document', () => {
    utimesSync(join(sandbox, 'logs', 'app.log'), 1, 1_400_000_000);
    chmodSync(join(sandbox, 'logs', 'app.log'), 0o640);
    symlinkSync('/etc', join(sandbox, 'logs', 'link'));
    const { stdout, status } = run('ls', '--json', 'web-0:logs');
    const document = JSON.parse(stdout);
    expectContract('ls', document);
    expect(status).toBe(0);
    expect(document).toMatchObject({
      task_id: 'web-0',
      path: join(sandbox, 'logs'),
      entries: [
        { name: 'app.log', type: 'file', bytes: 17, mtime_ms: 1_400_000_000_000, mode: '0640' },
        { name: 'link', type: 'link', target: '/etc' },
      ],
      problems: [],
    });
  });

  test('a link that leads nowhere is shown, and one that leads out is refused', () => {
    symlinkSync('nowhere', join(sandbox, 'dangling'));
    symlinkSync('/etc', join(sandbox, 'out'));
    expect(run('ls', 'web-0:dangling').stdout).toContain('dangling -> nowhere');
    const { stdout, stderr, status } = run('ls', 'web-0:out');
    expect({ stdout, status }).toEqual({ stdout: '', status: 5 });
    expect(stderr).toContain(`${sandbox}/out leads out of ${sandbox}: it is a link to /etc`);
  });
});

describe('a word', () => {
  test.each([
    ['web-9', 1, 'task-not-found'],
    ['web-0:nothing', 1, 'file-missing'],
    ['web-0:../x', 2, 'path-outside'],
    ['web-0:/etc/passwd', 2, 'path-outside'],
    ['web', 2, 'ambiguous-task'],
    ['[:x', 2, 'bad-pattern'],
  ])('%s: exit code %i, %s', (word, exitCode, code) => {
    plant(place.root, 'web-1');
    for (const command of ['ls', 'cat']) {
      const { stdout, status } = run(command, '--json', word);
      const document = JSON.parse(stdout);
      expectContract('error', document);
      expect({ status, code: document.error.code }).toEqual({ status: exitCode, code });
    }
  });

  test('may have colons in its task and its path; an exact id wins', () => {
    plant(place.root, 'a:b');
    writeFileSync(join(plant(place.root, 'a'), 'b:c'), 'of a');
    expect(run('cat', 'a:b:logs/app.log').stdout).toBe('hello from a:b\n');
    expect(run('cat', 'a:b:c').status).toBe(1);
    expect(run('cat', 'a:./b:c').stdout).toBe('of a');
    expect(JSON.parse(run('ls', '--json', 'a:b').stdout).task_id).toBe('a:b');
  });

  test('may be left out in a sandbox, and may be the path of one', () => {
    const here = thermos(['cat', ':logs/app.log'], { cwd: sandbox, env: { THERMOS_ROOT: '' } });
    expect(here.stdout).toBe('hello from web-0\n');
    expect(thermos(['cat', `${sandbox}:logs/app.log`]).stdout).toBe('hello from web-0\n');
    expect(run('cat', `web-0:${sandbox}/logs/app.log`).stdout).toBe('hello from web-0\n');
  });

  test('that is an id in two roots is refused, with what to type', () => {
    const other = join(place.path, 'other');
    plant(other, 'web-0');
    const { stderr, status } = thermos(['ls', '--root', place.root, '--root', other, 'web-0:logs']);
    expect(status).toBe(2);
    const command = `thermos ls --root ${other} web-0:logs`;
    expect(stderr).toContain(command);
    expect(shell(command).stdout).toContain('app.log');
  });

  test('of a task whose sandbox was removed is not found', () => {
    spawnSync('rm', ['-r', sandbox]);
    const { stderr, status } = run('ls', 'web-0');
    expect(status).toBe(1);
    expect(stderr).toContain('task web-0 has no sandbox');
  });
});

describe('cat', () => {
  test('prints files byte for byte, one after the other', () => {
    const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7919) % 256));
    writeFileSync(join(sandbox, 'bytes'), bytes);
    const words = ['web-0:bytes', 'web-0:logs/app.log'];
    const { stdout } = spawnSync(process.execPath, [PROGRAM, 'cat', '--root', place.root, ...words], {
      maxBuffer: 1 << 24,
    });
    expect(stdout.equals(Buffer.concat([bytes, Buffer.from('hello from web-0\n')]))).toBe(true);
  });

  test('prints what is there, and says what is not', () => {
    const { stdout, stderr, status } = run('cat', 'web-0:nothing', 'web-0:logs/app.log', 'web-0:logs');
    expect({ stdout, status }).toEqual({ stdout: 'hello from web-0\n', status: 5 });
    expect(stderr).toContain('there is no nothing in the sandbox of task web-0');
    expect(stderr).toContain('list it: thermos ls');
    expect(run('cat', 'web-0:nothing', 'web-9:x').status).toBe(1);
  });

  test('prints pieces as JSON, in base64 if they are no text, and never cuts a character', () => {
    const text = `x${'é€𝄞'.repeat(100_000)}`;
    writeFileSync(join(sandbox, 'text'), text);
    writeFileSync(join(sandbox, 'bytes'), Buffer.from([0xff, 0, 0xc3]));
    writeFileSync(join(sandbox, 'empty'), '');
    const { stdout, status } = run('cat', '--json', 'web-0:text', 'web-0:bytes', 'web-0:empty', 'web-0:logs');
    expect(status).toBe(5);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const line of lines) expectContract('cat', line);
    const pieces = lines.filter(({ path }) => path === join(sandbox, 'text'));
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.every(({ encoding }) => encoding === 'utf8')).toBe(true);
    expect(pieces.map(({ data }) => data).join('')).toBe(text);
    expect(lines.slice(pieces.length)).toMatchObject([
      { path: join(sandbox, 'bytes'), offset: 0, data: '/wDD', encoding: 'base64' },
      { path: join(sandbox, 'empty'), offset: 0, data: '', encoding: 'utf8' },
      { problem: { code: 'file-not-regular' } },
    ]);
  });

  test('ends quietly if nobody reads on', () => {
    truncateSync(join(sandbox, 'logs', 'app.log'), 1 << 26);
    const { stdout, stderr } = shell(
      `thermos cat --root '${place.root}' web-0:logs/app.log | head -c 3 | od -An -c; echo "\${PIPESTATUS[0]}"`,
    );
    expect({ stdout, stderr }).toEqual({ stdout: '   h   e   l\n0\n', stderr: '' });
  });

  test('opens no FIFO and no device, and follows no link out', () => {
    spawnSync('mkfifo', [join(sandbox, 'fifo')]);
    symlinkSync('/dev/zero', join(sandbox, 'zero'));
    const { stdout, stderr, status } = run('cat', 'web-0:fifo', 'web-0:zero');
    expect({ stdout, status }).toEqual({ stdout: '', status: 5 });
    expect(stderr).toContain('it is a FIFO, not a file');
    expect(stderr).toContain('it is a link to /dev/zero');
  });
});

describe('cp', () => {
  test('copies a file into a directory or to a name, with its permissions and times', () => {
    const file = join(sandbox, 'logs', 'app.log');
    chmodSync(file, 0o4741);
    utimesSync(file, 1_400_000_000, 1_400_000_001);
    expect(run('cp', 'web-0:logs/app.log', '.')).toMatchObject({
      status: 0,
      stdout: `${file} -> ${dest}/app.log: 1 file, 17B\n`,
      stderr: '',
    });
    expect(run('cp', 'web-0:logs/app.log', 'name').status).toBe(0);
    for (const name of ['app.log', 'name']) {
      const { mode, mtimeMs } = lstatSync(join(dest, name));
      expect([mode & 0o7777, mtimeMs]).toEqual([0o741, 1_400_000_001_000]);
      expect(readFileSync(join(dest, name), 'utf8')).toBe('hello from web-0\n');
    }
  });

  test('refuses to overwrite without --force', () => {
    writeFileSync(join(dest, 'app.log'), 'old');
    const { stderr, status, stdout } = run('cp', 'web-0:logs/app.log', '.');
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(stderr).toBe(`error: ${dest}/app.log exists\nhint: --force replaces files\n`);
    expect(readFileSync(join(dest, 'app.log'), 'utf8')).toBe('old');
    expect(run('cp', '-f', 'web-0:logs/app.log', '.').status).toBe(0);
    expect(readFileSync(join(dest, 'app.log'), 'utf8')).toBe('hello from web-0\n');
  });

  test('copies directories with --recursive: links in it as links, and nothing that leads out', () => {
    symlinkSync('logs/app.log', join(sandbox, 'current'));
    symlinkSync('/etc/passwd', join(sandbox, 'out'));
    spawnSync('mkfifo', [join(sandbox, 'fifo')]);
    chmodSync(join(sandbox, 'logs'), 0o550);
    expect(run('cp', 'web-0', 'copy')).toMatchObject({ status: 2 });
    const { stderr, status } = run('cp', '-r', 'web-0', 'copy');
    expect(status).toBe(5);
    expect(stderr).toContain(`${sandbox}/out is not copied: it is a link to /etc/passwd`);
    expect(stderr).toContain(`${sandbox}/fifo is not copied: it is a FIFO`);
    expect(readdirSync(join(dest, 'copy')).sort()).toEqual(['current', 'logs']);
    expect(readlinkSync(join(dest, 'copy', 'current'))).toBe('logs/app.log');
    expect(lstatSync(join(dest, 'copy', 'logs')).mode & 0o777).toBe(0o550);
    chmodSync(join(dest, 'copy', 'logs'), 0o750);
    expect(run('cp', '-r', '--links', 'web-0', 'with-links').status).toBe(5);
    expect(readlinkSync(join(dest, 'with-links', 'out'))).toBe('/etc/passwd');
    for (const path of [join(dest, 'with-links', 'logs'), join(sandbox, 'logs')]) chmodSync(path, 0o750);
  });

  test('several things go into a directory, under names that do not meet', () => {
    plant(place.root, 'web-1');
    const { stdout, status } = run('cp', '--json', '-f', 'web-0:logs/app.log', 'web-1:logs/app.log', '.');
    expect(status).toBe(5);
    const document = JSON.parse(stdout);
    expectContract('cp', document);
    expect(document).toMatchObject({
      copied: [{ task_id: 'web-0', to: join(dest, 'app.log'), files: 1, bytes: 17 }],
      problems: [{ code: 'copy-refused', task_id: 'web-1' }],
    });
    expect(run('cp', 'web-0:logs/app.log', 'web-1:logs/app.log', 'name').status).toBe(2);
  });

  test.each(['web-0:logs', 'nothing:x', 'nowhere/name', 'nowhere/'])('cannot copy to %s', (to) => {
    const { status, stderr } = run('cp', 'web-0:logs/app.log', to);
    expect(status).toBe(2);
    if (to.startsWith('web-0')) expect(stderr).toMatch(/sudo -u \S+ cp FILE \S+\/web-0\/logs\n/);
    expect(readdirSync(dest)).toEqual([]);
  });

  test('a copy is not put into itself', () => {
    const { status, stderr } = run('cp', '-r', 'web-0', sandbox);
    expect(status).toBe(5);
    expect(stderr).toContain('the copy would be in it');
    expect(readdirSync(sandbox)).toEqual(['logs']);
  });

  test('holes stay holes', () => {
    truncateSync(join(sandbox, 'logs', 'app.log'), 1 << 26);
    expect(run('cp', 'web-0:logs/app.log', '.').status).toBe(0);
    const { size, blocks } = lstatSync(join(dest, 'app.log'));
    expect(size).toBe(1 << 26);
    expect(blocks * 512).toBeLessThan(1 << 22);
    expect(readFileSync(join(dest, 'app.log')).subarray(0, 17).toString()).toBe('hello from web-0\n');
  });

  test('a file that cannot be written whole is not there', () => {
    writeFileSync(join(sandbox, 'large'), Buffer.alloc(1 << 20, 'x'));
    const line = `trap '' XFSZ; ulimit -f 100; thermos cp --root '${place.root}'`;
    const one = shell(`${line} web-0:large .`, { cwd: dest });
    expect(one.status).toBe(5);
    expect(one.stderr).toContain(`cannot write ${dest}/large`);
    expect(readdirSync(dest)).toEqual([]);
    const all = shell(`${line} -r web-0 copy`, { cwd: dest });
    expect(all.status).toBe(5);
    expect(readdirSync(join(dest, 'copy'))).toEqual(['logs']);
  });

  test('a signal ends it, and what is copied by then is whole', async () => {
    const size = 3 << 20;
    mkdirSync(join(sandbox, 'data'));
    for (let i = 0; i < 40; i++) writeFileSync(join(sandbox, 'data', String(i)), Buffer.alloc(size, 'x'));
    const args = [PROGRAM, 'cp', '-r', '--root', place.root, 'web-0:data', dest];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    place.children.push(child);
    const ended = once(child, 'exit');
    const files = () => readdirSync(dest).flatMap((name) => readdirSync(join(dest, name)));
    while (files().length === 0 && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGINT');
    const [code, signal] = await ended;
    // It may have been done just before.
    expect([130, 0, 'SIGINT']).toContain(code ?? signal);
    expect(readdirSync(dest)).toEqual(['data']);
    for (const name of files()) expect(lstatSync(join(dest, 'data', name)).size).toBe(size);
  });
});

describe.runIf(AS_ROOT)('as root, of a task of somebody else', () => {
  beforeEach(() => {
    sandbox = plant(place.root, 'theirs', NOBODY);
    spawnSync('chown', ['-R', `${NOBODY}`, sandbox]);
    writeFileSync(join(sandbox, 'secret'), 'of root', { mode: 0o600 });
    mkdirSync(join(sandbox, 'closed'), { mode: 0o700 });
    chmodSync(join(place.path), 0o755);
  });

  test('nothing is shown or copied that they could not read', () => {
    expect(run('cat', 'theirs:logs/app.log').stdout).toBe('hello from theirs\n');
    expect(run('cat', 'theirs:secret')).toMatchObject({ status: 5, stdout: '' });
    expect(run('ls', 'theirs:closed')).toMatchObject({ status: 5, stdout: '' });
    const { status, stderr } = run('cp', '-r', 'theirs', 'copy');
    expect(status).toBe(5);
    expect(stderr).toContain(`may not read ${sandbox}/secret`);
    expect(readdirSync(join(dest, 'copy'))).toEqual(['logs']);
    expect(lstatSync(join(dest, 'copy', 'logs', 'app.log')).uid).toBe(0);
  });

  test('a sandbox that leads elsewhere is read as they could', () => {
    const elsewhere = join(place.path, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    writeFileSync(join(elsewhere, 'file'), 'text');
    const header = { task_id: 'forged', sandbox: elsewhere, uid: NOBODY };
    writeTask(place.root, 'forged', { runner: new Records().status('ACTIVE').header(header) });
    for (const args of [
      ['ls', 'forged'],
      ['cat', 'forged:file'],
      ['cp', '-r', 'forged', 'copy'],
    ] as const) {
      const { status, stdout, stderr } = run(...(args as unknown as [string, ...string[]]));
      expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
      expect(stderr).toMatch(/may not (enter|list) /);
    }
    expect(existsSync(join(dest, 'copy'))).toBe(false);
    chownSync(elsewhere, NOBODY, NOBODY);
    expect(run('cat', 'forged:file').stdout).toBe('text');
  });
});
