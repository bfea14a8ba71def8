import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discover } from '../../src/discovery/discover.js';
import { SearchMemory } from '../../src/discovery/memory.js';
import type { RootOptions } from '../../src/discovery/roots.js';
import { tempDir } from '../e2e/harness.js';
import { makeRoot, makeRun, makeTaskRun, optionsIn } from './trees.js';

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const MINUTE = 60_000;

/** A memory whose clock is so far ahead that no directory has changed a short time ago. */
function memoryOf(options: RootOptions) {
  let ahead = MINUTE;
  const memory = new SearchMemory(() => Date.now() + ahead);
  return {
    memory,
    look: () => {
      // What happens next has another time, whatever the steps of the file system.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 12);
      return memory.discover(options);
    },
    later: (milliseconds: number) => {
      ahead += milliseconds;
    },
  };
}

const ids = (tasks: readonly { task_id: string; phase: string }[]) =>
  tasks.map(({ task_id, phase }) => `${task_id} ${phase}`);

describe('a bare root', () => {
  test('what has not changed is the same object, also when all is searched again', () => {
    const root = makeRoot(join(temp.path, 'root'), { active: ['a'], finished: ['b', 'c'] });
    const { look, later } = memoryOf(optionsIn(temp.path, { flags: { root: [root] } }));
    const first = look();
    expect(ids(first.tasks)).toEqual(['a active', 'b finished', 'c finished']);
    later(60 * MINUTE);
    const again = look();
    expect(again.tasks.map((task, i) => task === first.tasks[i])).toEqual([true, true, true]);
    renameSync(`${root}/tasks/active/a`, `${root}/tasks/finished/a`);
    const after = look();
    expect(ids(after.tasks)).toEqual(['a finished', 'b finished', 'c finished']);
    expect(after.tasks.slice(1)).toEqual(first.tasks.slice(1));
    expect([after.tasks[1] === first.tasks[1], after.roots[0] === first.roots[0]]).toEqual([true, true]);
  });

  test('that appears is found, and one that goes away is missed', () => {
    const root = join(temp.path, 'root');
    const { look } = memoryOf(optionsIn(temp.path, { flags: { root: [root] } }));
    expect(look().problems.map(({ code }) => code)).toEqual(['root-missing']);
    mkdirSync(root);
    expect(look().problems.map(({ code }) => code)).toEqual(['root-empty']);
    makeRoot(root, { active: ['a'] });
    expect(ids(look().tasks)).toEqual(['a active']);
    rmSync(root, { recursive: true });
    expect(look()).toMatchObject({ tasks: [], problems: [{ code: 'root-missing' }] });
  });

  test('what changed a moment ago may change again: it is searched each time', () => {
    const root = makeRoot(join(temp.path, 'root'));
    const memory = new SearchMemory(Date.now);
    const options = optionsIn(temp.path, { flags: { root: [root] } });
    for (let i = 0; i < 20; i++) {
      writeFileSync(`${root}/tasks/active/${i}`, '{}');
      expect(memory.discover(options).tasks).toHaveLength(i + 1);
    }
  });

  test('a change that no directory shows is found after a while', () => {
    const root = makeRoot(join(temp.path, 'root'));
    writeFileSync(join(temp.path, 'file'), '{}');
    symlinkSync(join(temp.path, 'file'), `${root}/tasks/active/linked`);
    const { look, later } = memoryOf(optionsIn(temp.path, { flags: { root: [root] } }));
    expect(ids(look().tasks)).toEqual(['linked active']);
    rmSync(join(temp.path, 'file'));
    expect(ids(look().tasks)).toEqual(['linked active']);
    later(1000 * MINUTE);
    expect(look().problems.map(({ code }) => code)).toEqual(['task-file-unreadable']);
  });

  test('of what has changed among active task files, a task that has started is found without a search', () => {
    const root = makeRoot(join(temp.path, 'root'), { active: ['a'], finished: ['b'] });
    const { look, memory } = memoryOf(optionsIn(temp.path, { flags: { root: [root] } }));
    const first = look();
    writeFileSync(`${root}/tasks/active/c`, '{}');
    const active = `${root}/tasks/active`;
    expect(ids(memory.discoverStarted(new Set([`${root}/checkpoints`])).tasks)).toEqual([
      'a active',
      'b finished',
    ]);
    const started = memory.discoverStarted(new Set([active]));
    expect(ids(started.tasks)).toEqual(['a active', 'c active', 'b finished']);
    expect([started.tasks[0] === first.tasks[0], started.tasks[2] === first.tasks[1]]).toEqual([true, true]);
    expect(started.tasks[1]).toMatchObject({
      task_file: `${active}/c`,
      checkpoint_dir: `${root}/checkpoints/c`,
    });
    expect(memory.mayHaveChanged()).toBe(true);
    expect(ids(look().tasks)).toEqual(['a active', 'c active', 'b finished']);
  });

  test('a clock that is set back repeats the search', () => {
    const root = makeRoot(join(temp.path, 'root'));
    symlinkSync(join(temp.path, 'none'), `${root}/tasks/active/linked`);
    const { look, later } = memoryOf(optionsIn(temp.path, { flags: { root: [root] } }));
    expect(look().problems).toHaveLength(1);
    writeFileSync(join(temp.path, 'none'), '{}');
    later(-MINUTE / 2);
    expect(look().problems).toHaveLength(0);
  });
});

