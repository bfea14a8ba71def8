/**
 * Waits for something to change in any of some directories: the DirectoryWatcher of the store on this host, or what
 * asks another one.
 */
export interface Changes {
  /** Watches the directory, or if it isn't there yet the nearest one above it that is, up to `levels`. */
  watch(directory: string, levels?: number): boolean;
  watches(directory: string): boolean;
  unwatch(directory: string): void;
  /** Resolves when something has changed, or when it is time to look: at the latest after `longest` milliseconds. */
  changes(longest: number): Promise<void>;
  /** The directories in which something has changed since the last call; none if it isn't known where. */
  take(): ReadonlySet<string>;
  /** To be told whether there was news, and whether it had been announced. */
  found(news: boolean, announced: boolean): void;
  close(): void;
}
