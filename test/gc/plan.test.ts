import { mkdirSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FoundTask } from '../../src/discovery/found.js';
import { objection } from '../../src/gc/guards.js';
import { guardContext } from '../../src/gc/inspector.js';
import { isWithin } from '../../src/store/paths.js';
import { gcTask, listing, put } from '../e2e/gc-trees.js';
import { placeForEach, tempDir } from '../e2e/harness.js';
import { foundTask, lockLine, Records, writeTask } from '../task/trees.js';
import { itemOfTarget } from './items.js';
import { finished, machineIn, planned, planOf } from './machines.js';

const HOUR = 3_600_000;
const ALL = ['logs delete', 'data delete', 'metadata delete', 'metadata delete'];

let dir: string;
let root: string;
const place = placeForEach();
beforeEach(() => {
  ({ path: dir, root } = place);
});

/** An active task of which no runner is left. */
function orphan(id: string, silentMs: number): FoundTask {
  const directory = writeTask(root, id, { runner: new Records().status('ACTIVE').header({ task_id: id }) });
  const then = (Date.now() - silentMs) / 1000;
  utimesSync(`${directory}/runner`, then, then);
  return foundTask(root, id);
}

describe('finished tasks', () => {
  test('go with all that is theirs; planning changes nothing', () => {
    gcTask(root, 'a');
    const before = listing(root);
    const plan = planOf([finished(root, 'a')], machineIn(dir));
    expect(planned(plan)).toEqual({ a: ALL });
    expect(plan.tasks[0]).toMatchObject({ finish: { by: 'status' }, marked: false });
    expect(listing(root)).toEqual(before);
  });

  test('only those that are chosen, but what the others use is theirs', () => {
    const sandbox = `${root}/sandboxes/a/inner`;
    gcTask(root, 'a');
    gcTask(root, 'b', { header: { sandbox } });
    const [a, b] = [finished(root, 'a'), finished(root, 'b')];
    const machine = machineIn(dir);
    expect(planned(planOf([a], machine))).toEqual({ a: ALL });
    const plan = planOf([a, b], machine);
    expect(plan.tasks.map(({ task_id }) => task_id)).toEqual(['a', 'b']);
    expect(plan.tasks[0]?.actions[1]).toMatchObject({
      kind: 'data',
      verdict: 'refused',
      why: `task b uses ${sandbox}`,
    });
  });

  test('by age, number and space, the oldest first, and then marked', () => {
    gcTask(root, 'new', { ageMs: HOUR });
    gcTask(root, 'old', { ageMs: 9 * HOUR });
    const tasks = [finished(root, 'new'), finished(root, 'old')];
    const ids = (limits: object) =>
      planOf(tasks, machineIn(dir), { limits }).tasks.map(({ task_id, marked }) => [task_id, marked]);
    expect(ids({ maxAge: 5 * HOUR })).toEqual([['old', false]]);
    expect(ids({ maxTasks: 1 })).toEqual([['old', false]]);
    expect(ids({ maxAge: 10 * HOUR })).toEqual([]);
    expect(ids({ maxSpace: 1 << 30 })).toEqual([]);
    expect(ids({ maxSpace: 0 })).toEqual([
      ['new', true],
      ['old', true],
    ]);
  });

  test('not what an unreadable root or checkpoint says', () => {
    gcTask(root, 'a');
    const task = finished(root, 'a');
    expect(planOf([{ ...task, unreadable: true }], machineIn(dir)).tasks).toEqual([]);
    const closed = { ...task, root: { ...task.root, readable: false } };
    expect(planOf([closed], machineIn(dir)).tasks).toEqual([]);
  });

  test('nothing of one whose stream is locked', () => {
    gcTask(root, 'a');
    const locks = lockLine(statSync(`${root}/checkpoints/a/runner`), 7);
    const plan = planOf([finished(root, 'a')], machineIn(dir, { proc: { locks, processes: { 7: {} } } }));
    expect(plan.tasks[0]?.actions.map(({ verdict, why }) => [verdict, why])).toEqual(
      ALL.map(() => ['kept', 'its runner is alive']),
    );
  });

  test('nothing that a process works in, and then what tells of it stays', () => {
    const sandbox = gcTask(root, 'a');
    const users = () => [{ pid: 7, path: sandbox, how: 'works in it' }];
    const { actions } = planOf([finished(root, 'a')], machineIn(dir, { users })).tasks[0] ?? { actions: [] };
    expect(actions.map(({ kind, verdict, why }) => [kind, verdict, why])).toEqual([
      ['logs', 'delete', undefined],
      ['data', 'refused', 'process 7 works in it'],
      ['metadata', 'kept', `it names ${sandbox}, which cannot be removed now`],
      ['metadata', 'kept', `it names ${sandbox}, which cannot be removed now`],
    ]);
  });
});

