/**
 * Waits for a change in any of several directories: the DirectoryWatcher of the store on this host, or an
 * implementation that asks another host.
 */
export interface Changes {
  /** Watches the directory, or its nearest existing ancestor at most `levels` above it. */
  watch(directory: string, levels?: number): boolean;
  watches(directory: string): boolean;
  unwatch(directory: string): void;
  /** Resolves when something has changed or it is time to check, at the latest after `longest` milliseconds. */
  changes(longest: number): Promise<void>;
  /** The directories in which something has changed since the last call; empty if it isn't known where. */
  take(): ReadonlySet<string>;
  /** The caller reports whether there was anything new, and whether a change had been announced. */
  found(news: boolean, announced: boolean): void;
  close(): void;
}
