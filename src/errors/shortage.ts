import { describeErrno, errnoOf, SystemError } from './errors.js';

/** What the machine is short of, and who can help. */
type ShortageKind =
  /** Something else gives it back when it ends. */
  | 'moment'
  /** Somebody must make room. */
  | 'disk'
  /** Waiting does not repair it. */
  | 'broken';

/**
 * What is going on when a call fails:
 * - `opening`: nothing has been started, and the program that started us waits; a try costs nothing
 * - `running`: a task runs
 * - `starting`: a coordinator that has yet to start its command. Less than the runner waits for that
 */
export type Stage = 'opening' | 'running' | 'starting';

/** How long to wait for an end of the shortage. */
const PATIENCE_MS: Readonly<Record<ShortageKind, Readonly<Record<Stage, number>>>> = {
  moment: { opening: 10_000, running: 60_000, starting: 30_000 },
  disk: { opening: 0, running: 0, starting: 10_000 },
  broken: { opening: 0, running: 0, starting: 0 },
};

interface Shortage {
  readonly kind: ShortageKind;
  readonly remedy: string;
}

const ROOM: Shortage = { kind: 'disk', remedy: 'free space on the disk, for example with thermos gc' };

const SHORTAGES: Readonly<Record<string, Shortage>> = {
  EAGAIN: {
    kind: 'moment',
    remedy: 'end other processes, or raise the limit of processes (ulimit -u, TasksMax of systemd, pids.max)',
  },
  ENOMEM: { kind: 'moment', remedy: 'free memory, or raise the limit of memory' },
  ENOLCK: { kind: 'moment', remedy: 'raise the limit of file locks, or see that the file server works' },
  EMFILE: { kind: 'moment', remedy: 'raise the limit of open files (ulimit -n)' },
  ENFILE: { kind: 'moment', remedy: 'raise the limit of open files of the machine (sysctl fs.file-max)' },
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EIO: { kind: 'broken', remedy: 'check the disk, and the log of the kernel' },
  ESTALE: { kind: 'broken', remedy: 'check the file server' },
};

/** What to do about a failed call: `none`: the machine is not short of anything. */
export type ShortageVerdict = 'wait' | 'give-up' | 'none';

/**
 * The policy for everything that runner and coordinators do: what to do about a call that has failed for `waitedMs`.
 * Those who give up leave the task as it is, so that it can be resumed. The errno may be that of the error's cause.
 * `mostMs`: never wait longer. Pure.
 */
export function judgeShortage(
  error: unknown,
  waitedMs: number,
  stage: Stage,
  mostMs = Number.POSITIVE_INFINITY,
): ShortageVerdict {
  const patience = patienceMs(error, stage);
  if (patience === undefined) return 'none';
  return waitedMs < Math.min(patience, mostMs) ? 'wait' : 'give-up';
}

/** How long to wait for an end of the shortage that the error says, in milliseconds; undefined if it says none. Pure. */
export function patienceMs(error: unknown, stage: Stage): number | undefined {
  const shortage = shortageOf(error);
  return shortage && PATIENCE_MS[shortage.kind][stage];
}

export function isShortage(error: unknown): boolean {
  return shortageOf(error) !== undefined;
}

/** What to do about the shortage that the error says; undefined if it says none. Pure. */
export function shortageRemedy(error: unknown): string | undefined {
  return shortageOf(error)?.remedy;
}

/** The shortage that a coordinator names in its words (`spawn /bin/bash EAGAIN`), as an error. Pure. */
export function shortageIn(text: string): Error & { readonly code?: string } {
  const code = Object.keys(SHORTAGES).find((name) => new RegExp(`\\b${name}\\b`).test(text));
  return Object.assign(new Error(text), { code });
}

/** The errors of a shortage that ends a command: itself if it is one already. `tried`: what failed. Pure. */
export function shortageError(tried: string, error: unknown): SystemError {
  if (error instanceof SystemError) {
    error.hint ??= shortageRemedy(error);
    return error;
  }
  const message = `${tried}: ${describeErrno(rootOf(error))}`;
  return new SystemError('out-of-resources', message, shortageRemedy(error), error);
}

function shortageOf(error: unknown): Shortage | undefined {
  return SHORTAGES[errnoOf(rootOf(error)) ?? ''];
}

/** The cause that says the shortage, or the error itself. */
function rootOf(error: unknown): unknown {
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause) {
    if (Object.hasOwn(SHORTAGES, errnoOf(cause) ?? '')) return cause;
    if (!(cause instanceof Error)) break;
  }
  return error;
}
