import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import { serve } from './program-server.js';

export const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const FIXTURES = join(REPOSITORY, 'fixtures');
/** The built program, or the `bin/run.js` of a release that THERMOS_E2E_BIN names. Tests drive it as a user does. */
export const PROGRAM = process.env.THERMOS_E2E_BIN ?? join(REPOSITORY, 'bin', 'run.js');

/**
 * The same as another user has it. What the one file has unpacked is for its user alone, so each has a copy: test/host.ts
 * makes that of all others.
 */
export function programOf(uid: number | undefined): string {
  return uid === undefined ? PROGRAM : (process.env.THERMOS_TEST_OTHERS_PROGRAM ?? PROGRAM);
}

/** What `bin/run.js` runs. */
export const BUILT = join(REPOSITORY, 'dist', 'thermos.cjs');

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  /** Runs as this uid and gid (needs root). */
  uid?: number;
  /** Whatever the command is: it is refused, and starts nothing. */
  isRefused?: boolean;
}

export interface Finished {
  stdout: string;
  stderr: string;
  status: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * The environment of the program: what `test/host.ts` made, and nothing else. No colour, UTC, nobody's home, and an
 * empty task root instead of those of this host.
 */
export function cleanEnv(extra: Record<string, string> = {}): Record<string, string> {
  const {
    PATH = '',
    HOME = '',
    LANG = '',
    TZ = '',
    THERMOS_ROOT = '',
    THERMOS_COORDINATOR = '',
  } = process.env;
  return {
    PATH,
    HOME,
    LANG,
    TZ,
    THERMOS_ROOT,
    THERMOS_COORDINATOR,
    THERMOS_CONFIG: '',
    THERMOS_PAGER: '',
    XDG_STATE_HOME: join(HOME, 'state'),
    ...extra,
  };
}

/** For the few tests of what is looked for by default: on the host that they run on. */
export const DEFAULT_ROOTS = { THERMOS_ROOT: '' };

/**
 * Commands that live on, or are about their own process, terminal or start. The others do their work and end: one process
 * runs them one after the other, each with a fresh instance of the program, because most of what a start takes is Node's.
 * THERMOS_TEST_STARTS=1 starts a process for each, as a user does.
 */
const STARTED = new Set(['--version', 'exec', 'init', 'run', 'runner', 'simplerun']);
/** What of the environment only the program reads, not Node. */
const READ_BY_PROGRAM =
  /^(?:THERMOS_(?!INIT|IGNORED)\w+|XDG_STATE_HOME|NO_COLOR|COLUMNS|USER|LOGNAME|HOME|PATH)$/;

/** Whether a command does its work and ends, so that another can run in the same process. */
export function isServed(args: readonly string[], { uid, input, isRefused, env = {} }: RunOptions): boolean {
  const [word = ''] = args;
  const startsNothing =
    isRefused || args.includes('--help') || (word === 'run' && args.includes('--dry-run'));
  return (
    (!STARTED.has(word) || startsNothing) &&
    uid === undefined &&
    input === undefined &&
    Object.keys(env).every((name) => READ_BY_PROGRAM.test(name)) &&
    process.env.THERMOS_E2E_BIN === undefined &&
    process.env.THERMOS_TEST_STARTS === undefined
  );
}

/** Runs the built program to its end. stdin is empty unless `input` is given; nothing is a terminal. */
export function thermos(args: readonly string[], options: RunOptions = {}): Finished {
  if (isServed(args, options)) {
    const { cwd = process.cwd() } = options;
    const served = serve(BUILT, { argv: args, env: cleanEnv(options.env), cwd });
    if (served !== undefined) return { ...served, signal: null };
  }
  return runToEnd(process.execPath, [programOf(options.uid), ...args], options);
}

/** Runs a program to its end, as `thermos` does. */
export function runToEnd(program: string, args: readonly string[], options: RunOptions = {}): Finished {
  const result = spawnSync(program, args, {
    cwd: options.cwd,
    env: cleanEnv(options.env),
    input: options.input ?? '',
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    uid: options.uid,
    gid: options.uid,
  });
  if (result.error !== undefined) throw result.error;
  return { stdout: result.stdout, stderr: result.stderr, status: result.status, signal: result.signal };
}

/** Starts the built program with pipes and leaves it running. */
export function startThermos(args: readonly string[], options: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, [programOf(options.uid), ...args], {
    cwd: options.cwd,
    env: cleanEnv(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    uid: options.uid,
    gid: options.uid,
  });
}

/** A command that goes on, and what it has printed so far. `children`: those that end with the test. */
export function watchThermos(args: readonly string[], children: ChildProcess[]) {
  const child = startThermos(args);
  children.push(child);
  const watched = {
    child,
    stdout: '',
    stderr: '',
    /** Its exit code, or the signal that ended it. */
    ended: new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal))),
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      watched[name] += text;
    });
  }
  return watched;
}

/** Runs a shell line in which `thermos` is the built program; for pipes, redirections and `script(1)`. */
export function shell(line: string, options: RunOptions = {}): Finished {
  const define = `thermos() { '${process.execPath}' '${programOf(options.uid)}' "$@"; }; export -f thermos;`;
  return runToEnd('bash', ['-c', `${define} ${line}`], options);
}

/** A temp directory that anybody may enter, removed by the returned function. */
export function tempDir(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'thermos-test-'));
  chmodSync(path, 0o755);
  return { path, remove: () => removeTree(path) };
}

/** A place for each test of a file. */
export interface TestPlace {
  readonly path: string;
  /** A task root in it, which is not made. */
  readonly root: string;
  /** What is started for the test. It ends with it, as do the process groups that it leads. */
  readonly children: ChildProcess[];
}

/** Gives each test of a file a temp directory that is removed after it. */
export function placeForEach(): TestPlace {
  const children: ChildProcess[] = [];
  let temp: ReturnType<typeof tempDir>;
  beforeEach(() => {
    temp = tempDir();
  });
  afterEach(() => {
    for (const child of children.splice(0)) killGroup(child);
    temp.remove();
  });
  return {
    get path() {
      return temp.path;
    },
    get root() {
      return join(temp.path, 'root');
    },
    children,
  };
}

function killGroup(child: ChildProcess): void {
  child.kill('SIGKILL');
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch {
    // It leads no group, or all of it has ended.
  }
}

/**
 * Removes a directory of which a process that was just killed may still have children that write there. Node's own
 * retries don't look again at what is in it.
 */
export function removeTree(path: string): void {
  for (let left = 20; ; left--) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (left === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}
