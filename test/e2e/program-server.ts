import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a command ended that a server ran. */
export interface Served {
  stdout: string;
  stderr: string;
  status: number;
}

export interface ServedRequest {
  argv: readonly string[];
  env: Record<string, string>;
  cwd: string;
}

const SCRIPT = join(import.meta.dirname, 'program-server.cjs');
/** What commands leave behind in memory goes with their process. */
const MOST_REQUESTS = 100;

interface Answer {
  status: number;
  /** The command has ended the process. */
  isLast: boolean;
}

/** A process that runs command lines with the built program, see program-server.cjs. It ends with this process. */
class ProgramServer {
  readonly #stdout: string;
  readonly #stderr: string;
  readonly #requests: number;
  readonly #answers: number;
  #count = 0;

  /** `program`: the built thermos.cjs. */
  constructor(program: string) {
    const place = mkdtempSync(join(tmpdir(), 'thermos-server-'));
    const pathOf = (name: string) => join(place, name);
    execFileSync('mkfifo', [pathOf('requests'), pathOf('answers')]);
    this.#stdout = pathOf('stdout');
    this.#stderr = pathOf('stderr');
    const requests = openPipe(pathOf('requests'));
    const answers = openPipe(pathOf('answers'));
    const [stdout, stderr] = [openSync(this.#stdout, 'a'), openSync(this.#stderr, 'a')];
    spawn(process.execPath, [SCRIPT, program], {
      stdio: ['ignore', stdout, stderr, requests.read, answers.write],
    }).unref();
    for (const fd of [stdout, stderr, requests.read, answers.write]) closeSync(fd);
    this.#requests = requests.write;
    this.#answers = answers.read;
  }

  get isSpent(): boolean {
    return this.#count >= MOST_REQUESTS;
  }

  /** Undefined if the process ended without an answer. */
  ask(request: ServedRequest): Served | undefined {
    this.#count++;
    const answer = this.#tell(`${JSON.stringify(request)}\n`);
    if (answer === undefined) return undefined;
    const { status, isLast } = JSON.parse(answer) as Answer;
    if (isLast) this.#count = MOST_REQUESTS;
    return { stdout: taken(this.#stdout), stderr: taken(this.#stderr), status };
  }

  #tell(line: string): string | undefined {
    const bytes = Buffer.from(line);
    const byte = Buffer.alloc(1024);
    let answer = '';
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#requests, bytes, at);
      while (!answer.endsWith('\n')) {
        const length = readSync(this.#answers, byte);
        if (length === 0) return undefined;
        answer += byte.toString('utf8', 0, length);
      }
      return answer;
    } catch {
      // Nobody reads any more.
      return undefined;
    }
  }

  close(): void {
    closeSync(this.#requests);
    closeSync(this.#answers);
  }
}

/** Both ends of a named pipe; reading waits. */
function openPipe(path: string): { read: number; write: number } {
  const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openSync(path, constants.O_WRONLY);
  const read = openSync(path, constants.O_RDONLY);
  closeSync(first);
  return { read, write };
}

function taken(path: string): string {
  const text = readFileSync(path, 'utf8');
  truncateSync(path);
  return text;
}

let server: ProgramServer | undefined;

/** Runs a command line with the built thermos.cjs, in a process that has run others; undefined if it crashed. */
export function serve(program: string, request: ServedRequest): Served | undefined {
  if (server?.isSpent) {
    server.close();
    server = undefined;
  }
  server ??= new ProgramServer(program);
  const served = server.ask(request);
  if (served !== undefined) return served;
  server.close();
  server = undefined;
  return undefined;
}

/** How a command ended, or its process did. */
export type SessionEnd = Served | { stdout: string; stderr: string; signal: NodeJS.Signals | null };

/** A process as that of `serve` for who has other things to do while a command runs. */
export class ProgramSession {
  readonly #stdout: string;
  readonly #stderr: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #count = 0;

  /** `bounds`: a command that executes the words behind its own. */
  constructor(program: string, bounds: readonly string[] = []) {
    const place = mkdtempSync(join(tmpdir(), 'thermos-server-'));
    this.#stdout = join(place, 'stdout');
    this.#stderr = join(place, 'stderr');
    const files = [openSync(this.#stdout, 'a'), openSync(this.#stderr, 'a')];
    const [command = '', ...words] = [...bounds, process.execPath, SCRIPT, program];
    this.#child = spawn(command, words, {
      detached: true,
      stdio: ['ignore', ...files, 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'exit');
    for (const fd of files) closeSync(fd);
    // It may have ended.
    this.#pipe(3).on('error', () => {});
  }

  get isSpent(): boolean {
    return this.#count >= MOST_REQUESTS || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** How much the command that runs has written. */
  get outputBytes(): number {
    return statSync(this.#stdout).size + statSync(this.#stderr).size;
  }

  async ask(request: ServedRequest): Promise<SessionEnd> {
    this.#count++;
    const answered = new Promise<string>((resolve) => {
      this.#pipe(4).once('data', (bytes) => resolve(String(bytes)));
    });
    this.#pipe(3).write(`${JSON.stringify(request)}\n`);
    const answer = await Promise.race([answered, this.#ended]);
    const output = { stdout: taken(this.#stdout), stderr: taken(this.#stderr) };
    if (typeof answer !== 'string') return { ...output, signal: this.#child.signalCode };
    const { status, isLast } = JSON.parse(answer) as Answer;
    if (isLast) this.#count = MOST_REQUESTS;
    return { ...output, status };
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #pipe(fd: number): Socket {
    return this.#child.stdio[fd] as Socket;
  }
}
