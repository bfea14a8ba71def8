import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { makeRoot, makeTaskRun } from '../discovery/trees.js';
import { DEFAULT_ROOTS, FIXTURES, type RunOptions, shell, tempDir, thermos } from './harness.js';

/** Root reads everything, so it drops to another user to be refused; others are refused by the mode alone. */
const UNPRIVILEGED: RunOptions = process.getuid?.() === 0 ? { uid: 65534 } : {};

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => {
  for (const path of closed.splice(0)) chmodSync(path, 0o755);
  remove();
});

const closed: string[] = [];
function close(path: string): void {
  chmodSync(path, 0o000);
  closed.push(path);
}

/** Runs `roots --json`; the document is checked against its schema. */
function json(args: string[], options?: RunOptions) {
  const { stdout, stderr, status } = thermos(['roots', '--json', ...args], options);
  const document = JSON.parse(stdout);
  expect(violations('roots', document)).toEqual([]);
  return { document, stderr, status };
}

describe('what is found', () => {
  test('the fixtures, both layouts', () => {
    const host = join(FIXTURES, 'host/root');
    const mesos = join(FIXTURES, 'mesos');
    const { document, stderr, status } = json(['--root', host, '--mesos-root', mesos]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(document.problems).toEqual([]);
    const [first, ...others] = document.roots;
    expect(first).toEqual({ path: host, layout: 'host', source: '--root', tasks: 7, readable: true });
    expect(others.length).toBeGreaterThan(3);
    for (const root of others) {
      expect(root).toMatchObject({ layout: 'mesos', source: '--mesos-root', tasks: 1, readable: true });
      expect(root.path).toMatch(/^.*\/slaves\/.*\/runs\/[^/]*\/checkpoints$/);
      expect(root.path).not.toContain('latest');
    }
  });

  test('as text', () => {
    makeRoot(join(dir, 'a b'), { active: ['x'] });
    expect(thermos(['roots', '--root', join(dir, 'a b')])).toEqual({
      stdout: [
        `PATH${' '.repeat(dir.length)}  LAYOUT  SOURCE  TASKS  READABLE`,
        `${dir}/a b  host    --root      1  yes`,
        '',
      ].join('\n'),
      stderr: '',
      status: 0,
      signal: null,
    });
  });

  test("the user's own root, by default", () => {
    const root = makeRoot(join(dir, 'state/thermos'), { active: ['x'], finished: ['y'] });
    const { document } = json([], {
      cwd: dir,
      env: { ...DEFAULT_ROOTS, XDG_STATE_HOME: join(dir, 'state') },
    });
    expect(document.roots).toContainEqual({
      path: root,
      layout: 'host',
      source: 'user',
      tasks: 2,
      readable: true,
    });
    const home = makeRoot(join(dir, 'home/.local/state/thermos'));
    const options = { cwd: dir, env: { ...DEFAULT_ROOTS, XDG_STATE_HOME: '', HOME: join(dir, 'home') } };
    expect(json([], options).document.roots).toContainEqual(
      expect.objectContaining({ path: home, source: 'user' }),
    );
  });

  test('flags and variables replace the defaults', () => {
    makeRoot(join(dir, 'state/thermos'));
    const one = makeRoot(join(dir, 'one'));
    const two = makeRoot(join(dir, 'two'));
    const env = { XDG_STATE_HOME: join(dir, 'state'), THERMOS_ROOT: `${one}:${two}` };
    const paths = (args: string[]) =>
      json(args, { env }).document.roots.map(({ path }: { path: string }) => path);
    expect(paths([])).toEqual([one, two]);
    expect(paths(['--root', two])).toEqual([two]);
    const run = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    expect(paths(['--mesos-root', join(dir, 'mesos')])).toEqual([run]);
  });

  test('the same root by link, slash, relative path and variable is one root', () => {
    const root = makeRoot(join(dir, 'root'));
    symlinkSync(root, join(dir, 'link'));
    const words = ['root', './root/', root, `${root}/`, join(dir, 'link')].flatMap((path) => [
      '--root',
      path,
    ]);
    const { document } = json(words, { cwd: dir });
    expect(document.roots).toHaveLength(1);
    expect(document.roots[0].path).toBe(root);
  });

  test('within a sandbox its own root', () => {
    const root = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    const { document } = json([], { cwd: join(root, '../sandbox'), env: DEFAULT_ROOTS });
    expect(document.roots).toEqual([
      { path: root, layout: 'mesos', source: 'cwd', tasks: 1, readable: true },
    ]);
  });

  test('names of any kind', () => {
    const names = ['a b', '100%', 'q[1]', 'x:y', 'ünï', 'new\nline', '\u001b[31m', '__proto__', '-x'];
    const paths = names.map((name) => makeRoot(join(dir, name), { active: [name] }));
    const { document, status } = json(paths.flatMap((path) => ['--root', path]));
    expect(status).toBe(0);
    expect(document.roots.map(({ path, tasks }: { path: string; tasks: number }) => [path, tasks])).toEqual(
      paths.map((path) => [path, 1]),
    );
    const text = thermos(['roots', '--root', join(dir, '\u001b[31m')]);
    expect(text.stdout).toContain(`${dir}/\\e[31m`);
  });

  test('from a directory that was removed', () => {
    const root = makeRoot(join(dir, 'root'));
    const line = `mkdir '${dir}/gone' && cd '${dir}/gone' && rmdir '${dir}/gone' && thermos roots --json --root '${root}'`;
    const { stdout, stderr, status } = shell(line);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout).roots).toMatchObject([{ path: root }]);
  });
});

