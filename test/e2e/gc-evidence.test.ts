import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SANDBOX_MARK } from '../../src/layout/sandbox-mark.js';
import { RAN, Records } from '../task/trees.js';
import { actions, deleted, type GcAnswer, gc, gcTask, gone, hookFile, listing, put } from './gc-trees.js';
import { PROGRAM, placeForEach, shell, thermos } from './harness.js';
import { RunPlace } from './run-task.js';

const AS_ROOT = process.getuid?.() === 0;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let dir: string;
let root: string;
const place = placeForEach();
beforeEach(() => {
  ({ path: dir, root } = place);
});

/** As an administrator copies: with owners, times and links. */
function copy(from: string, to: string): void {
  expect(spawnSync('cp', ['-a', from, to]).status).toBe(0);
}

/** As a backup is restored: owned by who restores. */
function restore(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const line = `tar -C "$1" -cf - . | tar -C "$2" --no-same-owner -xf -`;
  expect(spawnSync('bash', ['-c', line, 'bash', from, to]).status).toBe(0);
}

const GO = ['--yes', '--delete-data'];

describe('a copied root: nothing of the original goes', () => {
  test('sandboxes in the root: those of the copy go', () => {
    for (const id of ['a', 'b']) gcTask(root, id);
    copy(root, `${dir}/copy`);
    const before = listing(dir);
    const answer = gc(['--root', `${dir}/copy`, ...GO]);
    expect(answer.status).toBe(0);
    for (const path of gone(before, listing(dir))) expect(path.startsWith(`${dir}/copy/`)).toBe(true);
    for (const name of ['checkpoints', 'tasks/finished', 'sandboxes']) {
      expect(readdirSync(`${dir}/copy/${name}`)).toEqual([]);
    }
    expect(gc(['--root', root, ...GO]).json.tasks).toHaveLength(2);
  });

  test('without its sandboxes: those of the original are refused, logs and data', () => {
    gcTask(root, 'a');
    copy(root, `${dir}/copy`);
    rmSync(`${dir}/copy/sandboxes`, { recursive: true });
    const before = listing(dir);
    const answer = gc(['--root', `${dir}/copy`, ...GO]);
    const why = `refused: it is a sandbox of the task root ${root}`;
    expect(actions(answer, 'a')).toEqual([
      `logs ${why}`,
      `data ${why}`,
      'metadata deleted',
      'metadata deleted',
    ]);
    expect(answer.status).toBe(5);
    for (const path of gone(before, listing(dir))) expect(path.startsWith(`${dir}/copy/`)).toBe(true);
  });

  test.each([
    ['beside the root', () => `${dir}/place/sandboxes`],
    ['anywhere', () => `${dir}/else/where`],
  ])('sandboxes %s', (_, where) => {
    root = `${dir}/place/root`;
    const sandbox = gcTask(root, 'a', { header: { sandbox: `${where()}/a` } });
    // Its last record is from before it was copied.
    const then = (Date.now() - HOUR) / 1000;
    utimesSync(`${root}/checkpoints/a/runner`, then, then);
    copy(`${dir}/place`, `${dir}/copy`);
    const before = listing(sandbox);
    const answer = gc(['--root', `${dir}/copy/root`, ...GO]);
    expect(gone(before, listing(sandbox))).toEqual([]);
    const beside = existsSync(`${dir}/copy/sandboxes`);
    if (beside) expect(existsSync(`${dir}/copy/sandboxes/a`)).toBe(false);
    // Nothing tells where the original is; that this is a copy, the times of its stream tell.
    else expect(actions(answer, 'a')[1]).toMatch(/^data kept: nothing shows .*: the checkpoint was copied/);
  });

  test('logs that the header has outside the root', () => {
    const sandbox = `${dir}/outside/a`;
    gcTask(root, 'a', {
      header: { sandbox, log_dir: `${sandbox}/deep/logs` },
      sandbox: { 'deep/logs/p/0/stdout': 'x' },
    });
    copy(root, `${dir}/copy`);
    const before = listing(dir);
    const answer = gc(['--root', `${dir}/copy`, '--yes']);
    expect(actions(answer, 'a')[0]).toBe(`logs refused: the task root ${root} has a task of this id too`);
    for (const path of gone(before, listing(dir))) expect(path.startsWith(`${dir}/copy/`)).toBe(true);
  });

  test('the default root of the user knows the task', () => {
    const state = `${dir}/home/.local/state/thermos`;
    const sandbox = gcTask(state, 'a', { header: { sandbox: `${dir}/given/a` } });
    copy(state, `${dir}/far/away/copy`.replace('/far/away', ''));
    rmSync(`${dir}/away`, { recursive: true, force: true });
    mkdirSync(`${dir}/x/y`, { recursive: true });
    renameSync(`${dir}/copy`, `${dir}/x/y/copy`);
    const env = { HOME: `${dir}/home`, XDG_STATE_HOME: `${dir}/home/.local/state` };
    const before = listing(sandbox);
    const answer = gc(['--root', `${dir}/x/y/copy`, ...GO], { env });
    expect(actions(answer, 'a')[1]).toBe(`data refused: the task root ${state} has a task of this id too`);
    expect(gone(before, listing(sandbox))).toEqual([]);
  });

  test('moved, it is itself: its sandboxes go', () => {
    gcTask(root, 'a');
    renameSync(root, `${dir}/moved`);
    expect(gc(['--root', `${dir}/moved`, ...GO]).status).toBe(0);
    expect(readdirSync(`${dir}/moved/sandboxes`)).toEqual([]);
  });
});

