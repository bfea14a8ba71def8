import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import { type CheckpointRecord, isTerminalTaskState } from '../../src/checkpoint/records.js';
import { Replay } from '../../src/checkpoint/replay.js';
import { planOf } from '../../src/config/planner.js';
import type { RunnableTask } from '../../src/runner/task-document.js';
import { taskOf } from './harness.js';
import { Broken, type Happening, outcomeOf, World } from './world.js';

const NAMES = ['a', 'b', 'c', 'd', 'y', 'z'];

const processOf = (name: string) =>
  fc.record({
    name: fc.constant(name),
    cmdline: fc.constant('true'),
    final: fc.constant(name >= 'y'),
    daemon: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.boolean()),
    ephemeral: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.boolean()),
    max_failures: fc.integer({ min: 0, max: 3 }),
    min_duration: fc.constantFrom(0, 0, 5),
  });

const tasks = fc
  .record({
    processes: fc.tuple(...NAMES.map(processOf)),
    count: fc.integer({ min: 1, max: NAMES.length }),
    skip: fc.integer({ min: 0, max: NAMES.length - 1 }),
    orders: fc.array(fc.subarray(NAMES.slice(0, 4), { minLength: 2 }), { maxLength: 2 }),
    max_failures: fc.integer({ min: 0, max: 2 }),
    max_concurrency: fc.integer({ min: 0, max: 3 }),
    finalization_wait: fc.constantFrom(0, 5, 30),
  })
  .map(({ processes, count, skip, orders, ...rest }) => {
    const chosen = [...processes.slice(skip), ...processes.slice(0, skip)].slice(0, count);
    const isThere = (name: string) => chosen.some((process) => process.name === name);
    const constraints = orders
      .map((order) => ({ order: order.filter(isThere) }))
      .filter(({ order }) => order.length > 1);
    return taskOf(chosen, { ...rest, constraints });
  })
  .filter(({ processes, orders }) =>
    [false, true].every((f) => planOf(processes, orders, f).faults.length === 0),
  );

