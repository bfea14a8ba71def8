import { appendFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followRecords, RecordLister } from '../../src/checkpoint/follow.js';
import type { CheckpointRecord, TaskState } from '../../src/checkpoint/records.js';
import { tempDir } from '../e2e/harness.js';
import { streamOf } from './arbitraries.js';
import { opening } from './streams.js';

let dir: string;
let remove: () => void;
let path: string;

beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  path = join(dir, 'runner');
});
afterEach(() => remove());

const status = (state: TaskState): Buffer => streamOf([{ type: 'task_status', value: { state } }]);
const killed = streamOf([{ type: 'process_status', value: { seq: 3, process: 'a', state: 'KILLED' } }]);

/** Follows the stream; `steps` happen one after the other, each when there is nothing more to read. */
async function follow(options: { steps?: (() => void)[]; locked?: () => boolean | undefined }) {
  const steps = [...(options.steps ?? [])];
  const records: CheckpointRecord[] = [];
  const changes: string[] = [];
  let flushes = 0;
  const lister = new RecordLister((record) => records.push(record));
  const damage = await followRecords(opening(path), lister, {
    changed: async () => {
      const step = steps.shift();
      if (step === undefined) throw new Error('nothing more will happen');
      step();
    },
    isLocked: options.locked ?? (() => false),
    restarted: (change) => {
      changes.push(`${change} after ${records.length}`);
    },
    flush: () => {
      flushes += 1;
    },
  });
  return {
    states: records.map(({ value }) => ('state' in value ? value.state : undefined)),
    damage,
    changes,
    flushes,
    steps,
  };
}

describe('following a stream', () => {
  it('lists what is appended until the task is over', async () => {
    writeFileSync(path, status('ACTIVE'));
    const { states, damage } = await follow({
      steps: [() => appendFileSync(path, status('CLEANING')), () => appendFileSync(path, status('SUCCESS'))],
    });
    expect(states).toEqual(['ACTIVE', 'CLEANING', 'SUCCESS']);
    expect(damage).toBeUndefined();
  });

  it('goes on after a terminal state as long as a runner holds the lock', async () => {
    writeFileSync(path, status('KILLED'));
    let locked = true;
    const { states } = await follow({
      locked: () => locked,
      steps: [
        () => appendFileSync(path, killed),
        () => {
          locked = false;
        },
      ],
    });
    expect(states).toEqual(['KILLED', 'KILLED']);
  });

  it('misses nothing that is written just before the lock is given up', async () => {
    writeFileSync(path, status('FAILED'));
    let asked = false;
    const { states } = await follow({
      locked: () => {
        // The runner writes its last record and ends between our reading and our look at the lock.
        if (!asked) appendFileSync(path, killed);
        asked = true;
        return false;
      },
    });
    expect(states).toEqual(['FAILED', 'KILLED']);
  });

  it('goes on when the task is active again', async () => {
    writeFileSync(path, status('LOST'));
    let locked = true;
    const { states } = await follow({
      locked: () => locked,
      steps: [
        () => appendFileSync(path, status('ACTIVE')),
        () => {
          locked = false;
        },
        () => appendFileSync(path, status('SUCCESS')),
      ],
    });
    expect(states).toEqual(['LOST', 'ACTIVE', 'SUCCESS']);
  });

  it('ends at a damage, and tells of a record that is cut short', async () => {
    writeFileSync(path, status('ACTIVE'));
    const good = status('ACTIVE').length;
    const broken = await follow({ steps: [() => appendFileSync(path, Buffer.alloc(8))] });
    expect(broken.damage).toMatchObject({ kind: 'damaged', offset: good });
    writeFileSync(path, Buffer.concat([status('SUCCESS'), killed.subarray(0, 9)]));
    expect((await follow({})).damage).toMatchObject({ kind: 'incomplete', offset: good });
  });

  const others = (state: TaskState) => Buffer.concat([status(state), status('CLEANING'), status('SUCCESS')]);

  it('lists another stream that takes its place from its start, and says so before', async () => {
    writeFileSync(path, status('ACTIVE'));
    const { states, changes, damage } = await follow({
      steps: [
        () => {
          writeFileSync(join(dir, 'new'), others('FINALIZING'));
          renameSync(join(dir, 'new'), path);
        },
      ],
    });
    expect(states).toEqual(['ACTIVE', 'FINALIZING', 'CLEANING', 'SUCCESS']);
    expect(changes).toEqual(['replaced after 1']);
    expect(damage).toBeUndefined();
  });

  it('lists a stream that is written again in its place from its start', async () => {
    writeFileSync(path, Buffer.concat([status('ACTIVE'), status('CLEANING')]));
    const { states, changes } = await follow({
      steps: [
        // As long as before, longer, shorter.
        () => writeFileSync(path, Buffer.concat([status('ACTIVE'), status('FINALIZING')])),
        () => writeFileSync(path, others('KILLED').subarray(0, -status('SUCCESS').length)),
        () => writeFileSync(path, status('LOST')),
      ],
      locked: () => false,
    });
    expect(states).toEqual([
      ...['ACTIVE', 'CLEANING'],
      ...['ACTIVE', 'FINALIZING'],
      ...['KILLED', 'CLEANING'],
      'LOST',
    ]);
    expect(changes).toEqual(['rewritten after 2', 'rewritten after 4', 'shortened after 6']);
  });

  it('takes a stream that is only touched for the same', async () => {
    writeFileSync(path, status('ACTIVE'));
    const { states, changes } = await follow({
      steps: [
        () => utimesSync(path, 1, 1),
        () => utimesSync(path, 2, 2),
        () => appendFileSync(path, status('SUCCESS')),
      ],
    });
    expect(states).toEqual(['ACTIVE', 'SUCCESS']);
    expect(changes).toEqual([]);
  });

  it('ends when waiting fails', async () => {
    writeFileSync(path, status('ACTIVE'));
    await expect(follow({})).rejects.toThrow('nothing more will happen');
  });
});