describe('a header that names what is not the task’s', () => {
  /** Not one of the forbidden places: only evidence keeps it. */
  const project = () => {
    put(`${dir}/srv/data/15/main/base`, 'precious');
    put(`${dir}/srv/data/15/wal/0001`, 'precious');
    return `${dir}/srv/data/15`;
  };

  test.each([
    ['as it was written', () => {}],
    ['copied', () => copy(root, `${dir}/new`)],
    ['restored', () => restore(root, `${dir}/new`)],
    ['given to root, as the hint says', () => spawnSync('chown', ['-R', `${process.getuid?.()}`, root])],
  ])('a tree %s: kept, with the reason and the words, and what tells of it stays', (_, prepare) => {
    const sandbox = project();
    gcTask(root, 'a', { header: { sandbox, log_dir: `${sandbox}/.logs` }, sandbox: {} });
    prepare();
    const used = existsSync(`${dir}/new`) ? `${dir}/new` : root;
    if (used !== root) rmSync(root, { recursive: true });
    const before = listing(dir);
    const answer = gc(['--root', used, ...GO]);
    expect(answer.status).toBe(0);
    expect(gone(before, listing(dir))).toEqual([]);
    const [data, ...metadata] = answer.json.tasks[0]?.actions ?? [];
    expect(data).toMatchObject({
      kind: 'data',
      result: 'kept',
      why: "nothing shows that it is the task's own: the logs of the task are not in it",
      hint: `remove it with --sandbox ${sandbox}, or leave it with --keep-data`,
    });
    expect(metadata.map(({ result }) => result)).toEqual(['kept', 'kept']);

    // The words do what they say, and only they.
    expect(gc(['--root', used, '--yes', '--sandbox', dirname(sandbox)]).stdout).toContain(
      'sandbox-not-found',
    );
    expect(gone(before, listing(dir))).toEqual([]);
    const named = gc(['--root', used, '--yes', '--sandbox', sandbox]);
    expect(named.status).toBe(0);
    expect(existsSync(sandbox)).toBe(false);
    expect(readdirSync(`${used}/checkpoints`)).toEqual([]);
  });

  test('--keep-data leaves it, and the metadata go', () => {
    const sandbox = project();
    gcTask(root, 'a', { header: { sandbox, log_dir: `${sandbox}/.logs` }, sandbox: {} });
    const before = listing(sandbox);
    expect(gc(['--root', root, '--yes', '--keep-data']).status).toBe(0);
    expect(gone(before, listing(sandbox))).toEqual([]);
    expect(readdirSync(`${root}/tasks/finished`)).toEqual([]);
  });

  test.each([
    ['no logs of one of the processes', { '.logs/p/0/stdout': 'x' }, /does not hold the logs of q\/0/],
    ['logs of an older run', { '.logs/p/0/stdout': 'x', '.logs/q/1/stdout': 'x' }, /the logs of q\/0/],
    ['a directory for a log', { '.logs/p/0/stdout': 'x', '.logs/q/0/stdout/x': 'x' }, /the logs of q\/0/],
  ])('%s', (_, files, why) => {
    const sandbox = `${dir}/given/a`;
    const runner = new Records()
      .status('ACTIVE')
      .header({ task_id: 'a', sandbox, log_dir: `${sandbox}/.logs` })
      .process('p', ...RAN)
      .process('q', ...RAN)
      .status('SUCCESS', Date.now() - HOUR);
    gcTask(root, 'a', { runner, header: { sandbox }, sandbox: files as unknown as Record<string, string> });
    const before = listing(dir);
    const answer = gc(['--root', root, ...GO]);
    expect(actions(answer, 'a')[0]).toMatch(why);
    expect(actions(answer, 'a')[1]).toMatch(/^data kept: /);
    expect(gone(before, listing(dir))).toEqual([]);
  });

  test('a task of which no process ran shows nothing', () => {
    const sandbox = `${dir}/given/a`;
    const runner = new Records()
      .status('ACTIVE')
      .header({ task_id: 'a', sandbox, log_dir: `${sandbox}/.logs` })
      .status('FAILED', Date.now() - HOUR);
    gcTask(root, 'a', { runner, header: { sandbox }, sandbox: { '.logs/p/0/stdout': 'x', data: 'x' } });
    const answer = gc(['--root', root, ...GO]);
    expect(actions(answer, 'a')[1]).toMatch(/^data kept: .*no process of the task ran/);
    expect(existsSync(`${sandbox}/data`)).toBe(true);
  });

  test('--sandbox does not open what is never deleted', () => {
    gcTask(root, 'b', { header: { sandbox: `${dir}/shared` } });
    gcTask(root, 'a', { header: { sandbox: `${dir}/shared` } });
    const before = listing(`${dir}/shared`);
    const shared = gc(['--root', root, '--yes', '--sandbox', `${dir}/shared`, 'a']);
    expect(actions(shared, 'a')[1]).toMatch(/^data refused: task b uses/);
    put(`${dir}/me/thesis`, 'x');
    gcTask(root, 'h', { header: { sandbox: `${dir}/me` }, sandbox: {} });
    const home = gc(['--root', root, '--yes', '--sandbox', `${dir}/me`, 'h'], { env: { HOME: `${dir}/me` } });
    expect(actions(home, 'h')[0]).toBe('data refused: it is a home directory');
    expect(gone(before, listing(`${dir}/shared`))).toEqual([]);
    expect(existsSync(`${dir}/me/thesis`)).toBe(true);
  });

  test('another user’s stream, root’s directory: refused, evidence or not', () => {
    const sandbox = gcTask(root, 'a', { header: { sandbox: `${dir}/given/a` } });
    if (AS_ROOT) chownSync(`${root}/checkpoints/a/runner`, 12_345, 12_345);
    const answer = gc(['--root', root, ...GO, '--sandbox', sandbox]);
    expect(existsSync(sandbox)).toBe(AS_ROOT);
    if (AS_ROOT) expect(actions(answer, 'a')[1]).toMatch(/^data refused: it belongs to uid 0/);
  });
});

