import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { RecordLister } from '../../checkpoint/follow.js';
import { readStream } from '../../checkpoint/reader.js';
import type { ProcessStatus } from '../../checkpoint/records.js';
import type { CheckpointWriter } from '../../checkpoint/writer.js';
import { describeErrno, errnoOf } from '../../errors/errors.js';
import { COORDINATOR_EXIT } from '../../errors/exit-codes.js';
import { isShortage, judgeShortage } from '../../errors/shortage.js';
import type { Account } from '../../host/accounts.js';
import { makeDirectory } from '../../host/make-directory.js';
import { pause } from '../../host/pause.js';
import { underUmask } from '../../host/umask.js';
import { patience } from '../../host/wait-out.js';
import { STREAMS } from '../../layout/log-paths.js';
import { OpenFile } from '../../store/open-file.js';
import { FD, GO, type Job, READY, WAITING } from './job.js';
import { makeLogDirectory } from './log-directory.js';
import { LogWriter } from './log-writer.js';
import { makePipes, Pump } from './pump.js';

/** Retries, because the end of a process must not be lost to a disk that is full for a while. */
const RETRY_MS = 1000;
/** The same for a machine that is short of something. */
const SHORTAGE_RETRY_MS = 200;

export interface CoordinatorContext {
  writer: (fd: number) => CheckpointWriter;
  /** Milliseconds since the epoch. */
  now: () => number;
  exit: (status: number) => void;
}

/**
 * Executes one run of one process, described by the runner on `FD.control`: waits for its FORKED and makes it durable,
 * starts the command, records RUNNING and the end. Exits when that is on disk.
 */
export function coordinate(context: CoordinatorContext): void {
  const { exit } = context;
  const report = (text: string) => {
    try {
      writeSync(FD.report, text);
    } catch {
      // The runner is gone; the next one finds FORKED without a coordinator.
    }
  };
  const refuse = (error: unknown) => {
    report(error instanceof Error ? error.message : String(error));
    exit(isShortage(error) ? COORDINATOR_EXIT.shortage : COORDINATOR_EXIT.cannotStart);
  };
  try {
    report(READY);
    const job = readControl();
    const forkedSeq = job === undefined ? undefined : forked(job);
    if (job === undefined || forkedSeq === undefined) exit(COORDINATOR_EXIT.ok);
    else if (isRecorded(context, report)) run(job, forkedSeq, context, { report, refuse });
  } catch (error) {
    refuse(error);
  }
}

/** Makes FORKED durable, before anything is done that only FORKED records. */
function isRecorded({ writer, exit }: CoordinatorContext, report: (text: string) => void): boolean {
  try {
    writer(FD.stream).syncNow();
    return true;
  } catch (error) {
    report(describeErrno((error as Error).cause));
    exit(COORDINATOR_EXIT.cannotRecord);
    return false;
  }
}

/** What the runner gets to read. */
interface Answers {
  readonly report: (text: string) => void;
  readonly refuse: (error: unknown) => void;
}

/** Starts the command, again while the machine is short of what it needs, and watches it. */
function run(job: Job, forkedSeq: number, context: CoordinatorContext, { report, refuse }: Answers): void {
  const began = performance.now();
  const waits = (error: unknown) => report(`${WAITING}${errnoOf(error)}: ${describeErrno(error)}\n`);
  const patiently = patience('starting', undefined, waits);
  if (job.account !== undefined) makeLogDirectory(job.logs, job.account, patiently);
  if (job.chroot === undefined) becomeUser(job);
  else lookLikeUser(job);
  const output = openOutput(job, patiently);
  if (job.chroot !== undefined) becomeRootAgain(job);
  const { umask } = job;
  let isSaid = false;
  const attempt = () => {
    const failed = (error: unknown) => {
      if (judgeShortage(error, performance.now() - began, 'starting') !== 'wait') refuse(error);
      else {
        if (!isSaid) waits(error);
        isSaid = true;
        setTimeout(attempt, SHORTAGE_RETRY_MS);
      }
    };
    try {
      const child = umask === undefined ? start(job, output) : underUmask(umask, () => start(job, output));
      child.on('error', failed);
      if (child.pid !== undefined) watch(job, forkedSeq, { child, pid: child.pid, output }, context);
    } catch (error) {
      failed(error);
    }
  };
  attempt();
}

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: Output;
}

/** Records RUNNING and the end of the command. */
function watch(
  job: Job,
  forkedSeq: number,
  { child, pid, output }: Started,
  context: CoordinatorContext,
): void {
  const { writer, now, exit } = context;
  const sink = writer(FD.stream);
  if (job.chroot !== undefined) becomeUser(job);
  for (const fd of output.childs) closeSync(fd);

  const pending: ProcessStatus[] = [];
  let ended = false;
  const flush = () => {
    try {
      for (let value = pending[0]; value !== undefined; value = pending[0]) {
        sink.append({ type: 'process_status', value });
        pending.shift();
      }
    } catch {
      setTimeout(flush, RETRY_MS);
      return;
    }
    if (ended) exit(COORDINATOR_EXIT.ok);
  };
  const record = (value: ProcessStatus) => {
    if (pending.push(value) === 1) flush();
  };
  const { process } = job;
  record({ seq: forkedSeq + 1, process, state: 'RUNNING', start_time: now() / 1000, pid });
  closeSync(FD.report);
  child.once('exit', (code, signal) => {
    const stop_time = now() / 1000;
    for (const pump of output.pumps) pump.drain();
    const return_code = signal === null ? (code as number) : -constants.signals[signal];
    const state = return_code === 0 ? 'SUCCESS' : return_code > 0 ? 'FAILED' : 'KILLED';
    ended = true;
    record({ seq: forkedSeq + 2, process, state, stop_time, return_code });
  });
}

