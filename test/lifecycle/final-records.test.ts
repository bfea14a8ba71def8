import { describe, expect, test } from 'vitest';
import type { CheckpointRecord, ProcessState, ProcessStatus } from '../../src/checkpoint/records.js';
import { Replay } from '../../src/checkpoint/replay.js';
import { recordsBetween } from '../../src/lifecycle/final-records.js';
import { streamOf } from '../checkpoint/arbitraries.js';
import { Records } from '../task/trees.js';

const PATHS: readonly ProcessState[][] = [
  ['WAITING', 'FORKED', 'RUNNING', 'SUCCESS'],
  ['WAITING', 'FORKED', 'RUNNING', 'FAILED'],
  ['WAITING', 'FORKED', 'RUNNING', 'KILLED'],
  ['WAITING', 'FORKED', 'RUNNING', 'LOST'],
  ['WAITING', 'FORKED', 'KILLED'],
  ['WAITING', 'FORKED', 'LOST'],
  ['WAITING', 'FAILED'],
];

function runAfter(records: readonly CheckpointRecord[]): ProcessStatus {
  const replay = new Replay({ history: false });
  const bytes = streamOf(records);
  replay.feed(bytes, 0, bytes.length);
  return replay.state().processes.get('p')?.runs.at(-1) as ProcessStatus;
}

describe('what a coordinator recorded after its runner', () => {
  const cases = PATHS.flatMap((path) =>
    path.flatMap((_, from) => path.slice(from).map((_, more) => [path, from + 1, from + 1 + more] as const)),
  );
  test.each(cases)('is told from the run: %s from %i to %i', (path, from, to) => {
    const { records } = new Records().process('p', ...path);
    const words = recordsBetween(runAfter(records.slice(0, from)), runAfter(records.slice(0, to)));
    expect(words).toEqual(records.slice(from, to).map(({ value }) => value));
  });

  test('is nothing of a run that nobody had begun', () => {
    expect(recordsBetween(undefined, { process: 'p', seq: 1, state: 'FORKED' })).toEqual([]);
  });

  test('has exact sequence numbers beyond 2^53', () => {
    const was: ProcessStatus = { process: 'p', seq: 2n ** 60n, state: 'WAITING' };
    const is: ProcessStatus = {
      ...was,
      seq: 2n ** 60n + 1n,
      state: 'FORKED',
      fork_time: 1,
      coordinator_pid: 2,
    };
    expect(recordsBetween(was, is).map(({ seq }) => seq)).toEqual([2n ** 60n + 1n]);
  });
});
