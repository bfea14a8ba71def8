import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanEnv, programOf, tempDir } from './harness.js';

const isRoot = process.getuid?.() === 0;
const ME = process.getuid?.() ?? 0;
const NOBODY = 65_534;

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

/** The modes of all that is below a directory, and whose it is. */
function modes(directory: string): Record<string, { mode: string; uid: number }> {
  const found: Record<string, { mode: string; uid: number }> = {};
  const visit = (path: string) => {
    const { mode, uid } = statSync(path);
    found[relative(directory, path)] = { mode: (mode & 0o7777).toString(8), uid };
    if (statSync(path).isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(directory);
  return found;
}

interface Options {
  umask: string;
  words?: string[];
  id?: string;
  uid?: number;
}

/** Runs a task that makes a file and a directory; in the root `R` of the temp directory. */
function run(
  { umask, words = [], id = 't', uid }: Options,
  cmdline = 'umask; mkdir made; : > made/file; ls .logs/*',
) {
  const config = join(temp.path, 'task.json');
  const process_ = { name: 'p', cmdline, min_duration: 0 };
  writeFileSync(config, JSON.stringify({ name: 'web', finalization_wait: 5, processes: [process_] }));
  chmodSync(config, 0o644);
  const line = [
    process.execPath,
    programOf(uid),
    'run',
    '--root',
    `${temp.path}/R`,
    '--task-id',
    id,
    ...words,
    config,
  ];
  const quoted = line.map((word) => `'${word}'`).join(' ');
  const { status, stderr } = spawnSync('bash', ['-c', `umask ${umask}; exec ${quoted}`], {
    env: cleanEnv(),
    encoding: 'utf8',
    uid,
    gid: uid,
  });
  return { status, stderr };
}

const logOf = (name: string) => readFileSync(join(temp.path, 'R/sandboxes/t/.logs/p/0', name), 'utf8');

const UMASKS = ['0000', '0022', '0027', '0077', '0777'];

describe("the caller's umask", () => {
  test.each(UMASKS)('%s: the task runs, and its commands have it', (umask) => {
    if (isRoot) {
      mkdirSync(join(temp.path, 'R'));
      chownSync(join(temp.path, 'R'), NOBODY, NOBODY);
    }
    const bits = Number.parseInt(umask, 8);
    // A command that may not use what it makes is no fault of ours.
    const usable = (bits & 0o700) === 0;
    const { status, stderr } = run(
      { umask, uid: isRoot ? NOBODY : undefined },
      usable ? undefined : 'umask; : > file',
    );
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(logOf('stdout')).toMatch(new RegExp(`^${umask}\\n`));
    expectSafe(bits);
  });

  test.each(UMASKS)('%s: and so it does for another user', (umask) => {
    const bits = Number.parseInt(umask, 8);
    const usable = (bits & 0o700) === 0;
    const { status, stderr } = run(
      { umask, words: ['--user', isRoot ? 'nobody' : 'root'] },
      usable ? undefined : 'umask; : > file',
    );
    if (!isRoot) {
      expect([status, stderr]).toEqual([2, expect.stringContaining('only root')]);
      return;
    }
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(logOf('stdout')).toMatch(new RegExp(`^${umask}\\n`));
    expectSafe(bits);
    const found = modes(join(temp.path, 'R'));
    for (const path of ['', 'sandboxes', 'sandboxes/t/.logs', 'sandboxes/t/.logs/p'])
      expect([path, found[path]]).toEqual([path, { mode: '755', uid: 0 }]);
    for (const path of ['sandboxes/t', 'sandboxes/t/.logs/p/0', 'sandboxes/t/.logs/p/0/stdout'])
      expect([path, found[path]?.uid]).toEqual([path, NOBODY]);
    // The next one finds what this one made.
    expect(run({ umask, words: ['--user', 'nobody'], id: 'again' }, 'true').status).toBe(0);
  });

  /** Nobody but the owner writes, the owner may do all, and who may not read by the umask may not. */
  function expectSafe(umask: number): void {
    const directories = ['', 'checkpoints', 'checkpoints/t', 'tasks', 'tasks/finished', 'sandboxes/t'];
    const files = ['checkpoints/t/runner', 'checkpoints/t/coordinator.p', 'tasks/finished/t'];
    const logs = ['sandboxes/t/.logs/p/0/stdout', 'sandboxes/t/.logs/p/0/stderr'];
    const found = modes(join(temp.path, 'R'));
    const open: [string, string][] = [];
    for (const [path, { mode }] of Object.entries(found)) {
      const isCommands = /^sandboxes\/t\/(made|file)/.test(path);
      const bits = Number.parseInt(mode, 8);
      if (!isCommands && (bits & 0o022) !== 0) open.push([path, mode]);
    }
    expect(open).toEqual([]);
    for (const path of [...files, ...logs])
      expect([path, found[path]?.mode]).toEqual([path, (0o644 & ~(umask & 0o077)).toString(8)]);
    for (const path of directories.filter((each) => each !== ''))
      expect([path, found[path]?.mode]).toEqual([path, (0o755 & ~(umask & 0o077)).toString(8)]);
  }
});

describe('rotated logs and a task that is taken up again', () => {
  test('are made under it, too', () => {
    const words = [
      '--process-logger-mode',
      'rotate',
      '--rotate-log-size-mb',
      '1',
      '--rotate-log-backups',
      '2',
    ];
    const { status } = run(
      { umask: '0027', words: isRoot ? [...words, '--user', 'nobody'] : words },
      'umask; yes | head -c 3000000',
    );
    expect(status).toBe(0);
    const logs = join(temp.path, 'R/sandboxes/t/.logs/p/0');
    const made = Object.fromEntries(readdirSync(logs).map((name) => [name, modes(logs)[name]?.mode]));
    expect(made).toEqual({ stderr: '640', stdout: '640', 'stdout.1': '640', 'stdout.2': '640' });
  });
});

describe('logs', () => {
  test("a task can't move the logs of its processes", () => {
    const cmdline =
      'mv .logs/p .logs/q; mkdir .logs/x; mv .logs/p/0 .logs/p/1; rm -r .logs/p; echo mine > .logs/p/0/mine';
    const { status } = run({ umask: '0022', words: isRoot ? ['--user', 'nobody'] : [] }, `${cmdline}; true`);
    expect(status).toBe(0);
    const found = modes(join(temp.path, 'R/sandboxes/t/.logs'));
    if (!isRoot) return;
    expect(Object.entries(found).map(([path, { uid }]) => [path, uid])).toEqual([
      ['', 0],
      ['p', 0],
      ['p/0', NOBODY],
      ...['mine'].map((name) => [`p/0/${name}`, NOBODY]),
    ]);
  });
});

describe('the profile of a sandbox', () => {
  const CMDLINE = 'echo "from: $FROM"';
  const sandbox = () => join(temp.path, 'sandbox');
  const log = () => readFileSync(join(sandbox(), '.logs/p/0/stdout'), 'utf8');

  function make(file: { mode: number; uid?: number }, directory: { mode: number; uid?: number }): void {
    mkdirSync(sandbox());
    writeFileSync(join(sandbox(), '.thermos_profile'), 'FROM=profile\n');
    chmodSync(join(sandbox(), '.thermos_profile'), file.mode);
    chmodSync(sandbox(), directory.mode);
    if (!isRoot) return;
    chownSync(join(sandbox(), '.thermos_profile'), file.uid ?? ME, file.uid ?? ME);
    chownSync(sandbox(), directory.uid ?? ME, directory.uid ?? ME);
  }

  test.each([
    ['its own', { mode: 0o644 }, { mode: 0o755 }],
    ['its own for its eyes only', { mode: 0o600 }, { mode: 0o700 }],
    ['its own in a directory where each has what he made', { mode: 0o644 }, { mode: 0o1777 }],
  ])('is read: %s', (_, file, directory) => {
    make(file, directory);
    const { status, stderr } = run({ umask: '0022', words: ['--sandbox', sandbox()] }, CMDLINE);
    expect([status, stderr, log()]).toEqual([0, expect.not.stringContaining('profile'), 'from: profile\n']);
  });

  interface Kind {
    mode: number;
    uid?: number;
  }
  const ANYBODYS: [string, Kind, Kind] = [
    'a directory where others may write',
    { mode: 0o644 },
    { mode: 0o777 },
  ];
  const ANOTHERS: [string, Kind, Kind] = [
    'a directory of another',
    { mode: 0o644 },
    { mode: 0o755, uid: NOBODY },
  ];
  const FILES: [string, Kind, Kind][] = [
    ['a file that others may write', { mode: 0o666 }, { mode: 0o755 }],
    isRoot ? ['a file of another', { mode: 0o644, uid: NOBODY }, { mode: 0o755 }] : ANYBODYS,
  ];

  test.each(isRoot ? [ANYBODYS, ANOTHERS] : [])(
    'is of no use to root in %s: nor is the sandbox',
    (_, file, directory) => {
      make(file, directory);
      const { status, stderr } = run({ umask: '0022', words: ['--sandbox', sandbox()] }, CMDLINE);
      expect([status, stderr]).toEqual([
        2,
        expect.stringMatching(/cannot be used: \S+ (belongs to|can be written)/),
      ]);
      expect(existsSync(join(sandbox(), '.logs'))).toBe(false);
    },
  );

  test.each(FILES)('is not read: %s', (_, file, directory) => {
    make(file, directory);
    const { status, stderr } = run({ umask: '0022', words: ['--sandbox', sandbox()] }, CMDLINE);
    expect([status, log()]).toEqual([0, 'from: \n']);
    expect(stderr).toContain(
      `${sandbox()}/.thermos_profile is not read, because others could have written it`,
    );
  });
});
