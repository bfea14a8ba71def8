import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type {
  CheckpointRecord,
  ProcessState,
  ProcessStatus,
  RunnerHeader,
  TaskState,
} from '../../src/checkpoint/records.js';
import type { FoundTask } from '../../src/discovery/found.js';
import type { Phase } from '../../src/layout/root-paths.js';
import { streamOf } from '../checkpoint/arbitraries.js';

/** The records of a stream, as a runner and its coordinators write them. Each process has its own sequence. */
export class Records {
  readonly records: CheckpointRecord[] = [];
  readonly #seq = new Map<string, number>();

  status(state: TaskState, timestamp_ms = 1_400_000_000_000, runner_pid = 4_194_000): this {
    const value = { state, timestamp_ms, runner_pid, runner_uid: 0 };
    this.records.push({ type: 'task_status', value });
    return this;
  }

  header(value: RunnerHeader): this {
    this.records.push({ type: 'runner_header', value });
    return this;
  }

  /** Updates of one process; what a state needs is filled in unless it is given. */
  process(process: string, ...updates: (ProcessState | ProcessStatus)[]): this {
    for (const update of updates) {
      const given = typeof update === 'string' ? { state: update } : update;
      const seq = (this.#seq.get(process) ?? -1) + 1;
      this.#seq.set(process, seq);
      const value = { ...NEEDED[String(given.state)], ...given, seq, process };
      this.records.push({ type: 'process_status', value });
    }
    return this;
  }

  /** The stream of another writer that goes on where this one stands. */
  coordinator(process: string, ...updates: (ProcessState | ProcessStatus)[]): Buffer {
    const other = new Records();
    other.#seq.set(process, this.#seq.get(process) ?? -1);
    return other.process(process, ...updates).bytes();
  }

  bytes(): Buffer {
    return streamOf(this.records);
  }
}

const END = { stop_time: 1_400_000_003, return_code: 0 };

const NEEDED: Record<string, ProcessStatus> = {
  FORKED: { fork_time: 1_400_000_001, coordinator_pid: 4_194_001 },
  RUNNING: { start_time: 1_400_000_002, pid: 4_194_002 },
  SUCCESS: END,
  FAILED: { ...END, return_code: 7 },
  KILLED: { ...END, return_code: -15 },
};

export const RAN: readonly ProcessState[] = ['WAITING', 'FORKED', 'RUNNING', 'SUCCESS'];
export const FAILED: readonly ProcessState[] = ['WAITING', 'FORKED', 'RUNNING', 'FAILED'];

export interface TaskFiles {
  phase?: Phase;
  /** The task file: text as it is, or an object as JSON; none if null. */
  task?: string | object | null;
  /** The runner's stream; no file if null. */
  runner?: Buffer | Records | null;
  /** By name of the process. */
  coordinators?: Record<string, Buffer>;
}

/** Writes the files of one task into ROOT; returns the checkpoint directory. */
export function writeTask(root: string, id: string, files: TaskFiles = {}): string {
  const {
    phase = 'active',
    task = { name: id, processes: [] },
    runner = new Records().status('ACTIVE'),
  } = files;
  const directory = join(root, 'checkpoints', id);
  for (const path of [directory, join(root, 'tasks', 'active'), join(root, 'tasks', 'finished')]) {
    mkdirSync(path, { recursive: true });
  }
  if (task !== null) {
    const text = typeof task === 'string' ? task : JSON.stringify(task);
    writeFileSync(join(root, 'tasks', phase, id), text);
  }
  if (runner !== null) {
    writeFileSync(join(directory, 'runner'), runner instanceof Records ? runner.bytes() : runner);
  }
  for (const [process, bytes] of Object.entries(files.coordinators ?? {})) {
    writeFileSync(join(directory, `coordinator.${process}`), bytes);
  }
  return directory;
}

/** The task as discovery finds it. */
export function foundTask(
  root: string,
  id: string,
  phase: Phase = 'active',
  extra: Partial<FoundTask> = {},
): FoundTask {
  return {
    task_id: id,
    root: { path: root, layout: 'host', source: 'test', readable: true },
    phase,
    task_file: join(root, 'tasks', phase, id),
    checkpoint_dir: join(root, 'checkpoints', id),
    problems: [],
    ...extra,
  };
}

/** A made-up /proc. `locks`: the text of /proc/locks; `namespace`: ours; `processes` by pid. */
export interface MadeUpProc {
  bootTime?: number;
  locks?: string;
  namespace?: 'initial' | 'other';
  processes?: Record<number, { startTicks?: number; uid?: number; state?: string; nsPid?: number[] }>;
}

/** Inodes and devices as /proc/locks prints them. */
export function lockLine(file: { dev: number; ino: number }, pid: number): string {
  const major = (file.dev >> 8) & 0xfff;
  const minor = (file.dev & 0xff) | ((file.dev >> 12) & 0xfff00);
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return `1: FLOCK  ADVISORY  WRITE ${pid} ${hex(major)}:${hex(minor)}:${file.ino} 0 EOF\n`;
}

/** Writes it to a directory, to be given to `Host.local({proc})`. */
export function makeProc(path: string, made: MadeUpProc): string {
  const { bootTime = 1_399_000_000, locks, namespace = 'initial', processes = {} } = made;
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  write('stat', `cpu  1 2 3\nbtime ${bootTime}\n`);
  if (locks !== undefined) write('locks', locks);
  mkdirSync(join(path, 'self', 'ns'), { recursive: true });
  linkNamespace(path, namespace);
  for (const [pid, { startTicks = 0, uid = 0, state = 'S', nsPid = [Number(pid)] }] of Object.entries(
    processes,
  )) {
    const zeros = Array(18).fill('0').join(' ');
    write(`${pid}/stat`, `${pid} (sleep) ${state} ${zeros} ${startTicks} 0 0\n`);
    write(
      `${pid}/status`,
      `Name:\tsleep\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nNSpid:\t${nsPid.join('\t')}\n`,
    );
  }
  return path;
}

function linkNamespace(path: string, namespace: 'initial' | 'other'): void {
  const link = join(path, 'self', 'ns', 'pid');
  rmSync(link, { force: true });
  symlinkSync(namespace === 'initial' ? 'pid:[4026531836]' : 'pid:[4026532000]', link);
}
