import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROCESS_STATES, type ProcessState, type ProcessStatus } from '../../src/checkpoint/records.js';
import { followingSeq, mayFollow, takenFrom } from '../../src/checkpoint/transitions.js';
import { int64 } from './arbitraries.js';

/** The table of the format: `from` of each state, and what an update to it says. */
const FORMAT: Record<ProcessState, { from: (ProcessState | undefined)[]; fields: ProcessStatus }> = {
  WAITING: { from: [undefined, 'SUCCESS', 'FAILED', 'KILLED', 'LOST'], fields: { process: 'p' } },
  FORKED: { from: ['WAITING'], fields: { fork_time: 1.5, coordinator_pid: 10 } },
  RUNNING: { from: ['FORKED'], fields: { start_time: 2.5, pid: 11 } },
  SUCCESS: { from: ['RUNNING'], fields: { stop_time: 3.5, return_code: 0 } },
  FAILED: { from: ['WAITING', 'RUNNING'], fields: {} },
  KILLED: { from: ['FORKED', 'RUNNING'], fields: { stop_time: 3.5, return_code: -9 } },
  LOST: { from: ['FORKED', 'RUNNING'], fields: {} },
};

const ALL: ProcessStatus = {
  process: 'p',
  fork_time: 1,
  coordinator_pid: 2,
  start_time: 3,
  pid: 4,
  stop_time: 5,
  return_code: 6,
};

describe.each(PROCESS_STATES)('%s', (state) => {
  const { from, fields } = FORMAT[state];

  test('may follow the states of the format, and no other', () => {
    const allowed = [undefined, ...PROCESS_STATES].filter((before) =>
      mayFollow(before, { ...ALL, seq: 0, state }),
    );
    expect(new Set(allowed)).toEqual(new Set(from));
  });

  test('needs its fields, each of them', () => {
    const update = { seq: 0, state, ...fields };
    expect(mayFollow(from[0], update)).toBe(true);
    for (const field of ['seq', ...Object.keys(fields)]) {
      expect(mayFollow(from[0], { ...update, [field]: undefined })).toBe(false);
    }
  });

  test('takes no field that has no place in it', () => {
    const taken = state === 'FAILED' ? { stop_time: 5, return_code: 6 } : undefined;
    const own =
      taken ?? Object.fromEntries(Object.keys(fields).map((name) => [name, { ...ALL }[name as 'pid']]));
    expect(takenFrom({ ...ALL, seq: 7, state })).toEqual({ seq: 7, state, ...own });
  });
});

test.each([undefined, 7, -1])('%s is not a state that may follow', (state) => {
  for (const from of [undefined, ...PROCESS_STATES]) {
    expect(mayFollow(from, { ...ALL, seq: 0, state })).toBe(false);
  }
});

test('sequence numbers are exact, and numbers where these are', () => {
  fc.assert(
    fc.property(int64, fc.integer({ min: -3, max: 3 }), (seq, by) => {
      const following = followingSeq(seq, by);
      expect(BigInt(following)).toBe(BigInt(seq) + BigInt(by));
      expect(typeof following === 'number').toBe(following >= -(2n ** 53n) && following < 2n ** 53n);
    }),
  );
  expect(followingSeq(4)).toBe(5);
});
