import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discoverRoots, type RootOptions, userRoot } from '../../src/discovery/roots.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { makeRoot, makeRun, makeTaskRun, optionsIn } from './trees.js';

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

const paths = (options: RootOptions) => discoverRoots(options).roots.map(({ path }) => path);
const found = (options: RootOptions) => {
  const { roots, problems } = discoverRoots(options);
  return {
    roots: roots.map(({ path, layout, source }) => [path.replace(`${dir}/`, ''), layout, source]),
    problems: problems.map(({ code, severity }) => [code, severity]),
  };
};

describe('which places are read', () => {
  const everything = () => {
    const host = makeRoot(join(dir, 'host'));
    const user = makeRoot(join(dir, 'state/thermos'));
    const run = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    return {
      paths: [host, user, run],
      options: optionsIn(dir, {
        env: { XDG_STATE_HOME: join(dir, 'state') },
        places: { hostRoot: host, workDirs: [join(dir, 'mesos'), join(dir, 'no-such')] },
      }),
    };
  };

  test('by default the host, the user and Mesos', () => {
    const { options, paths: all } = everything();
    expect(discoverRoots(options)).toMatchObject({
      roots: [
        { path: all[0], layout: 'host', source: 'default', readable: true },
        { path: all[1], layout: 'host', source: 'user', readable: true },
        { path: all[2], layout: 'mesos', source: 'default', readable: true },
      ],
      problems: [],
    });
  });

  test('a default that does not exist, or is not a root, is not a problem', () => {
    mkdirSync(join(dir, 'host'));
    mkdirSync(join(dir, 'mesos'));
    const options = optionsIn(dir, {
      places: { hostRoot: join(dir, 'host'), workDirs: [join(dir, 'mesos')] },
    });
    expect(discoverRoots(options)).toMatchObject({ roots: [], problems: [] });
  });

  test('first of all the sandbox of the Mesos executor that we run in, if it has a root', () => {
    const { options, paths: all } = everything();
    const [, , inMesos = ''] = all;
    const run = dirname(inMesos);
    const within = (MESOS_SANDBOX: string) => ({ ...options, env: { ...options.env, MESOS_SANDBOX } });
    expect(discoverRoots(within(run)).roots).toMatchObject([
      { path: inMesos, layout: 'mesos', source: 'MESOS_SANDBOX', run_dir: run },
      { path: all[0] },
      { path: all[1] },
    ]);
    // As in a container with an image of its own.
    const plain = makeRoot(join(dir, 'sandbox/checkpoints'));
    expect(found(within(join(dir, 'sandbox'))).roots[0]).toEqual([
      'sandbox/checkpoints',
      'mesos',
      'MESOS_SANDBOX',
    ]);
    for (const other of ['', join(dir, 'no-such'), dir, plain]) expect(paths(within(other))).toEqual(all);
    const named = { ...within(run), flags: { root: [all[0] as string] } };
    expect(paths(named)).toEqual([all[0]]);
  });

  test('--root replaces them all, and so does --mesos-root', () => {
    const { options, paths: all } = everything();
    const mine = makeRoot(join(dir, 'mine'));
    expect(paths({ ...options, flags: { root: [mine] } })).toEqual([mine]);
    expect(paths({ ...options, flags: { mesosRoot: [join(dir, 'mesos')] } })).toEqual([all[2]]);
    const env = { ...options.env, THERMOS_ROOT: all[0] };
    expect(paths({ ...options, env, flags: { root: [mine] } })).toEqual([mine]);
    expect(paths({ ...options, flags: { root: [], mesosRoot: [] } })).toHaveLength(3);
  });

  test('the environment replaces the defaults; an empty variable is none', () => {
    const { options, paths: all } = everything();
    expect(found({ ...options, env: { ...options.env, THERMOS_ROOT: join(dir, 'host') } }).roots).toEqual([
      ['host', 'host', 'THERMOS_ROOT'],
    ]);
    const mesos = { ...options, env: { ...options.env, THERMOS_MESOS_ROOT: join(dir, 'mesos') } };
    expect(discoverRoots(mesos).roots).toMatchObject([{ path: all[2], source: 'THERMOS_MESOS_ROOT' }]);
    const empty = { ...options.env, THERMOS_ROOT: '', THERMOS_MESOS_ROOT: '' };
    expect(paths({ ...options, env: empty })).toEqual(all);
  });

  test('a variable may hold several paths; one with a colon that exists counts whole', () => {
    const a = makeRoot(join(dir, 'a'));
    const b = makeRoot(join(dir, 'b'));
    expect(paths(optionsIn(dir, { env: { THERMOS_ROOT: `${a}:${b}:` } }))).toEqual([a, b]);
    const odd = makeRoot(`${a}:${b.slice(1)}`);
    expect(paths(optionsIn(dir, { env: { THERMOS_ROOT: odd } }))).toEqual([odd]);
  });

  test('the root around the working directory goes before the defaults, if asked for', () => {
    const { options } = everything();
    const root = makeRoot(join(dir, 'else where'));
    mkdirSync(join(root, 'sandboxes/x/deep'), { recursive: true });
    const inside = { ...options, cwd: join(root, 'sandboxes/x/deep') };
    expect(found({ ...inside, fromCwd: true }).roots).toEqual([['else where', 'host', 'cwd']]);
    expect(paths(inside)).toHaveLength(3);
    expect(paths({ ...inside, fromCwd: true, flags: { root: [join(dir, 'host')] } })).toEqual([
      join(dir, 'host'),
    ]);
    expect(paths({ ...options, fromCwd: true })).toHaveLength(3);
    expect(paths({ ...options, cwd: undefined, fromCwd: true })).toHaveLength(3);
  });

  test('from anywhere in a Mesos sandbox its own root alone', () => {
    const work = join(dir, 'mesos');
    const root = makeTaskRun(work, 'a', 'c1');
    makeTaskRun(work, 'b', 'c2');
    const run = root.slice(0, -'/checkpoints'.length);
    for (const cwd of [run, `${run}/sandbox`, `${run}/sandbox/.logs`, root, `${root}/checkpoints/a`]) {
      const { roots } = discoverRoots(optionsIn(dir, { cwd, fromCwd: true }));
      expect(roots).toMatchObject([{ path: root, layout: 'mesos', run_dir: run, source: 'cwd' }]);
    }
    expect(paths(optionsIn(dir, { cwd: dirname(run), fromCwd: true }))).toEqual([]);
  });

  test('a directory with something called tasks in it is not taken for a root', () => {
    for (const name of ['tasks', 'checkpoints']) mkdirSync(join(dir, 'project', name), { recursive: true });
    expect(paths(optionsIn(dir, { cwd: join(dir, 'project'), fromCwd: true }))).toEqual([]);
  });
});

