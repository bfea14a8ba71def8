import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discover } from '../../src/discovery/discover.js';
import type { TaskRoot } from '../../src/discovery/found.js';
import { realPathsOfOneMoment } from '../../src/discovery/real-paths.js';
import { locateOfOneMoment, locatePaths, type RecordedPaths } from '../../src/discovery/relocate.js';
import { realPath } from '../../src/store/look.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { makeRoot, makeTaskRun, optionsIn } from './trees.js';

const CASES = join(FIXTURES, 'checkpoints');

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

interface Header extends RecordedPaths {
  task_id: string;
}

const sound = readdirSync(CASES)
  .map((name) => ({ name, about: JSON.parse(readFileSync(join(CASES, name, 'case.json'), 'utf8')) }))
  .filter(({ about }) => !about.damaged);

/** The paths that were recorded may be here, too, where another Mesos agent works. */
const realPathHere = (path: string) => (path.startsWith(`${CASES}/`) ? realPath(path) : undefined);

describe('real tasks, copied from where they ran', () => {
  test.each(sound.map(({ name, about }) => ({ name, about })))('$name', ({ name, about }) => {
    const top = join(CASES, name);
    const expected = JSON.parse(readFileSync(join(top, 'expected.json'), 'utf8'));
    const root = join(top, about.layout === 'bare' ? 'root' : 'mesos');
    const { tasks } = discover(optionsIn(dir, { flags: { root: [root] } }));
    expect(tasks.length).toBeGreaterThan(0);
    for (const task of tasks) {
      const stream = expected[`${task.checkpoint_dir}/runner`.slice(top.length + 1)];
      const header: Header = stream.state?.header ?? stream.header;
      const { sandbox, log_dir } = locatePaths(header, task, realPathHere);
      for (const [located, recorded] of [
        [sandbox, header.sandbox],
        [log_dir, header.log_dir],
      ] as const) {
        const here = (recorded as string).replace(about.recorded_at, top);
        // git keeps no empty directories, and some sandboxes may not be entered by everybody.
        if (realPathHere(here) !== undefined)
          expect(located).toEqual({ path: here, relocated: true, found: true });
        else if (located?.found) expect(located.path.startsWith(`${task.root.run_dir}/`)).toBe(true);
        else expect([here, recorded]).toContain(located?.path);
        expect(located?.found).toBe(realPathHere(located?.path as string) !== undefined);
      }
    }
  });
});

const host = (path: string): TaskRoot => ({ path, layout: 'host', source: 'test', readable: true });
const inRoot = (path: string, task_id = 'a') => ({ task_id, root: host(path) });