/**
 * Returns the job when FORKED is written or the runner is gone, which may have recorded FORKED just before. Undefined
 * if the runner ended before it sent the job.
 */
function readControl(): Job | undefined {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  const parts: Buffer[] = [];
  let gone = false;
  let text = '';
  while (!gone && !text.endsWith(`\n${GO}`)) {
    const count = readSync(FD.control, chunk, 0, chunk.length, null);
    gone = count === 0;
    parts.push(Buffer.from(chunk.subarray(0, count)));
    text = Buffer.concat(parts).toString();
  }
  closeSync(FD.control);
  // Descriptor 0 is free now: occupy it so that no other file becomes our stdin.
  openSync('/dev/null', 'r');
  const end = text.indexOf('\n');
  return end < 0 ? undefined : (JSON.parse(text.slice(0, end)) as Job);
}

/** The sequence number of the FORKED that the runner recorded for us; undefined if it did not. */
function forked({ head, process: name }: Job): number | undefined {
  let seq: number | undefined;
  const lister = new RecordLister(({ type, value }, offset) => {
    if (offset !== head || type !== 'process_status') return;
    if (value.state !== 'FORKED' || value.process !== name || value.coordinator_pid !== process.pid) return;
    seq = Number(value.seq);
  });
  readStream(OpenFile.of(FD.stream, name), lister);
  return seq;
}

interface Output {
  /** Descriptors for stdout and stderr of the command. */
  readonly childs: [number, number];
  readonly pumps: Pump[];
}

type Patiently = <T>(act: () => T) => T;

function openOutput({ logs, logger }: Job, patiently: Patiently): Output {
  patiently(() => makeDirectory(logs));
  const open = (path: string) => patiently(() => openSync(path, 'a', 0o644));
  const { destination, mode, log_size, backups } = logger;
  const paths = STREAMS.map((stream) => `${logs}/${stream}`) as [string, string];
  if (destination === 'none') return { childs: [open('/dev/null'), open('/dev/null')], pumps: [] };
  if (destination === 'file' && mode === 'standard') {
    // The command writes its files directly.
    return { childs: [open(paths[0]), open(paths[1])], pumps: [] };
  }
  const rotation = mode === 'rotate' ? { size: log_size, backups } : undefined;
  const pipes = patiently(() => makePipes(logs, STREAMS));
  const pumps = pipes.map(([reading], i) => {
    const file =
      destination === 'console' ? undefined : patiently(() => new LogWriter(paths[i] as string, rotation));
    const fd = i === 0 ? FD.stdout : FD.stderr;
    const console = destination === 'file' ? undefined : consoleAt(fd);
    return new Pump(reading, (bytes) => {
      file?.write(bytes);
      console?.(bytes);
    });
  });
  return { childs: pipes.map(([, writing]) => writing) as [number, number], pumps };
}

/** How long to wait for a full console, and how often to retry. */
const STALLED_MS = 2000;
const POLL_MS = 5;

/**
 * Writes to a console. Its reader must neither end the process by going away nor block it by not reading: output that it
 * does not accept for a while is lost.
 */
function consoleAt(fd: number): (bytes: Uint8Array) => void {
  let stalled = false;
  return (bytes) => {
    let waited = 0;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(fd, bytes, at);
        stalled = false;
        waited = 0;
      } catch (error) {
        // If another program set the pipe to non-blocking, it is non-blocking for us, too.
        stalled ||= errnoOf(error) !== 'EAGAIN' || waited >= STALLED_MS;
        if (stalled) return;
        waited += POLL_MS;
        pause(POLL_MS);
      }
    }
  };
}

function start(job: Job, { childs }: Output): ChildProcess {
  const stdio = ['ignore', ...childs] as const;
  const { env, cwd, cmdline, chroot, account } = job;
  if (chroot === undefined) return spawn('/bin/bash', ['-c', cmdline], { cwd, env, stdio: [...stdio] });
  const user = account === undefined ? [] : [`--userspec=+${account.uid}:+${account.gid}`];
  const groups = account === undefined ? [] : [`--groups=${supplementary || account.gid}`];
  return spawn('chroot', [...user, ...groups, chroot, '/bin/bash', '-c', cmdline], {
    cwd: chroot,
    env,
    stdio: [...stdio],
  });
}

/** Group ids in the format of chroot(1), which cannot look them up by user name in the new root. */
let supplementary = '';

/** Changes supplementary groups, group and user permanently. */
function becomeUser({ account }: Job): void {
  if (account === undefined) return;
  initgroups(account);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
}

/** For opening log files, because the user may have placed links in their directory. */
function lookLikeUser({ account }: Job): void {
  if (account === undefined) return;
  initgroups(account);
  process.setegid?.(account.gid);
  // Only now, because Node includes the effective group, which was root's before.
  supplementary = (process.getgroups?.() ?? []).join(',');
  process.seteuid?.(account.uid);
}

function becomeRootAgain({ account }: Job): void {
  if (account === undefined) return;
  process.seteuid?.(0);
  process.setegid?.(0);
}

function initgroups({ name, gid }: Account): void {
  // Documented, but missing from the types.
  (process as unknown as { initgroups(user: string, group: number): void }).initgroups(name, gid);
}
