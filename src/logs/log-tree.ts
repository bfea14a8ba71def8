import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';

/** An open log file: the same one when it is renamed. Close it. */
export interface LogHandle {
  readonly path: string;
  /** What stays the same when the file is renamed, and is no other file's as long as this one is open. */
  readonly id: string;
  /** When it was opened. */
  readonly size: number;
  /**
   * Fills the first bytes of the buffer, up to `length`, with those that the file has at `offset`; resolves to how
   * many there were: fewer only at the end of the file.
   */
  readAt(buffer: Uint8Array, length: number, offset: number): Awaitable<number>;
  /** As it is now. */
  stat(): Awaitable<{ size: number; deleted: boolean }>;
  close(): void;
}

export type OpenedLog = { file: LogHandle } | { absent: true } | { problem: Problem };

/** What is at a path; without a size it is no regular file. */
export type LogStat = { id: string; size?: number } | { absent: true } | { problem: Problem };

/** The names in a directory; `complete` is false if there are more. */
export type LogNames = { names: string[]; complete: boolean } | { absent: true } | { problem: Problem };

/**
 * The files in which the logs of a task are, on this host or another one: all that listing, reading and following
 * need of them. Nothing is thrown: what can't be read is a problem.
 */
export interface LogTree {
  list(directory: string, most: number): Awaitable<LogNames>;
  stat(path: string): Awaitable<LogStat>;
  open(path: string): Awaitable<OpenedLog>;
  /** The outermost of a directory and those below it that may not be looked into; undefined if none keeps us out. */
  denied(directory: string, ...below: string[]): Awaitable<string | undefined>;
}

/** Gives the logs of a task, as its gatherer reaches them. */
export type LogsOf = (view: TaskView) => LogTree;

/** The id of what is at a path; undefined if there is nothing, or it can't be known. */
export async function idAt(tree: LogTree, path: string): Promise<string | undefined> {
  const stat = await tree.stat(path);
  return 'id' in stat ? stat.id : undefined;
}
