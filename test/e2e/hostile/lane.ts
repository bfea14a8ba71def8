import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BUILT, cleanEnv, programOf, tempDir } from '../harness.js';
import { ProgramSession } from '../program-server.js';
import { isAlive } from '../run-task.js';
import { AS_ROOT, OWNER, plant, type Recorded, SECRET, type TaskPlaces, VICTIM } from './tree.js';

/** A process that notes every signal and holds files open, some of them locked, as a log shipper does. */
const BYSTANDER = `use Fcntl qw(:flock :DEFAULT); use IO::Handle; $| = 1;
for my $name (grep { !/^(KILL|STOP|CHLD|CLD|__.*|NUM.*|RTMIN|RTMAX)$/ } keys %SIG) {
  $SIG{$name} = sub { print "signal $name\\n" };
}
print "ready\\n";
my @held;
while (<STDIN>) {
  chomp;
  my ($word, @paths) = split /\\t/;
  if ($word eq 'drop') { @held = () }
  else {
    for (@paths) {
      sysopen(my $file, $_, ($word eq 'lock' ? O_RDWR : O_RDONLY) | O_NONBLOCK) or next;
      flock($file, LOCK_EX | LOCK_NB) if $word eq 'lock';
      push @held, $file;
    }
  }
  print "done\\n";
}`;

export class Bystander {
  readonly since = Date.now() / 1000;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #signals: string[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(uid: number) {
    this.#child = spawn('perl', ['-e', BYSTANDER], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(AS_ROOT && { uid, gid: uid }),
    });
    this.pid = this.#child.pid as number;
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('signal ')) this.#signals.push(line);
      else this.#waiting.shift()?.();
    });
    this.#child.stdin?.on('error', () => {});
    // Killed, it answers nothing any more.
    this.#child.on('exit', () => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  /** Starts one that is not the child of this process's group; it ends with this process. */
  static async start(uid: number): Promise<Bystander> {
    const started = new Bystander(uid);
    await started.#answer();
    return started;
  }

  hold(...paths: string[]): Promise<void> {
    return this.#tell('hold', paths);
  }

  lock(...paths: string[]): Promise<void> {
    return this.#tell('lock', paths);
  }

  drop(): Promise<void> {
    return this.#tell('drop', []);
  }

  /** What was done to it since it was asked last. */
  async harm(): Promise<string[]> {
    if (!isAlive(this.pid)) return ['was killed'];
    if (/^State:\s+T/m.test(readFileSync(`/proc/${this.pid}/status`, 'utf8'))) return ['was stopped'];
    // Signals that are pending are noted before it answers.
    await this.hold();
    return this.#signals.splice(0);
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(word: string, paths: string[]): Promise<void> {
    if (!isAlive(this.pid)) return Promise.resolve();
    this.#child.stdin?.write(`${[word, ...paths].join('\t')}\n`);
    return this.#answer();
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Everything below some paths but access times; `links`: how many names files have, too. */
export function snapshot(paths: readonly string[], { links = true } = {}): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    let stat: Stats;
    try {
      stat = lstatSync(path);
    } catch {
      return;
    }
    let content = '';
    if (stat.isSymbolicLink()) content = readlinkSync(path);
    else if (stat.isFile() && stat.size < 1 << 20) content = readFileSync(path, 'latin1');
    const { mode, uid, gid, ino, size, mtimeMs, nlink } = stat;
    const names = links || stat.isDirectory() ? nlink : '';
    found.set(path, [mode.toString(8), uid, gid, ino, size, mtimeMs, names, content].join(' '));
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  for (const path of paths) visit(path);
  return found;
}

/** What is different: `gone PATH`, `new PATH` or `changed PATH`. */
export function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const found: string[] = [];
  for (const [path, was] of before) {
    const is = after.get(path);
    if (is === undefined) found.push(`gone ${path}`);
    else if (is !== was) found.push(`changed ${path}`);
  }
  for (const path of after.keys()) if (!before.has(path)) found.push(`new ${path}`);
  return found;
}

/**
 * A place where one case after the other is tried, with what must not change: a root of somebody else with a task of
 * the same id that runs, and a daemon that holds its files.
 */
