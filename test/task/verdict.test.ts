import { expect, test } from 'vitest';
import { type Verdict, type VerdictFacts, verdictOf } from '../../src/task/verdict.js';

/** An active task whose runner took over a minute after boot, and is alive. */
const SOUND: VerdictFacts = {
  readable: true,
  started: true,
  phase: 'active',
  state: 'ACTIVE',
  alive: true,
  foreign: false,
  statusTimeMs: 160_000,
  bootTimeMs: 100_000,
  leftovers: false,
};

const RULES: [string, Partial<VerdictFacts>, Verdict][] = [
  ['a live runner', {}, 'ok'],
  ['CLEANING with a live runner', { state: 'CLEANING' }, 'ok'],
  ['a dead runner', { alive: false }, 'runner-gone'],
  ['a dead runner in FINALIZING', { state: 'FINALIZING', alive: false }, 'runner-gone'],
  ['a dead runner with processes that live on', { alive: false, leftovers: true }, 'runner-gone'],
  ['a dead runner from before the boot', { alive: false, statusTimeMs: 99_999 }, 'host-rebooted'],
  ['a dead runner from the moment of the boot', { alive: false, statusTimeMs: 100_000 }, 'runner-gone'],
  ['a live runner with a time before the boot', { statusTimeMs: 1 }, 'ok'],
  ['a dead runner, boot time unknown', { alive: false, bootTimeMs: undefined }, 'runner-gone'],
  ['a dead runner without a time', { alive: false, statusTimeMs: undefined }, 'runner-gone'],
  ['a dead runner with a time that is none', { alive: false, statusTimeMs: Number.NaN }, 'runner-gone'],
  ['nothing known of the runner', { alive: null }, 'unknown'],
  ['a live runner in another namespace', { foreign: true }, 'foreign-pids'],
  ['an empty stream without a runner', { state: 'UNKNOWN', alive: false, started: false }, 'unknown'],
  ['a stream with a header only, runner dead', { state: 'UNKNOWN', alive: false }, 'runner-gone'],
  ['an empty stream with one', { state: 'UNKNOWN' }, 'ok'],
  ['a state without a name', { state: 99 }, 'ok'],
  ['a state without a name, runner dead', { state: 99, alive: false }, 'runner-gone'],
  ['over, and moved', { phase: 'finished', state: 'SUCCESS', alive: false }, 'ok'],
  ['over, runner not seen', { phase: 'finished', state: 'LOST', alive: null }, 'ok'],
  ['over long before the boot', { phase: 'finished', state: 'FAILED', alive: false, statusTimeMs: 1 }, 'ok'],
  ['over, but alive', { phase: 'finished', state: 'KILLED', alive: false, leftovers: true }, 'leftovers'],
  ['over, its runner about to move the file', { state: 'SUCCESS' }, 'ok'],
  ['over, never moved', { state: 'SUCCESS', alive: false }, 'runner-gone'],
  ['over, never moved, runner not seen', { state: 'SUCCESS', alive: null }, 'ok'],
  ['moved, but the end was not recorded', { phase: 'finished', alive: false }, 'unknown'],
  ['moved, not recorded, alive', { phase: 'finished', alive: false, leftovers: true }, 'leftovers'],
  ['unreadable, whatever else', { readable: false, alive: false, leftovers: true }, 'unknown'],
];

test.each(RULES)('%s', (_what, evidence, verdict) => {
  expect(verdictOf({ ...SOUND, ...evidence })).toBe(verdict);
});

test('whatever is known, there is a verdict, and an unreadable task is never ok', () => {
  for (const readable of [true, false])
    for (const phase of ['active', 'finished'] as const)
      for (const state of [
        'ACTIVE',
        'CLEANING',
        'FINALIZING',
        'SUCCESS',
        'FAILED',
        'KILLED',
        'LOST',
        'UNKNOWN',
        7,
      ] as const)
        for (const alive of [true, false, null])
          for (const foreign of [true, false])
            for (const leftovers of [true, false])
              for (const statusTimeMs of [undefined, 1, 160_000]) {
                const given = { ...SOUND, readable, phase, state, alive, foreign, leftovers, statusTimeMs };
                const verdict = verdictOf(given);
                const over = ['SUCCESS', 'FAILED', 'KILLED', 'LOST'].includes(String(state));
                if (!readable) expect(verdict).toBe('unknown');
                else if (verdict === 'ok') expect(over || alive === true).toBe(true);
                else if (verdict === 'leftovers') expect(leftovers).toBe(true);
                else if (verdict === 'host-rebooted') expect([alive, statusTimeMs]).toEqual([false, 1]);
                else if (verdict === 'runner-gone') expect([alive, phase]).toEqual([false, 'active']);
                else if (verdict === 'foreign-pids')
                  expect([foreign, phase, over]).toEqual([true, 'active', false]);
              }
});
