import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCycle, MAX_RUNS, type PlannedProcess, Planner, planOf } from '../../src/config/planner.js';

function process(name: string, given: Partial<PlannedProcess> = {}): PlannedProcess {
  return {
    name,
    daemon: false,
    ephemeral: false,
    final: false,
    max_failures: 1,
    min_duration: 5,
    ...given,
  };
}

function planner(processes: PlannedProcess[], orders: string[][] = [], maxRuns?: number): Planner {
  return new Planner(processes, planOf(processes, orders, false), maxRuns);
}

describe('planOf', () => {
  it('takes the processes of its half, and of those with one name the last', () => {
    const processes = [process('a'), process('z', { final: true }), process('a', { daemon: true })];
    expect([...planOf(processes, [], false).dependencies.keys()]).toEqual(['a']);
    expect([...planOf(processes, [], true).dependencies.keys()]).toEqual(['z']);
    expect(planOf([...processes, process('b')], [['a', 'b']], false).faults).toEqual([
      { kind: 'daemon', process: 'b', on: 'a' },
    ]);
  });

  it('has each depend on the one before it in an order', () => {
    const { dependencies } = planOf([process('a'), process('b'), process('c')], [['a', 'b', 'c']], false);
    expect([...dependencies].map(([name, before]) => [name, ...before])).toEqual([
      ['a'],
      ['b', 'a'],
      ['c', 'b'],
    ]);
  });

  it('passes over an order of which no name is in its half', () => {
    const processes = [process('a'), process('z', { final: true })];
    expect(planOf(processes, [['x', 'y'], ['z']], false).faults).toEqual([]);
  });

  it.each([
    [[[]], { kind: 'empty' }],
    [[['a', 'x']], { kind: 'mixed', order: ['a', 'x'], unknown: ['x'] }],
    [[['a', 'z']], { kind: 'mixed', order: ['a', 'z'], unknown: ['z'] }],
    [[['d', 'a']], { kind: 'daemon', process: 'a', on: 'd' }],
    [[['e', 'a']], { kind: 'ephemeral', process: 'a', on: 'e' }],
    [[['a', 'a']], { kind: 'cycle', cycle: ['a', 'a'] }],
    [
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      { kind: 'cycle', cycle: ['a', 'b', 'a'] },
    ],
  ])('refuses %j', (orders, fault) => {
    const processes = [
      process('a'),
      process('b'),
      process('d', { daemon: true }),
      process('e', { ephemeral: true }),
      process('z', { final: true }),
    ];
    expect(planOf(processes, orders, false).faults).toEqual([fault]);
  });

  it('lets a daemon and an ephemeral process depend on others', () => {
    const processes = [process('a'), process('d', { daemon: true }), process('e', { ephemeral: true })];
    expect(
      planOf(
        processes,
        [
          ['a', 'd'],
          ['a', 'e'],
        ],
        false,
      ).faults,
    ).toEqual([]);
  });
});

