import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Records } from '../task/trees.js';
import { actions, deleted, du, gc, gcTask, gone, hookFile, listing, put } from './gc-trees.js';
import { cleanEnv, FIXTURES, PROGRAM, placeForEach, shell, startThermos, thermos } from './harness.js';

const AS_ROOT = process.getuid?.() === 0;

let dir: string;
let root: string;
const place = placeForEach();
const { children } = place;
beforeEach(() => {
  ({ path: dir, root } = place);
});

describe('exactly the plan', () => {
  test('a host of the corpus: the planned paths are gone, all else is as it was, and du agrees', () => {
    cpSync(join(FIXTURES, 'host'), dir, { recursive: true, preserveTimestamps: true });
    // How long its streams have been still depends on when the fixtures were checked out.
    const collect = (how: string) => gc(['--root', root, '--no-orphans', how]);
    const before = listing(dir);
    const bytes = du(dir);
    const plan = collect('--dry-run');
    expect(gone(before, listing(dir))).toEqual([]);

    const answer = collect('--yes');
    expect(answer.status).toBe(0);
    expect(answer.json.tasks).toHaveLength(5);
    const missing = gone(before, listing(dir));
    expect(deleted(answer)).toEqual(deleted(plan));
    expect(missing.filter((path) => deleted(plan).includes(path))).toEqual(deleted(plan));
    for (const path of missing) {
      expect(deleted(plan).some((planned) => path === planned || path.startsWith(`${planned}/`))).toBe(true);
    }
    expect(answer.json.freed_bytes).toBe(bytes - du(dir));
    expect(answer.json.freed_bytes).toBe(plan.json.freed_bytes);

    const again = collect('--yes');
    expect([again.status, again.json.tasks, again.json.freed_bytes]).toEqual([0, [], 0]);
    expect(again.stderr).toBe('There is nothing to collect of 2 tasks (2 active).\n');
  });

  test('a pattern that matches only what stays: what was looked at is told', () => {
    gcTask(root, 'fresh-1');
    gcTask(root, 'fresh-2');
    const kept = gc(['--root', root, '--yes', '--max-tasks', '5', 'fresh-.*']);
    expect([kept.status, kept.json.tasks, kept.stderr]).toEqual([
      0,
      [],
      'There is nothing to collect of 2 tasks (2 finished).\n',
    ]);
  });

  test('sparse files and hard links count as du counts them', () => {
    const sandbox = gcTask(root, 'a');
    truncateSync(`${sandbox}/data.txt`, 1 << 30);
    put(`${sandbox}/big`, 'x'.repeat(1 << 20));
    linkSync(`${sandbox}/big`, `${sandbox}/again`);
    mkdirSync(`${sandbox}/deep`);
    linkSync(`${sandbox}/big`, `${sandbox}/deep/third`);
    const bytes = du(dir);
    const plan = gc(['--root', root, '--dry-run']);
    const answer = gc(['--root', root, '--yes']);
    expect(answer.status).toBe(0);
    expect(answer.json.freed_bytes).toBe(bytes - du(dir));
    expect(plan.json.freed_bytes).toBe(answer.json.freed_bytes);
    expect(existsSync(sandbox)).toBe(false);
  });

  test('names of any bytes, deeper than a path may be long', () => {
    const sandbox = gcTask(root, 'a b%[x]:é\u001b[1m');
    mkdirSync(Buffer.concat([Buffer.from(`${sandbox}/`), Buffer.from([0xff, 0xfe, 0x0a])]));
    const deep = `d=${'n'.repeat(200)}; cd "$1"; for i in $(seq 300); do mkdir $d; cd $d; done`;
    expect(spawnSync('bash', ['-c', deep, 'bash', sandbox]).status).toBe(0);
    const answer = gc(['--root', root, '--yes']);
    expect(actions(answer, 'a b%[x]:é\u001b[1m').every((action) => action.endsWith(' deleted'))).toBe(true);
    expect([answer.status, existsSync(sandbox)]).toEqual([0, false]);
  });

  test('what is kept and what goes: metadata, logs, data', () => {
    const outside = `${dir}/outside/t`;
    gcTask(root, 'made');
    gcTask(root, 'given', { header: { sandbox: outside } });
    const kinds = (args: string[], id: string) => actions(gc(['--root', root, '--dry-run', ...args]), id);
    expect(kinds([], 'made')).toEqual(
      ['logs', 'data', 'metadata', 'metadata'].map((kind) => `${kind} would-delete`),
    );
    expect(kinds([], 'given')).toEqual(
      ['logs', 'metadata', 'metadata'].map((kind) => `${kind} would-delete`),
    );
    expect(kinds(['--delete-data'], 'given')).toHaveLength(4);
    expect(kinds(['--keep-data'], 'made')).toHaveLength(3);
    expect(kinds(['--keep-metadata', '--keep-logs', '--keep-data'], 'made')).toEqual([]);

    const answer = gc(['--root', root, '--yes', '--delete-data', '--keep-logs', 'given']);
    expect(actions(answer, 'given')).toEqual(['data deleted', 'metadata deleted', 'metadata deleted']);
    expect(readdirSync(outside)).toEqual(['.logs']);
    expect(existsSync(`${outside}/.logs/p/0/stdout`)).toBe(true);
  });

  test('limits, and TASK that restricts them', () => {
    for (const [id, hours] of Object.entries({ 'web-1': 1, 'web-10': 2, 'web-2': 3, 'db-1': 4 })) {
      gcTask(root, id, { ageMs: hours * 3_600_000 });
    }
    const ids = (...args: string[]) =>
      gc(['--root', root, '--dry-run', ...args])
        .json.tasks.map(({ task_id }) => task_id)
        .sort();
    expect(ids('--max-age', '2h30m')).toEqual(['db-1', 'web-2']);
    expect(ids('--max-age', '9000')).toEqual(['db-1', 'web-2']);
    expect(ids('--max-age', 'PT2H30M')).toEqual(['db-1', 'web-2']);
    expect(ids('--max_tasks', '1')).toEqual(['db-1', 'web-10', 'web-2']);
    expect(ids('--max-tasks', '1', 'web-.*')).toEqual(['web-10', 'web-2']);
    expect(ids('web-1')).toEqual(['web-1']);
    expect(ids('--max_age=1d', 'web-1')).toEqual([]);
    const size = gc(['--root', root, '--dry-run', 'web-1']).json.freed_bytes;
    expect(ids('--max-space', `${size * 2}B`)).toEqual(['db-1', 'web-2']);
    const unknown = thermos(['gc', '--root', root, '--dryrun', 'web']);
    expect([unknown.status, unknown.stdout]).toEqual([1, '']);
    expect(unknown.stderr).toContain("no task matches 'web'");
  });
});