describe("the user's root", () => {
  test('XDG_STATE_HOME, else the home; a relative one does not count', () => {
    expect(userRoot({ env: { XDG_STATE_HOME: '/x/', HOME: '/h' } })).toBe('/x/thermos');
    expect(userRoot({ env: { HOME: '/h' } })).toBe('/h/.local/state/thermos');
    expect(userRoot({ env: { XDG_STATE_HOME: 'x', HOME: '/h' } })).toBe('/h/.local/state/thermos');
  });

  test('without HOME the one of /etc/passwd, or none', () => {
    expect(userRoot({ env: {}, home: () => '/home/me' })).toBe('/home/me/.local/state/thermos');
    expect(userRoot({ env: { HOME: '' }, home: () => undefined })).toBeUndefined();
    expect(userRoot({ env: {} })).toBeUndefined();
    const refuse = () => {
      throw new Error('not needed');
    };
    expect(userRoot({ env: { HOME: '/h' }, home: refuse })).toBe('/h/.local/state/thermos');
  });
});

describe('what was named', () => {
  const named = (...root: string[]) => optionsIn(dir, { flags: { root } });

  test('missing, a file, empty: problems; the rest is found', () => {
    const root = makeRoot(join(dir, 'root'));
    writeFileSync(join(dir, 'file'), '');
    mkdirSync(join(dir, 'empty'));
    const options = named(
      join(dir, 'none'),
      join(dir, 'file'),
      join(dir, 'file/x'),
      join(dir, 'empty'),
      root,
    );
    expect(found(options)).toEqual({
      roots: [['root', 'host', '--root']],
      problems: [
        ['root-missing', 'error'],
        ['root-missing', 'error'],
        ['root-missing', 'error'],
        ['root-empty', 'warning'],
      ],
    });
    const { problems } = discoverRoots(options);
    expect(problems[0]).toMatchObject({
      message: `--root ${dir}/none does not exist`,
      path: `${dir}/none`,
    });
    expect(problems[1]?.message).toBe(`--root ${dir}/file is not a directory`);
    expect(problems[3]?.hint).toContain('tasks/ and checkpoints/');
  });

  test('the directory around a root: the hint names the root', () => {
    makeRoot(join(dir, 'around/root'));
    expect(discoverRoots(named(join(dir, 'around'))).problems).toMatchObject([
      { code: 'root-empty', hint: `did you mean ${dir}/around/root?` },
    ]);
  });

  test('once, however it is reached', () => {
    const root = makeRoot(join(dir, 'root'));
    symlinkSync(root, join(dir, 'link'));
    symlinkSync('root', join(dir, 'relative-link'));
    const ways = [`${root}/`, root, `${dir}//root/.`, `${root}/tasks/..`, 'root', './root'];
    expect(paths(named(...ways, join(dir, 'link'), join(dir, 'relative-link')))).toEqual([root]);
    expect(paths(named(join(dir, 'link'), root))).toEqual([join(dir, 'link')]);
  });

  test('`..` after a link is where the link leads', () => {
    const root = makeRoot(join(dir, 'there/root'));
    makeRoot(join(dir, 'root'), { active: ['wrong'] });
    mkdirSync(join(dir, 'there/x'));
    symlinkSync(join(dir, 'there/x'), join(dir, 'link'));
    expect(paths(named(`${dir}/link/../root`))).toEqual([root]);
  });

  test('links that loop or lead nowhere are missing', () => {
    symlinkSync('loop', join(dir, 'loop'));
    symlinkSync('nowhere', join(dir, 'dangling'));
    const { problems } = discoverRoots(named(join(dir, 'loop'), join(dir, 'dangling')));
    expect(problems.map(({ code }) => code)).toEqual(['root-unreadable', 'root-missing']);
    expect(problems[0]?.message).toContain('too many levels of symbolic links');
  });

  test('any name', () => {
    for (const name of [
      'a b',
      '100%',
      'q[1]',
      'x:y',
      'ünï',
      'new\nline',
      '\u001b[31m',
      '__proto__',
      '*',
      '-x',
    ]) {
      const root = makeRoot(join(dir, name));
      expect(paths(named(root))).toEqual([root]);
    }
    expect(found(named('a\0b')).problems).toEqual([['root-missing', 'error']]);
    expect(found(named(`/${'x'.repeat(5000)}`)).problems).toEqual([['root-missing', 'error']]);
  });

  test('the contents decide, not the flag', () => {
    const run = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    const root = makeRoot(join(dir, 'root'));
    expect(paths(named(join(dir, 'mesos')))).toEqual([run]);
    expect(discoverRoots(optionsIn(dir, { flags: { mesosRoot: [root] } })).roots).toMatchObject([
      { path: root, layout: 'host', source: '--mesos-root' },
    ]);
    rmSync(join(root, 'tasks'), { recursive: true });
    expect(paths(named(root))).toEqual([root]);
  });
});

