import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mode } from '../../src/discovery/find.js';
import { type SelectHooks, selectTasks } from '../../src/discovery/select.js';
import { UsageError } from '../../src/errors/errors.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { makeRoot, makeTaskRun, optionsIn } from './trees.js';

let dir: string;
let host: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  host = makeRoot(join(dir, 'host'), { active: ['kk-1', 'kk-10'], finished: ['old'] });
});
afterEach(() => remove());

interface More {
  mode?: Mode;
  hooks?: SelectHooks;
  cwd?: string;
  flags?: { root?: string[] };
}
const select = (words: string[], { mode = 'look', hooks, cwd, flags }: More = {}) =>
  selectTasks(
    optionsIn(dir, { places: { hostRoot: host }, cwd: cwd ?? dir, flags: flags ?? {} }),
    words,
    mode,
    hooks,
  );
const ids = (words: string[], more?: More) => select(words, more).selected.map(({ task_id }) => task_id);

test('no words: everything', () => {
  const { selected, tasks, unmatched } = select([]);
  expect(selected).toEqual(tasks);
  expect(tasks.map(({ task_id }) => task_id)).toEqual(['kk-1', 'kk-10', 'old']);
  expect(unmatched).toEqual([]);
});

test('no words, within a root: only that one; with words all are looked into', () => {
  const other = makeRoot(join(dir, 'other'), { active: ['mine'] });
  expect(ids([], { cwd: join(other, 'tasks') })).toEqual(['mine']);
  expect(ids(['kk-1'], { cwd: join(other, 'tasks') })).toEqual(['kk-1']);
});

test('words that are ids or patterns', () => {
  expect(ids(['kk-1'])).toEqual(['kk-1']);
  expect(ids(['kk', 'old'])).toEqual(['kk-1', 'kk-10', 'old']);
  expect(ids(['kk'], { mode: 'change' })).toEqual([]);
  expect(select(['kk', 'nope']).unmatched).toEqual([{ word: 'nope', near: [] }]);
  expect(() => select(['('])).toThrow(UsageError);
});

test('any part of an id is found to look, after ids and paths, and never to change', () => {
  const other = makeRoot(join(dir, 'k-1'), { active: ['elsewhere'] });
  expect(ids(['k-10'])).toEqual(['kk-10']);
  expect(ids(['10', 'ld'])).toEqual(['kk-10', 'old']);
  expect(ids(['k-1'])).toEqual(['elsewhere']);
  for (const mode of ['look-strictly', 'change'] as const) {
    expect(select(['k-10'], { mode })).toMatchObject({ selected: [], unmatched: [{ word: 'k-10' }] });
  }
  expect(ids(['kk-1'], { mode: 'change' })).toEqual(['kk-1']);
  rmSync(other, { recursive: true });
});

test("a job's key finds its tasks to look, unless there is a path with that name", () => {
  const uuid = '2f9c3a4e-7a52-4d0c-9b1e-5f3a8f6c1d20';
  makeRoot(host, { active: [`www-prod-web-0-${uuid}`, `www-prod-web-1-${uuid}`] });
  expect(ids(['www/prod/web'])).toHaveLength(2);
  expect(ids(['www/prod/web/1'])).toEqual([`www-prod-web-1-${uuid}`]);
  expect(select(['www/prod/web/0/2f9c3a4e'], { mode: 'change' })).toMatchObject({
    selected: [],
    unmatched: [{ near: [`www-prod-web-0-${uuid}`] }],
  });
  makeRoot(join(dir, 'www/prod/web'), { active: ['mine'] });
  expect(ids(['www/prod/web'])).toEqual(['mine']);
});

