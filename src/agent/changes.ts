import type { Changes } from '../task/changes.js';
import { within } from '../task/patience.js';
import { type Listed, looksOf } from './sandbox.js';

export interface ChangesShell {
  /** What is in a directory now, on the agent that has it. */
  list(directory: string): Promise<Listed>;
  /** Resolves after so many milliseconds, or when it is woken. */
  pause(ms: number): Promise<unknown>;
  /** Milliseconds from a fixed point. */
  now(): number;
}

/** How often directories are listed: once a second, and less and less often while nothing happens. */
const INTERVAL_MS = { least: 1000, most: 5000, grows: 1.25 } as const;

/** An agent that takes longer to answer does not keep the others waiting. */
const PATIENCE_MS = 1000;

/** It is known that nothing has changed: an empty set would mean that it is not known where. */
const NOWHERE: ReadonlySet<string> = new Set(['']);

/** Finds changes in directories of agents by listing them again and again. */
export class AgentChanges implements Changes {
  readonly #shell: ChangesShell;
  /** What each directory looked like. */
  readonly #seen = new Map<string, string | undefined>();
  /** Those of which the agent has not said yet what is in them. */
  readonly #asked = new Set<string>();
  #changed = new Set<string>();
  #interval: number = INTERVAL_MS.least;
  /** When they were listed last. */
  #listedAt: number;
  #isClosed = false;

  constructor(shell: ChangesShell) {
    this.#shell = shell;
    this.#listedAt = shell.now();
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
    const end = this.#shell.now() + longest;
    while (!this.#isClosed) {
      const now = this.#shell.now();
      const due = this.#listedAt + this.#interval;
      if (now >= due) {
        this.#listedAt = now;
        await within(
          Promise.all([...this.#seen.keys()].map((directory) => this.#look(directory))),
          PATIENCE_MS,
        );
        if (this.#changed.size > 0) return;
      }
      if (this.#shell.now() >= end) return;
      await this.#shell.pause(Math.max(1, Math.min(end, due) - now));
    }
  }

  async #look(directory: string): Promise<void> {
    if (this.#asked.has(directory)) return;
    this.#asked.add(directory);
    const looks = looksOf(await this.#shell.list(directory));
    this.#asked.delete(directory);
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