describe('a Mesos agent', () => {
  test('sandboxes that come and go are seen at once', () => {
    const mesos = join(temp.path, 'mesos');
    makeTaskRun(mesos, 'one', 'c1');
    const { look } = memoryOf(optionsIn(temp.path, { flags: { mesosRoot: [mesos] } }));
    expect(ids(look().tasks)).toEqual(['one finished']);
    // Another executor, first without a run, then without a root.
    const executor = `${mesos}/slaves/S0/frameworks/F0/executors/thermos-two`;
    mkdirSync(`${executor}/runs`, { recursive: true });
    expect(ids(look().tasks)).toEqual(['one finished']);
    const run = makeRun(mesos, 'thermos-two', 'c2');
    expect(ids(look().tasks)).toEqual(['one finished']);
    makeRoot(`${run}/checkpoints`);
    expect(ids(look().tasks)).toEqual(['one finished']);
    makeRoot(`${run}/checkpoints`, { active: ['two'] });
    expect(ids(look().tasks)).toEqual(['two active', 'one finished']);
    // Its next run.
    makeRoot(`${makeRun(mesos, 'thermos-two', 'c3')}/checkpoints`, { active: ['two'] });
    expect(look().tasks).toHaveLength(3);
    renameSync(`${run}/checkpoints/tasks/active/two`, `${run}/checkpoints/tasks/finished/two`);
    expect(ids(look().tasks)).toEqual(['two active', 'one finished', 'two finished']);
    rmSync(executor, { recursive: true });
    expect(ids(look().tasks)).toEqual(['one finished']);
    // Another framework, another agent.
    makeRoot(`${makeRun(mesos, 'thermos-three', 'c4', 'S0', 'F1')}/checkpoints`, { active: ['three'] });
    expect(look().tasks).toHaveLength(2);
    makeTaskRun(mesos, 'four', 'c5', 'S1');
    expect(look().tasks).toHaveLength(3);
  });

  test('in a sandbox whose task is over, something else is found after a while', () => {
    const mesos = join(temp.path, 'mesos');
    const root = makeTaskRun(mesos, 'one', 'c1');
    const { look, later } = memoryOf(optionsIn(temp.path, { flags: { mesosRoot: [mesos] } }));
    look();
    writeFileSync(`${root}/tasks/active/other`, '{}');
    expect(look().tasks).toHaveLength(1);
    later(1000 * MINUTE);
    expect(look().tasks).toHaveLength(2);
  });
});

test('whatever happens in two roots and an agent, the tasks are those that are there', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom('start', 'finish', 'remove', 'gc'), root: fc.nat(3), id }),
    fc.record({ what: fc.constantFrom('make', 'unmake'), root: fc.nat(3), id }),
    fc.record({ what: fc.constant('wait'), root: fc.nat(100), id }),
  );
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const base = join(temp.path, String(run++));
      const mesos = `${base}/mesos`;
      mkdirSync(`${mesos}/slaves`, { recursive: true });
      const runOf = (name: string) => `${mesos}/slaves/S/frameworks/F/executors/thermos-${name}/runs/1`;
      const roots = [`${base}/r0`, `${base}/r1`, `${runOf('x')}/checkpoints`, `${runOf('y')}/checkpoints`];
      const options = optionsIn(base, { flags: { root: roots.slice(0, 2), mesosRoot: [mesos] } });
      const { look, later, memory } = memoryOf(options);
      let found = look();
      for (const { what, root: number, id } of steps) {
        const root = roots[number % roots.length] as string;
        const [active, finished] = [`${root}/tasks/active/${id}`, `${root}/tasks/finished/${id}`];
        try {
          if (what === 'make') makeRoot(root);
          // The agent removes what is around the run, too; a root is not removed alone.
          else if (what === 'unmake')
            rmSync(number < 2 ? root : root.replace(/\/runs.*/, ''), { recursive: true });
          else if (what === 'start') {
            if (number < 2 || discover(options).tasks.every((task) => task.root.path !== root)) {
              mkdirSync(`${root}/checkpoints/${id}`);
              writeFileSync(active, '{}');
            }
          } else if (what === 'finish') renameSync(active, finished);
          else if (what === 'remove') rmSync(number < 2 ? finished : active);
          else if (what === 'gc' && number < 2) rmSync(`${root}/checkpoints/${id}`, { recursive: true });
          else if (what === 'wait') later(number * 1000);
        } catch {
          // It was not there.
        }
        const mayHaveChanged = memory.mayHaveChanged();
        const before = found;
        found = look();
        expect(found).toEqual(discover(options));
        if (!mayHaveChanged) expect(found).toEqual(before);
      }
    }),
    { numRuns: 15 },
  );
});
