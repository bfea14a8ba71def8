import { mkdirSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { lookAgain, newcomers } from '../../src/gc/machine.js';
import { placeForEach } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';
import { machineIn } from './machines.js';

let dir: string;
let root: string;
const place = placeForEach();
beforeEach(() => {
  ({ path: dir, root } = place);
});

describe('who came to a root since', () => {
  const task = (id: string, sandbox: string) => {
    mkdirSync(sandbox, { recursive: true });
    writeTask(root, id, { runner: new Records().status('ACTIVE').header({ task_id: id, sandbox }) });
  };
  const asked = (find: ReturnType<typeof newcomers>, path: string) => find({ root, path } as never);

  test('uses a place, what is in it, or what it is in', () => {
    task('old', `${dir}/s/t`);
    const find = newcomers(new Map([[root, new Set(['old'])]]));
    expect(asked(find, `${dir}/s/t`)).toBeUndefined();
    task('new', `${dir}/s/t/u`);
    for (const path of ['s/t', 's/t/u', 's/t/u/v']) {
      expect(asked(find, `${dir}/${path}`)).toBe(`task new, which has just started, uses ${dir}/s/t/u`);
    }
    expect(asked(find, `${dir}/s/tu`)).toBeUndefined();
  });

  test('a root that was not looked at has only newcomers, one that is not there has none', () => {
    expect(asked(newcomers(new Map()), `${dir}/s`)).toBeUndefined();
    task('any', `${dir}/s`);
    expect(asked(newcomers(new Map()), `${dir}/s`)).toContain('task any');
  });
});

test('looking again asks what may have changed, and remembers what was known', () => {
  const users = [{ pid: 7, path: '/s', how: 'works in it' }];
  const before = machineIn(dir, {
    users: () => users,
    protectedPaths: { homes: ['/h'], mountPoints: ['/gone'], roots: ['/r'] },
  });
  const after = lookAgain(before, () => 0);
  expect(after.host).not.toBe(before.host);
  expect(after.usage).not.toBe(before.usage);
  expect(after.usage.of('/s')?.pid).toBe(7);
  expect(after.protectedPaths).toMatchObject({ homes: ['/h'], roots: ['/r'] });
  expect(after.protectedPaths.mountPoints).not.toContain('/gone');
  expect(after.claims).toBe(before.claims);
});
