import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';

/** An open log file; it stays the same file when it is renamed. The caller closes it. */
export interface LogHandle {
  readonly path: string;
  /** Stays the same when the file is renamed, and is unique as long as the file is open. */
  readonly id: string;
  /**
   * The id tells what is in the file: it finds the file under any name, and is different after something was written.
   * `path`, not the file, is what `readAt` and `stat` look at.
   */
  readonly byContent?: boolean;
  /** The size when it was opened. */
  readonly size: number;
  /** When it was last written, in milliseconds since the epoch, as of when it was opened; undefined if unknown. */
  readonly modified_ms?: number;
  /**
   * Reads up to `length` bytes at `offset` of the file into the start of the buffer. Resolves to the number of bytes
   * read: fewer only at the end of the file.
   */
  readAt(buffer: Uint8Array, length: number, offset: number): Awaitable<number>;
  /** The current state. */
  stat(): Awaitable<{ size: number; deleted: boolean }>;
  close(): void;
}

export type OpenedLog = { file: LogHandle } | { absent: true } | { problem: Problem };

/** What is at a path; if it has no size, it is not a regular file. `modified_ms`: as in `LogHandle`. */
export type LogStat =
  | { id: string; size?: number; modified_ms?: number }
  | { absent: true }
  | { problem: Problem };

/** The names in a directory; `complete` is false if there are more. */
export type LogNames = { names: string[]; complete: boolean } | { absent: true } | { problem: Problem };

/**
 * Access to the log files of a task, on this host or another one: everything that listing, reading and following
 * need. Never throws: a file that can't be read is a problem.
 */
export interface LogTree {
  /** How many logs may be read at once, where answers come late; undefined: one after the other. */
  readonly atOnce?: number;
  list(directory: string, most: number): Awaitable<LogNames>;
  stat(path: string): Awaitable<LogStat>;
  open(path: string): Awaitable<OpenedLog>;
  /** The outermost directory, from `directory` down, that denies access; undefined if none does. */
  denied(directory: string, ...below: string[]): Awaitable<string | undefined>;
  /** What is known of the directory of this file is older than what was read of the file: it is looked at again. */
  refresh?(path: string): void;
}

/** Gives access to the logs of a task on the host of its gatherer. */
export type LogsOf = (view: TaskView) => LogTree;

/** The id of the file at a path; undefined if there is none, or it can't be determined. */
export async function idAt(tree: LogTree, path: string): Promise<string | undefined> {
  const stat = await tree.stat(path);
  return 'id' in stat ? stat.id : undefined;
}
