import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { apply, preview, problemsOf, type TaskOutcome } from '../../src/gc/apply.js';
import { EFFECTS } from '../../src/gc/remove.js';
import type { DirectoryUser } from '../../src/host/directory-users.js';
import { deviceOf } from '../../src/host/locks.js';
import { pathsOf } from '../../src/layout/task-paths.js';
import { gcTask, gone, listing, put } from '../e2e/gc-trees.js';
import { placeForEach, tempDir } from '../e2e/harness.js';
import { writeTask } from '../task/trees.js';
import { carriedOut, finished, machineIn, planOf, results } from './machines.js';

const KEPT = { kinds: { metadata: true, logs: false, data: false } };

let dir: string;
let root: string;
const place = placeForEach();
beforeEach(() => {
  ({ path: dir, root } = place);
});

/** A plan for a task with a sandbox in its root. */
function plan(options: Parameters<typeof planOf>[2] = {}, made: Parameters<typeof machineIn>[1] = {}) {
  gcTask(root, 'a');
  return planOf([finished(root, 'a')], machineIn(dir, made), options);
}

const only = <T>([first, ...others]: readonly T[]): T => {
  expect(others).toEqual([]);
  return first as T;
};

describe('carrying out', () => {
  test('is what was shown: the same paths, and no other changes', () => {
    gcTask(root, 'b');
    const made = plan();
    const task = only(made.tasks);
    const shown = preview(task);
    expect(results(shown)).toEqual(results(shown).map((line) => line.replace('deleted', 'would-delete')));
    const before = listing(root);
    const outcome = only(carriedOut(made));
    expect(outcome.actions.map(({ kind, path, result }) => [kind, path, result])).toEqual(
      shown.actions.map(({ kind, path }) => [kind, path, 'deleted']),
    );
    const tops = shown.actions.map(({ path }) => path);
    const missing = gone(before, listing(root));
    for (const path of missing) {
      expect(tops.some((top) => path === top || path.startsWith(`${top}/`))).toBe(true);
    }
    expect(outcome.actions.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
      task.actions.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    expect(problemsOf(outcome)).toEqual([]);
  });

  test('twice is harmless', () => {
    const made = plan();
    carriedOut(made);
    const before = listing(root);
    expect(only(carriedOut(made)).actions.every(({ result }) => result === 'deleted')).toBe(true);
    expect(listing(root)).toEqual(before);
  });

  test('what is to stay stays', () => {
    const made = plan(KEPT);
    expect(results(only(carriedOut(made)))).toEqual(['metadata deleted', 'metadata deleted']);
    expect(readdirSync(`${root}/sandboxes/a`).sort()).toEqual(['.logs', 'data.txt']);
  });

  test('a link in the sandbox goes, what it leads to stays', () => {
    put(`${dir}/precious/file`, 'x');
    const sandbox = gcTask(root, 'a');
    symlinkSync(`${dir}/precious`, `${sandbox}/link`);
    carriedOut(planOf([finished(root, 'a')], machineIn(dir)));
    expect([existsSync(sandbox), existsSync(`${dir}/precious/file`)]).toEqual([false, true]);
  });
});

test('a runner that has come while other tasks were removed keeps its task', () => {
  for (const id of ['a', 'b', 'c']) gcTask(root, id);
  const tasks = ['a', 'b', 'c'].map((id) => finished(root, id));
  const made = planOf(tasks, machineIn(dir));
  let now = 1_000_000;
  const outcomes = apply(made, { ...EFFECTS, clock: () => now }, new Set());
  const next = () => results(outcomes.next().value as TaskOutcome);
  expect(next()).toEqual(Array(4).fill(expect.stringMatching(/ deleted$/)));
  const { dev, ino } = statSync(pathsOf({ root, taskId: 'c' }).stream);
  const { major, minor } = deviceOf(dev);
  const device = [major, minor].map((number) => number.toString(16).padStart(2, '0')).join(':');
  writeFileSync(`${dir}/proc/locks`, `1: FLOCK  ADVISORY  WRITE 7 ${device}:${ino} 0 EOF\n`);
  expect(next()).toEqual(Array(4).fill(expect.stringMatching(/ deleted$/)));
  // No list of locks is older than this.
  now += 10;
  expect(next()).toEqual(Array(4).fill(expect.stringMatching(/ failed: its runner is alive$/)));
});

describe('nothing goes of a task that', () => {
  const failed = (why: string) =>
    ['logs', 'data', 'metadata', 'metadata'].map((kind) => `${kind} failed: ${why}`);

  test.each<[string, () => void, string]>([
    [
      'has another stream by now',
      () => writeTask(root, 'a', { phase: 'finished' }),
      'its stream changed since the plan was made',
    ],
    ['is active again', () => put(`${root}/tasks/active/a`, '{}'), 'it is active again'],
  ])('%s', (_, change, why) => {
    const made = plan();
    change();
    const before = listing(root);
    const outcome = only(carriedOut(made));
    expect(results(outcome)).toEqual(failed(why));
    expect(listing(root)).toEqual(before);
    expect(problemsOf(outcome).map(({ code }) => code)).toEqual(Array(4).fill('gc-failed'));
  });

  test('got the stream back that it had lost', () => {
    gcTask(root, 'a', { header: { sandbox: `${dir}/none` }, sandbox: {} });
    rmSync(`${root}/checkpoints/a/runner`);
    const made = planOf([finished(root, 'a')], machineIn(dir));
    expect(only(made.tasks).actions.map(({ verdict }) => verdict)).toEqual(['delete', 'delete']);
    writeFileSync(`${root}/checkpoints/a/runner`, 'x');
    expect(results(only(carriedOut(made)))).toEqual([
      'metadata failed: it has a stream again',
      'metadata failed: it has a stream again',
    ]);
  });
});

describe('what tells of the rest stays if something', () => {
  test('was put into the sandbox since', () => {
    const made = plan();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    put(`${root}/sandboxes/a/new/file`, 'x');
    const outcome = only(carriedOut(made));
    expect(results(outcome).map((line) => line.split(':')[0])).toEqual([
      'logs deleted',
      'data failed',
      'metadata kept',
      'metadata kept',
    ]);
    expect(existsSync(`${root}/sandboxes/a/new/file`)).toBe(true);
    expect(existsSync(`${root}/checkpoints/a/runner`)).toBe(true);
  });

  test('was moved away and replaced, and what came instead stays too', () => {
    const made = plan();
    renameSync(`${root}/sandboxes`, `${root}/before`);
    put(`${root}/sandboxes/a/other`, 'x');
    const before = listing(root);
    expect(results(only(carriedOut(made))).map((line) => line.split(':')[0])).toEqual([
      'logs deleted',
      'data failed',
      'metadata kept',
      'metadata kept',
    ]);
    expect(listing(root)).toEqual(before);
  });

  test('cannot be removed', () => {
    const made = plan();
    const refuse = (path: string | Buffer) => {
      if (String(path).endsWith('data.txt')) throw Object.assign(new Error('x'), { code: 'EACCES' });
      EFFECTS.unlink(path);
    };
    expect(results(only(carriedOut(made, { unlink: refuse }))).slice(1)).toEqual([
      'data failed: data.txt: permission denied',
      `metadata kept: it names ${root}/sandboxes/a, which could not be removed`,
      `metadata kept: it names ${root}/sandboxes/a, which could not be removed`,
    ]);
    expect(results(only(carriedOut(planOf([finished(root, 'a')], machineIn(dir))))).at(-1)).toBe(
      'metadata deleted',
    );
  });
});

test('a process that came to use the sandbox since is asked about', () => {
  const users: DirectoryUser[] = [];
  const made = plan({}, { users: () => users });
  users.push({ pid: 7, path: `${root}/sandboxes/a`, how: 'works in it' });
  expect(results(only(carriedOut(made))).slice(0, 2)).toEqual([
    'logs deleted',
    'data failed: process 7 works in it',
  ]);
  expect(existsSync(`${root}/checkpoints/a/runner`)).toBe(true);
});

test('a task that came to use the sandbox since is asked about', () => {
  gcTask(root, 'a');
  mkdirSync(`${root}/tasks/active`, { recursive: true });
  const made = planOf([finished(root, 'a')], machineIn(dir));
  made.machine.newcomer = () => 'task late, which has just started, uses it';
  expect(results(only(carriedOut(made)))[1]).toBe('data failed: task late, which has just started, uses it');
  expect(existsSync(`${root}/sandboxes/a/data.txt`)).toBe(true);
});

/** Stopped before any one change of the disk, and then planned and carried out again: all is gone, and no more. */
test('interrupted anywhere, it is finished the next time', () => {
  class Interrupted extends Error {}
  fc.assert(
    fc.property(fc.nat(9), fc.boolean(), (nth, isOutside) => {
      const { path: base, remove: removeBase } = tempDir();
      try {
        const here = `${base}/root`;
        const header = isOutside ? { sandbox: `${base}/given/a` } : {};
        const sandbox = gcTask(here, 'a', { header });
        gcTask(here, 'b');
        const rest = () => [...listing(here).keys()].filter((path) => path.endsWith('/b'));
        const others = rest();
        const kinds = { metadata: true, logs: true, data: true };
        let left = nth;
        const counted = <T extends unknown[]>(effect: (...args: T) => void) => {
          return (...args: T) => {
            if (left-- <= 0) throw new Interrupted();
            effect(...args);
          };
        };
        const effects = { unlink: counted(EFFECTS.unlink), rmdir: counted(EFFECTS.rmdir) };
        carriedOut(planOf([finished(here, 'a')], machineIn(base), { kinds }), effects);
        carriedOut(planOf([finished(here, 'a')], machineIn(base), { kinds }));
        expect([`${here}/checkpoints/a`, `${here}/tasks/finished/a`].filter(existsSync)).toEqual([]);
        // Nothing shows any more whose an empty directory outside of the root is.
        expect(existsSync(sandbox) ? [isOutside, readdirSync(sandbox)] : [true, []]).toEqual([true, []]);
        expect(rest()).toEqual(others);
      } finally {
        removeBase();
      }
    }),
    { numRuns: 12 },
  );
});