describe('paths', () => {
  test.each([
    ['a task file', 'tasks/active/t 1', 't 1'],
    ['a checkpoint directory', 'checkpoints/t 1', 't 1'],
    ['a stream', 'checkpoints/t 1/runner', 't 1'],
    ['a sandbox that run made', 'sandboxes/t 1', 't 1'],
    ['something in that sandbox', 'sandboxes/t 1/.logs/p', 't 1'],
    ['the root', '', 't 1,t2'],
    ['its tasks', 'tasks', 't 1,t2'],
    ['its finished tasks', 'tasks/finished', 't 1,t2'],
    ['its checkpoints', 'checkpoints', 't 1,t2'],
  ])('%s of a root that was not discovered', (_, path, expected) => {
    const root = makeRoot(join(dir, 'else where'), { active: ['t 1'], finished: ['t2'] });
    mkdirSync(join(root, 'sandboxes/t 1/.logs/p'), { recursive: true });
    const { selected, roots, tasks } = select([`${root}/${path}`]);
    expect(selected.map(({ task_id }) => task_id).join()).toBe(expected);
    expect(roots).toMatchObject([{ path: root, source: 'argument' }]);
    expect(tasks).toHaveLength(2);
    expect(ids([`else where/${path}`]).join()).toBe(expected);
    expect(ids([path === '' ? '.' : `./${path}`], { cwd: root }).join()).toBe(expected);
  });

  test('beside words, everything is looked into; a root that is known already is not added', () => {
    const root = makeRoot(join(dir, 'other'), { active: ['kk-1'] });
    const { roots, selected } = select([`${root}/tasks/active/kk-1`, 'old']);
    expect(roots.map(({ path }) => path)).toEqual([host, root]);
    expect(selected.map((task) => `${task.root.path} ${task.task_id}`)).toEqual([
      `${root} kk-1`,
      `${host} old`,
    ]);
    symlinkSync(host, join(dir, 'link'));
    const again = select([join(dir, 'link/checkpoints/kk-1'), 'old']);
    expect(again.roots).toHaveLength(1);
    expect(again.selected.map(({ task_id }) => task_id)).toEqual(['kk-1', 'old']);
  });

  test('only paths: nothing else is looked into, unless a flag names it', () => {
    const missing = join(dir, 'missing');
    const path = `${host}/checkpoints/old`;
    expect(select([path]).problems).toEqual([]);
    expect(select([path], { flags: { root: [missing] } })).toMatchObject({
      problems: [{ code: 'root-missing' }],
      selected: [{ task_id: 'old' }],
    });
  });

  test.each([
    '',
    '/sandbox',
    '/sandbox/.logs',
    '/checkpoints',
    '/checkpoints/checkpoints/a',
    '/../latest',
    '/../latest/sandbox',
  ])('RUN%s of Mesos', (path) => {
    const root = makeTaskRun(join(dir, 'mesos'), 'a', 'c1');
    const run = dirname(root);
    symlinkSync('/moved/runs/c1', join(dirname(run), 'latest'));
    expect(select([`${run.replace(/\/c1$/, '')}/c1${path}`.replace('/c1/..', '')])).toMatchObject({
      selected: [{ task_id: 'a', root: { path: root, layout: 'mesos', mesos: { container_id: 'c1' } } }],
    });
  });

  test('a sandbox copied out of its tree', () => {
    const root = makeRoot(join(dir, 'copy/checkpoints'), { finished: ['a'] });
    mkdirSync(join(dir, 'copy/sandbox'));
    for (const word of ['copy', './copy/sandbox', 'copy/']) {
      expect(select([word])).toMatchObject({
        selected: [{ task_id: 'a', root: { path: root, layout: 'mesos' } }],
      });
    }
  });

  test('a stream that is a link is the one that was named', () => {
    expect(
      ids([join(FIXTURES, 'checkpoints/damaged-fs-runner-link/root/checkpoints/hello-1/runner')]),
    ).toEqual(['hello-1']);
    writeFileSync(join(dir, 'real-stream'), '');
    unlinkSync(`${host}/checkpoints/old/runner`);
    symlinkSync(join(dir, 'real-stream'), `${host}/checkpoints/old/runner`);
    expect(ids([`${host}/checkpoints/old/runner`])).toEqual(['old']);
  });

  test('a checkpoint of which only that is left', () => {
    rmSync(`${host}/tasks`, { recursive: true });
    expect(ids([`${host}/checkpoints/old/runner`])).toEqual(['old']);
    expect(ids([`${host}/checkpoints/old`])).toEqual(['old']);
  });

  test('a sandbox elsewhere, if a task is recorded in it; of those inside each other the inner one', () => {
    const sandboxes: Record<string, string> = {
      'kk-1': join(dir, 'box'),
      'kk-10': join(dir, 'box/inner'),
      old: '/',
    };
    const hooks = { sandboxOf: ({ task_id }: { task_id: string }) => sandboxes[task_id] };
    mkdirSync(join(dir, 'box/inner/deep'), { recursive: true });
    expect(ids([join(dir, 'box')], { hooks })).toEqual(['kk-1']);
    expect(ids(['box/inner/deep'], { hooks })).toEqual(['kk-10']);
    expect(ids(['box'], { hooks })).toEqual(['kk-1']);
    expect(ids(['.'], { hooks, cwd: join(dir, 'box') })).toEqual(['kk-1']);
    expect(ids([dir], { hooks })).toEqual([]);
    expect(ids([join(dir, 'box')])).toEqual([]);
  });

  test('a sandbox beside its root, as after copying both', () => {
    const root = makeRoot(join(dir, 'copy/root'), { finished: ['a', 'b'] });
    const boxes = join(dir, 'copy/sandboxes');
    for (const id of ['a', 'b']) mkdirSync(`${boxes}/${id}/.logs/p`, { recursive: true });
    const hooks = { sandboxOf: ({ task_id }: { task_id: string }) => `${boxes}/${task_id}` };
    for (const word of [`${boxes}/a`, `${boxes}/a/.logs/p`]) {
      const { selected, roots } = select([word], { hooks });
      expect(selected).toMatchObject([{ task_id: 'a' }]);
      expect(roots.at(-1)).toMatchObject({ path: root, source: 'argument' });
    }
    expect(ids([`${boxes}/a`], { hooks, mode: 'change' })).toEqual(['a']);
    expect(select([boxes], { hooks }).unmatched).toHaveLength(1);
    expect(select([], { hooks, cwd: `${boxes}/a/.logs` })).toMatchObject({
      roots: [{ path: root, source: 'cwd' }],
      selected: [{ task_id: 'a' }, { task_id: 'b' }],
    });
    const elsewhere = { sandboxOf: () => '/elsewhere' };
    expect(ids([], { hooks: elsewhere, cwd: `${boxes}/a` })).toEqual(['kk-1', 'kk-10', 'old']);
    expect(ids([], { hooks, cwd: `${boxes}/a`, flags: { root: [host] } })).toEqual(['kk-1', 'kk-10', 'old']);
  });

  test('an id goes before a file of the same name', () => {
    makeRoot(join(dir, 'kk-1'), { active: ['other'] });
    expect(ids(['kk-1'])).toEqual(['kk-1']);
    expect(ids(['./kk-1'])).toEqual(['other']);
    makeRoot(join(dir, 'q['), { active: ['odd'] });
    expect(ids(['q['])).toEqual(['odd']);
  });

  test('a path that does not exist, or is not a task of that root, is unmatched', () => {
    writeFileSync(join(dir, 'file'), '');
    const words = ['./nope', './file', '/', '..', `${host}/checkpoints/gone`, 'a\0/b'];
    const { selected, unmatched } = select(words);
    expect(selected).toEqual([]);
    expect(unmatched.map(({ word }) => word)).toEqual(words);
  });

  test('to change, one path is one task', () => {
    expect(ids([`${host}/checkpoints/kk-1`], { mode: 'change' })).toEqual(['kk-1']);
    expect(() => select([host], { mode: 'change' })).toThrow(`'${host}' matches 3 tasks: kk-1, kk-10, old`);
    const one = makeRoot(join(dir, 'one'), { active: ['kk-1'] });
    expect(ids([one], { mode: 'change' })).toEqual(['kk-1']);
    const flags = { root: [host, one] };
    expect(() => select(['kk-1'], { mode: 'change', flags })).toThrow(`task kk-1 is in 2 roots: `);
    expect(select([`${one}/checkpoints/kk-1`], { mode: 'change', flags }).selected).toMatchObject([
      { root: { path: one } },
    ]);
  });
});