describe('tasks whose runner is gone', () => {
  test('become LOST after the age, not before, and not at all if that is not asked for', () => {
    const machine = machineIn(dir);
    expect(planOf([orphan('a', HOUR / 2)], machine).tasks).toEqual([]);
    expect(planOf([orphan('a', 2 * HOUR)], machine, { orphanAge: undefined }).tasks).toEqual([]);
    expect(planOf([orphan('a', 2 * HOUR)], machine).tasks).toMatchObject([
      { task_id: 'a', actions: [], finalization: { was: 'ACTIVE', becomes: 'LOST', record: true } },
    ]);
  });

  test('finalized ones come before those that are collected', () => {
    gcTask(root, 'a');
    const plan = planOf([finished(root, 'a'), orphan('z', 2 * HOUR)], machineIn(dir));
    expect(plan.tasks.map(({ task_id }) => task_id)).toEqual(['z', 'a']);
  });
});

describe('for a scheduler', () => {
  test('what it knows stays, what it does not know goes, and what is not here is told', () => {
    gcTask(root, 'known');
    gcTask(root, 'unknown');
    const retained = new Map([
      ['known', 'RUNNING'],
      ['absent', 'RUNNING'],
    ]);
    const tasks = [finished(root, 'known'), finished(root, 'unknown')];
    const plan = planOf(tasks, machineIn(dir), { retained, limits: { maxTasks: 99 } });
    expect(planned(plan)).toEqual({ unknown: ALL });
    expect(plan.reconciled).toMatchObject([
      { task_id: 'known', action: 'send-final-state', send: { state: 'TASK_FINISHED' } },
      { task_id: 'unknown', action: 'collect', expected: 'unknown' },
      { task_id: 'absent', local: 'absent', action: 'send-lost', send: { state: 'TASK_LOST' } },
    ]);
    expect(planOf(tasks, machineIn(dir)).reconciled).toBeUndefined();
  });
});

test('a plan knows the roots of its tasks, and who came to them since', () => {
  gcTask(root, 'a');
  const { machine, tasks } = planOf([finished(root, 'a')], machineIn(dir));
  expect(machine.knownRoots).toEqual([root]);
  expect(machine.protectedPaths.roots).toEqual([root]);
  const target = tasks[0]?.actions[1]?.target;
  if (target === undefined) throw new Error('nothing is planned');
  const item = itemOfTarget(tasks[0]?.subject, target);
  expect(machine.newcomer(item)).toBeUndefined();
  writeTask(root, 'late', {
    runner: new Records().status('ACTIVE').header({ task_id: 'late', sandbox: `${root}/sandboxes/a` }),
  });
  expect(machine.newcomer(item)).toContain('task late');
});

/**
 * Whatever sandboxes and logs headers name: what a plan promises to delete is what the guards allow of it, and lies
 * in the task's own sandbox, or is its metadata. What it refuses, it says why.
 */
test('a plan promises no more than the guards allow, and nothing outside of sandbox and metadata', () => {
  const name = fc.constantFrom(
    'a',
    'b',
    'c',
    'shared',
    'root',
    'root/checkpoints',
    'root/sandboxes/a',
    'link',
  );
  const task = fc.record({
    sandbox: fc.option(name, { nil: undefined }),
    logs: fc.constantFrom('.logs', 'deep/logs', '', '../other/.logs'),
    ran: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(task, { minLength: 1, maxLength: 3 }),
      fc.option(fc.boolean(), { nil: undefined }),
      (made, data) => {
        const { path: base, remove: removeBase } = tempDir();
        try {
          const here = `${base}/root`;
          mkdirSync(`${base}/elsewhere`);
          symlinkSync(`${base}/elsewhere`, `${base}/link`);
          const tasks = made.map(({ sandbox, logs, ran }, i) => {
            const id = 'abc'[i] as string;
            const home = sandbox === undefined ? `${here}/sandboxes/${id}` : `${base}/${sandbox}`;
            const log_dir = logs === '' ? home : `${home}/${logs}`;
            const files = ran ? { [`${logs}/p/0/stdout`]: 'out', 'data.txt': 'x' } : { 'data.txt': 'x' };
            gcTask(here, id, { header: { sandbox: home, log_dir }, sandbox: files });
            return finished(here, id);
          });
          put(`${base}/other/.logs/p/0/stdout`, 'not theirs');
          const plan = planOf(tasks, machineIn(base), { kinds: { metadata: true, logs: true, data } });
          const context = guardContext(plan.machine);
          for (const { subject, actions } of plan.tasks) {
            const own = [subject.checkpointDir, ...subject.taskFiles];
            for (const { kind, path, verdict, why, target } of actions) {
              if (verdict !== 'delete') {
                expect(why).toBeTruthy();
                continue;
              }
              const place = `${target?.directory}/${target?.name}`;
              if (kind === 'metadata') expect(own).toContain(path);
              else {
                expect(isWithin(place, subject.sandbox?.path ?? '?')).toBe(true);
                expect(
                  target && objection('again', itemOfTarget(subject, target, kind), context),
                ).toBeUndefined();
              }
              expect(place.startsWith(`${base}/elsewhere`)).toBe(false);
              expect(place.startsWith(`${base}/other`)).toBe(false);
              expect([base, here, `${here}/checkpoints`, `${here}/sandboxes`]).not.toContain(place);
            }
          }
        } finally {
          removeBase();
        }
      },
    ),
    { numRuns: 60 },
  );
});
