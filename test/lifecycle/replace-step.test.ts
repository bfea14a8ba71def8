import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BLOCKED_MS,
  type ReplaceProgress,
  type ReplaceStep,
  type RunSeen,
  replaceStep,
} from '../../src/lifecycle/replace-step.js';

const GRACE_MS = 1000;
const HELD: RunSeen = {
  coordinator: 'held',
  isRecorded: false,
  isCommandAlive: true,
  others: 0,
  unasked: 0,
};
const ASKED: ReplaceProgress = { began: 0, wasHeld: true, asked: 100 };

describe('a run that is replaced', () => {
  test.each<[string, Partial<RunSeen>, Partial<ReplaceProgress>, number, ReplaceStep]>([
    [
      'has its coordinator held first',
      { coordinator: 'free' },
      { wasHeld: false, asked: undefined },
      0,
      { kind: 'hold' },
    ],
    ['is asked to end then', {}, { asked: undefined }, 0, { kind: 'ask', whom: 'command' }],
    ['has its time', {}, {}, 1099, { kind: 'wait' }],
    ['is killed when that is over', {}, {}, 1100, { kind: 'kill' }],
    [
      'has others asked when its command has ended',
      { isCommandAlive: false, others: 2, unasked: 1 },
      {},
      200,
      { kind: 'ask', whom: 'others' },
    ],
    ['has others killed in the end', { isCommandAlive: false, others: 2 }, {}, 1100, { kind: 'kill' }],
    ['loses its coordinator last', { isCommandAlive: false }, {}, 200, { kind: 'replace' }],
    [
      'is left alone if it had ended by itself',
      { isCommandAlive: false },
      { asked: undefined },
      0,
      { kind: 'give-up', why: 'ended' },
    ],
    [
      'and if its end is recorded',
      { coordinator: 'free', isRecorded: true },
      { wasHeld: false, asked: undefined },
      0,
      { kind: 'give-up', why: 'ended' },
    ],
    ['and if its coordinator is gone', { coordinator: 'gone' }, {}, 200, { kind: 'give-up', why: 'lost' }],
    [
      'and if somebody continued its coordinator',
      { coordinator: 'free' },
      {},
      200,
      { kind: 'give-up', why: 'taken' },
    ],
    [
      'and if its coordinator does not stop',
      { coordinator: 'free' },
      { wasHeld: false, asked: undefined },
      BLOCKED_MS + 1,
      { kind: 'give-up', why: 'unstoppable' },
    ],
    ['and if it cannot be killed', {}, {}, 1100 + BLOCKED_MS, { kind: 'give-up', why: 'unending' }],
  ])('%s', (_, seen, progress, now, step) => {
    expect(replaceStep({ ...HELD, ...seen }, { ...ASKED, ...progress }, GRACE_MS, now)).toEqual(step);
  });
});

/** How a run behaves; times in milliseconds. */
interface Behaviour {
  /** When its command ends by itself. */
  readonly endsAt: number;
  /** How long command and others take to obey SIGTERM; longer than any grace: they do not. */
  readonly obeysIn: number;
  readonly othersObeyIn: number;
  readonly others: number;
  readonly stopsIn: number;
  /** SIGKILL does not end them. */
  readonly isBlocked: boolean;
  /** When somebody else continues the coordinator, and when it dies. */
  readonly continuedAt: number;
  readonly diesAt: number;
  readonly graceMs: number;
  /** The time between two looks. */
  readonly everyMs: number;
}

const never = Number.POSITIVE_INFINITY;
const moment = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constant(never));
const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  endsAt: moment,
  obeysIn: moment,
  othersObeyIn: moment,
  others: fc.integer({ min: 0, max: 3 }),
  stopsIn: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(never)),
  isBlocked: fc.boolean(),
  continuedAt: moment,
  diesAt: moment,
  graceMs: fc.integer({ min: 0, max: 2000 }),
  everyMs: fc.integer({ min: 1, max: 200 }),
});

/** Does what is decided to a run that behaves like this. Its coordinator records an end that it can see. */
function replaced(run: Behaviour) {
  let stoppedAt = never;
  let [commandEnd, othersEnd] = [run.endsAt, never];
  let progress: ReplaceProgress = { began: 0, wasHeld: false };
  let isOthersAsked = false;
  let killedAt = never;
  const steps: string[] = [];
  for (let now = 0; ; now += run.everyMs) {
    const isHeld = now >= stoppedAt && now < run.continuedAt;
    const isGone = now >= run.diesAt;
    const isCommandAlive = now < commandEnd;
    const others = now < othersEnd ? run.others : 0;
    // What ended while the coordinator was held is recorded when it is not.
    const isRecorded = !isCommandAlive && !isGone && !(stoppedAt <= commandEnd && isHeld);
    if (isHeld) progress = { ...progress, wasHeld: true };
    const seen: RunSeen = {
      coordinator: isGone ? 'gone' : isHeld ? 'held' : 'free',
      isRecorded,
      isCommandAlive,
      others,
      unasked: isOthersAsked ? 0 : others,
    };
    const step = replaceStep(seen, progress, run.graceMs, now);
    steps.push(step.kind);
    if (step.kind === 'hold') stoppedAt = Math.min(stoppedAt, now + run.stopsIn);
    if (step.kind === 'ask' && step.whom === 'command') {
      progress = { ...progress, asked: now };
      commandEnd = Math.min(commandEnd, now + run.obeysIn);
    }
    if (step.kind === 'ask' && step.whom === 'others') {
      isOthersAsked = true;
      othersEnd = Math.min(othersEnd, now + run.othersObeyIn);
    }
    if (step.kind === 'kill') {
      killedAt = Math.min(killedAt, now);
      if (!run.isBlocked) [commandEnd, othersEnd] = [Math.min(commandEnd, now), Math.min(othersEnd, now)];
    }
    if (step.kind === 'replace' || step.kind === 'give-up') {
      return { step, seen, progress, now, steps, killedAt };
    }
  }
}

test('whatever a run does, its coordinator ends only when nothing of it is alive and no end is recorded, and in time', () => {
  fc.assert(
    fc.property(behaviour, (run) => {
      const { step, seen, progress, now, steps, killedAt } = replaced(run);
      expect(now).toBeLessThanOrEqual(2 * BLOCKED_MS + run.graceMs + 3 * run.everyMs);
      if (step.kind === 'replace') {
        expect(seen).toMatchObject({
          coordinator: 'held',
          isRecorded: false,
          isCommandAlive: false,
          others: 0,
        });
        expect(run.endsAt).toBeGreaterThan(progress.asked as number);
        expect(steps.indexOf('ask')).toBeGreaterThan(steps.lastIndexOf('hold'));
      }
      if (killedAt < never) expect(killedAt).toBeGreaterThanOrEqual((progress.asked as number) + run.graceMs);
    }),
    { numRuns: 1000 },
  );
});

test('a run that obeys or can be killed, and is left to us, is always replaced', () => {
  const ours = behaviour.map((run) => ({
    ...run,
    endsAt: never,
    continuedAt: never,
    diesAt: never,
    isBlocked: false,
    stopsIn: run.stopsIn === never ? 0 : run.stopsIn,
  }));
  fc.assert(
    fc.property(ours, (run) => {
      expect(replaced(run).step).toEqual({ kind: 'replace' });
    }),
  );
});