describe('beside a bare root', () => {
  const locate = (recorded: RecordedPaths, task_id?: string) =>
    locatePaths(recorded, inRoot(join(dir, 'root'), task_id), realPath);
  const make = (...names: string[]) => {
    for (const name of names) mkdirSync(join(dir, name), { recursive: true });
  };
  beforeEach(() => {
    makeRoot(join(dir, 'root'));
  });

  test('a recorded path that exists stays as it is', () => {
    make('away/sandbox/.logs', 'sandbox/.logs');
    const recorded = { sandbox: join(dir, 'away/sandbox'), log_dir: join(dir, 'away/sandbox/.logs') };
    expect(locate(recorded)).toEqual({
      sandbox: { path: recorded.sandbox, relocated: false, found: true },
      log_dir: { path: recorded.log_dir, relocated: false, found: true },
    });
  });

  test('the longest end of the recorded path that is there', () => {
    make('sandboxes/a/.logs', 'place/sandboxes/a/.logs', 'a/.logs');
    const recorded = { sandbox: '/old/place/sandboxes/a', log_dir: '/old/place/sandboxes/a/.logs' };
    const at = (path: string) => ({ path: join(dir, path), relocated: true, found: true });
    expect(locate(recorded)).toEqual({
      sandbox: at('place/sandboxes/a'),
      log_dir: at('place/sandboxes/a/.logs'),
    });
    rmSync(join(dir, 'place'), { recursive: true });
    expect(locate(recorded)).toEqual({ sandbox: at('sandboxes/a'), log_dir: at('sandboxes/a/.logs') });
    rmSync(join(dir, 'sandboxes'), { recursive: true });
    expect(locate(recorded).sandbox).toEqual(at('a'));
  });

  test('by the id of the task, where run puts sandboxes', () => {
    make('root/sandboxes/a');
    expect(locate({ sandbox: '/gone/x' }).sandbox).toMatchObject({
      path: join(dir, 'root/sandboxes/a'),
      found: true,
    });
    expect(locate({ sandbox: '/gone/x' }, 'b').sandbox?.found).toBe(false);
    expect(locate({}).sandbox).toEqual({
      path: join(dir, 'root/sandboxes/a'),
      relocated: false,
      found: true,
    });
    expect(locate({}, 'b')).toEqual({ sandbox: undefined, log_dir: undefined });
  });

  test('a single name must look like a sandbox: anything may lie beside a root', () => {
    make('lock', 'box/.logs', 'other/logs');
    expect(locate({ sandbox: '/gone/lock' }).sandbox?.found).toBe(false);
    expect(locate({ sandbox: '/gone/box' }).sandbox?.found).toBe(true);
    expect(locate({ sandbox: '/gone/other', log_dir: '/gone/other/logs' })).toMatchObject({
      log_dir: { path: join(dir, 'other/logs'), found: true },
    });
  });

  test('never the root itself, its files, or what holds it', () => {
    for (const sandbox of ['/x/root', '/x/root/checkpoints', '/x/root/tasks/active', '/x', '/', '.', '']) {
      expect(locate({ sandbox }).sandbox).toEqual({
        path: sandbox,
        relocated: false,
        found: sandbox === '/',
      });
    }
  });

  test('a log directory elsewhere than in the sandbox', () => {
    make('var/log/a');
    expect(locate({ sandbox: '/gone/x/y', log_dir: '/gone/var/log/a' })).toEqual({
      sandbox: { path: '/gone/x/y', relocated: false, found: false },
      log_dir: { path: join(dir, 'var/log/a'), relocated: true, found: true },
    });
  });

  test('an old header without a log directory', () => {
    make('sandbox');
    expect(locate({ sandbox: '/gone/sandbox' }).log_dir).toEqual({
      path: join(dir, 'sandbox/.logs'),
      relocated: true,
      found: false,
    });
    make('sandbox/.logs');
    expect(locate({ sandbox: '/gone/sandbox' }).log_dir?.found).toBe(true);
  });

  test('logs that are not there should be in the sandbox that is', () => {
    make('sandbox');
    const recorded = { sandbox: '/gone/sandbox', log_dir: '/gone/sandbox/.logs' };
    expect(locate(recorded).log_dir).toEqual({
      path: join(dir, 'sandbox/.logs'),
      relocated: true,
      found: false,
    });
    const forged = { sandbox: '/gone/sandbox', log_dir: '/gone/sandbox/../.logs' };
    expect(locate(forged).log_dir).toEqual({ path: forged.log_dir, relocated: false, found: false });
  });

  test('a relative path is not looked for from where we happen to be', () => {
    make('some/src');
    expect(locate({ sandbox: 'src' }).sandbox).toEqual({ path: 'src', relocated: false, found: false });
  });

  test('beside a root in / is nothing', () => {
    expect(locatePaths({ sandbox: '/gone/usr/bin' }, inRoot('/no-root'), realPath).sandbox?.found).toBe(
      false,
    );
  });
});

