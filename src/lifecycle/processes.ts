import type { FileIdentity } from '../host/file-identity.js';
import type { ProcessRow } from '../host/process-table.js';

/** Why a process does not run: a signal has stopped it, or a debugger that traces it. */
export type Halt = 'stopped' | 'traced';

/** The state of a process at one moment. */
export interface ProcessLook {
  readonly startTimeTicks: number;
  /** Milliseconds since the epoch; off by as much as the clock was set since boot. */
  readonly startTimeMs: number;
  /** The real uid: the owner, even while it executes a set-uid program or acts for another user. */
  readonly realUid: number;
  /** A zombie, or already reaped. */
  readonly isDead: boolean;
  /** Undefined if nothing keeps it from running. */
  readonly halt?: Halt;
  /** It is in a pid namespace below ours, where it has a different pid. */
  readonly isForeign: boolean;
  /** Its pid in the innermost namespace that it is in; undefined if it is ours. */
  readonly innerPid?: number;
}

/** A write lock on a file that a process holds by its own descriptor. */
export interface LockHold {
  /** The descriptor is open for writing: a process that can only read a file can lock it, too. */
  readonly isWritable: boolean;
}

/** The locks of the machine at one moment. */
export interface Locks {
  /** Does any process hold a write lock on the file? Undefined if that cannot be determined here. */
  isLocked(file: FileIdentity): boolean | undefined;
  /** The processes that hold it, as far as we can see them. */
  holders(file: FileIdentity): readonly number[];
}

/**
 * The processes of a machine and their locks, as needed to end a task. No method throws; unknown results are undefined.
 * Nothing is cached.
 */
export interface Processes {
  /** Milliseconds since the epoch. */
  bootTimeMs(): number;
  /** All processes that are alive, ours included. */
  table(): ProcessRow[];
  /** Undefined if it is gone. */
  look(pid: number): ProcessLook | undefined;
  /** Undefined without permission to look; `none` if it does not hold the lock. */
  holdsLock(pid: number, file: FileIdentity): LockHold | 'none' | undefined;
  locks(): Locks;
  /** It has released its memory, so its properties can no longer be read. */
  isExiting(pid: number): boolean;
  /** HOME in its initial environment. */
  home(pid: number): string | undefined;
  /** Its root directory. */
  rootDirectory(pid: number): string | undefined;
  /** The files open as its descriptors 1 and 2. */
  outputs(pid: number): readonly string[];
  /** This process and its ancestors. */
  ourselves(): ReadonlySet<number>;
  /** `gone` if there was no such process; `why` if the signal could not be sent. */
  signal(pid: number, signal: NodeJS.Signals | number): 'sent' | 'gone' | { readonly why: string };
  /** Milliseconds; only differences count. */
  clock(): number;
  /** Blocks this process. */
  pause(ms: number): void;
}
