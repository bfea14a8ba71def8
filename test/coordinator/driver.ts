import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import type { NativeJob } from '../../src/runner/native-job.js';
import { DEFAULT_LOGGER } from '../../src/runner/task-document.js';
import { openFile } from '../../src/store/open-file.js';

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it said on its descriptor 4. */
  readonly report: string;
  readonly stderr: string;
}

/** A coordinator in C that waits for its job. */
export interface Waiting {
  readonly pid: number;
  readonly control: Writable;
  readonly ended: Promise<Ended>;
  /** Has it ended? */
  readonly isOver: () => boolean;
  /** Resolves when it has locked its stream, or ended. */
  readonly locked: Promise<unknown>;
}

/** Starts a coordinator in C on a stream, as a runner does, with these variables. */
export function startOn(program: string, stream: string, variables: Record<string, string> = {}): Waiting {
  const { fd } = openFile(stream, { access: 'create' });
  // Without a leak check: it leaves freeing to its end.
  const env = { PATH: process.env.PATH, ASAN_OPTIONS: 'detect_leaks=0', ...variables };
  const child = spawn(program, ['task', 'p'], {
    cwd: '/',
    detached: true,
    env,
    stdio: ['pipe', 'ignore', 'pipe', fd, 'pipe'],
  });
  closeSync(fd);
  const control = child.stdin as Writable;
  control.on('error', () => {});
  let report = '';
  let stderr = '';
  const reports = child.stdio[4] as Readable;
  const said = new Promise((resolve) => reports.once('data', resolve));
  reports.setEncoding('utf8').on('data', (text: string) => {
    report += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let isOver = false;
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (status, signal) => {
      isOver = true;
      resolve({ status, signal, report, stderr });
    }),
  );
  return {
    isOver: () => isOver,
    pid: child.pid as number,
    control,
    ended,
    locked: Promise.race([said, ended]),
  };
}

/** The job of a process `p` whose log directory is this, with FORKED at the beginning of its stream. */
export function jobIn(logs: string, rest: Partial<NativeJob> = {}): NativeJob {
  const env = { PATH: process.env.PATH as string };
  return {
    process: 'p',
    cmdline: 'true',
    cwd: '/',
    env,
    groups: [],
    logs,
    logger: DEFAULT_LOGGER,
    head: 0,
    ...rest,
  };
}

/** A frame with the FORKED of a coordinator's process `p`. */
export function forkedOf(coordinator_pid: number, rest: object = {}): Buffer {
  const value = {
    seq: 1,
    process: 'p',
    state: 'FORKED' as const,
    fork_time: 1000.5,
    coordinator_pid,
    ...rest,
  };
  return encodeFrame(encodeRecord({ type: 'process_status', value }));
}