describe('the mark of run', () => {
  let place: RunPlace;
  beforeEach(() => {
    place = new RunPlace();
    root = place.root;
  });
  afterEach(() => place.remove());

  const ran = (sandbox: string, id = 'web-1') => {
    const config = place.config([{ name: 'p', cmdline: 'echo x > data', logger: { destination: 'none' } }]);
    const done = place.thermos('run', '--task-id', id, '--sandbox', sandbox, config);
    expect(done.status).toBe(0);
  };

  test('a sandbox that run made anywhere goes by its mark, without logs in it', () => {
    const sandbox = `${place.path}/work/web-1`;
    ran(sandbox);
    expect(existsSync(`${sandbox}/${SANDBOX_MARK}`)).toBe(true);
    rmSync(`${sandbox}/.logs`, { recursive: true, force: true });
    expect(actions(gc(['--root', root, ...GO]), 'web-1')).toContain('data deleted');
    expect(existsSync(sandbox)).toBe(false);
  });

  test('a directory that was there before gets none, and stays', () => {
    const sandbox = `${place.path}/mine`;
    put(`${sandbox}/thesis`, 'x');
    ran(sandbox);
    expect(existsSync(`${sandbox}/${SANDBOX_MARK}`)).toBe(false);
    rmSync(`${sandbox}/.logs`, { recursive: true, force: true });
    expect(actions(gc(['--root', root, ...GO]), 'web-1')[0]).toMatch(/^data kept: nothing shows/);
    expect(existsSync(`${sandbox}/thesis`)).toBe(true);
  });

  test('a copy of the root is not the root that the mark tells of', () => {
    const sandbox = `${place.path}/work/web-1`;
    ran(sandbox);
    mkdirSync(`${place.path}/far/off`, { recursive: true });
    copy(root, `${place.path}/far/off/copy`);
    const before = listing(sandbox);
    const copied = gc(['--root', `${place.path}/far/off/copy`, ...GO, '--sandbox', sandbox]);
    const data = actions(copied, 'web-1').find((action) => action.startsWith('data'));
    expect(data).toMatch(/^data refused: /);
    expect(gone(before, listing(sandbox))).toEqual([]);
    expect(actions(gc(['--root', root, ...GO]), 'web-1')).toContain('data deleted');
  });

  test('a copy in the place of the original: the path is the same, the inode is not', () => {
    const sandbox = `${place.path}/work/web-1`;
    ran(sandbox);
    copy(root, `${root}.new`);
    renameSync(root, `${place.path}/work/old`);
    renameSync(`${root}.new`, root);
    const before = listing(sandbox);
    const answer = gc(['--root', root, ...GO]);
    expect(actions(answer, 'web-1').find((action) => action.startsWith('data'))).toMatch(
      /^data (kept|refused): /,
    );
    expect(gone(before, listing(sandbox))).toEqual([]);
  });

  test('a sandbox that root made for a user goes by root’s mark; without root there is no such user', () => {
    const sandbox = `${place.path}/work/web-1`;
    const config = place.config([{ name: 'p', cmdline: 'true', logger: { destination: 'none' } }]);
    chmodSync(root, 0o755);
    const done = place.thermos(
      'run',
      '--user',
      AS_ROOT ? 'nobody' : 'root',
      '--task-id',
      'web-1',
      '--sandbox',
      sandbox,
      config,
    );
    if (!AS_ROOT) {
      expect([done.status, existsSync(sandbox)]).toEqual([2, false]);
      return;
    }
    expect(done.status).toBe(0);
    expect(lstatSync(sandbox).uid).not.toBe(0);
    expect(lstatSync(`${sandbox}/${SANDBOX_MARK}`).uid).toBe(0);
    expect(actions(gc(['--root', root, ...GO]), 'web-1')).toContain('data deleted');
    expect(existsSync(sandbox)).toBe(false);
  });

  test('forged in what is not the task’s user’s, it tells nothing', () => {
    const sandbox = `${place.path}/work/web-1`;
    ran(sandbox);
    const mark = `${sandbox}/${SANDBOX_MARK}`;
    linkSync(mark, `${place.path}/second`);
    rmSync(`${sandbox}/.logs`, { recursive: true, force: true });
    const twice = actions(gc(['--root', root, '--dry-run', '--delete-data']), 'web-1');
    expect(twice[0]).toMatch(/^data kept: nothing shows/);
    rmSync(`${place.path}/second`);
    expect(actions(gc(['--root', root, '--dry-run', '--delete-data']), 'web-1')).toContain(
      'data would-delete',
    );
    if (!AS_ROOT) return;
    chownSync(sandbox, 12_345, 12_345);
    expect(actions(gc(['--root', root, '--dry-run', '--delete-data']), 'web-1')[0]).toMatch(
      /^data kept: nothing shows/,
    );
  });
});