describe('what is not', () => {
  test('no root at all: exit 1, and it is said', () => {
    expect(thermos(['roots', '--root', join(dir, 'none')])).toMatchObject({
      stdout: '',
      stderr: `error: --root ${dir}/none does not exist\nhint: check the path\nno task root was found\n`,
      status: 1,
    });
    expect(json(['--root', join(dir, 'none')])).toMatchObject({
      document: { roots: [], problems: [{ code: 'root-missing', severity: 'error', path: `${dir}/none` }] },
      status: 1,
    });
  });

  test('one of two is missing: the other is shown, exit 5', () => {
    const root = makeRoot(join(dir, 'root'));
    const { document, stderr, status } = json(['--root', join(dir, 'none'), '--root', root]);
    expect(document.roots).toHaveLength(1);
    expect(stderr).toMatch('error: ');
    expect(status).toBe(5);
  });

  test('no root in it: a warning and what one looks like', () => {
    const root = makeRoot(join(dir, 'thermos'));
    const { document, stderr, status } = json(['--root', dir, '--root', root]);
    expect(document.problems).toMatchObject([{ code: 'root-empty', severity: 'warning', path: dir }]);
    expect(stderr).toContain(`hint: did you mean ${root}?`);
    expect(status).toBe(0);
  });

  test('may not be read: the root is shown as such, exit 5, with a hint', () => {
    const root = makeRoot(join(dir, 'root'), { active: ['x'] });
    close(root);
    const { document, stderr, status } = json(['--root', root], UNPRIVILEGED);
    expect(document.roots).toEqual([
      { path: root, layout: 'host', source: '--root', tasks: 0, readable: false },
    ]);
    expect(document.problems).toMatchObject([{ code: 'root-unreadable', severity: 'error', path: root }]);
    expect(stderr).toBe(
      `error: cannot look into --root ${root}: permission denied\nhint: run it again with sudo\n`,
    );
    expect(status).toBe(5);
    expect(thermos(['roots', '--root', root], UNPRIVILEGED).stdout).toMatch(/ 0 {2}no\n$/);
  });

  test('a default place of which nothing can be seen: a warning', () => {
    const home = join(dir, 'home of somebody else');
    mkdirSync(home);
    close(home);
    const { stderr, status } = thermos(['roots', '--json'], {
      ...UNPRIVILEGED,
      env: { ...DEFAULT_ROOTS, HOME: home, XDG_STATE_HOME: '' },
    });
    expect(stderr).toContain(`warning: cannot see whether there is a task root ${home}/.local/state/thermos`);
    expect([0, 1]).toContain(status);
  });

  test('a part of it may not be read: the rest is, and nothing is said to be missing', () => {
    const root = makeRoot(join(dir, 'root'), { active: ['x'], finished: ['y'] });
    close(`${root}/tasks/active`);
    const { document, status } = json(['--root', root], UNPRIVILEGED);
    expect(document.roots).toMatchObject([{ tasks: 2, readable: false }]);
    expect(document.problems).toMatchObject([{ code: 'root-unreadable', path: `${root}/tasks/active` }]);
    expect(status).toBe(5);
  });

  test('sandboxes of Mesos that may not be entered: counted, and listed by name', () => {
    const work = join(dir, 'mesos');
    const open = makeTaskRun(work, 'open', 'c1');
    const old = makeTaskRun(work, 'role-prod-x-0', 'c2').replace(/\/checkpoints$/, '');
    const latest = makeTaskRun(work, 'role-prod-x-0', 'c3').replace(/\/checkpoints$/, '');
    const newest = makeTaskRun(work, 'role-prod-x-0', 'c4').replace(/\/checkpoints$/, '');
    symlinkSync('/elsewhere/runs/c3', join(latest, '../latest'));
    for (const run of [old, latest, newest]) close(run);
    const { document, status } = json(['--mesos-root', work], UNPRIVILEGED);
    expect(document.roots).toMatchObject([
      { path: open, tasks: 1, readable: true },
      { path: `${latest}/checkpoints`, tasks: 1, readable: false },
    ]);
    expect(document.problems).toMatchObject([
      {
        code: 'sandbox-unreadable',
        message: `cannot look into 3 sandboxes below ${work}: permission denied`,
        hint: 'run it again with sudo',
      },
    ]);
    expect(status).toBe(5);
    for (const path of [old, `${old}/checkpoints`, `${old}/..`]) {
      expect(json(['--mesos-root', path], UNPRIVILEGED).status).toBe(5);
    }
  });

  test('a directory of the Mesos tree that may not be listed', () => {
    const work = join(dir, 'mesos');
    makeTaskRun(work, 'a', 'c1');
    const b = makeTaskRun(work, 'b', 'c2', 'S1');
    close(`${work}/slaves/S0/frameworks`);
    const { document, status } = json(['--mesos-root', work], UNPRIVILEGED);
    expect(document.roots).toMatchObject([{ path: b }]);
    expect(document.problems).toMatchObject([
      { code: 'root-unreadable', path: `${work}/slaves/S0/frameworks` },
    ]);
    expect(status).toBe(5);
  });

  test('a uid without a name or a home', () => {
    const root = makeRoot(join(dir, 'root'));
    const env = { HOME: '', XDG_STATE_HOME: '', THERMOS_ROOT: root };
    const uid = process.getuid?.() === 0 ? 54321 : undefined;
    const { document, status } = json([], { env, uid });
    expect(document.roots).toMatchObject([{ path: root, readable: true }]);
    expect(status).toBe(0);
    expect([0, 1]).toContain(json([], { env: { ...env, ...DEFAULT_ROOTS }, uid, cwd: dir }).status);
  });

  test('a task root that another user owns but all may read', () => {
    const root = makeRoot(join(dir, 'root'), { finished: ['x'] });
    writeFileSync(join(root, 'tasks/finished/x'), '{}');
    if (process.getuid?.() === 0) chownSync(root, 1234, 1234);
    expect(json(['--root', root], UNPRIVILEGED)).toMatchObject({
      document: { roots: [{ tasks: 1, readable: true }] },
      status: 0,
    });
  });
});
