import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, ftruncateSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import type { ProcessStatus } from '../checkpoint/records.js';
import { describeErrno, errnoOf, SystemError, ThermosError } from '../errors/errors.js';
import { COORDINATOR_EXIT } from '../errors/exit-codes.js';
import { tryLock } from '../host/flock.js';
import { OpenFile } from '../store/open-file.js';
import { RefusedError } from '../store/refused.js';
import type { RecordSink } from './api.js';
import { GO, type Job } from './coordinator/job.js';
import { NO_DEBUGGER } from './debugger.js';

/**
 * A retry may succeed: the process's stream is locked (by an earlier coordinator that has yet to notice the end of its
 * run), or the machine is short of a resource.
 */
export class TransientError extends Error {}

const SHORTAGES: readonly unknown[] = ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'];

export interface Launch {
  /** `coordinator.PROCESS`, for messages. */
  readonly stream: string;
  /** Opens it. Throws system errors, RefusedError and other objections. */
  readonly open: () => OpenFile;
  readonly job: Omit<Job, 'head'>;
  /** Of FORKED. */
  readonly seq: number;
  readonly taskId: string;
  /** The built coordinator. */
  readonly program: string;
  readonly console?: { readonly stdout: number; readonly stderr: number };
  /** Seconds since the epoch. */
  readonly now: () => number;
  readonly writer: (fd: number) => RecordSink;
  /** Called when the coordinator has ended. */
  readonly ended: (coordinatorPid: number, end: CoordinatorEnd) => void;
}

export interface CoordinatorEnd {
  /** Why it could not start the process, if so. */
  readonly refusal?: string;
  /** What happened to itself, if it did not end as it should: `was killed by SIGKILL`. */
  readonly death?: string;
}

/**
 * Starts the coordinator of a run, which inherits the lock of the process's stream from us, and records FORKED in that
 * stream. Returns the coordinator's pid. Throws TransientError and system errors if it cannot be started (nothing was
 * recorded), and SystemError `checkpoint-write-failed` (nothing runs then).
 */
export function launch(options: Launch): number {
  const file = openStream(options);
  const { fd } = file;
  try {
    if (!tryLock(fd)) throw new TransientError(`${options.stream} is locked`);
    const head = wholeRecords(file);
    const fork_time = options.now();
    const child = startCoordinator(options, fd);
    const control = child.stdin as Writable;
    try {
      control.write(`${JSON.stringify({ ...options.job, head } satisfies Job)}\n`);
      const forked: ProcessStatus = {
        seq: options.seq,
        process: options.job.process,
        state: 'FORKED',
        fork_time,
        coordinator_pid: child.pid as number,
      };
      options.writer(fd).append({ type: 'process_status', value: forked });
      control.end(GO);
      return child.pid as number;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  } finally {
    closeSync(fd);
  }
}

function openStream({ stream, open }: Launch): OpenFile {
  try {
    return open();
  } catch (error) {
    // A wrong file in place of the stream is not a fault of the process.
    if (error instanceof ThermosError) throw new SystemError(error.code, error.message, error.hint, error);
    const errno = errnoOf(error);
    if (SHORTAGES.includes(errno)) throw new TransientError(describeErrno(error));
    // Other errors are not the fault of the process; a name that is not a valid file name is.
    if (errno === 'ENAMETOOLONG') throw error;
    const why = error instanceof RefusedError ? error.message : `${stream}: ${describeErrno(error)}`;
    const message = `cannot write to the checkpoint: ${why}`;
    throw new SystemError('checkpoint-write-failed', message, undefined, error);
  }
}

/** The length of the stream, after removing a record that a killed coordinator left incomplete. */
function wholeRecords(file: OpenFile): number {
  const { size } = file.statNow();
  if (size === 0) return 0;
  const lister = new RecordLister(() => {});
  readStream(OpenFile.of(file.fd, file.path), lister);
  if (lister.bytes < size) ftruncateSync(file.fd, lister.bytes);
  return lister.bytes;
}

/** Only these variables are inherited, because others affect Node (NODE_OPTIONS could open a debugger). */
const INHERITED = ['PATH', 'LD_LIBRARY_PATH'] as const;

function startCoordinator({ program, taskId, job, console, ended }: Launch, fd: number): ChildProcess {
  const env: Record<string, string> = {};
  for (const name of INHERITED) if (process.env[name] !== undefined) env[name] = process.env[name];
  const child = spawn(process.execPath, [...NODE_FLAGS, program, taskId, job.process], {
    cwd: '/',
    detached: true,
    env,
    stdio: ['pipe', console?.stdout ?? 'ignore', console?.stderr ?? 'ignore', fd, 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) {
    child.on('error', () => {});
    throw new TransientError('the coordinator cannot be started: too many processes, or too little memory');
  }
  // A coordinator that died at once does not read; its exit reports that.
  child.stdin?.on('error', () => {});
  const report = child.stdio[4] as Readable;
  let refusal = '';
  report.setEncoding('utf8').on('data', (text: string) => {
    refusal += text;
  });
  report.on('error', () => {});
  child.on('close', (code, signal) => {
    if (code === COORDINATOR_EXIT.cannotStart) ended(pid, { refusal });
    else if (code === COORDINATOR_EXIT.ok) ended(pid, {});
    else ended(pid, { death: signal === null ? `ended with exit code ${code}` : `was killed by ${signal}` });
  });
  return child;
}

/**
 * A coordinator mostly waits, so it needs no threads for compiling. Flags that change V8's heap would save nothing and
 * cost 10 ms, because V8 then rejects Node's precompiled code.
 */
const NODE_FLAGS = ['--no-warnings', '--v8-pool-size=0', NO_DEBUGGER];