describe('asking', () => {
  test('no terminal and no --yes: exit 2, the flag, nothing touched', () => {
    gcTask(root, 'a');
    const before = listing(dir);
    const { status, stderr, stdout } = thermos(['gc', '--root', root]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--yes');
    expect(gone(before, listing(dir))).toEqual([]);
  });

  test.each([
    ['n', true],
    ['', true],
    ['y', false],
  ])('on a terminal the plan is shown and %j is the answer', (answer, stays) => {
    gcTask(root, 'a');
    const line = `'${process.execPath}' '${PROGRAM}' gc --root ${root}`;
    const { stdout } = shell(`(sleep 1; echo '${answer}') | script -qec "${line}" /dev/null`);
    expect(stdout).toContain('1 task would be collected');
    expect(stdout).toContain('[y/N]');
    expect(existsSync(`${root}/tasks/finished/a`)).toBe(stays);
  });

  test.each([
    [['--max-age', '5x'], '--max-age takes a duration such as 90s'],
    [['--max-space', '20'], '--max-space takes a size such as 20G'],
    [['--max-tasks', 'many'], '--max-tasks takes a number of tasks'],
    [['--orphan-age', 'soon'], '--orphan-age takes a duration such as 90s'],
    [['--keep-data', '--delete-data'], 'delete-data'],
    [['--yes', '('], 'pattern'],
  ])('%j: exit 2 and how it is right', (args, hint) => {
    gcTask(root, 'a');
    const { status, stderr } = thermos(['gc', '--root', root, '--yes', ...args]);
    expect(status).toBe(2);
    expect(stderr).toContain(hint);
    expect(existsSync(`${root}/tasks/finished/a`)).toBe(true);
  });
});

describe('guards: what a header says is not believed', () => {
  // Only shown, never carried out: these are the machine's own.
  test.each(['/', '/etc', '/usr/lib', '/home', '/var/lib'])('sandbox %s', (sandbox) => {
    gcTask(root, 'a', { header: { sandbox, log_dir: `${dir}/none` }, sandbox: {} });
    const answer = gc(['--root', root, '--dry-run', '--delete-data']);
    expect(actions(answer, 'a')[0]).toMatch(/^data refused: .*(system|root of the file system)/);
  });

  interface Forged {
    sandbox: string;
    log_dir?: string;
    /** Made before; nothing of it may change. */
    prepare?: () => void;
    data?: RegExp;
    logs?: RegExp;
    env?: Record<string, string>;
  }

  const FORGED: [string, () => Forged][] = [
    [
      '$HOME',
      () => ({
        sandbox: `${dir}/people/me`,
        prepare: () => put(`${dir}/people/me/thesis`, 'x'),
        env: { HOME: `${dir}/people/me` },
        data: /home directory/,
      }),
    ],
    [
      'a directory with $HOME in it',
      () => ({
        sandbox: `${dir}/people`,
        prepare: () => put(`${dir}/people/me/thesis`, 'x'),
        env: { HOME: `${dir}/people/me` },
        data: /home directory/,
      }),
    ],
    ['the root', () => ({ sandbox: `${dir}/root`, data: /task root/ })],
    ['around the root', () => ({ sandbox: dir, data: /task root .* is in it/ })],
    ['the checkpoints', () => ({ sandbox: `${dir}/root/checkpoints`, data: /part of the task root/ })],
    ['all sandboxes', () => ({ sandbox: `${dir}/root/sandboxes`, data: /not the sandbox of task a/ })],
    [
      "another task's sandbox",
      () => ({ sandbox: `${dir}/root/sandboxes/b`, data: /not the sandbox of task a/ }),
    ],
    [
      "in another task's sandbox",
      () => ({
        sandbox: `${dir}/given/b/inner`,
        prepare: () => put(`${dir}/given/b/inner/f`, 'x'),
        data: /task c uses/,
      }),
    ],
    ["around another task's sandbox", () => ({ sandbox: `${dir}/given`, data: /task c uses/ })],
    [
      'with .. in it',
      () => ({
        sandbox: `${dir}/x/../precious`,
        prepare: () => mkdirSync(`${dir}/x`),
        data: /its path contains \.\./,
      }),
    ],
    [
      'a link',
      () => ({
        sandbox: `${dir}/link`,
        prepare: () => symlinkSync(`${dir}/precious`, `${dir}/link`),
        data: /is a link/,
      }),
    ],
    [
      'behind a link',
      () => ({
        sandbox: `${dir}/link/in`,
        prepare: () => symlinkSync(`${dir}/precious`, `${dir}/link`),
        data: /is a link/,
      }),
    ],
    [
      'its own place, replaced by a link',
      () => ({
        sandbox: `${dir}/root/sandboxes/a`,
        prepare: () => {
          mkdirSync(`${dir}/root/sandboxes`, { recursive: true });
          symlinkSync(`${dir}/precious`, `${dir}/root/sandboxes/a`);
        },
        data: /is a link/,
      }),
    ],
    [
      "log_dir is another task's",
      () => ({
        sandbox: `${dir}/mine/a`,
        log_dir: `${dir}/root/sandboxes/b/.logs`,
        logs: /not in the sandbox/,
      }),
    ],
    [
      'log_dir out of the sandbox',
      () => ({ sandbox: `${dir}/mine/a`, log_dir: `${dir}/precious`, logs: /not in the sandbox/ }),
    ],
    [
      'log_dir beside the sandbox, its name only longer',
      () => ({
        sandbox: `${dir}/mine/a`,
        log_dir: `${dir}/mine/a-not/.logs`,
        prepare: () => put(`${dir}/mine/a-not/.logs/p/0/stdout`, 'x'),
        logs: /not in the sandbox/,
      }),
    ],
    [
      'log_dir with ..',
      () => ({
        sandbox: `${dir}/mine/a`,
        log_dir: `${dir}/mine/a/../../precious`,
        logs: /its path contains \.\./,
      }),
    ],
    [
      'log_dir a link',
      () => ({
        sandbox: `${dir}/mine/a`,
        prepare: () => {
          mkdirSync(`${dir}/mine/a`, { recursive: true });
          symlinkSync(`${dir}/precious`, `${dir}/mine/a/.logs`);
        },
        logs: /is a link/,
      }),
    ],
    [
      'log_dir that holds what is no log',
      () => ({
        sandbox: `${dir}/mine/a`,
        prepare: () => {
          put(`${dir}/mine/a/.logs/p/0/stdout`, 'x');
          put(`${dir}/mine/a/.logs/p/0/thesis`, 'x');
        },
        logs: /p\/0\/thesis in it is not a log/,
      }),
    ],
  ];

  test.each(FORGED)('%s', (_, make) => {
    const { sandbox, log_dir, prepare, data, logs, env } = make();
    put(`${dir}/precious/in/file`, 'precious');
    gcTask(root, 'b');
    gcTask(root, 'c', { header: { sandbox: `${dir}/given/b` } });
    prepare?.();
    mkdirSync(sandbox, { recursive: true });
    gcTask(root, 'a', { header: { sandbox, log_dir: log_dir ?? `${sandbox}/.logs` }, sandbox: {} });
    const before = listing(dir);
    const args = ['--root', root, '--yes', data === undefined ? '--keep-data' : '--delete-data', 'a'];
    // Where HOME is made up, what the program keeps in it is not looked at here.
    const answer = gc(args, { env: env && { ...env, XDG_CACHE_HOME: cleanEnv().HOME as string } });
    const refused = actions(answer, 'a').find((action) =>
      action.startsWith(data === undefined ? 'logs' : 'data'),
    );
    expect(refused).toMatch(/^\w+ refused: /);
    expect(refused).toMatch((data ?? logs) as RegExp);
    expect(answer.status).toBe(5);
    expect(answer.stderr).toContain('will not remove');
    // The task's own metadata are all that went.
    expect(gone(before, listing(dir))).toEqual(
      [`${root}/checkpoints/a`, `${root}/checkpoints/a/runner`, `${root}/tasks/finished/a`].sort(),
    );
  });

  test("a stream that is another task's: by its header, by a second name, behind a link", () => {
    gcTask(root, 'victim', { header: { sandbox: `${dir}/given/victim` } });
    for (const id of ['copied', 'linked', 'soft', 'dir']) gcTask(root, id, { sandbox: {}, runner: null });
    const stream = `${root}/checkpoints/victim/runner`;
    cpSync(stream, `${root}/checkpoints/copied/runner`);
    linkSync(stream, `${root}/checkpoints/linked/runner`);
    symlinkSync(stream, `${root}/checkpoints/soft/runner`);
    spawnSync('rmdir', [`${root}/checkpoints/dir`]);
    symlinkSync(`${root}/checkpoints/victim`, `${root}/checkpoints/dir`);
    const before = listing(dir);
    const answer = gc(['--root', root, '--yes', '--delete-data', 'copied|linked|soft|dir']);
    expect(actions(answer, 'copied')[1]).toMatch(/^data refused: its header is that of task victim/);
    expect(actions(answer, 'linked')[1]).toMatch(/^data refused: /);
    // A link is not followed, so it names nothing.
    expect(actions(answer, 'soft')).toEqual(['metadata deleted', 'metadata deleted']);
    expect(actions(answer, 'dir')).toContain('metadata refused: it is not a directory');
    const missing = gone(before, listing(dir));
    expect(missing.filter((path) => path.includes('victim'))).toEqual([]);
    expect(missing).not.toContain(`${root}/checkpoints/dir`);
  });

  test.each([
    ['a stream', (id: string) => `${root}/checkpoints/${id}/runner`, 0o666],
    ['a checkpoint directory', (id: string) => `${root}/checkpoints/${id}`, 0o777],
    ['a directory of checkpoints', () => `${root}/checkpoints`, 0o777],
    ['a root', () => root, 0o777],
  ])('%s that everybody may write says nothing that root removes', (_, path, mode) => {
    const sandbox = gcTask(root, 'a');
    chmodSync(path('a'), mode);
    const answer = gc(['--root', root, '--yes', '--delete-data']);
    if (process.getuid?.() !== 0) {
      // Of one's own files one is the author.
      expect([answer.status, existsSync(sandbox)]).toEqual([0, false]);
      return;
    }
    expect([answer.status, existsSync(sandbox)]).toEqual([5, true]);
    expect(JSON.stringify(answer.json)).toContain('can be written by everybody');
  });

  test('hard links: only the name in the sandbox goes', () => {
    put(`${dir}/precious`, 'precious');
    const sandbox = gcTask(root, 'a');
    linkSync(`${dir}/precious`, `${sandbox}/mine`);
    const bytes = du(dir);
    const before = listing(dir);
    const answer = gc(['--root', root, '--yes']);
    expect(answer.status).toBe(0);
    expect(gone(before, listing(dir))).not.toContain(`${dir}/precious`);
    expect(answer.json.freed_bytes).toBe(bytes - du(dir));
  });

  test('links, pipes and sockets in the sandbox go; where they lead stays', () => {
    put(`${dir}/precious/file`, 'precious');
    const sandbox = gcTask(root, 'a');
    symlinkSync(`${dir}/precious`, `${sandbox}/to-directory`);
    symlinkSync('/', `${sandbox}/to-root`);
    symlinkSync('loop', `${sandbox}/loop`);
    expect(spawnSync('mkfifo', [`${sandbox}/pipe`]).status).toBe(0);
    const answer = gc(['--root', root, '--yes']);
    expect([answer.status, existsSync(sandbox), existsSync(`${dir}/precious/file`)]).toEqual([
      0,
      false,
      true,
    ]);
  });

  test('a checkpoint that a user may have written names only what is that user’s', () => {
    const sandbox = gcTask(root, 'a', { header: { sandbox: `${dir}/given/a` } });
    const owner = AS_ROOT ? 12_345 : (process.getuid?.() as number);
    if (AS_ROOT) chownSync(`${root}/checkpoints/a/runner`, owner, owner);
    const args = ['--root', root, '--dry-run', '--delete-data'];
    const foreign = actions(gc(args), 'a');
    if (AS_ROOT)
      expect(foreign[1]).toBe(
        'data refused: it belongs to uid 0, but its checkpoint can be written by uid 12345',
      );
    else expect(foreign[1]).toBe('data would-delete');
    if (AS_ROOT) spawnSync('chown', ['-R', String(owner), sandbox]);
    expect(actions(gc(args), 'a')[1]).toBe('data would-delete');
  });

  test('ids and process names that look like paths', () => {
    put(`${dir}/precious/0/stdout`, 'precious');
    const runner = new Records()
      .status('ACTIVE')
      .header({ task_id: '..x', sandbox: `${root}/sandboxes/..x`, log_dir: `${root}/sandboxes/..x/.logs` })
      .process('../../../../precious', 'WAITING', 'FORKED', 'RUNNING', 'SUCCESS')
      .status('SUCCESS');
    gcTask(root, 'x..', { runner });
    const before = listing(`${dir}/precious`);
    gc(['--root', root, '--yes', '--delete-data']);
    expect(gone(before, listing(`${dir}/precious`))).toEqual([]);
    const retained = put_(`${dir}/retained`, JSON.stringify({ '../../precious': 'KILLED', '..': 'RUNNING' }));
    expect(gc(['--root', root, '--yes', '--retained', retained]).json.tasks).toEqual([]);
    expect(gone(before, listing(`${dir}/precious`))).toEqual([]);
  });

  test('10,000 files in one directory', () => {
    const sandbox = gcTask(root, 'a');
    spawnSync('bash', ['-c', 'cd "$1" && seq 10000 | xargs touch', 'bash', sandbox]);
    const answer = gc(['--root', root, '--yes']);
    expect([answer.status, existsSync(sandbox)]).toEqual([0, false]);
  });

  test('what a process works in or writes to stays', async () => {
    const sandbox = gcTask(root, 'a');
    gcTask(root, 'b');
    children.push(
      spawn('sleep', ['60'], { cwd: `${sandbox}`, stdio: 'ignore' }),
      spawn('bash', ['-c', `exec 3>>${root}/sandboxes/b/.logs/p/0/stdout; echo ready; exec sleep 60`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    await new Promise((resolve) => children[1]?.stdout?.once('data', resolve));
    const answer = gc(['--root', root, '--yes']);
    // What tells of the sandbox is needed until it can go.
    const kept = (path: string) =>
      Array(2).fill(`metadata kept: it names ${path}, which cannot be removed now`);
    expect(actions(answer, 'a')).toEqual([
      'logs deleted',
      expect.stringMatching(/^data refused: process \d+ works in it$/),
      ...kept(sandbox),
    ]);
    expect(actions(answer, 'b')).toEqual([
      expect.stringMatching(/^logs refused: process \d+ writes into it$/),
      expect.stringMatching(/^data refused: process \d+ writes into it$/),
      ...kept(`${root}/sandboxes/b/.logs`),
    ]);
    expect(answer.status).toBe(5);
    expect([existsSync(`${sandbox}/data.txt`), existsSync(`${root}/sandboxes/b/.logs/p/0/stdout`)]).toEqual([
      true,
      true,
    ]);
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
    }
    expect(gc(['--root', root, '--yes']).status).toBe(0);
    expect(readdirSync(`${root}/checkpoints`)).toEqual([]);
  });

  test('immutable and unwritable: failed with the reason, the rest goes, and what tells of it stays', () => {
    const sandbox = gcTask(root, 'a');
    gcTask(root, 'b');
    put(`${sandbox}/sub/file`, 'x');
    const immutable = AS_ROOT && spawnSync('chattr', ['+i', `${sandbox}/sub/file`]).status === 0;
    if (!immutable) chmodSync(`${sandbox}/sub`, 0o555);
    const outcome = immutable || !AS_ROOT ? 'failed' : 'deleted';
    try {
      const answer = gc(['--root', root, '--yes']);
      expect(actions(answer, 'a')[1]).toMatch(new RegExp(`^data ${outcome}`));
      expect(actions(answer, 'b').every((action) => action.endsWith(' deleted'))).toBe(true);
      expect(answer.status).toBe(outcome === 'failed' ? 5 : 0);
      if (outcome === 'failed') {
        expect(actions(answer, 'a')[1]).toMatch(/sub\/file: (operation not permitted|permission denied)/);
        expect(actions(answer, 'a')[2]).toMatch(/^metadata kept: /);
        expect(readdirSync(sandbox)).toEqual(['sub']);
        expect(existsSync(`${root}/tasks/finished/a`)).toBe(true);
      }
    } finally {
      if (immutable) spawnSync('chattr', ['-i', `${sandbox}/sub/file`]);
      else if (existsSync(`${sandbox}/sub`)) chmodSync(`${sandbox}/sub`, 0o755);
    }
    expect(gc(['--root', root, '--yes']).status).toBe(0);
    expect([existsSync(sandbox), existsSync(`${root}/checkpoints/a`)]).toEqual([false, false]);
  });
});

/** Writes a file; returns its path. */
function put_(path: string, text: string): string {
  put(path, text);
  return path;
}

const CAN_MOUNT = spawnSync('unshare', ['-m', 'true']).status === 0;

describe('mounts', () => {
  const mounted = (mount: string, args: string) =>
    shell(
      `unshare -m bash -c 'mount --bind ${dir}/precious ${mount} && thermos gc --json --root ${root} ${args}'`,
    );

  test.each(['', '/in/it'])('sandbox with a bind mount at %j', (below) => {
    put(`${dir}/precious/file`, 'precious');
    const sandbox = gcTask(root, 'a');
    mkdirSync(`${sandbox}${below}`, { recursive: true });
    const { stdout } = mounted(`${sandbox}${below}`, '--yes --keep-logs');
    if (CAN_MOUNT) expect(stdout).toContain('something is mounted');
    else expect(stdout).toBe('');
    expect(existsSync(`${dir}/precious/file`)).toBe(true);
  });

  test('a bind mount that comes between plan and removal', () => {
    put(`${dir}/precious/file`, 'precious');
    const sandbox = gcTask(root, 'a', { ageMs: 9e6 });
    mkdirSync(`${sandbox}/zz`);
    put(`${sandbox}/aa`, 'x');
    const hook = hookFile(
      `${dir}/hook.cjs`,
      1,
      `if (spawnSync('mount', ['--bind', '${dir}/precious', '${sandbox}/zz']).status !== 0) process.exit(77);`,
    );
    const { stdout, status } = shell(
      `unshare -m '${process.execPath}' --require ${hook} '${PROGRAM}' gc --json --yes --keep-logs --root ${root}`,
    );
    if (CAN_MOUNT) {
      expect(status).toBe(5);
      expect(stdout).toContain('zz: something is mounted there');
    } else expect(status).not.toBe(0);
    expect(existsSync(`${dir}/precious/file`)).toBe(true);
  });
});

describe('between plan and removal', () => {
  /** Two tasks; at the first change of the disk, which is of `a`, something happens to `b`. */
  const meanwhile = (code: string, ...args: string[]) => {
    put(`${dir}/precious/file`, 'precious');
    gcTask(root, 'a', { ageMs: 9e6 });
    gcTask(root, 'b');
    const hook = hookFile(`${dir}/hook.cjs`, 1, code);
    return gc(['--root', root, '--yes', ...args], { hook });
  };

  test('a task becomes active', () => {
    const answer = meanwhile(`fs.renameSync('${root}/tasks/finished/b', '${root}/tasks/active/b')`);
    expect(actions(answer, 'b')).toEqual(
      ['logs', 'data', 'metadata', 'metadata'].map((kind) => `${kind} failed: it is active again`),
    );
    expect(answer.status).toBe(5);
    expect(existsSync(`${root}/sandboxes/b/data.txt`)).toBe(true);
  });

  test('a runner takes the lock', () => {
    const answer = meanwhile(
      `require('node:child_process').spawn('flock', ['${root}/checkpoints/b/runner', 'sleep', '3'],
         { detached: true, stdio: 'ignore' }).unref();
       spawnSync('sleep', ['1']);`,
    );
    expect(actions(answer, 'b')[0]).toBe('logs failed: its runner is alive');
    expect(existsSync(`${root}/checkpoints/b/runner`)).toBe(true);
  });

  test('a runner writes', () => {
    const answer = meanwhile(`fs.appendFileSync('${root}/checkpoints/b/runner', 'x')`);
    expect(actions(answer, 'b')[0]).toBe('logs failed: its stream changed since the plan was made');
    expect(existsSync(`${root}/sandboxes/b/data.txt`)).toBe(true);
  });

  test.each([
    [
      'the sandbox is replaced by a link',
      'b',
      `fs.renameSync('${'$'}{dir}/root/sandboxes/b', '${'$'}{dir}/moved')`,
    ],
    ['the directory of sandboxes is', '', `fs.renameSync('${'$'}{dir}/root/sandboxes', '${'$'}{dir}/moved')`],
  ])('%s', (_, below) => {
    const place = join(root, 'sandboxes', below);
    const code = `fs.renameSync('${place}', '${dir}/moved'); fs.symlinkSync('${dir}/precious', '${place}');`;
    mkdirSync(`${dir}/precious/b`, { recursive: true });
    put(`${dir}/precious/b/file`, 'precious');
    const answer = meanwhile(code);
    expect(answer.status).toBe(5);
    expect([existsSync(`${dir}/precious/file`), existsSync(`${dir}/precious/b/file`)]).toEqual([true, true]);
    expect(actions(answer, 'b').some((action) => action.includes('failed'))).toBe(true);
    expect(existsSync(`${root}/tasks/finished/b`)).toBe(true);
  });

  test('files that come, change or are moved there stay', () => {
    put(`${dir}/old/file`, 'precious');
    const answer = meanwhile(
      `fs.writeFileSync('${root}/sandboxes/b/new', 'new'); fs.appendFileSync('${root}/sandboxes/b/data.txt', 'more');
       fs.renameSync('${dir}/old', '${root}/sandboxes/b/old');`,
      '--keep-logs',
    );
    expect(answer.status).toBe(5);
    expect(actions(answer, 'b')[0]).toMatch(/^data failed: .*changed since the plan was made/);
    expect(existsSync(`${root}/sandboxes/b/old/file`)).toBe(true);
    expect(existsSync(`${root}/sandboxes/b/new`)).toBe(true);
  });
});

test('two gc at once: one does it, the other says so or finds nothing', async () => {
  for (let i = 0; i < 60; i++) gcTask(root, `t${i}`);
  const bytes = du(dir);
  const run = () =>
    new Promise<{ status: number | null; stdout: string }>((resolve) => {
      const child = startThermos(['gc', '--json', '--yes', '--root', root]);
      children.push(child);
      let stdout = '';
      child.stdout?.on('data', (text) => {
        stdout += text;
      });
      child.once('close', (status) => resolve({ status, stdout }));
    });
  const answers = await Promise.all([run(), run()]);
  let freed = 0;
  for (const { status, stdout } of answers) {
    const json = JSON.parse(stdout);
    expect([0, 5]).toContain(status);
    freed += json.freed_bytes ?? 0;
  }
  expect(answers.some(({ status }) => status === 0)).toBe(true);
  expect(freed).toBe(bytes - du(dir));
  expect(readdirSync(`${root}/tasks/finished`)).toEqual([]);
});

describe('killed at any step', () => {
  test.each([
    [[], 'all'],
    [['--max-space', '1B'], 'for their space'],
  ])('%j: a second run finishes, and nothing else is ever gone', (limits) => {
    let plan: string[] | undefined;
    let step = 1;
    for (; ; step++) {
      const here = `${dir}/at`;
      const place = `${here}/root`;
      put(`${here}/precious/file`, 'precious');
      gcTask(place, 'a', { sandbox: { 'd/e': 'x', '.logs/p/0/stdout': 'out' } });
      gcTask(place, 'live', { phase: 'active', sandbox: { f: 'x' } });
      const before = listing(here);
      const args = ['--root', place, '--yes', '--no-orphans', ...limits];
      plan ??= deleted(gc([...args, '--dry-run']));
      const hook = hookFile(`${dir}/hook.cjs`, step, "process.kill(process.pid, 'SIGKILL');");
      const killed = gc(args, { hook }).signal === 'SIGKILL';
      if (killed) expect(gc(args).status).toBe(0);
      const missing = gone(before, listing(here));
      for (const path of plan) expect(missing).toContain(path);
      for (const path of missing) {
        expect((plan as string[]).some((own) => path === own || path.startsWith(`${own}/`))).toBe(true);
      }
      rmSync(here, { recursive: true });
      if (!killed) break;
    }
    expect(step).toBeGreaterThan(10);
  });
});

test('text for people: the plan, then what was done', () => {
  gcTask(root, 'a');
  renameSync(`${root}/sandboxes/a/data.txt`, `${root}/sandboxes/a/d`);
  const plan = thermos(['gc', '--root', root, '--dry-run']);
  expect(plan.stdout).toMatch(
    /^TASK {2}STATE .*\na {5}SUCCESS .* logs,data,metadata {2}finished 1h ago\n\nWHAT .*\n/,
  );
  for (const path of ['sandboxes/a/.logs', 'sandboxes/a', 'checkpoints/a', 'tasks/finished/a']) {
    expect(plan.stdout).toMatch(new RegExp(`^(logs|data|metadata) +\\d+KiB  ${root}/${path}$`, 'm'));
  }
  expect(plan.stdout).toContain('\n\n1 task would be collected');
  const done = thermos(['gc', '--root', root, '--force']);
  expect(done.stdout).toContain('1 task collected, ');
  expect([done.stderr, done.status]).toEqual(['', 0]);
});

test('as somebody who may not remove: failed, nothing changed', () => {
  gcTask(root, 'a');
  const uid = AS_ROOT ? 65_534 : undefined;
  if (!AS_ROOT)
    for (const name of ['checkpoints', 'tasks/finished', 'sandboxes']) chmodSync(join(root, name), 0o555);
  writeFileSync(`${dir}/note`, '');
  const answer = gc(['--root', root, '--yes', '--keep-data', '--keep-logs'], { uid });
  expect(answer.status).toBe(5);
  expect(actions(answer, 'a')).toEqual([
    expect.stringMatching(/^metadata failed: .*permission denied/),
    expect.stringMatching(/^metadata kept|^metadata failed/),
  ]);
  expect(existsSync(`${root}/tasks/finished/a`)).toBe(true);
  if (!AS_ROOT)
    for (const name of ['checkpoints', 'tasks/finished', 'sandboxes']) chmodSync(join(root, name), 0o755);
});
