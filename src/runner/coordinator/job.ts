import type { Account } from '../../host/accounts.js';
import type { LoggerPolicy } from '../task-document.js';

/**
 * The job that a runner sends to a coordinator: one line of JSON on its stdin, also from runners of other versions. For one
 * in C, see `encodeNativeJob`.
 */
export interface Job {
  readonly process: string;
  readonly cmdline: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Switch to this user first; undefined: keep the current one. */
  readonly account?: Account;
  /** The root directory of the command line. */
  readonly chroot?: string;
  /** Of the command line; undefined: ours. */
  readonly umask?: number;
  /** LOG_DIR/PROCESS/RUN. */
  readonly logs: string;
  readonly logger: LoggerPolicy;
  /** The offset in the stream at which the runner records FORKED. */
  readonly head: number;
  /** The soft limit of open files of the command line; undefined: ours. Only a coordinator in C can set it. */
  readonly openFiles?: number;
}

/** The descriptors of a coordinator. */
export const FD = {
  /** The job, then `GO` once FORKED is written. If it ends without `GO`: check whether FORKED was recorded. */
  control: 0,
  /** For console output of the process. */
  stdout: 1,
  stderr: 2,
  /** `coordinator.PROCESS`, locked; we hold the lock as long as this is open. */
  stream: 3,
  /**
   * For `READY`, or from one in C `LOCKED`; lines that begin with `WAITING`; and at last the reason why the process could
   * not be started, as text.
   */
  report: 4,
} as const;

export const GO = 'go\n';

/** It has all that it needs to wait for its job. FORKED is recorded only then. */
export const READY = 'ready\n';

/** The beginning of a line that says what it waits for, if the machine is short of it. */
export const WAITING = 'waiting: ';