describe('in a Mesos run directory', () => {
  const setUp = () => {
    const root = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    const [task] = discover(optionsIn(dir, { flags: { root: [root] } })).tasks;
    if (task === undefined) throw new Error('no task');
    const run = task.root.run_dir as string;
    return { run, locate: (recorded: RecordedPaths) => locatePaths(recorded, task, realPath) };
  };
  const tail = 'slaves/S0/frameworks/F0/executors/thermos-a/runs/c1';

  test('the same place after the container id', () => {
    const { run, locate } = setUp();
    mkdirSync(join(run, '.logs'));
    expect(
      locate({ sandbox: `/var/lib/mesos/${tail}/sandbox`, log_dir: `/var/lib/mesos/${tail}/.logs` }),
    ).toEqual({
      sandbox: { path: `${run}/sandbox`, relocated: true, found: true },
      log_dir: { path: `${run}/.logs`, relocated: true, found: true },
    });
  });

  test('a path of a container with an image', () => {
    const { run, locate } = setUp();
    expect(
      locate({ sandbox: '/mnt/mesos/sandbox/sandbox', log_dir: '/mnt/mesos/sandbox/sandbox/.logs' }),
    ).toEqual({
      sandbox: { path: `${run}/sandbox`, relocated: true, found: true },
      log_dir: { path: `${run}/sandbox/.logs`, relocated: true, found: true },
    });
  });

  test('the own sandbox of a copy, even if the original is still there', () => {
    const { run, locate } = setUp();
    const original = makeTaskRun(join(dir, 'original'), 'a', 'c1').replace(/\/checkpoints$/, '');
    expect(locate({ sandbox: `${original}/sandbox` }).sandbox).toEqual({
      path: `${run}/sandbox`,
      relocated: true,
      found: true,
    });
    rmSync(join(run, 'sandbox'), { recursive: true });
    expect(locate({ sandbox: `${original}/sandbox` }).sandbox).toEqual({
      path: `${original}/sandbox`,
      relocated: false,
      found: true,
    });
  });

  test('the work directory reached through a link is where it was recorded', () => {
    const { run, locate } = setUp();
    symlinkSync(join(dir, 'mesos'), join(dir, 'link'));
    const recorded = `${dir}/link/${tail}/sandbox`;
    expect(locate({ sandbox: recorded }).sandbox).toEqual({ path: recorded, relocated: false, found: true });
    expect(locate({ sandbox: `${run}/sandbox` }).sandbox).toEqual({
      path: `${run}/sandbox`,
      relocated: false,
      found: true,
    });
  });

  test('without a header, or with a useless one, where the layout has it', () => {
    const { run, locate } = setUp();
    expect(locate({})).toEqual({
      sandbox: { path: `${run}/sandbox`, relocated: false, found: true },
      log_dir: { path: `${run}/sandbox/.logs`, relocated: false, found: true },
    });
    expect(locate({ sandbox: '/gone', log_dir: '/gone/else' })).toMatchObject({
      sandbox: { path: `${run}/sandbox`, relocated: true },
      log_dir: { path: `${run}/sandbox/.logs`, relocated: true },
    });
    renameSync(`${run}/sandbox/.logs`, `${run}/.logs`);
    expect(locate({ sandbox: '/gone', log_dir: '/gone/.logs' }).log_dir?.path).toBe(`${run}/.logs`);
  });

  test('collected', () => {
    const { run, locate } = setUp();
    rmSync(`${run}/sandbox`, { recursive: true });
    expect(locate({ sandbox: '/gone/sandbox', log_dir: '/gone/sandbox/.logs' })).toEqual({
      sandbox: { path: '/gone/sandbox', relocated: false, found: false },
      log_dir: { path: '/gone/sandbox/.logs', relocated: false, found: false },
    });
  });
});

describe('forged headers', () => {
  test('links out of the sandbox are not followed', () => {
    const root = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    const run = root.replace(/\/checkpoints$/, '');
    const task = { task_id: 'a', root: { ...host(root), layout: 'mesos' as const, run_dir: run } };
    mkdirSync(join(dir, 'secret/.logs'), { recursive: true });
    rmSync(`${run}/sandbox`, { recursive: true });
    symlinkSync(join(dir, 'secret'), `${run}/sandbox`);
    const { sandbox, log_dir } = locatePaths({ sandbox: `/old/runs/c1/sandbox` }, task, realPath);
    expect(sandbox).toEqual({ path: '/old/runs/c1/sandbox', relocated: false, found: false });
    expect(log_dir?.found).toBe(false);
  });

  test('whatever is recorded, a relocated path is inside the run directory or beside the root', () => {
    const base = join(dir, 'in');
    const bare = makeRoot(join(base, 'root'));
    const run = makeTaskRun(base, 'a', 'c1').replace(/\/checkpoints$/, '');
    mkdirSync(join(base, 'sandbox/.logs'), { recursive: true });
    mkdirSync(join(dir, 'out/sandbox/.logs'), { recursive: true });
    symlinkSync('../out', join(base, 'link'));
    symlinkSync(join(dir, 'out'), join(run, 'link'));
    const places = [
      { base, task: inRoot(bare) },
      {
        base: run,
        task: {
          task_id: 'a',
          root: { ...host(`${run}/checkpoints`), layout: 'mesos' as const, run_dir: run },
        },
      },
    ];
    const segment = fc.constantFrom(
      '..',
      '.',
      '',
      'sandbox',
      '.logs',
      'out',
      'link',
      'root',
      'tasks',
      'runs',
      'c1',
      'in',
      'gone',
    );
    const start = fc.constantFrom('/gone', '', '/mnt/mesos/sandbox', '/gone/runs/c1', 'x');
    const path = fc
      .tuple(start, fc.array(segment, { maxLength: 8 }))
      .map(([head, rest]) => [head, ...rest].join('/'));
    const recorded = fc.record({ sandbox: path, log_dir: path }, { requiredKeys: [] });
    const locateAmongMany = locateOfOneMoment(realPathsOfOneMoment());
    fc.assert(
      fc.property(recorded, fc.constantFrom(...places), (paths, place) => {
        const { sandbox, log_dir } = locatePaths(paths, place.task, realPath);
        expect(locateAmongMany(paths, place.task)).toEqual({ sandbox, log_dir });
        for (const located of [sandbox, log_dir]) {
          if (!located?.relocated || !located.found) continue;
          expect(realPath(located.path)?.startsWith(`${realPath(place.base)}/`)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