export class Lane {
  readonly path: string;
  /** Of the other root. */
  readonly twin: TaskPlaces;
  readonly outside: string;
  readonly daemon: Bystander;
  readonly #program = new LaneProgram();
  readonly #running: Bystander;
  readonly #remove: () => void;
  readonly #large: string | undefined;

  static async open(): Promise<Lane> {
    return new Lane(await Bystander.start(AS_ROOT ? 0 : OWNER), await Bystander.start(OWNER)).#hold();
  }

  private constructor(daemon: Bystander, running: Bystander) {
    this.daemon = daemon;
    this.#running = running;
    const { path, remove } = tempDir();
    this.path = path;
    this.#remove = remove;
    this.outside = join(path, 'outside');
    const { pid, since } = running;
    const alive = { pid, coordinator: pid, since };
    this.twin = plant(this.outside, VICTIM, { phase: 'active', alive, word: SECRET });
    // The process is of the same user as the hostile task; what the task left is root's, and closed to him.
    close(this.outside);
    this.#large = largeFiles();
  }

  async #hold(): Promise<this> {
    const { runner, coordinator, stdout, taskFile } = this.twin;
    await this.daemon.lock(coordinator);
    await this.#running.lock(runner);
    await this.#running.hold(coordinator, stdout, taskFile);
    return this;
  }

  /** An empty directory; `large`: one in which files may be as long as they can be anywhere. */
  clear({ large = false } = {}): string {
    const path = join((large ? this.#large : undefined) ?? this.path, 'case');
    unlock(path);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    chmodSync(path, 0o755);
    return path;
  }

  /** What was done to the processes that are nobody's business, in words. */
  async harm(): Promise<string[]> {
    const daemon = (await this.daemon.harm()).map((what) => `the daemon: ${what}`);
    return [
      ...daemon,
      ...(await this.#running.harm()).map((what) => `the process of the other task: ${what}`),
    ];
  }

  /** Runs a command that does its work and ends. */
  run(argv: readonly string[], ms: number): Promise<Ended> {
    return this.#program.run(argv, ms);
  }

  close(): void {
    this.#program.close();
    this.daemon.end();
    this.#running.end();
    this.#remove();
    if (this.#large !== undefined) rmSync(this.#large, { recursive: true, force: true });
  }
}

/** Nobody but the owner may read what is in the files. */
function close(path: string): void {
  const directory = lstatSync(path).isDirectory();
  chmodSync(path, directory ? 0o755 : 0o600);
  if (directory) for (const name of readdirSync(path)) close(join(path, name));
}

/** Who is not root removes nothing from a directory that he has closed to himself. */
function unlock(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory() || AS_ROOT) return;
  if ((stat.mode & 0o700) !== 0o700) chmodSync(path, 0o700);
  for (const name of readdirSync(path)) unlock(join(path, name));
}

/** A directory on a tmpfs, where a file can have any length; undefined if there is none. */
function largeFiles(): string | undefined {
  for (const parent of ['/dev/shm', tmpdir()]) {
    try {
      const path = mkdtempSync(join(parent, 'thermos-test-'));
      chmodSync(path, 0o755);
      return path;
    } catch {
      // The next one may do.
    }
  }
  return undefined;
}

/** A process of a task with its coordinator, in a session of their own. */
export class TaskProcess implements Recorded {
  readonly since = Date.now() / 1000;
  readonly coordinator: number;
  #pid = 0;

  private readonly child: ChildProcess;

  static async start(): Promise<TaskProcess> {
    const started = new TaskProcess();
    const line = await new Promise((resolve) => started.child.stdout?.once('data', resolve));
    started.#pid = Number(line);
    return started;
  }

  private constructor() {
    this.child = spawn('sh', ['-c', 'sleep 600 & echo $!; wait'], {
      detached: true,
      cwd: '/',
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(AS_ROOT && { uid: OWNER, gid: OWNER }),
    });
    this.coordinator = this.child.pid as number;
  }

  get pid(): number {
    return this.#pid;
  }

  get isAlive(): boolean {
    return isAlive(this.pid);
  }

  end(): void {
    if (!isAlive(this.coordinator) && !this.isAlive) return;
    try {
      process.kill(-this.coordinator, 'SIGKILL');
    } catch {
      // It has ended in between.
    }
  }
}

/** How a command ended. */
export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Why it was ended by the test: it did not end by itself, or printed without end. */
  cut?: string;
}

const MOST_OUTPUT = 32 << 20;
/** More than the program ever needs for these trees; a file that is read without a bound needs more. In KiB. */
const MEMORY = 1 << 20;

/** What it runs may have this much memory. */
const BOUNDED = ['sh', '-c', `ulimit -c 0; ulimit -d ${MEMORY}; exec "$@"`, 'sh'] as const;

/**
 * Runs commands that do their work and end, with the bounds of `bounded`: one process for all of a lane, see `serve` of
 * program-server.ts.
 */
class LaneProgram {
  #session: ProgramSession | undefined;

  async run(argv: readonly string[], ms: number): Promise<Ended> {
    if (this.#session?.isSpent) this.close();
    this.#session ??= new ProgramSession(BUILT, BOUNDED);
    const session = this.#session;
    let cut: string | undefined;
    const stop = (why: string) => {
      cut ??= why;
      session.end();
    };
    const timer = setTimeout(() => stop(`no answer within ${ms / 1000} s`), ms);
    const looks = setInterval(() => {
      if (session.outputBytes > MOST_OUTPUT) stop(`more than ${MOST_OUTPUT >> 20} MiB of output`);
    }, 200);
    const ended = await session.ask({ argv, env: cleanEnv(), cwd: '/' });
    clearTimeout(timer);
    clearInterval(looks);
    return { status: null, signal: null, ...ended, cut };
  }

  close(): void {
    this.#session?.end();
    this.#session = undefined;
  }
}

/** Runs the program in a process group of its own, with a bound on its time, its memory and its output. */
export function bounded(args: readonly string[], { uid, ms }: { uid?: number; ms: number }): Promise<Ended> {
  const [sh, ...words] = BOUNDED;
  const child = spawn(sh, [...words, process.execPath, programOf(uid), ...args], {
    detached: true,
    cwd: '/',
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  return new Promise((resolve, reject) => {
    const ended: Ended = { status: null, signal: null, stdout: '', stderr: '' };
    let length = 0;
    const cut = (why: string) => {
      ended.cut ??= why;
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch {
        // It has ended in between.
      }
    };
    const timer = setTimeout(() => cut(`no answer within ${ms / 1000} s`), ms);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (bytes: Buffer) => {
        length += bytes.length;
        if (length > MOST_OUTPUT) cut(`more than ${MOST_OUTPUT >> 20} MiB of output`);
        else ended[stream] += bytes.toString();
      });
    }
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      clearTimeout(timer);
      Object.assign(ended, { status, signal });
      // What it started may hold the pipes for longer than it lives.
      const done = setTimeout(() => child.stdout?.destroy(), 500);
      const last = setTimeout(() => child.stderr?.destroy(), 500);
      child.once('close', () => {
        clearTimeout(done);
        clearTimeout(last);
        resolve(ended);
      });
    });
  });
}

