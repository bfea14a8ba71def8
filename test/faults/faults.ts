import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { cleanEnv, PROGRAM, REPOSITORY } from '../e2e/harness.js';
import { recordsOf } from '../runner/harness.js';

/** Whose calls fail. */
export type Role = 'runner' | 'coordinator';

/** A call of a clean run: its number, and what it does. */
export interface Call {
  readonly number: number;
  readonly kind: string;
  readonly path: string;
}

export interface Fault {
  readonly role: Role;
  /** The call that fails; the next one of its kind, if this run makes others before it. 0: none. */
  readonly call: number;
  readonly kind: string;
  readonly error: string;
  readonly how: 'once' | 'always';
}

/** The coordinator that the task runs with. */
export type Kind = 'js' | 'native';

const TASK = {
  name: 'two',
  processes: ['one', 'two', 'last'].map((name) => ({
    name,
    cmdline: `echo ${name} >> ran`,
    min_duration: 0,
    final: name === 'last',
  })),
  constraints: [{ order: ['one', 'two'] }],
};

/** What the calls of a kind can fail with. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  open: ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT', 'EIO'],
  read: ['EIO', 'ENOMEM'],
  write: ['ENOSPC', 'EDQUOT', 'EIO', 'ENOMEM', 'EAGAIN'],
  sync: ['EIO', 'ENOSPC', 'EDQUOT'],
  truncate: ['EIO'],
  utimes: ['EIO', 'ENOSPC', 'ENOMEM'],
  chown: ['EIO', 'ENOSPC', 'EDQUOT'],
  mkdir: ['ENOSPC', 'EDQUOT', 'EIO', 'ENOMEM'],
  rename: ['ENOSPC', 'EDQUOT', 'EIO', 'ENOMEM'],
  unlink: ['EIO', 'ENOMEM'],
  rmdir: ['EIO', 'ENOMEM'],
  list: ['EMFILE', 'ENFILE', 'ENOMEM', 'EIO'],
  stat: ['EIO', 'ENOMEM'],
  pipe: ['EMFILE', 'ENFILE', 'ENOMEM'],
  fork: ['EAGAIN', 'ENOMEM'],
  exec: ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'EIO'],
};

export function errorsOf({ kind }: Call): readonly string[] {
  return ERRORS[kind] ?? [];
}

/** Builds the library that makes calls fail; undefined, and a line that says why, if there is no C compiler. */
export function faultLibrary(directory: string): string | undefined {
  const library = join(directory, 'calls.so');
  const source = join(REPOSITORY, 'test/faults/calls.c');
  const words = ['-Wall', '-Wextra', '-Werror', '-O1', '-shared', '-fPIC', '-o', library, source, '-ldl'];
  const { error, status, stderr } = spawnSync('cc', words, { encoding: 'utf8' });
  if (error !== undefined) {
    process.stderr.write(`calls that fail are not tested: ${error.message}\n`);
    return undefined;
  }
  if (status !== 0) throw new Error(stderr);
  return library;
}

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A task that is run with faults, in a directory of its own. */
export class FaultyTask {
  readonly #place: string;
  readonly #library: string;
  readonly #kind: Kind;

  constructor(place: string, library: string, kind: Kind) {
    this.#place = place;
    this.#library = library;
    this.#kind = kind;
    mkdirSync(join(place, 'task'), { recursive: true });
    writeFileSync(join(place, 'two.json'), JSON.stringify(TASK));
  }

