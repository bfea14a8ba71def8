import type { Account } from '../../host/accounts.js';
import type { LoggerPolicy } from '../task-document.js';

/** What a coordinator is told by its runner: one line of JSON on its stdin. */
export interface Job {
  readonly process: string;
  readonly cmdline: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Become this user first; undefined: stay who we are. */
  readonly account?: Account;
  /** The command line finds this directory as `/`. */
  readonly chroot?: string;
  /** Of the command line; undefined: ours. */
  readonly umask?: number;
  /** LOG_DIR/PROCESS/RUN. */
  readonly logs: string;
  readonly logger: LoggerPolicy;
  /** Where in the stream the runner records FORKED. */
  readonly head: number;
}

/** The descriptors of a coordinator. */
export const FD = {
  /** The job, then `GO` once FORKED is on disk. The end of it without: look whether FORKED is there. */
  control: 0,
  /** Where console output of the process goes. */
  stdout: 1,
  stderr: 2,
  /** `coordinator.PROCESS`, locked; the lock is ours as long as this is open. */
  stream: 3,
  /** Why the process could not be started, as text. */
  report: 4,
} as const;

export const GO = 'go\n';