const which = fc.nat({ max: 5 });
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('advance' as const),
      which,
      end: fc.constantFrom('SUCCESS' as const, 'SUCCESS' as const, 'FAILED' as const, 'KILLED' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('die' as const), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('refuse' as const, 'hang' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('kill' as const),
      request: fc.record(
        {
          state: fc.constantFrom('KILLED' as const, 'LOST' as const),
          wait: fc.constantFrom(0, 1, 60),
          now: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
        },
        { requiredKeys: ['state'] },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('clock' as const),
      seconds: fc.constantFrom(0.04, 0.3, 1, 5, 31, 61, 3600),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('start-fails' as const), isTransient: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash' as const), after: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('power-cut' as const), kept: fc.nat({ max: 3 }) }) },
  { weight: 6, arbitrary: fc.constant({ type: 'sync' as const }) },
  { weight: 10, arbitrary: fc.record({ type: fc.constant('step' as const), isBlind: fc.boolean() }) },
);

/** Lets the world go on by itself until the task is over. */
function goOn(world: World): void {
  for (let turns = 0; world.finished === undefined; turns++) {
    if (turns > 3000) throw new Broken('it never ends');
    world.happen({ type: 'step', isBlind: false });
    if (world.finished !== undefined) return;
    // The disk is slower than the runner.
    if (world.isSyncing && turns % 3 === 0) world.happen({ type: 'sync' });
    else if (world.isAsleep && !world.isSyncing) wake(world, turns);
  }
}

/** Nothing is to be done: something must happen. */
function wake(world: World, turns: number): void {
  if (world.live.some(({ isHung }) => !isHung))
    world.happen({ type: 'advance', which: turns, end: 'SUCCESS' });
  else if (world.sleepsUntil === undefined) throw new Broken('it sleeps for ever');
  if (world.sleepsUntil !== undefined && turns % 4 === 0)
    world.happen({ type: 'clock', seconds: Math.max(0.001, world.sleepsUntil - world.now) });
}

/** The stream as a reader sees it. */
function replayed({ stream }: World) {
  const replay = new Replay({ history: true });
  const bytes = Buffer.concat(stream.map((record) => encodeFrame(encodeRecord(record))));
  const end = replay.feed(bytes, 0, bytes.length);
  expect({ end, damage: replay.damage }).toEqual({ end: bytes.length, damage: undefined });
  return replay.state();
}

const ORDER = ['ACTIVE', 'CLEANING', 'FINALIZING', 'SUCCESS'];

function expectSound(world: World): void {
  const { task, stream, coordinators, finished } = world;
  expect(replayed(world).records_left_out).toBeUndefined();
  // The header comes first but for the state, once; the states of the task only go on.
  const types = stream.map(({ type }) => type);
  expect(types[0]).toBe('task_status');
  expect(types.slice(0, types.indexOf('runner_header')).every((type) => type === 'task_status')).toBe(true);
  expect(stream.filter(({ type }) => type === 'runner_header')).toHaveLength(1);
  const states = stream.flatMap(({ type, value }) => (type === 'task_status' ? [value.state as string] : []));
  const steps = states.map((state) => ORDER.indexOf(isTerminalTaskState(state) ? 'SUCCESS' : state));
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(states.filter(isTerminalTaskState)).toEqual([finished]);
  expectReason(world, task);
  if (world.diedAtTheEnd) return;
  // Nothing of it is alive, and no run is without an end.
  expect(coordinators.filter(({ isAlive, command }) => isAlive || command !== undefined)).toEqual([]);
  for (const { name } of task.processes) {
    const { last } = outcomeOf(world, name);
    expect([undefined, 'WAITING', 'SUCCESS', 'FAILED', 'KILLED', 'LOST']).toContain(last);
  }
}

const isTerminal = ({ type, value }: CheckpointRecord) =>
  type === 'task_status' && isTerminalTaskState(value.state);

/** The terminal state is the one that follows from what happened. */
function expectReason(world: World, { processes, max_failures, orders }: RunnableTask): void {
  const regular = processes.filter(({ final }) => !final);
  // What ends with the task ends afterwards.
  const stream = world.stream.slice(0, world.stream.findIndex(isTerminal));
  const fate = new Map(regular.map(({ name }) => [name, outcomeOf(world, name, stream).fate]));
  const failed = [...fate.values()].filter((each) => each === 'failed').length;
  const before = (name: string) =>
    orders.flatMap((order) => order.slice(0, Math.max(0, order.indexOf(name))));
  const isBlocked = (name: string): boolean =>
    before(name).some((each) => fate.get(each) === 'failed' || isBlocked(each));
  const open = regular.filter(({ name, ephemeral }) => !ephemeral && fate.get(name) === undefined);
  const isHealthy = max_failures === 0 || failed < max_failures;
  const isDeadlocked = open.length > 0 && open.every(({ name }) => isBlocked(name));
  const asked = world.kills[0]?.state;
  switch (world.finished) {
    case 'SUCCESS':
      expect({ asked, open, isHealthy }).toEqual({ asked: undefined, open: [], isHealthy: true });
      break;
    case 'FAILED':
      expect({ asked, isGood: isHealthy && !isDeadlocked }).toEqual({ asked: undefined, isGood: false });
      break;
    case 'LOST':
      expect(asked).toBe('LOST');
      break;
    default:
      expect(asked ?? (world.wasKilled && open.length > 0 ? 'KILLED' : 'no reason')).toBe('KILLED');
  }
}

test('whatever happens to a task, it comes to its end: with a reason, in order, and with no run too many', () => {
  fc.assert(
    fc.property(
      tasks,
      fc.integer({ min: 1, max: 3 }),
      fc.subarray(NAMES),
      fc.array(fc.tuple(happenings, happenings), { maxLength: 60 }),
      (task, maxRuns, deaf, all) => {
        const world = new World(task, maxRuns, deaf);
        for (const [what, meanwhile] of all) world.happen(what, meanwhile);
        goOn(world);
        expectSound(world);
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 400) },
  );
});
