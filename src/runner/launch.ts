import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import type { ProcessStatus } from '../checkpoint/records.js';
import type { CheckpointWriter } from '../checkpoint/writer.js';
import { describeErrno, errnoOf, SystemError, ThermosError } from '../errors/errors.js';
import { COORDINATOR_EXIT } from '../errors/exit-codes.js';
import { isShortage, judgeShortage } from '../errors/shortage.js';
import { tryLock } from '../host/flock.js';
import { OpenFile } from '../store/open-file.js';
import { RefusedError } from '../store/refused.js';
import { GO, type Job, READY, WAITING } from './coordinator/job.js';
import { NO_DEBUGGER } from './debugger.js';
import { encodeNativeJob, LOCKED } from './native-job.js';

/**
 * A retry may succeed: the process's stream is locked (by an earlier coordinator that has yet to notice the end of its
 * run), or the machine is short of a resource.
 */
export class TransientError extends Error {}

/** The coordinator in C cannot be executed here. */
export class UnusableError extends Error {}

/** How long a coordinator may take to lock its stream, or to start Node: longer than it waits for resources. */
const START_MS = 40_000;

/** One of the programs, with what only it needs. */
export type CoordinatorProgram =
  | { readonly kind: 'script'; readonly path: string }
  /** `groups`: of the job's account, if it has one. */
  | { readonly kind: 'native'; readonly path: string; readonly groups: readonly number[] };

export interface Launch {
  /** `coordinator.PROCESS`, for messages. */
  readonly stream: string;
  /** Opens it. Throws system errors, RefusedError and other objections. */
  readonly open: () => OpenFile;
  readonly job: Omit<Job, 'head'>;
  /** Of FORKED. */
  readonly seq: number;
  readonly taskId: string;
  readonly program: CoordinatorProgram;
  readonly console?: { readonly stdout: number; readonly stderr: number };
  /** Seconds since the epoch. */
  readonly now: () => number;
  readonly writer: (fd: number) => CheckpointWriter;
  /** Nothing is recorded and nothing runs once it is aborted. */
  readonly signal?: AbortSignal;
  /** Called before FORKED is recorded. */
  readonly forked: (coordinatorPid: number, forkTime: number) => void;
  /** Called with what the coordinator waits for if the machine is short of it. */
  readonly waiting?: (reason: string) => void;
  /** Called when a coordinator that was returned has ended. */
  readonly ended: (coordinatorPid: number, end: CoordinatorEnd) => void;
}

export interface CoordinatorEnd {
  /** Why it could not start the process, if so. */
  readonly refusal?: string;
  /** What the machine was too short of to start it, if so. */
  readonly shortage?: string;
  /** What happened to itself, if it did not end as it should: `was killed by SIGKILL`. */
  readonly death?: string;
  /** Why it could not record the start of its run, which ends the runner. */
  readonly failure?: SystemError;
}

/**
 * Starts the coordinator of a run, which holds the lock of the process's stream, and records FORKED in that stream.
 * Returns the coordinator's pid. Throws TransientError, UnusableError, SystemError and system errors, also for shortages,
 * if it cannot be started (nothing was recorded), and SystemError `checkpoint-write-failed` (nothing runs then).
 */