describe('when a task finished', () => {
  const years = Date.UTC(2023, 4, 1);

  test('says the stream, in both columns and for --max-age, whatever the files’ times', () => {
    gcTask(root, 'old', { ageMs: Date.now() - years });
    gcTask(root, 'new', { ageMs: HOUR });
    expect(spawnSync('cp', ['-r', root, `${dir}/copy`]).status).toBe(0);
    const answer = gc(['--root', `${dir}/copy`, '--dry-run', '--max-age', '30d']);
    expect(answer.json.tasks).toMatchObject([{ task_id: 'old', finished_by: 'status' }]);
    const { tasks } = JSON.parse(thermos(['status', '--json', '--root', `${dir}/copy`, 'old']).stdout);
    expect(answer.json.tasks[0]?.finished_ms).toBe(tasks[0].state_timestamp_ms);
    const script = `script -qec "'${process.execPath}' '${PROGRAM}' gc --root ${dir}/copy --dry-run" /dev/null`;
    const { stdout } = shell(script, { env: { COLUMNS: '200' } });
    const row = stdout.split('\n').find((line) => /^\S*old /.test(line)) ?? '';
    const age = / finished (\S+) ago/.exec(row)?.[1] as string;
    expect(row.split(/ +/)).toContain(age);
    expect(age).toMatch(/^\d+y/);
  });

  test('without a last status the time of the task file, and that is said', () => {
    gcTask(root, 'a', { runner: null });
    const then = (Date.now() - 3 * DAY) / 1000;
    utimesSync(`${root}/tasks/finished/a`, then, then);
    const unended = new Records().status('ACTIVE').header({ task_id: 'b', sandbox: `${root}/sandboxes/b` });
    gcTask(root, 'b', { runner: unended });
    utimesSync(`${root}/tasks/finished/b`, then, then);
    const [b] = gc(['--root', root, '--dry-run', '--max-age', '2d', 'b']).json.tasks;
    expect(b).toMatchObject({ finished_by: 'task-file', finished_ms: expect.closeTo(then * 1000, -1) });
    expect(b?.reason).toBe('finished 3d ago by the time of its task file, more than 2d');
    expect(gc(['--root', root, '--dry-run', 'a']).json.tasks[0]).toMatchObject({ finished_by: 'task-file' });
  });
});

