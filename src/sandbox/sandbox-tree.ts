import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';

/** What is in a directory, in the words of documents. */
export const FILE_TYPES = [
  'file',
  'directory',
  'link',
  'fifo',
  'socket',
  'block-device',
  'character-device',
] as const;
export type FileType = (typeof FILE_TYPES)[number];

/** A file, a directory or anything else in a sandbox. */
export interface SandboxEntry {
  /** The names that lead there from the top, without links: bytes, in strings of latin1. */
  readonly names: readonly string[];
  readonly type: FileType;
  readonly bytes: number;
  /** How much of it is on the disk: less than `bytes` if it has holes. */
  readonly stored?: number;
  readonly mtime_ms: number;
  readonly atime_ms?: number;
  /** The permission bits, with those of setuid, setgid and sticky. */
  readonly mode: number;
  /** The name of the user, or the uid of one without a name. */
  readonly owner: string;
  /** Of a link, as written: bytes, in a string of latin1. */
  readonly target?: string;
  /** Differs from that of every other file that exists; missing if it is not known. */
  readonly id?: string;
}

/** A name in a directory: bytes, in a string of latin1. */
export interface NamedType {
  readonly name: string;
  readonly type: FileType;
}

/** An open regular file. The caller closes it. */
export interface SandboxFile {
  readonly entry: SandboxEntry;
  /** Reads up to `length` bytes at `offset` into the start of the buffer; fewer only at the end of the file. */
  readAt(buffer: Uint8Array, length: number, offset: number): Awaitable<number>;
  close(): void;
}

export type Absent = { absent: true };
export type Refused = { problem: Problem };

/**
 * Access to the files below one directory of a task, on this host or another one. Names are bytes in strings of latin1;
 * `..` and links among them are followed as long as they stay below that directory. Never throws: what cannot be read is
 * a problem.
 */
export interface SandboxTree {
  /** What the names lead to; a link at their end is followed if `follow`. */
  look(names: readonly string[], follow: boolean): Awaitable<{ entry: SandboxEntry } | Absent | Refused>;
  /** What is in a directory, at most `most` entries, by name. `complete` is false if there are more. */
  list(
    names: readonly string[],
    most: number,
  ): Awaitable<{ entries: SandboxEntry[]; complete: boolean } | Absent | Refused>;
  /** As `list`, but only the last names and the types: all that is needed to walk a tree. */
  types(
    names: readonly string[],
    most: number,
  ): Awaitable<{ entries: NamedType[]; complete: boolean } | Absent | Refused>;
  /** Opens what was just found to be a file, by its names without links. */
  open(names: readonly string[]): Awaitable<{ file: SandboxFile } | Absent | Refused>;
  close(): void;
}

/** Gives access to the files below a top of a task, on the host of its gatherer. */
export type SandboxOf = (view: TaskView, top: string) => Awaitable<SandboxTree | Absent | Refused>;