describe('Planner', () => {
  it('runs what nothing stands before, then what waited for it', () => {
    const plan = planner([process('a'), process('b'), process('c')], [['a', 'b']]);
    expect(plan.runnable(0)).toEqual(['a', 'c']);
    plan.start('a');
    expect(plan.runnable(0)).toEqual(['c']);
    expect([...plan.running]).toEqual(['a']);
    plan.succeed('a', 1);
    expect(plan.runnable(1)).toEqual(['c', 'b']);
    expect([...plan.finished]).toEqual(['a']);
  });

  it('makes a process wait min_duration from the end of its last run, but not for the first', () => {
    const plan = planner([process('a', { max_failures: 2 })]);
    plan.start('a');
    plan.fail('a', 100);
    expect([plan.runnable(104.9), plan.waiting(104.9), plan.nextStart(104)]).toEqual([[], ['a'], 105]);
    expect([plan.runnable(105), plan.waiting(105), plan.nextStart(105)]).toEqual([['a'], [], undefined]);
  });

  it.each([
    ['fails for good at max_failures', { max_failures: 2 }, 2, 'failed'],
    ['is run again below it', { max_failures: 3 }, 2, 'ready'],
    ['is run again for ever if that is 0', { max_failures: 0 }, MAX_RUNS - 1, 'ready'],
    ['but not beyond the cap', { max_failures: 0 }, MAX_RUNS, 'failed'],
    ['counts as finished if it is ephemeral', { ephemeral: true }, 1, 'finished'],
  ])('a process %s', (_, given, failures, state) => {
    const plan = planner([process('a', { min_duration: 0, ...given })]);
    for (let i = 0; i < failures; i++) {
      plan.start('a');
      plan.fail('a', i);
    }
    expect(plan.state('a')).toBe(state);

    expect([...plan.capped]).toEqual(failures === MAX_RUNS ? ['a'] : []);
  });

  it('runs a daemon again when it ends well, until the cap', () => {
    const plan = planner([process('d', { daemon: true })], [], 3);
    for (const state of ['ready', 'ready', 'failed']) {
      plan.start('d');
      plan.succeed('d', 0);
      expect(plan.state('d')).toBe(state);
    }
  });

  it('takes what ends well in its last run of all for finished', () => {
    const plan = planner([process('a', { max_failures: 0, min_duration: 0 })], [], 2);
    plan.start('a');
    plan.fail('a', 0);
    plan.start('a');
    plan.succeed('a', 1);
    expect([plan.state('a'), [...plan.capped]]).toEqual(['finished', []]);
  });

  it('runs what was lost again, and counts no failure', () => {
    const plan = planner([process('a')], [], 2);
    plan.start('a');
    plan.lose('a', 0);
    expect([plan.state('a'), plan.runs('a')]).toEqual(['ready', 1]);
    plan.start('a');
    plan.lose('a', 0);
    expect(plan.state('a')).toBe('failed');
  });

  it('gives up what could not be started', () => {
    const plan = planner([process('a')]);
    plan.start('a');
    plan.giveUp('a');
    expect([plan.state('a'), plan.complete]).toEqual(['failed', true]);
  });

  it('is complete though ephemeral processes run', () => {
    const plan = planner([process('a'), process('e', { ephemeral: true })]);
    expect(plan.complete).toBe(false);
    plan.start('e');
    plan.start('a');
    plan.succeed('a', 0);
    expect([plan.complete, plan.deadlocked]).toEqual([true, false]);
  });

  it('is deadlocked when what failed stands before others', () => {
    const plan = planner([process('a'), process('b')], [['a', 'b']]);
    plan.start('a');
    expect(plan.deadlocked).toBe(false);
    plan.fail('a', 0);
    expect([plan.complete, plan.deadlocked]).toEqual([false, true]);
  });

  it('throws for what cannot happen', () => {
    const plan = planner([process('a'), process('b')], [['a', 'b']]);
    expect(() => plan.start('b')).toThrow('blocked');
    expect(() => plan.succeed('a', 0)).toThrow('does not run');
    expect(() => plan.start('x')).toThrow('no process x');
    expect(() => planner([process('a')], [['a', 'a']])).toThrow('faults');
  });
});

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Orders that follow the alphabet have no cycle. */
const tasks = fc.record({
  processes: fc.array(
    fc.record({
      name: fc.constantFrom(...NAMES),
      daemon: fc.constant(false),
      ephemeral: fc.constant(false),
      final: fc.constant(false),
      max_failures: fc.integer({ min: 0, max: 3 }),
      min_duration: fc.integer({ min: 0, max: 10 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  orders: fc.array(fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }), { maxLength: 4 }),
});
const events = fc.array(fc.tuple(fc.nat(), fc.constantFrom('succeed', 'fail', 'lose')), { maxLength: 400 });

describe('any task', () => {
  it('runs everything once after what stands before it, whatever ends in whatever order', () => {
    fc.assert(
      fc.property(tasks, events, ({ processes, orders }, happens) => {
        const known = new Set(processes.map(({ name }) => name));
        const sorted = orders.map((order) => order.filter((name) => known.has(name)).sort());
        const plan = planOf(
          processes,
          sorted.filter((order) => order.length > 0),
          false,
        );
        expect(plan.faults).toEqual([]);
        const planned = new Planner(processes, plan, 5);
        let now = 0;
        for (const [pick, event] of happens) {
          now += 1;
          for (const name of planned.runnable(now)) {
            const before = [...(plan.dependencies.get(name) ?? [])];
            expect(before.filter((each) => !planned.finished.has(each))).toEqual([]);
            planned.start(name);
          }
          const states = [...plan.dependencies.keys()].map((name) => planned.state(name));
          expect(planned.runnable(now)).toEqual([]);
          expect(planned.running.size + planned.waiting(now).length).toBe(
            states.filter((state) => state === 'running' || state === 'ready').length,
          );
          expect(planned.complete).toBe(states.every((state) => state === 'finished' || state === 'failed'));
          const running = [...planned.running];
          if (running.length > 0) planned[event as 'fail'](running[pick % running.length] as string, now);
        }
        for (const name of plan.dependencies.keys()) expect(planned.runs(name)).toBeLessThanOrEqual(5);
      }),
    );
  });

  it('has a cycle exactly if its orders cannot be sorted', () => {
    fc.assert(
      fc.property(tasks, ({ processes, orders }) => {
        const known = new Set(processes.map(({ name }) => name));
        const own = orders.map((order) => order.filter((name) => known.has(name)));
        const { dependencies } = planOf(
          processes,
          own.filter((order) => order.length > 0),
          false,
        );
        const left = new Map([...dependencies].map(([name, before]) => [name, new Set(before)]));
        for (let again = true; again; ) {
          const free = [...left].filter(([, before]) => before.size === 0).map(([name]) => name);
          again = free.length > 0;
          for (const name of free) left.delete(name);
          for (const before of left.values()) for (const name of free) before.delete(name);
        }
        const cycle = findCycle(dependencies);
        expect(cycle !== undefined).toBe(left.size > 0);
        for (const [i, name] of (cycle ?? []).slice(1).entries()) {
          expect(dependencies.get(name)?.has((cycle as string[])[i] as string)).toBe(true);
        }
      }),
    );
  });

  it('is planned in time: ten thousand processes, each after the one before', () => {
    const processes = Array.from({ length: 10_000 }, (_, i) => process(`p${i}`, { min_duration: 0 }));
    const plan = planner(processes, [processes.map(({ name }) => name)]);
    for (const { name } of processes) {
      expect(plan.runnable(0)).toEqual([name]);
      plan.start(name);
      plan.succeed(name, 0);
    }
    expect(plan.complete).toBe(true);
  });
});

it('a cycle is found in time: a hundred thousand processes, each after the one before', () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `p${i}`);
  const dependencies = new Map(names.map((name, i) => [name, new Set([names.at(i - 1) as string])]));
  const cycle = findCycle(dependencies);
  expect(cycle).toHaveLength(names.length + 1);
  expect(new Set(cycle).size).toBe(names.length);
});