describe('files with names in several sandboxes', () => {
  test('one run collects all', () => {
    const first = gcTask(root, 'a');
    put(`${first}/shared`, 'x'.repeat(5000));
    for (const id of ['b', 'c', 'd']) linkSync(`${first}/shared`, `${gcTask(root, id)}/shared`);
    const answer = gc(['--root', root, '--yes']);
    expect([answer.status, answer.json.problems]).toEqual([0, []]);
    expect(readdirSync(`${root}/sandboxes`)).toEqual([]);
  });

  test('one that is written to meanwhile stays', () => {
    const first = gcTask(root, 'a', { ageMs: 9e6 });
    put(`${first}/shared`, 'x');
    const second = gcTask(root, 'b');
    linkSync(`${first}/shared`, `${second}/shared`);
    const code = `fs.writeFileSync('${second}/shared', 'new');`;
    const answer = gc(['--root', root, '--yes'], { hook: hookFile(`${dir}/hook.cjs`, 1, code) });
    expect(answer.status).toBe(5);
    expect(existsSync(`${second}/shared`)).toBe(true);
  });

  test('the sum counts what was collected, and what only in part', () => {
    gcTask(root, 'a');
    const sandbox = gcTask(root, 'b');
    put(`${sandbox}/sub/file`, 'x');
    const immutable = AS_ROOT && spawnSync('chattr', ['+i', `${sandbox}/sub/file`]).status === 0;
    if (!AS_ROOT) chmodSync(`${sandbox}/sub`, 0o555);
    try {
      const { stdout } = thermos(['gc', '--root', root, '--yes']);
      const stays = existsSync(`${sandbox}/sub/file`);
      expect(stays).toBe(immutable || !AS_ROOT);
      expect(stdout).toContain(stays ? '1 task collected, 1 only in part, ' : '2 tasks collected, ');
    } finally {
      if (immutable) spawnSync('chattr', ['-i', `${sandbox}/sub/file`]);
      else if (existsSync(`${sandbox}/sub`)) chmodSync(`${sandbox}/sub`, 0o755);
    }
  });
});

