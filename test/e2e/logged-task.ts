import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type {
  CheckpointRecord,
  ProcessState,
  ProcessStatus,
  TaskState,
} from '../../src/checkpoint/records.js';
import { streamOf } from '../checkpoint/arbitraries.js';
import { placeForEach, startThermos } from './harness.js';

/** What a process of a task file may say here. */
export interface ProcessFile {
  cmdline?: string;
  name: string;
  max_failures?: number;
  daemon?: boolean;
  logger?: { destination: string };
}

const NEEDED: Record<string, ProcessStatus> = {
  FORKED: { fork_time: 1_400_000_001, coordinator_pid: 4_194_001 },
  RUNNING: { start_time: 1_400_000_002, pid: 4_194_002 },
  SUCCESS: { stop_time: 1_400_000_003, return_code: 0 },
  FAILED: { stop_time: 1_400_000_003, return_code: 7 },
  KILLED: { stop_time: 1_400_000_003, return_code: -15 },
};

/** A task on disk, on the bare layout below a directory, written as its runner writes it. */
export class LoggedTask {
  readonly root: string;
  readonly id: string;
  readonly sandbox: string;
  #seq = new Map<string, number>();
  #runner: ChildProcess | undefined;
  #pid = 4_194_000;

  constructor(directory: string, processes: readonly ProcessFile[], id = 'task-1') {
    this.root = join(directory, 'root');
    this.id = id;
    this.sandbox = join(directory, 'sandboxes', id);
    mkdirSync(this.logDir, { recursive: true });
    mkdirSync(join(this.root, 'checkpoints', id), { recursive: true });
    // As the original: `finished` is made when the first task ends.
    mkdirSync(join(this.root, 'tasks', 'active'), { recursive: true });
    writeFileSync(join(this.root, 'tasks', 'active', id), JSON.stringify({ name: id, processes }));
    const { uid = 0 } = { uid: process.getuid?.() };
    this.#append({ type: 'task_status', value: this.#status('ACTIVE') });
    this.#append({
      type: 'runner_header',
      value: {
        task_id: id,
        sandbox: this.sandbox,
        log_dir: this.logDir,
        uid,
        launch_time_ms: 1_400_000_000_000,
      },
    });
  }

  get logDir(): string {
    return join(this.sandbox, '.logs');
  }

  get stream(): string {
    return join(this.root, 'checkpoints', this.id, 'runner');
  }

  log(process: string, run: number, stream: 'stdout' | 'stderr' = 'stdout'): string {
    return join(this.logDir, process, String(run), stream);
  }

  /** Makes the files of a run, as the coordinator does, and puts text into them. */
  write(process: string, run: number, stdout: string | Buffer, stderr = ''): void {
    mkdirSync(join(this.logDir, process, String(run)), { recursive: true });
    appendFileSync(this.log(process, run), stdout);
    appendFileSync(this.log(process, run, 'stderr'), stderr);
  }

  /** Appends updates of one process to the stream. */
  update(process: string, ...updates: (ProcessState | ProcessStatus)[]): this {
    for (const update of updates) {
      const given = typeof update === 'string' ? { state: update } : update;
      const seq = (this.#seq.get(process) ?? -1) + 1;
      this.#seq.set(process, seq);
      this.#append({
        type: 'process_status',
        value: { ...NEEDED[String(given.state)], ...given, seq, process },
      });
    }
    return this;
  }

  start(process: string, start_time = 1_400_000_002): this {
    return this.update(process, 'WAITING', 'FORKED', { state: 'RUNNING', start_time, pid: 4_194_002 });
  }

  end(state: TaskState): this {
    this.#append({ type: 'task_status', value: this.#status(state) });
    const { active, finished } = this.#taskFiles();
    mkdirSync(dirname(finished), { recursive: true });
    renameSync(active, finished);
    return this;
  }

  #taskFiles() {
    const tasks = join(this.root, 'tasks');
    return { active: join(tasks, 'active', this.id), finished: join(tasks, 'finished', this.id) };
  }

  /** A process that holds the lock on the stream, as a runner that lives, and dies of SIGUSR1. */
  run(): Promise<void> {
    return this.#lock('echo locked; exec sleep 3600');
  }

  /** A runner that ends the task when it is asked with SIGUSR1, and leaves alone what the task runs. */
  runUntilAsked(): Promise<void> {
    const killed = streamOf([{ type: 'task_status', value: this.#status('KILLED') }]);
    writeFileSync(`${this.stream}.end`, killed);
    const { active, finished } = this.#taskFiles();
    mkdirSync(dirname(finished), { recursive: true });
    const end = `cat '${this.stream}.end' >> '${this.stream}'; mv '${active}' '${finished}'; exit`;
    return this.#lock(`trap "${end}" USR1; echo locked; while :; do sleep 0.02; done`);
  }

  async #lock(script: string): Promise<void> {
    this.#runner = spawn('flock', ['-x', '-F', this.stream, 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(this.#runner.stdout as NodeJS.ReadableStream, 'data');
    this.#pid = this.#runner.pid as number;
    this.#append({ type: 'task_status', value: this.#status('ACTIVE') });
  }

  /** The runner dies. */
  async killRunner(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    if (runner === undefined) return;
    const gone = once(runner, 'exit');
    runner.kill('SIGKILL');
    await gone;
  }

  #status(state: TaskState) {
    return {
      state,
      timestamp_ms: Date.now(),
      runner_pid: this.#pid,
      runner_uid: process.getuid?.() ?? 0,
    };
  }

  #append(record: CheckpointRecord): void {
    appendFileSync(this.stream, streamOf([record]));
  }
}

const LOOK_MS = 20;

/** A running `thermos`, of which both outputs are gathered. */
export class Running {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #wake = () => {};

  constructor(args: readonly string[]) {
    this.child = startThermos(args);
    this.child.stdout?.on('data', (bytes) => this.#add('stdout', bytes));
    this.child.stderr?.on('data', (bytes) => this.#add('stderr', bytes));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (status) => resolve(status));
    });
  }

  /** Waits until what was printed is as wanted; fails with what was printed instead, after a minute. */
  async until(wanted: (printed: { stdout: string; stderr: string }) => boolean): Promise<void> {
    const deadline = Date.now() + 50_000;
    while (!wanted(this)) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`still waiting; stdout:\n${this.stdout}\nstderr:\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        // What is wanted may be in files.
        const timer = setTimeout(resolve, Math.min(left, LOOK_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }

  #add(to: 'stdout' | 'stderr', bytes: Buffer): void {
    this[to] += bytes.toString();
    this.#wake();
  }
}

/** Tasks for each test of a file, and programs that look at them; all of it is ended and removed after the test. */
export class LoggedTasks {
  readonly #place = placeForEach();
  readonly #tasks: LoggedTask[] = [];
  readonly #running: Running[] = [];

  constructor() {
    afterEach(async () => {
      await Promise.all(this.#running.splice(0).map((each) => each.kill()));
      await Promise.all(this.#tasks.splice(0).map((task) => task.killRunner()));
    });
  }

  get path(): string {
    return this.#place.path;
  }

  /** A task that has these processes. */
  task(processes: readonly (string | ProcessFile)[] = ['web'], id?: string): LoggedTask {
    const files = processes.map((each) => (typeof each === 'string' ? { name: each } : each));
    const task = new LoggedTask(this.path, files, id);
    this.#tasks.push(task);
    return task;
  }

  /** Starts the program and leaves it running. */
  start(args: readonly string[]): Running {
    const started = new Running(args);
    this.#running.push(started);
    return started;
  }
}