export async function launch(options: Launch): Promise<number> {
  const { program } = options;
  const file = openStream(options);
  const { fd } = file;
  try {
    // It inherits the lock from us, or takes it for us.
    if (program.kind === 'script' && !tryLock(fd)) throw isLocked(options.stream);
    const fork_time = options.now();
    const { child, pid, watch } = await startCoordinator(options, fd);
    const control = child.stdin as Writable;
    try {
      options.signal?.throwIfAborted();
      options.forked(pid, fork_time);
      control.write(encodeJob({ ...options.job, head: wholeRecords(file) }, program));
      const forked: ProcessStatus = {
        seq: options.seq,
        process: options.job.process,
        state: 'FORKED',
        fork_time,
        coordinator_pid: pid,
      };
      // The coordinator makes it durable before it starts the command: many of them wait for the disk at the same time.
      options.writer(fd).write([{ type: 'process_status', value: forked }]);
      control.end(GO);
      watch();
      return pid;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  } finally {
    closeSync(fd);
  }
}

function isLocked(stream: string): TransientError {
  return new TransientError(`${stream} is locked`);
}

function unrecorded(why: string): SystemError {
  return new SystemError('checkpoint-write-failed', `cannot write to the checkpoint: ${why}`);
}

function encodeJob(job: Job, program: CoordinatorProgram): string | Buffer {
  if (program.kind === 'script') return `${JSON.stringify(job)}\n`;
  return encodeNativeJob({ ...job, groups: program.groups });
}

function openStream({ stream, open }: Launch): OpenFile {
  try {
    return open();
  } catch (error) {
    // A wrong file in place of the stream is not a fault of the process.
    if (error instanceof ThermosError) throw new SystemError(error.code, error.message, error.hint, error);
    const errno = errnoOf(error);
    if (judgeShortage(error, 0, 'running') === 'wait')
      throw new TransientError(describeErrno(error), { cause: error });
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

/**
 * A coordinator mostly waits, so it needs no threads for compiling. Flags that change V8's heap would save nothing and
 * cost 10 ms, because V8 then rejects Node's precompiled code.
 */
const NODE_FLAGS = ['--no-warnings', '--v8-pool-size=0', NO_DEBUGGER];

/** A coordinator that waits for its job. */
interface Coordinator {
  readonly child: ChildProcess;
  readonly pid: number;
  /** From now on, its end is reported. */
  readonly watch: () => void;
}

/** Resolves when the stream is locked. Throws TransientError, UnusableError, SystemError `flock-failed`. */
async function startCoordinator(options: Launch, fd: number): Promise<Coordinator> {
  const { stream, program, console, ended } = options;
  const child = spawnCoordinator(options, [
    'pipe',
    console?.stdout ?? 'ignore',
    console?.stderr ?? 'ignore',
    fd,
    'pipe',
  ]);
  // Without descriptors it has no pipes.
  if (child.stdio === undefined) throw unspawned(program, (await once(child, 'error'))[0]);
  // A coordinator that died at once does not read; its exit reports that.
  child.stdin?.on('error', () => {});
  const report = child.stdio[4] as Readable | undefined;
  const greeting = program.kind === 'script' ? READY : LOCKED;
  const said = new Said(greeting.trim(), options.waiting);
  const reason = () => said.reason;
  report?.on('error', () => {});
  report?.setEncoding('utf8').on('data', (text: string) => said.add(text));
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new TransientError('the coordinator does not start'));
    }, START_MS);
    child.once('error', (error) => {
      clearTimeout(late);
      reject(unspawned(program, error));
    });
    report?.on('data', () => {
      if (said.first === undefined) return;
      clearTimeout(late);
      if (said.first === greeting.trim()) return resolve();
      child.kill('SIGKILL');
      reject(unusable(program, `${program.path} is of another version`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(late);
      if (code === COORDINATOR_EXIT.locked) reject(isLocked(stream));
      else if (code === COORDINATOR_EXIT.shortage) reject(new TransientError(reason()));
      else if (code === COORDINATOR_EXIT.cannotLock)
        reject(new SystemError('flock-failed', `flock could not lock: ${reason()}`));
      else if (signal === 'SIGKILL') reject(new TransientError('the coordinator was killed'));
      // Node ends like this if it can have no threads or no memory.
      else if (program.kind === 'script')
        reject(new TransientError(`the coordinator ${endOf(code, signal)}`));
      else reject(new UnusableError(`${program.path} ends at once: ${signal ?? `exit status ${code}`}`));
    });
  });
  const pid = child.pid as number;
  let isWatched = false;
  child.on('close', (code, signal) => {
    if (!isWatched) return;
    if (code === COORDINATOR_EXIT.cannotStart) ended(pid, { refusal: reason() });
    else if (code === COORDINATOR_EXIT.shortage) ended(pid, { shortage: reason() });
    else if (code === COORDINATOR_EXIT.cannotRecord) ended(pid, { failure: unrecorded(reason()) });
    else if (code === COORDINATOR_EXIT.ok) ended(pid, {});
    else ended(pid, { death: endOf(code, signal) });
  });
  // A runner that gives up ends at once; the coordinator goes on.
  child.unref();
  // Pipes of Bun cannot, and do not keep it alive.
  for (const pipe of [child.stdin, report]) (pipe as Partial<Socket> | undefined)?.unref?.();
  return {
    child,
    pid,
    watch: () => {
      isWatched = true;
    },
  };
}

function spawnCoordinator({ program, taskId, job }: Launch, stdio: StdioOptions): ChildProcess {
  const words = [taskId, job.process];
  const env: Record<string, string> = {};
  for (const name of INHERITED) if (process.env[name] !== undefined) env[name] = process.env[name];
  const options: SpawnOptions = { cwd: '/', detached: true, env, stdio };
  try {
    return program.kind === 'native'
      ? spawn(program.path, words, options)
      : spawn(process.execPath, [...NODE_FLAGS, program.path, ...words], options);
  } catch (error) {
    throw unspawned(program, error);
  }
}

/** What a coordinator says: what it waits for, its greeting, and the reason why it cannot start the process. */
class Said {
  readonly #greeting: string;
  readonly #waiting: Launch['waiting'];
  readonly #lines: string[] = [];
  #rest = '';

  constructor(greeting: string, waiting: Launch['waiting']) {
    this.#greeting = greeting;
    this.#waiting = waiting;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) {
      if (line.startsWith(WAITING)) this.#waiting?.(line.slice(WAITING.length));
      else this.#lines.push(line);
    }
  }

  /** The first line. */
  get first(): string | undefined {
    return this.#lines[0];
  }

  get reason(): string {
    const lines = this.first === this.#greeting ? this.#lines.slice(1) : this.#lines;
    return [...lines, this.#rest].join('\n');
  }
}

function unusable({ kind }: CoordinatorProgram, message: string): Error {
  return kind === 'native' ? new UnusableError(message) : new SystemError('install-incomplete', message);
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
}

/** Node throws some errors and emits others. */
function unspawned({ kind, path }: CoordinatorProgram, error: unknown): Error {
  if (isShortage(error)) return new TransientError(describeErrno(error), { cause: error });
  if (kind === 'native') return new UnusableError(`${path} cannot be executed: ${describeErrno(error)}`);
  return new TransientError(`the coordinator cannot be started: ${describeErrno(error)}`);
}
