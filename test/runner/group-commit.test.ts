import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { SystemError } from '../../src/errors/errors.js';
import { GroupCommit } from '../../src/runner/group-commit.js';

/** A disk that syncs when it is told to. */
class Disk {
  /** One a write. */
  readonly groups: CheckpointRecord[][] = [];
  /** The records of the stream when a sync began: all of them at the sync's end are durable. */
  readonly syncs: number[] = [];
  durable = 0;
  #done: ((error: SystemError | undefined) => void) | undefined;

  get written(): CheckpointRecord[] {
    return this.groups.flat();
  }

  get isBusy(): boolean {
    return this.#done !== undefined;
  }

  appendAll(records: readonly CheckpointRecord[]): void {
    this.write(records);
    this.durable = this.written.length;
  }

  write(records: readonly CheckpointRecord[]): void {
    this.groups.push([...records]);
  }

  sync(done: (error: SystemError | undefined) => void): void {
    if (this.isBusy) throw new Error('two syncs at a time');
    this.syncs.push(this.written.length);
    this.#done = done;
  }

  close(): void {
    this.#done = undefined;
  }

  synced(error?: SystemError): void {
    const done = this.#done;
    this.#done = undefined;
    if (error === undefined) this.durable = this.syncs.at(-1) as number;
    done?.(error);
  }
}

const recordOf = (seq: number): CheckpointRecord => ({
  type: 'process_status',
  value: { seq, process: 'p', state: 'WAITING' },
});

const aTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Records that a turn adds, or a sync that is done. */
const doings = fc.array(fc.oneof(fc.nat({ max: 4 }), fc.constant('synced' as const)), { maxLength: 40 });

test('records are durable in their order and only after a sync of them; those of a turn are one write', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 3 }), doings, async (first, all) => {
      const disk = new Disk();
      const told: CheckpointRecord[] = [];
      const group = new GroupCommit(disk, {
        durable: (records) => {
          told.push(...records);
          expect(told.length).toBeLessThanOrEqual(disk.durable);
        },
        failed: () => expect.unreachable(),
      });
      const turns: CheckpointRecord[][] = [];
      let seq = 0;
      const turn = (count: number) => {
        const records = Array.from({ length: count }, () => recordOf(seq++));
        for (const record of records) group.add(record);
        turns.push(records);
      };
      turn(first);
      group.commitNow();
      expect(told).toHaveLength(first);
      for (const what of all) {
        if (what === 'synced') disk.synced();
        else {
          turn(what);
          group.commit();
        }
        await aTurn();
      }
      const busy = disk.syncs.length;
      while (disk.isBusy) {
        disk.synced();
        await aTurn();
      }
      // However much was written while the disk was busy, that is one sync more.
      expect(disk.syncs.length - busy).toBeLessThanOrEqual(1);
      expect(disk.groups.filter(({ length }) => length > 0)).toEqual(
        turns.filter(({ length }) => length > 0),
      );
      expect(told).toEqual(turns.flat());
      // No sync is for nothing.
      expect(new Set(disk.syncs).size).toBe(disk.syncs.length);
    }),
    { numRuns: 100 },
  );
});

test('what a turn adds when records are durable goes into the next sync, with what was written before', async () => {
  const disk = new Disk();
  const group = new GroupCommit(disk, {
    durable: ([record]) => {
      if (record !== undefined && 'seq' in record.value && record.value.seq !== 0) return;
      setImmediate(() => {
        group.add(recordOf(2));
        group.commit();
      });
    },
    failed: () => expect.unreachable(),
  });
  group.add(recordOf(0));
  group.commit();
  group.add(recordOf(1));
  group.commit();
  disk.synced();
  await aTurn();
  expect(disk.syncs).toEqual([1, 3]);
});

test('a write that failed can be tried again, with more', () => {
  const disk = new Disk();
  const group = new GroupCommit(disk, { durable: () => {}, failed: () => expect.unreachable() });
  const write = disk.write;
  disk.write = () => {
    throw new SystemError('checkpoint-write-failed', 'full');
  };
  group.add(recordOf(0));
  expect(() => group.commit()).toThrow('full');
  expect(() => group.commitNow()).toThrow('full');
  disk.write = write;
  group.add(recordOf(1));
  group.commit();
  expect(disk.groups).toEqual([[recordOf(0), recordOf(1)]]);
  expect(disk.syncs).toEqual([2]);
});

test('nothing is durable after a sync that failed, nor after the stream was closed', async () => {
  const calls: unknown[] = [];
  const make = (disk: Disk) =>
    new GroupCommit(disk, {
      durable: () => calls.push('durable'),
      failed: ({ message }) => calls.push(message),
    });
  const full = new Disk();
  const failing = make(full);
  failing.add(recordOf(0));
  failing.commit();
  failing.add(recordOf(1));
  failing.commit();
  full.synced(new SystemError('checkpoint-write-failed', 'full'));
  await aTurn();
  expect(full.syncs).toEqual([1]);
  expect(calls).toEqual(['full']);

  const disk = new Disk();
  const closed = make(disk);
  closed.add(recordOf(0));
  closed.commit();
  closed.close();
  disk.synced();
  expect(calls).toEqual(['full']);
});
