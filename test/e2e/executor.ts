import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordLister } from '../../src/checkpoint/follow.js';
import { readStream } from '../../src/checkpoint/reader.js';
import { useFile } from '../../src/store/open-file.js';
import { cleanEnv, REPOSITORY } from './harness.js';
import type { RunProcess } from './run-task.js';

/** The built program that takes the place of the original's runner. */
export const RUNNER = join(REPOSITORY, 'bin', 'thermos-runner.js');

/** What Aurora's executor makes of the exit codes of its runner, and of the states of a task. */
const OF_EXIT_CODES: Readonly<Record<number, string>> = {
  101: 'TASK_LOST: Thermos failed with internal error.',
  102: 'TASK_FAILED: Thermos received an invalid task.',
  103: 'TASK_LOST: Thermos failed with an unknown error.',
  104: 'TASK_FAILED: Task started with unknown user.',
};
const OF_STATES: Readonly<Record<string, string>> = {
  ACTIVE: 'TASK_LOST: Runner died while task was active.',
  FAILED: 'TASK_FAILED: Task failed.',
  KILLED: 'TASK_KILLED: Task killed.',
  LOST: 'TASK_LOST: Task lost.',
  SUCCESS: 'TASK_FINISHED: Task finished.',
};

export interface ExecutorOptions {
  /** Of the sandbox, the run directory and the rest. */
  directory: string;
  taskId?: string;
  /** Fields of the task. */
  task?: object;
  /** What is in task.json; default: the task. */
  text?: string;
  ports?: Readonly<Record<string, number>>;
  /** `--setuid`: the executor gives it if it is root and the task is in no Docker container. */
  role?: string;
  /** More flags, as the executor spells them. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Words of Node's before the program. */
  node?: readonly string[];
  /** What is run; default: the program, by this Node. */
  program?: readonly string[];
  uid?: number;
}

/** A double of Aurora's `ThermosTaskRunner`: starts a runner and sees its task as the executor does. */
export class Executor {
  readonly root: string;
  readonly sandbox: string;
  readonly taskId: string;
  /** The run directory, which is also the `--log_dir`. */
  readonly directory: string;
  stdout = '';
  stderr = '';
  #child: ChildProcess | undefined;
  #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }> | undefined;
  readonly #options: ExecutorOptions;

  constructor(processes: readonly RunProcess[], options: ExecutorOptions) {
    const { directory, taskId = 'web-1', task, text } = options;
    this.#options = options;
    this.taskId = taskId;
    this.directory = directory;
    this.root = join(directory, 'checkpoints');
    this.sandbox = join(directory, 'sandbox');
    mkdirSync(directory, { recursive: true });
    const filled = processes.map((process) => ({ min_duration: 0, ...process }));
    const whole = { name: 'web', finalization_wait: 10, processes: filled, ...task };
    writeFileSync(join(directory, 'task.json'), text ?? JSON.stringify(whole));
  }

  /** In the order and the spelling of the executor. */
  get cmdline(): string[] {
    const { role, ports = {}, flags = [] } = this.#options;
    const params = {
      log_dir: this.directory,
      checkpoint_root: this.root,
      sandbox: this.sandbox,
      container_sandbox: this.sandbox,
      task_id: this.taskId,
      thermos_json: join(this.directory, 'task.json'),
      hostname: 'agent.example.com',
      ...(role === undefined ? {} : { setuid: role }),
    };
    const given = Object.entries(params).filter(
      ([name]) => !flags.some((flag) => flag.startsWith(`--${name}=`)),
    );
    return [
      ...given.map(([name, value]) => `--${name}=${value}`),
      ...flags,
      ...Object.entries(ports).map(([name, port]) => `--port=${name}:${port}`),
    ];
  }

  get pid(): number {
    return this.#child?.pid as number;
  }

  /** Starts the runner and waits until the task is active or the runner has ended. */
  async start(): Promise<this> {
    const { env = {}, node = [], program = [process.execPath, ...node, RUNNER], uid } = this.#options;
    const [file, ...words] = program as [string, ...string[]];
    const child = spawn(file, [...words, ...this.cmdline], {
      cwd: this.directory,
      env: cleanEnv({ MESOS_DIRECTORY: this.directory, ...env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      uid,
      gid: uid,
    });
    this.#child = child;
    child.stdout.on('data', (chunk) => {
      this.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      this.stderr += chunk;
    });
    let isOver = false;
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        isOver = true;
        resolve({ code, signal });
      });
    });
    await until(() => isOver || this.state !== undefined, 'the task is active');
    return this;
  }

  /** Of the task, in its stream; undefined before the first record. */
  get state(): string | undefined {
    const stream = join(this.root, 'checkpoints', this.taskId, 'runner');
    if (!existsSync(stream)) return undefined;
    let state: string | undefined;
    const lister = new RecordLister(({ type, value }) => {
      if (type === 'task_status') state = String(value.state);
    });
    useFile(stream, {}, (file) => readStream(file, lister));
    return state;
  }

  /** Its stream does not record an end. */
  get isLive(): boolean {
    return ['ACTIVE', 'CLEANING', 'FINALIZING'].includes(this.state ?? '');
  }

  kill(): void {
    this.signal('SIGUSR1');
  }

  lose(): void {
    this.signal('SIGUSR2');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Waits until the runner has ended. What Mesos is told, and why. */
  async status(): Promise<string> {
    const { code, signal } = await (this.#ended as Promise<{
      code: number | null;
      signal: NodeJS.Signals | null;
    }>);
    if (signal !== null) return `TASK_KILLED: Task killed by signal ${constants.signals[signal]}.`;
    if (code === 0 || code === 105)
      return OF_STATES[this.state ?? ''] ?? 'TASK_LOST: Task checkpoint could not be read.';
    return (
      OF_EXIT_CODES[code as number] ?? `TASK_LOST: Thermos exited for unknown reason (exit status: ${code})`
    );
  }

  /** What a process wrote into a file of the sandbox; '' if it is not there. */
  file(name: string): string {
    return textOf(join(this.sandbox, name));
  }

  /** The log of a run. */
  output(process: string, stream: 'stdout' | 'stderr' = 'stdout'): string {
    return this.file(`.logs/${process}/0/${stream}`);
  }

  /** The log of the runner itself. */
  get log(): string {
    return textOf(join(this.directory, 'thermos_runner.log'));
  }

  /** Waits until as many runners as this have recorded that the task is active. */
  async active(runners: number): Promise<void> {
    const isSo = () => this.log.split('the task is ACTIVE').length > runners;
    await until(isSo, `${runners} runners were active`);
  }

  /** Waits until a process has made a file in the sandbox. */
  async seen(name: string): Promise<void> {
    await until(() => existsSync(join(this.sandbox, name)), `${name} is in the sandbox`);
  }
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

const MOST_MS = 50_000;
const LOOK_MS = 20;

export async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + MOST_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`not in ${MOST_MS} ms: ${what}`);
    await sleep(LOOK_MS);
  }
}
