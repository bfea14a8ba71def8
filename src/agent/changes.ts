import type { Changes } from '../task/changes.js';
import { type Listed, looksOf } from './sandbox.js';

export interface ChangesShell {
  /** What is in a directory now, on the agent that has it. */
  list(directory: string): Promise<Listed>;
  /** Resolves after so many milliseconds, or when it is woken. */
  pause(ms: number): Promise<unknown>;
}

/** How often directories are listed: once a second, and less and less often while nothing happens. */
const INTERVAL_MS = { least: 1000, most: 5000, grows: 1.25 } as const;

/** It is known that nothing has changed: an empty set would mean that it is not known where. */
const NOWHERE: ReadonlySet<string> = new Set(['']);

/** Finds changes in directories of agents by listing them again and again. */
export class AgentChanges implements Changes {
  readonly #shell: ChangesShell;
  /** What each directory looked like. */
  readonly #seen = new Map<string, string | undefined>();
  #changed = new Set<string>();
  #interval: number = INTERVAL_MS.least;
  /** How long ago they were listed. */
  #waited = 0;
  #isClosed = false;

  constructor(shell: ChangesShell) {
    this.#shell = shell;
  }

  watch(directory: string): boolean {
    if (!this.#seen.has(directory)) {
      this.#seen.set(directory, undefined);
      this.#changed.add(directory);
    }
    return true;
  }

  watches(directory: string): boolean {
    return this.#seen.has(directory);
  }

  unwatch(directory: string): void {
    this.#seen.delete(directory);
  }

  async changes(longest: number): Promise<void> {
    if (this.#changed.size > 0) return;
    for (let left = longest; left > 0 && !this.#isClosed; ) {
      const pause = Math.max(1, Math.min(left, this.#interval - this.#waited));
      await this.#shell.pause(pause);
      left -= pause;
      this.#waited += pause;
      if (this.#waited < this.#interval) continue;
      this.#waited = 0;
      await Promise.all([...this.#seen.keys()].map((directory) => this.#look(directory)));
      if (this.#changed.size > 0) return;
    }
  }

  async #look(directory: string): Promise<void> {
    const looks = looksOf(await this.#shell.list(directory));
    if (!this.#seen.has(directory) || this.#seen.get(directory) === looks) return;
    this.#changed.add(directory);
    this.#seen.set(directory, looks);
  }

  take(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed.size === 0 ? NOWHERE : changed;
  }

  found(news: boolean): void {
    const grown = Math.min(this.#interval * INTERVAL_MS.grows, INTERVAL_MS.most);
    this.#interval = news ? INTERVAL_MS.least : grown;
  }

  close(): void {
    this.#isClosed = true;
  }
}
