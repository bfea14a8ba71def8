import { rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { type FileIdentity, isSame, keyOf } from '../host/file-identity.js';
import { mountIdOf } from '../host/mounts.js';
import { ChangedError, textOf, walk } from '../store/walk.js';
import { BLOCK, Excepted, isAmong, type Measure } from './measure.js';

/** What a removal does to the disk; tests put others in its place. */
export interface RemoveEffects {
  unlink(path: string | Buffer): void;
  rmdir(path: string | Buffer): void;
}

export const EFFECTS: RemoveEffects = { unlink: unlinkSync, rmdir: rmdirSync };

export interface RemoveOptions {
  effects: RemoveEffects;
  /** As it was measured: a thing that changed later stays. */
  planned: Pick<Measure, 'dev' | 'ino' | 'newest'>;
  /**
   * What this gc itself changed after it was measured, by `keyOf`, of all tasks: what it wrote, and files that lost
   * one of several names, in the sandboxes of several tasks maybe.
   */
  touched: Map<string, 'written' | 'unlinked'>;
  /** Trees in it that stay, and the directories around them. */
  except?: readonly FileIdentity[];
  /** Entries of the top that go last, in this order, and only if all else went. */
  last?: readonly string[];
}

export interface Removal {
  bytes: number;
  removed: number;
  /** The first thing that could not be removed, and how many there were. */
  failure?: { error: unknown; names: string; count: number };
}

/**
 * Removes the tree that `name` in an open directory is, if it is the planned one; nothing in it that changed
 * since it was measured, no other mount. What can't be removed is told, the rest goes. Nothing is made
 * writable for it. That there is nothing any more is no failure.
 */
export function remove(parent: number, name: string, options: RemoveOptions): Removal {
  const { effects, planned, touched } = options;
  const removal: Removal = { bytes: 0, removed: 0 };
  const mount = mountIdOf(parent);
  const failed = (error: unknown, names: readonly string[]): void => {
    removal.failure ??= { error, names: textOf(names.join('/')), count: 0 };
    removal.failure.count += 1;
  };
  const check = (stat: Stats, names: readonly string[]): void => {
    if (names.length === 0 && !isSame(stat, planned))
      throw new ChangedError('it was replaced since the plan was made');
    if (stat.ctimeMs <= planned.newest) return;
    const ours = touched.get(keyOf(stat));
    if (ours === 'written' || (ours === 'unlinked' && stat.mtimeMs <= planned.newest)) return;
    throw new ChangedError('it changed since the plan was made');
  };
  walk(
    parent,
    name,
    {
      file: (path, stat, names) => {
        if (names.length === 1 && removal.failure !== undefined && options.last?.includes(names[0] as string))
          return;
        check(stat, names);
        // The removal of one link changes the file that the others lead to.
        if (stat.nlink > 1 && !touched.has(keyOf(stat))) touched.set(keyOf(stat), 'unlinked');
        effects.unlink(path);
        removal.removed += 1;
        // What we wrote ourselves took up nothing before.
        const before = touched.get(keyOf(stat)) !== 'written';
        if (stat.nlink === 1 && before) removal.bytes += stat.blocks * BLOCK;
      },
      enter: (fd, stat, names) => {
        if (isAmong(options.except, stat)) throw new Excepted();
        check(stat, names);
        if (stat.dev !== planned.dev || mountIdOf(fd) !== mount)
          throw new ChangedError('something is mounted there');
      },
      leave: (path, stat, names) => {
        try {
          effects.rmdir(path);
        } catch (error) {
          // What is in it was told already, or is to stay.
          const expected = removal.failure !== undefined || options.except !== undefined;
          if (errnoOf(error) === 'ENOTEMPTY' && expected) return;
          if (errnoOf(error) !== 'ENOENT') failed(error, names);
          return;
        }
        removal.removed += 1;
        removal.bytes += stat.blocks * BLOCK;
      },
      failed: (error, names) => {
        if (!(error instanceof Excepted)) failed(error, names);
      },
    },
    options.last,
  );
  return removal;
}