test('a removal by logs alone that is killed at any step is finished by a second run', () => {
  for (let step = 1; ; step++) {
    const here = `${dir}/at`;
    const sandbox = `${here}/given/a`;
    gcTask(`${here}/root`, 'a', {
      header: { sandbox },
      sandbox: { 'd/e': 'x', '.logs/p/0/stdout': 'x', '.logs/p/0/stderr': '' },
    });
    put(`${here}/given/other`, 'precious');
    const args = ['--root', `${here}/root`, ...GO];
    const hook = hookFile(`${dir}/hook.cjs`, step, "process.kill(process.pid, 'SIGKILL');");
    const killed = gc(args, { hook }).signal === 'SIGKILL';
    const again = killed ? gc(args) : undefined;
    if (again) expect([step, again.status, actions(again, 'a')]).toEqual([step, 0, expect.anything()]);
    // Killed between the last name in it and the directory itself: that is empty, and nothing shows whose it is.
    const empty = existsSync(sandbox) && readdirSync(sandbox).length === 0;
    if (empty)
      expect(actions(again as GcAnswer, 'a')[0]).toMatch(/^data kept: nothing shows .* it is empty$/);
    expect([existsSync(sandbox), readdirSync(`${here}/root/checkpoints`)]).toEqual([empty, []]);
    expect(readdirSync(`${here}/given`)).toEqual(empty ? ['a', 'other'] : ['other']);
    rmSync(here, { recursive: true });
    if (!killed) break;
  }
});

test('the plan that is confirmed shows every path, whole: what fits on the screen, else with --verbose', () => {
  const long = 'w'.repeat(120);
  const sandbox = `${dir}/${'x'.repeat(100)}/${'y'.repeat(100)}/${long}`;
  gcTask(root, long, { header: { sandbox } });
  const paths = [
    `${sandbox}/.logs`,
    sandbox,
    `${root}/checkpoints/${long}`,
    `${root}/tasks/finished/${long}`,
  ];
  const ask = (rows: number, more = '') => {
    const line = `'${process.execPath}' '${PROGRAM}' gc --root ${root} --delete-data ${more}`;
    const { stdout } = shell(
      `(sleep 2; echo n) | script -qec "stty cols 60 rows ${rows}; ${line}" /dev/null`,
    );
    return stdout.replaceAll('\r', '');
  };
  const ends = (text: string, path: string) => text.split('\n').some((row) => row.endsWith(` ${path}`));
  for (const text of [ask(24, '--verbose'), ask(60)]) {
    expect(paths.filter((path) => !ends(text, path))).toEqual([]);
    expect(text).not.toContain('--verbose');
  }
  // The screen has no room for two names of the length of a path, only for the directory of both.
  const folded = ask(24);
  expect(paths.slice(0, 2).filter((path) => !ends(folded, path))).toEqual([]);
  expect(ends(folded, `below ${root}`)).toBe(true);
  expect(folded).toContain('--verbose shows all');
  expect(existsSync(sandbox)).toBe(true);
});

test('a task that comes between plan and removal keeps the sandbox that it uses', () => {
  gcTask(root, 'a', { ageMs: 9e6 });
  const sandbox = gcTask(root, 'b', { header: { sandbox: `${dir}/given/b` } });
  gcTask(`${dir}/other`, 'late', { phase: 'active', header: { sandbox }, sandbox: {} });
  const code = `fs.cpSync('${dir}/other/checkpoints/late', '${root}/checkpoints/late', { recursive: true });
    fs.renameSync('${dir}/other/tasks/active/late', '${root}/tasks/active/late');`;
  rmSync(`${dir}/other/tasks/finished`, { recursive: true });
  const answer = gc(['--root', root, ...GO], { hook: hookFile(`${dir}/hook.cjs`, 1, code) });
  expect(actions(answer, 'b').slice(0, 2)).toEqual([
    `logs failed: task late, which has just started, uses ${sandbox}`,
    `data failed: task late, which has just started, uses ${sandbox}`,
  ]);
  expect(lstatSync(`${sandbox}/data.txt`).isFile()).toBe(true);
});

test('a link in the place of a copied sandbox is not followed', () => {
  const sandbox = gcTask(root, 'a');
  copy(root, `${dir}/copy`);
  rmSync(`${dir}/copy/sandboxes/a`, { recursive: true });
  symlinkSync(sandbox, `${dir}/copy/sandboxes/a`);
  const before = listing(root);
  const answer = gc(['--root', `${dir}/copy`, ...GO]);
  expect(deleted(answer).filter((path) => path.includes('sandboxes'))).toEqual([]);
  expect(gone(before, listing(root))).toEqual([]);
});