describe('Mesos', () => {
  const mesos = (...mesosRoot: string[]) => optionsIn(dir, { flags: { mesosRoot } });

  test('every run of the fixtures, with its ids; links and runs without checkpoints are left out', () => {
    const { roots, problems } = discoverRoots(mesos(join(FIXTURES, 'checkpoints/mesos-many/mesos')));
    expect(problems).toEqual([]);
    expect(
      roots.map((root) => [root.mesos?.agent_id.slice(-3), root.mesos?.container_id.slice(0, 8)]),
    ).toEqual([
      ['-S3', 'e827fd2e'],
      ['-S0', 'd0bf642d'],
      ['-S0', 'ffff1111'],
      ['-S0', '7986fa8a'],
      ['-S0', '2073d8f1'],
    ]);
    for (const { path, run_dir, mesos: ids, layout, readable } of roots) {
      expect({ path, layout, readable }).toEqual({
        path: `${run_dir}/checkpoints`,
        layout: 'mesos',
        readable: true,
      });
      expect(run_dir).toContain(
        `/${ids?.agent_id}/frameworks/${ids?.framework_id}/executors/${ids?.executor_id}/`,
      );
    }
  });

  test('any directory on the way down will do', () => {
    const work = join(dir, 'work dir');
    const a = makeTaskRun(work, 'a', 'c1');
    const b = makeTaskRun(work, 'b', 'c2');
    const c = makeTaskRun(work, 'c', 'c3', 'S1');
    const segments = a.slice(work.length + 1).split('/');
    const at = (count: number) => paths(mesos([work, ...segments.slice(0, count)].join('/')));
    expect(at(0)).toEqual([a, b, c]);
    expect(at(1)).toEqual([a, b, c]);
    for (const count of [2, 3, 4, 5]) expect(at(count)).toEqual([a, b]);
    for (const count of [6, 7, 8, 9]) expect(at(count)).toEqual([a]);
    const { roots } = discoverRoots(mesos(work, `${work}/slaves`, a, `${a}/..`));
    expect(roots.map(({ path }) => path)).toEqual([a, b, c]);
  });

  test('--root takes the checkpoints of a run, and knows them by the path', () => {
    const root = makeTaskRun(dir, 'a', 'c1');
    expect(discoverRoots(optionsIn(dir, { flags: { root: [root] } })).roots).toMatchObject([
      { path: root, layout: 'mesos', mesos: { executor_id: 'thermos-a', container_id: 'c1' } },
    ]);
    const copy = makeRoot(join(dir, 'copy/checkpoints'), { finished: ['a'] });
    expect(discoverRoots(optionsIn(dir, { flags: { root: [copy] } })).roots).toMatchObject([
      { layout: 'host' },
    ]);
    expect(discoverRoots(mesos(copy)).roots).toMatchObject([
      { path: copy, layout: 'mesos', run_dir: join(dir, 'copy'), mesos: undefined },
    ]);
  });

  test('a sandbox that was copied out of its tree', () => {
    const root = makeRoot(join(dir, 'copy/checkpoints'), { finished: ['a'] });
    mkdirSync(join(dir, 'copy/sandbox'));
    for (const flags of [{ root: [join(dir, 'copy')] }, { mesosRoot: [join(dir, 'copy')] }]) {
      expect(discoverRoots(optionsIn(dir, { flags }))).toMatchObject({
        roots: [{ path: root, layout: 'mesos', run_dir: join(dir, 'copy') }],
        problems: [],
      });
    }
  });

  test('links are skipped at every level', () => {
    const root = makeTaskRun(dir, 'a', 'c1');
    const run = root.slice(0, -'/checkpoints'.length);
    const up = (count: number) => run.split('/').slice(0, -count).join('/');
    symlinkSync(run, `${up(1)}/latest`);
    symlinkSync(`${up(2)}`, `${up(3)}/again`);
    symlinkSync(`${up(4)}`, `${up(5)}/again`);
    symlinkSync(`${up(6)}`, `${up(7)}/latest`);
    symlinkSync('loop', `${up(7)}/loop`);
    symlinkSync('/nowhere', `${up(1)}/dangling`);
    mkdirSync(`${up(3)}/other/runs/c9`, { recursive: true });
    symlinkSync(root, `${up(3)}/other/runs/c9/checkpoints`);
    mkdirSync(`${up(3)}/third`, { recursive: true });
    symlinkSync(up(1), `${up(3)}/third/runs`);
    expect(discoverRoots(mesos(dir))).toMatchObject({ roots: [{ path: root }], problems: [] });
  });

  test('only the slaves directory may be a link', () => {
    makeTaskRun(join(dir, 'disk'), 'a', 'c1');
    mkdirSync(join(dir, 'work'));
    symlinkSync(join(dir, 'disk/slaves'), join(dir, 'work/slaves'));
    const both = paths(mesos(join(dir, 'work'), join(dir, 'disk')));
    expect(both).toHaveLength(1);
    expect(both[0]).toMatch(`${dir}/work/slaves/S0/`);
  });

  test('half collected', () => {
    const kept = makeTaskRun(dir, 'a', 'c1');
    mkdirSync(`${dir}/slaves/S0/frameworks/F0/executors/thermos-b/runs`, { recursive: true });
    symlinkSync('/gone/c7', `${dir}/slaves/S0/frameworks/F0/executors/thermos-b/runs/latest`);
    mkdirSync(`${dir}/slaves/S0/frameworks/F0/executors/thermos-c/runs`, { recursive: true });
    mkdirSync(`${dir}/slaves/S0/frameworks/F0/executors/thermos-d`, { recursive: true });
    mkdirSync(`${dir}/slaves/S1/frameworks`, { recursive: true });
    mkdirSync(`${dir}/slaves/S2`, { recursive: true });
    writeFileSync(`${dir}/slaves/file`, '');
    makeRun(dir, 'thermos-e', 'c2');
    writeFileSync(`${makeRun(dir, 'thermos-f', 'c3')}/checkpoints`, 'no directory');
    expect(discoverRoots(mesos(dir))).toMatchObject({ roots: [{ path: kept }], problems: [] });
  });

  test('a directory with nothing of Thermos in it is reported', () => {
    makeRun(dir, 'other', 'c1');
    expect(found(mesos(dir))).toEqual({ roots: [], problems: [['root-empty', 'warning']] });
  });

  test('`latest` is the run of that name beside it', () => {
    const root = makeTaskRun(join(dir, 'copy'), 'a', 'c1');
    makeTaskRun(join(dir, 'copy'), 'a', 'c2');
    const runs = root.slice(0, -'/c1/checkpoints'.length);
    symlinkSync('/old/place/runs/c1', `${runs}/latest`);
    for (const path of [`${runs}/latest`, `${runs}/latest/`, `${runs}/latest/checkpoints`]) {
      expect(discoverRoots(mesos(path)).roots).toMatchObject([{ path: root, mesos: { container_id: 'c1' } }]);
    }
  });

  test('ids of any kind', () => {
    for (const id of ['a b', 'x:y', '100%', 'ünï', 'q[1]', 'slaves', 'runs', 'latest-ish']) {
      const work = join(dir, `work ${id}`);
      const run = `${work}/slaves/${id}/frameworks/${id}/executors/thermos-${id}/runs/${id}`;
      const root = makeRoot(`${run}/checkpoints`, { active: [id] });
      expect(discoverRoots(mesos(work)).roots).toMatchObject([
        {
          path: root,
          mesos: { agent_id: id, framework_id: id, executor_id: `thermos-${id}`, container_id: id },
        },
      ]);
    }
  });
});
