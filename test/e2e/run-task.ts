import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnv, PROGRAM, tempDir, thermos } from './harness.js';
import { Running } from './logged-task.js';

export interface RunProcess {
  name: string;
  cmdline: string;
  [field: string]: unknown;
}

/** A place for tasks that are really run. What is started through it is ended with it. */
export class RunPlace {
  readonly path: string;
  readonly root: string;
  readonly #remove: () => void;
  readonly #running: Running[] = [];

  constructor() {
    const { path, remove } = tempDir();
    this.path = path;
    this.root = join(path, 'root');
    this.#remove = remove;
    mkdirSync(this.root);
    chmodSync(this.root, 0o755);
  }

  /** Writes a config; processes don't wait between runs unless they say so. */
  config(processes: readonly RunProcess[], task: object = {}, name = 'web'): string {
    const path = join(this.path, `${name}.json`);
    const filled = processes.map((process) => ({ min_duration: 0, ...process }));
    writeFileSync(path, JSON.stringify({ name, finalization_wait: 10, processes: filled, ...task }));
    return path;
  }

  /** Runs a command in the root, to its end. */
  thermos(command: string, ...args: string[]) {
    return thermos([command, '--root', this.root, ...args]);
  }

  /** Runs a command in the root that is refused: it starts nothing. */
  refused(command: string, ...args: string[]) {
    return thermos([command, '--root', this.root, ...args], { isRefused: true });
  }

  /** Starts a command in the root and leaves it running. */
  start(command: string, ...args: string[]): Running {
    const started = new Running([command, '--root', this.root, ...args]);
    this.#running.push(started);
    return started;
  }

  sandbox(id: string): string {
    return join(this.root, 'sandboxes', id);
  }

  /** What a process wrote into a file of its sandbox; '' if it is not there. */
  file(id: string, name: string): string {
    const path = join(this.sandbox(id), name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  // biome-ignore lint/suspicious/noExplicitAny: a document, looked into
  inspect(id: string): any {
    return JSON.parse(this.thermos('inspect', '--json', id).stdout);
  }

  /** Ends every task that is left, and removes all. */
  async remove(): Promise<void> {
    if (!this.#isOver()) this.thermos('kill', '--now', '--yes', '.*');
    await Promise.all(this.#running.map((each) => each.kill()));
    this.#remove();
  }

  /** Whether all that ran here has ended, as most tasks of tests have. */
  #isOver(): boolean {
    const checkpoints = join(this.root, 'checkpoints');
    const ids = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
    return ids.every((id) => existsSync(join(this.root, 'tasks', 'finished', id)));
  }
}

/** Is there such a process? A zombie is dead. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const LOOK_MS = 20;

/** A program on a terminal of its own, of 24 lines and 80 columns; what is typed goes to its stdin. */
export class OnTerminal {
  output = '';
  readonly ended: Promise<number | null>;
  readonly #child: ReturnType<typeof spawn>;
  #wake = () => {};

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const words = [process.execPath, PROGRAM, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    const line = `stty rows 24 cols 80; exec ${words.join(' ')}`;
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], {
      env: cleanEnv({ TERM: 'xterm', SHELL: '/bin/sh', ...env }),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (bytes) => {
      this.output += String(bytes);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (status) => resolve(status));
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until what was shown is as wanted; fails with what was shown instead. */
  async until(wanted: (output: string) => boolean): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!wanted(this.output)) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`still waiting; shown was:\n${JSON.stringify(this.output)}`);
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
}
