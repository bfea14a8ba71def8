import { describe, expect, test } from 'vitest';
import {
  dispositionForScheduler,
  dispositionOf,
  LEAST_KILL_AGE_MS,
  streamFlaw,
} from '../../src/gc/disposition.js';
import type { Silence, Subject } from '../../src/gc/subject.js';
import { subject } from './subjects.js';

const ago = (since: number) => `${1000 - since}ms`;
const SILENT: Silence = { state: 'silent', since: 400 };
const of = (given: Partial<Subject>, silence: Silence = SILENT, pulled = false) =>
  dispositionOf(subject(given), silence, pulled, ago);

const same = (rule: string) => ({ reason: rule, rule });

describe('which way a task goes', () => {
  test.each([
    ['finished', {}, { kind: 'over', always: undefined }],
    [
      'half collected',
      { marked: true },
      { kind: 'over', always: same('an earlier gc of it was interrupted') },
    ],
    [
      'without a checkpoint',
      { stream: 'absent' },
      { kind: 'over', always: same('its checkpoint is gone already') },
    ],
    [
      'silent and damaged',
      { phase: 'active', damaged: true },
      {
        kind: 'over',
        always: { reason: 'its stream is corrupt, silent for 600ms', rule: 'its stream is corrupt' },
      },
    ],
    [
      'silent without a header',
      { phase: 'active', headless: true },
      {
        kind: 'over',
        always: { reason: 'its stream has no header, silent for 600ms', rule: 'its stream has no header' },
      },
    ],
  ] as const)('%s', (_, given, expected) => {
    expect(of(given as Partial<Subject>)).toEqual(expected);
  });

  test('pulled, in a bare root only', () => {
    expect(of({}, SILENT, true)).toEqual({ kind: 'over', always: same("its executor's directory is gone") });
    expect(of({ layout: 'mesos' }, SILENT, true)).toEqual({ kind: 'over', always: undefined });
  });

  test.each(['alive', 'quiet', 'unknown'] as const)('left alone while its runner is %s', (state) => {
    expect(of({ phase: 'active', state: 'ACTIVE' }, { state, since: 0 })).toEqual({ kind: 'left' });
  });

  test('an orphan becomes LOST, one that is over keeps its state', () => {
    expect(of({ phase: 'active', state: 'ACTIVE' })).toMatchObject({
      kind: 'finalize',
      reason: 'its runner is gone, silent for 600ms',
      rule: 'its runner is gone',
      finalization: { was: 'ACTIVE', becomes: 'LOST', record: true },
    });
    expect(of({ phase: 'active', state: 'FAILED' })).toMatchObject({
      finalization: { was: 'FAILED', becomes: 'FAILED', record: false },
    });
  });
});

describe('for the scheduler', () => {
  const now = 10 * LEAST_KILL_AGE_MS;
  const ask = (
    given: Partial<Subject>,
    state: Silence['state'],
    action: 'kill' | 'collect' | 'none' = 'kill',
  ) =>
    dispositionForScheduler(
      subject({ phase: 'active', state: 'ACTIVE', ...given }),
      { state, since: 0 },
      action,
      'KILLED',
      now,
    );

  test('collected, killed, or nothing', () => {
    expect(ask({}, 'alive', 'collect')).toEqual({
      kind: 'over',
      always: same('the scheduler does not know it'),
    });
    expect(ask({}, 'alive', 'none')).toEqual({ kind: 'left' });
    expect(ask({ runnerPid: 7 }, 'alive')).toMatchObject({ finalization: { becomes: 'KILLED', signal: 7 } });
    expect(ask({}, 'silent')).toMatchObject({ finalization: { becomes: 'KILLED', record: true } });
    expect(ask({ damaged: true }, 'silent')).toMatchObject({ kind: 'over' });
  });

  test('not one that was launched a moment ago', () => {
    expect(ask({ launchedAt: now - 1 }, 'alive')).toEqual({ kind: 'left' });
  });
});

test.each([
  [{ stream: 'absent' }, 'it has no stream'],
  [{ stream: 'odd' }, 'its stream is not a regular file'],
  [{}, undefined],
] as const)('the flaw of %j', (given, expected) => {
  expect(streamFlaw(subject(given as Partial<Subject>))).toBe(expected);
});
