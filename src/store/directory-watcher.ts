import { type FSWatcher, watch } from 'node:fs';
import { errnoOf } from '../errors/errors.js';

/** How often directories are read that cannot be watched, or do not report their changes. */
const POLL_MS = 40;
/** How often they are read without an event: inotify may lose events, and misses changes from other machines. */
const SAFETY_MS = 1000;
/** After this many changes in a row without an event, no events are expected any more. */
const TRUST = 3;

/** Waits for something to change in any of some directories. */
export class DirectoryWatcher {
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = new Set<string>();
  #wake: (() => void) | undefined;
  #blind = false;
  #unannounced = 0;

  /** Watches the directory, or if it does not exist yet, its nearest existing ancestor, at most `levels` above it. */
  watch(directory: string, levels = 0): boolean {
    if (this.#watchers.has(directory)) return true;
    try {
      const watcher = watch(directory, () => {
        this.#changed.add(directory);
        this.#wake?.();
      });
      watcher.on('error', () => this.unwatch(directory));
      this.#watchers.set(directory, watcher);
      // There were no events for what happened before.
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
   * Resolves when something has changed, at the latest after `longest` milliseconds or when it is time to look
   * without an event.
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

  /** Call it with whether there was news and an event for it: after too much news without events, it polls. */
  found(news: boolean, announced: boolean): void {
    if (!news) return;
    this.#unannounced = announced ? 0 : this.#unannounced + 1;
    if (this.#unannounced >= TRUST) this.#blind = true;
  }

  /** It polls: there are directories that it cannot watch, or that do not report their changes. */
  get isBlind(): boolean {
    return this.#blind;
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
 * Calls `changed` with the name of each entry of a directory that changes, until it is closed. Throws system errors,
 * also if there are no watches left; a later error ends it.
 */
export function watchNames(directory: string, changed: (name: string) => void): NameWatcher {
  const watcher = watch(directory, (_, name) => {
    if (name !== null) changed(name);
  });
  watcher.on('error', () => watcher.close());
  return watcher;
}