/** Ends what lives on and names a path in its command line or its environment: of a case that is over. */
export function sweep(path: string): void {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) continue;
    try {
      const said =
        readFileSync(`/proc/${pid}/cmdline`, 'latin1') + readFileSync(`/proc/${pid}/environ`, 'latin1');
      if (said.includes(path)) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, or is somebody else's.
    }
  }
}

/** Lanes for several cases at a time. */
export class Lanes {
  readonly #free: Lane[] = [];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  static async open(count: number): Promise<Lanes> {
    const lanes = new Lanes();
    for (let i = 0; i < count; i++) lanes.#free.push(await Lane.open());
    return lanes;
  }

  /**
   * Tries something in a lane that nothing else is tried in, so that what happens to its bystanders is its doing.
   * Once something went wrong, the lane is not used again: what must not change may have.
   */
  async try(work: (lane: Lane) => Promise<string[]>): Promise<string[]> {
    let lane = this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    let spent: Lane | undefined = lane;
    try {
      const found = await work(lane);
      if (found.length === 0) spent = undefined;
      return found;
    } finally {
      if (spent !== undefined) lane = await Lane.open();
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
      spent?.close();
    }
  }

  /** When nothing is tried any more. */
  close(): void {
    for (const lane of this.#free) lane.close();
  }
}
