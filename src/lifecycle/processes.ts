import type { FileIdentity } from '../host/file-identity.js';
import type { ProcessRow } from '../host/process-table.js';

/** One process, as it is when it is asked for. */
export interface ProcessLook {
  readonly startTimeTicks: number;
  /** Milliseconds since the epoch; wrong by as much as the clock was set since the boot. */
  readonly startTimeMs: number;
  /** The real uid: whose it is, even while it executes a set-uid program or acts for somebody else. */
  readonly realUid: number;
  /** A zombie, or not even that any more. */
  readonly isDead: boolean;
  /** It knows itself by another pid than we do: it is in a pid namespace below ours. */
  readonly isForeign: boolean;
}

/** How a process holds a write lock on a file by a descriptor of its own. */
export interface LockHold {
  /** The descriptor is open for writing. Whoever may read a file can lock it, too. */
  readonly isWritable: boolean;
}

/** The locks of the machine at one moment. */
export interface Locks {
  /** Has anybody a write lock on the file? Undefined if that can't be known here. */
  isLocked(file: FileIdentity): boolean | undefined;
  /** The processes that hold it, as far as we can see them. */
  holders(file: FileIdentity): readonly number[];
}

/**
 * The processes of a machine and their locks, as far as ending a task has to know them. Nothing here throws; what
 * can't be found out is undefined. Every call looks anew.
 */
export interface Processes {
  /** Milliseconds since the epoch. */
  bootTimeMs(): number;
  /** All processes that are alive, ours included. */
  table(): ProcessRow[];
  /** Undefined if it is gone. */
  look(pid: number): ProcessLook | undefined;
  /** Undefined if we may not look; `none` if it doesn't hold the lock. */
  holdsLock(pid: number, file: FileIdentity): LockHold | 'none' | undefined;
  locks(): Locks;
  /** It has given up its memory, and what it was can't be seen any more. */
  isExiting(pid: number): boolean;
  /** HOME in the environment that it was started with. */
  home(pid: number): string | undefined;
  /** What it has as `/`. */
  rootDirectory(pid: number): string | undefined;
  /** The files that its descriptors 1 and 2 are. */
  outputs(pid: number): readonly string[];
  /** Ourselves and who started us. */
  ourselves(): ReadonlySet<number>;
  /** `gone` if there was no such process; else why it could not be sent. */
  signal(pid: number, signal: NodeJS.Signals): 'sent' | 'gone' | { readonly why: string };
  /** Milliseconds; only differences count. */
  clock(): number;
  /** Blocks us for a while. */
  pause(ms: number): void;
}
