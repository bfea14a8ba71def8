import { rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { type FileIdentity, isSame, keyOf } from '../host/file-identity.js';
import { mountIdOf } from '../host/mounts.js';
import { ChangedError, textOf, walk } from '../store/walk.js';
import { BLOCK, isAmong, type Measure } from './measure.js';

/** The operations of a removal on the disk; tests replace them. */
export interface RemoveEffects {
  unlink(path: string | Buffer): void;
  rmdir(path: string | Buffer): void;
}

export const EFFECTS: RemoveEffects = { unlink: unlinkSync, rmdir: rmdirSync };

export interface RemoveOptions {
  effects: RemoveEffects;
  /** As measured; anything that changed later stays. */
  planned: Pick<Measure, 'dev' | 'ino' | 'newest' | 'directories'>;
  /**
   * Files that this gc itself changed after they were measured, for all tasks, by `keyOf`: those that it wrote, and those
   * that lost one of several links, possibly in the sandboxes of several tasks.
   */
  touched: Map<string, 'written' | 'unlinked'>;
  /** Trees in it that stay, and the directories around them. */
  except?: readonly FileIdentity[];
  /** Top-level entries that go last, in this order, and only if all else was removed. */
  last?: readonly string[];
}

export interface Removal {
  bytes: number;
  removed: number;
  /** The first failure and the number of failures. */
  failure?: { error: unknown; names: string; count: number };
}

/**
 * Removes the tree `name` in an open directory if it is the planned one, except what changed since it was measured and
 * other mounts. Reports what cannot be removed and continues with the rest. Makes nothing writable. A tree that no longer
 * exists is not a failure.
 */
export function remove(parent: number, name: string, options: RemoveOptions): Removal {
  const { effects, planned, touched } = options;
  const removal: Removal = { bytes: 0, removed: 0 };
  const mounts = new Mounts(parent, planned);
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
        // Removing one link changes the ctime of the file, which its other links show.
        if (stat.nlink > 1 && !touched.has(keyOf(stat))) touched.set(keyOf(stat), 'unlinked');
        effects.unlink(path);
        removal.removed += 1;
        // Files that we wrote ourselves did not occupy space before.
        const before = touched.get(keyOf(stat)) !== 'written';
        if (stat.nlink === 1 && before) removal.bytes += stat.blocks * BLOCK;
      },
      enter: (fd, stat, names) => {
        if (isAmong(options.except, stat)) return 'skip';
        check(stat, names);
        if (mounts.hide(fd, stat)) throw new ChangedError('something is mounted there');
        return undefined;
      },
      leave: (path, stat, names) => {
        try {
          effects.rmdir(path);
        } catch (error) {
          // Its content was already reported, or is meant to stay.
          const expected = removal.failure !== undefined || options.except !== undefined;
          if (errnoOf(error) === 'ENOTEMPTY' && expected) return;
          if (errnoOf(error) !== 'ENOENT') failed(error, names);
          return;
        }
        removal.removed += 1;
        removal.bytes += stat.blocks * BLOCK;
      },
      failed,
    },
    options.last,
  );
  return removal;
}

/** Finds mounts in a tree that is removed. */
class Mounts {
  readonly #parent: number;
  readonly #planned: RemoveOptions['planned'];
  #next = 0;
  #known: ReadonlySet<number> | undefined;
  #mount: string | undefined;

  constructor(parent: number, planned: RemoveOptions['planned']) {
    this.#parent = parent;
    this.#planned = planned;
  }

  /**
   * Is an open directory another one than that of its name, because something is mounted there? Not if it was in the tree
   * when it was measured. Otherwise its mount is compared: the inode of a directory may change, as in some overlays.
   */
  hide(fd: number, stat: Stats): boolean {
    if (stat.dev !== this.#planned.dev) return true;
    if (this.#wasThere(stat.ino)) return false;
    this.#mount ??= mountIdOf(this.#parent);
    return mountIdOf(fd) !== this.#mount;
  }

  #wasThere(inode: number): boolean {
    const { directories } = this.#planned;
    // Both walks usually find them in the same order.
    if (directories[this.#next] === inode) {
      this.#next += 1;
      return true;
    }
    this.#known ??= new Set(directories);
    return this.#known.has(inode);
  }
}
