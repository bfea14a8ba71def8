import { type FSWatcher, watch } from 'node:fs';
import { errnoOf } from '../errors/errors.js';

/** Where directories can't be watched, or don't say what happens in them, they are looked at this often. */
const POLL_MS = 40;
/** Looked at though nothing was said: inotify may lose events, and knows nothing of other machines. */
const SAFETY_MS = 1000;
/** So many changes in a row that nobody announced mean that nobody will. */
const TRUST = 3;

/** Waits for something to change in any of some directories. */
export class DirectoryWatcher {
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = new Set<string>();
  #wake: (() => void) | undefined;
  #blind = false;
  #unannounced = 0;

  /** Watches the directory, or if it isn't there yet the nearest one above it that is, up to `levels`. */
  watch(directory: string, levels = 0): boolean {
    if (this.#watchers.has(directory)) return true;
    try {
      const watcher = watch(directory, () => {
        this.#changed.add(directory);
        this.#wake?.();
      });
      watcher.on('error', () => this.unwatch(directory));
      this.#watchers.set(directory, watcher);
      // What happened before it was watched was not announced.
      this.#changed.add(directory);
      return true;
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOSPC' || code === 'EMFILE' || code === 'ENOSYS') this.#blind = true;
      else if (code === 'ENOENT' && levels > 0)
        this.watch(directory.slice(0, directory.lastIndexOf('/')) || '/', levels - 1);
      return false;
    }
  }

  watches(directory: string): boolean {
    return this.#watchers.has(directory);
  }

  unwatch(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  /**
   * Resolves when something has changed, or at the latest after `longest` milliseconds or when it is time to
   * look without being told.
   */
  async changes(longest: number): Promise<void> {
    if (this.#changed.size > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(longest, this.#interval));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** The directories in which something has changed since the last call. */
  take(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** To be told whether there was news where nothing had been announced: then events are not relied on. */
  found(news: boolean, announced: boolean): void {
    if (!news) return;
    this.#unannounced = announced ? 0 : this.#unannounced + 1;
    if (this.#unannounced >= TRUST) this.#blind = true;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#wake?.();
  }

  get #interval(): number {
    return this.#blind ? POLL_MS : SAFETY_MS;
  }
}

/** Stops the watching. */
export interface NameWatcher {
  close(): void;
}

/**
 * Tells the name of each entry of a directory that changes, until it is closed. Throws system errors, also if there
 * are no watches left; what goes wrong later ends it.
 */
export function watchNames(directory: string, changed: (name: string) => void): NameWatcher {
  const watcher = watch(directory, (_, name) => {
    if (name !== null) changed(name);
  });
  watcher.on('error', () => watcher.close());
  return watcher;
}