  get root(): string {
    return join(this.#place, 'task/root');
  }

  /** The calls that were made, and whether one of them failed. */
  calls(): { calls: Call[]; failed: string[] } {
    const log = join(this.#place, 'log');
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [];
    const failed = lines.filter((line) => line.startsWith('failed '));
    const calls = lines.map((line) => {
      const [number = '', kind = '', path = ''] = line.replace('failed ', '').split(' ');
      return { number: Number(number), kind, path };
    });
    return { calls, failed };
  }

  run(fault?: Fault): Promise<Ended> {
    const { role = 'runner', call = 0, kind = '-', error = 'EIO', how = 'once' } = fault ?? {};
    const errno = constants.errno[error as keyof typeof constants.errno];
    const words = [role, call, kind, errno, how, join(this.#place, 'task'), join(this.#place, 'log')];
    const faults = { LD_PRELOAD: this.#library, FAULT: words.join(' '), THERMOS_PATIENCE: '0.5' };
    const sandbox = join(this.#place, 'task/sandbox');
    const task = ['--root', this.root, '--task-id', 't', '--sandbox', sandbox];
    return this.#thermos(['run', ...task, join(this.#place, 'two.json')], fault === undefined ? {} : faults);
  }

  doctor(): Promise<Ended> {
    return this.#thermos(['doctor', '--root', this.root, 't'], {});
  }

  #thermos(args: readonly string[], variables: Record<string, string>): Promise<Ended> {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      env: cleanEnv({ THERMOS_COORDINATOR: this.#kind, ...variables }),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    return new Promise((resolve) => {
      child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
    });
  }

  /** The task's and the processes' states, and how often each process ran. Fails if a stream is damaged. */
  outcome() {
    const stream = join(this.root, 'checkpoints/t/runner');
    const records = existsSync(stream) ? recordsOf(stream) : [];
    const states: Record<string, string[]> = {};
    for (const { type, value } of records) {
      if (type === 'runner_header') continue;
      const name = type === 'task_status' ? '' : (value.process as string);
      states[name] = [...(states[name] ?? []), value.state as string];
    }
    const ran = join(this.#place, 'task/sandbox/ran');
    return {
      states,
      ran: existsSync(ran) ? readFileSync(ran, 'utf8').split('\n').filter(Boolean) : [],
      phase: ['active', 'finished']
        .filter((phase) => existsSync(join(this.root, 'tasks', phase, 't')))
        .join(),
    };
  }
}

/**
 * Runs the task with a fault, and if that stopped it, once more without. Returns what is wrong, undefined if nothing is:
 * every end is right or a clean stop, which says what to do, and the second run completes the task.
 */
export async function wrongWith(
  task: FaultyTask,
  fault: Fault,
  isThorough = true,
): Promise<string | undefined> {
  const wrongs: string[] = [];
  const { status, signal, stdout, stderr } = await task.run(fault);
  const said = JSON.stringify({ status, signal, stdout: stdout.slice(-300), stderr: stderr.slice(-600) });
  const isDone = status === 0;
  const isCleanStop = status === 5 && /^error: /m.test(stderr) && /^hint: /m.test(stderr);
  if (!isDone && !isCleanStop) wrongs.push('neither done nor a clean stop');
  if (/\bbug\b/.test(stderr)) wrongs.push('a bug');
  let second = '';
  if (!isDone) {
    const again = await task.run();
    second = JSON.stringify(again);
    const wasOver = again.status === 2 && again.stderr.includes('is finished');
    if (again.status !== 0 && !wasOver) wrongs.push('cannot be resumed');
  }
  const { states, ran, phase } = task.outcome();
  const { '': of = [], ...processes } = states;
  if (phase !== 'finished') wrongs.push(`is ${phase || 'nowhere'}`);
  if (of.at(-1) !== 'SUCCESS') wrongs.push('is no success');
  for (const name of ['one', 'two', 'last']) {
    const all = processes[name] ?? [];
    if (all.includes('FAILED')) wrongs.push(`${name} failed`);
    if (all.at(-1) !== 'SUCCESS') wrongs.push(`${name} did not succeed`);
    const times = ran.filter((each) => each === name).length;
    // FINALIZING begins anew with the next runner.
    if (times !== 1 && !(name === 'last' && times === 2 && !isDone))
      wrongs.push(`${name} ran ${times} times`);
  }
  if (isThorough && wrongs.length === 0) {
    const doctor = await task.doctor();
    if (doctor.status !== 0) wrongs.push(`doctor: ${doctor.stdout}${doctor.stderr}`);
  }
  if (wrongs.length === 0) return undefined;
  const { failed } = task.calls();
  return `${JSON.stringify(fault)} ${failed[0]}: ${wrongs.join(', ')}\n  ${said}\n  ${second}\n  ${JSON.stringify(states)} ${ran}`;
}
