import { encodeFrame } from '../checkpoint/framing.js';
import type { Job } from './coordinator/job.js';

/** Of the form below. */
const VERSION = '1';

/**
 * A coordinator in C locks its stream by itself, and then says so, and which jobs it understands: after an upgrade of the
 * package, it may be newer than its runner.
 */
export const LOCKED = `locked ${VERSION}\n`;

/** What C cannot look up by itself: a static program cannot ask all user databases. */
export interface NativeJob extends Job {
  /** All groups of the account. */
  readonly groups: readonly number[];
}

/**
 * The job for a coordinator in C, which parses no JSON: a 4-byte big-endian length, then strings that end with NUL, in the
 * order of `parse` in src/coordinator/job.c; unset ones are empty, variables of the environment come last. Throws if a
 * string has a NUL in it, which no command can be given. Pure.
 */
export function encodeNativeJob(job: NativeJob): Buffer {
  const { process, cmdline, cwd, chroot, umask, account, groups, logs, logger, head, openFiles } = job;
  const { destination, mode, log_size, backups } = logger;
  const strings = [
    VERSION,
    process,
    cmdline,
    cwd,
    chroot ?? '',
    umask === undefined ? '' : umask.toString(8),
    account === undefined ? '' : String(account.uid),
    account === undefined ? '' : String(account.gid),
    account === undefined ? '' : groups.join(','),
    logs,
    destination,
    mode === 'rotate' ? natural(log_size) : '0',
    natural(backups, 2 ** 31 - 1),
    String(head),
    openFiles === undefined ? '' : String(openFiles),
    ...Object.entries(job.env).map(([name, value]) => `${name}=${value}`),
  ];
  for (const string of strings) {
    if (string.includes('\0'))
      throw new Error('a command line, a path or a variable has a NUL character in it');
  }
  return encodeFrame(Buffer.from(strings.map((string) => `${string}\0`).join('')));
}

/** Not a number is 0, as for the coordinator in TypeScript. */
function natural(value: number, most = Number.MAX_SAFE_INTEGER): string {
  if (Number.isNaN(value)) return '0';
  return String(Math.min(Math.max(Math.trunc(value), 0), most));
}
