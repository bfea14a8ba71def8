import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecordLister } from '../../src/checkpoint/follow.js';
import { COORDINATOR_EXIT } from '../../src/errors/exit-codes.js';
import { tryLock } from '../../src/host/flock.js';
import { encodeNativeJob, LOCKED, type NativeJob } from '../../src/runner/native-job.js';
import { openFile } from '../../src/store/open-file.js';
import { readStreamAt } from '../checkpoint/streams.js';
import { tempDir } from '../e2e/harness.js';
import { recordsOf } from '../runner/harness.js';
import { type Ended, forkedOf, jobIn, startOn } from './driver.js';
import { injectable } from './variants.js';

const LIMIT_MS = 120_000;

/** Every call with every error, in every way, by `npm run test:faults`: that takes minutes. */
const IS_FULL = process.env.THERMOS_TEST_FAULTS !== undefined;

const isRoot = process.getuid?.() === 0;

let temp: ReturnType<typeof tempDir>;
let variant: ReturnType<typeof injectable>;
beforeAll(() => {
  temp = tempDir();
  chmodSync(temp.path, 0o755);
  variant = injectable(temp.path);
});
afterAll(() => temp.remove());

const ROTATING = { destination: 'file', mode: 'rotate', log_size: 3, backups: 1 } as const;
const USER = { account: { name: 'user', uid: 65534, gid: 65534, home: '/' }, groups: [65534] };

/** What is run; the command writes `once`. */
const SCENARIOS: readonly { name: string; job: Partial<NativeJob>; needsRoot?: boolean }[] = [
  { name: 'with plain logs', job: { umask: 0o22, openFiles: 100 } },
  { name: 'with logs that rotate', job: { logger: ROTATING } },
  { name: 'with a console', job: { logger: { ...ROTATING, destination: 'both', log_size: 100 } } },
  { name: 'without logs', job: { logger: { ...ROTATING, destination: 'none' } } },
  { name: 'of another user', job: USER, needsRoot: true },
  { name: 'of another user in a new root', job: { ...USER, chroot: '/' }, needsRoot: true },
];

type Who = 'parent' | 'child';

interface Fault {
  readonly who: Who;
  /** Of the call, from 1. */
  readonly number: number;
  /** See inject.c. */
  readonly how: 'once' | 'while' | 'short' | 'before' | 'after' | 'torn' | 'hang' | 'list';
  readonly error?: keyof typeof constants.errno;
  /** It ends only because its start has a bound. */
  readonly isEndless?: boolean;
}

const KILLS: readonly Fault['how'][] = ['before', 'after', 'torn'];

interface Outcome extends Ended {
  readonly fault: Fault;
  /** The system call. */
  readonly call?: string;
  readonly states: readonly unknown[];
  /** How often the command was executed. */
  readonly runs: number;
  readonly output: string;
}

const sizeOf = (stream: string, states: unknown[] = []) => {
  const lister = new RecordLister(({ value }) => states.push('state' in value ? value.state : undefined));
  const { damage } = readStreamAt(stream, lister);
  expect(damage?.kind ?? 'incomplete').toBe('incomplete');
  return lister.bytes;
};

let places = 0;

/** Runs a process with a fault. */
async function run(job: Partial<NativeJob>, fault: Fault): Promise<Outcome> {
  const { injector, program, brief } = variant as NonNullable<typeof variant>;
  const place = join(temp.path, `${places++}`);
  mkdirSync(place);
  chmodSync(place, 0o777);
  const [stream, marks, list] = ['stream', 'marks', 'list'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  const logs = join(place, 'logs/p/0');
  const { who, number, how, error = 'EIO' } = fault;
  const FAULT = `${who} ${number} ${how} ${constants.errno[error]} ${list}`;
  const send = async (started: ReturnType<typeof startOn>, seq: number) => {
    await started.locked;
    if (started.isOver()) return await started.ended;
    const head = existsSync(stream) ? readFileSync(stream).length : 0;
    writeFileSync(stream, forkedOf(started.pid, { seq }), { flag: 'a' });
    const cmdline = `echo >> ${marks}; echo once`;
    const sent = Buffer.concat([
      encodeNativeJob(jobIn(logs, { cmdline, ...job, head })),
      Buffer.from('go\n'),
    ]);
    started.control.end(sent);
    return await started.ended;
  };
  const ended = await send(
    startOn(injector, stream, { FAULT, PROGRAM: fault.isEndless ? brief : program }),
    1,
  );
  const states: unknown[] = [];
  const text = (name: string) => (existsSync(join(logs, name)) ? readFileSync(join(logs, name), 'utf8') : '');
  truncateSync(stream, sizeOf(stream, states));
  const runs = () => (existsSync(marks) ? readFileSync(marks, 'utf8').length : 0);
  const output = text('stdout.1') + text('stdout');
  const call = existsSync(list) ? readFileSync(list, 'utf8').trim() : undefined;
  const outcome = { ...ended, fault, call, states, runs: runs(), output };
  if (IS_FULL || KILLS.includes(how)) {
    // The next run finds nothing in its way, as soon as the command of this one has gone.
    let next: Ended;
    do next = await send(startOn(program, stream), 5);
    while (next.status === COORDINATOR_EXIT.locked);
    const all: unknown[] = [];
    sizeOf(stream, all);
    expect(next, JSON.stringify(outcome)).toMatchObject({ status: COORDINATOR_EXIT.ok, report: LOCKED });
    expect(all.slice(-3), JSON.stringify(outcome)).toEqual(['FORKED', 'RUNNING', 'SUCCESS']);
  }
  rmSync(place, { recursive: true });
  return outcome;
}

const ANY = ['EAGAIN', 'EINTR', 'ENOMEM', 'EMFILE', 'ENFILE', 'ENOSPC', 'EIO'] as const;
type Errno = keyof typeof constants.errno;
const PATH: readonly Errno[] = ['EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS'];

/** What their man pages name, too. */
const MORE: Readonly<Record<string, readonly Errno[]>> = {
  chdir: PATH,
  chroot: PATH,
  clone: ['EPERM', 'ENOSYS'],
  close: ['EBADF', 'EDQUOT'],
  dup2: ['EBADF', 'EBUSY'],
  dup3: ['EBADF', 'EBUSY', 'EINVAL'],
  execve: [...PATH, 'E2BIG', 'EISDIR', 'EINVAL', 'ENOEXEC', 'ETXTBSY'],
  fchown: [...PATH, 'EBADF'],
  fcntl: ['EACCES', 'EBADF', 'EINVAL', 'EPERM'],
  fdatasync: ['EBADF', 'EDQUOT', 'EINVAL', 'EROFS'],
  flock: ['EBADF', 'EINVAL', 'ENOLCK'],
  ftruncate: ['EBADF', 'EFBIG', 'EINVAL', 'EPERM', 'EROFS', 'ETXTBSY'],
  ioctl: ['EBADF', 'EINVAL', 'ENOTTY'],
  kill: ['EPERM', 'ESRCH'],
  mkdir: [...PATH, 'EDQUOT', 'EEXIST', 'EMLINK'],
  mkdirat: [...PATH, 'EDQUOT', 'EEXIST', 'EMLINK'],
  newfstatat: [...PATH, 'EBADF', 'EOVERFLOW'],
  open: [...PATH, 'EDQUOT', 'EEXIST', 'EISDIR', 'ENODEV', 'ENXIO', 'ETXTBSY'],
  openat: [...PATH, 'EDQUOT', 'EEXIST', 'EISDIR', 'ENODEV', 'ENXIO', 'ETXTBSY'],
  poll: ['EINVAL'],
  ppoll: ['EINVAL'],
  pread64: ['EBADF', 'EISDIR', 'EINVAL'],
  read: ['EBADF', 'EISDIR', 'EINVAL'],
  rename: [...PATH, 'EDQUOT', 'EEXIST', 'EXDEV'],
  setgroups: ['EPERM', 'EINVAL'],
  setresgid: ['EPERM', 'EINVAL'],
  setresuid: ['EPERM', 'EINVAL'],
  wait4: ['ECHILD', 'EINVAL'],
  write: ['EBADF', 'EDQUOT', 'EFBIG', 'EINVAL', 'EPERM', 'EPIPE'],
};

/** What only the machine can be blamed for. */
const SHORTAGES: readonly (Errno | undefined)[] = [...ANY, 'EDQUOT', 'ENOLCK'];

/** Those that take output to a log or the console: what fails there is lost, because a command must not wait for it. */
const OUTPUT = [
  'write',
  'read',
  'ioctl',
  'openat',
  'open',
  'rename',
  'ftruncate',
  'fcntl',
  'dup3',
  'ppoll',
  'poll',
];

/** The last call of libc before ours. */
const START = 'mprotect';

/** Either all of it is recorded, or nothing is run and it is said why, or it is given up in order. */
function check(outcome: Outcome, calls: readonly string[], hasLog: boolean): void {
  const { fault, call = '', status, signal, report, stderr, states, runs, output } = outcome;
  const { who, number, how, error } = fault;
  const name = call.split(' ').at(-1) as string;
  const says = JSON.stringify(outcome);
  const isEarly = who === 'parent' && number <= calls.indexOf(`parent ${START}`) + 1;
  const isKill = KILLS.includes(how);
  if (!isEarly) expect(stderr.replaceAll('once\n', ''), says).toBe('');
  if (signal !== null) {
    // libc gives up by a signal if it cannot start.
    const expected = isKill
      ? ['SIGKILL']
      : how === 'hang' || !report.startsWith(LOCKED)
        ? ['SIGALRM', isEarly ? signal : undefined]
        : [];
    expect(expected, says).toContain(signal);
    if (!isKill)
      expect({ states: states.filter((state) => state !== 'FORKED'), runs }, says).toEqual({
        states: [],
        runs: 0,
      });
    expect(['FORKED', 'RUNNING', 'SUCCESS'].slice(0, states.length), says).toEqual(states);
    return;
  }
  // A status of libc's, from before anything of ours.
  if (isEarly && status === 127) return;
  const isChilds = who === 'child' && isKill;
  if (status === COORDINATOR_EXIT.ok) {
    expect(states.slice(0, 2), says).toEqual(['FORKED', 'RUNNING']);
    const isDisowned = isChilds || (who === 'child' && error !== undefined && !SHORTAGES.includes(error));
    if (!isDisowned) expect({ end: states[2], runs }, says).toEqual({ end: 'SUCCESS', runs: 1 });
    if (!OUTPUT.includes(name) && !isDisowned) expect(output, says).toBe(hasLog ? 'once\n' : '');
    return;
  }
  if (status === COORDINATOR_EXIT.unrecorded) {
    expect(['FORKED', 'RUNNING', 'SUCCESS'].slice(0, states.length), says).toEqual(states);
    expect(states.length, says).toBeLessThan(3);
    return;
  }
  expect(Object.values(COORDINATOR_EXIT), says).toContain(status);
  expect({ states: states.filter((state) => state !== 'FORKED'), runs }, says).toEqual({
    states: [],
    runs: 0,
  });
  if (SHORTAGES.includes(error) || how === 'hang') {
    expect(
      [COORDINATOR_EXIT.shortage, COORDINATOR_EXIT.locked, COORDINATOR_EXIT.cannotRecord],
      says,
    ).toContain(status);
  }
  // The runner ends for it.
  if (status === COORDINATOR_EXIT.cannotRecord) expect(name, says).toBe('fdatasync');
  const isRefused =
    status === COORDINATOR_EXIT.cannotRecord ||
    status === COORDINATOR_EXIT.shortage ||
    status === COORDINATOR_EXIT.cannotStart;
  if (isRefused && report.startsWith(LOCKED) && name !== 'write') {
    expect(report.split('\n').at(-1), says).not.toBe('');
  }
}

/** What cannot fail, or does not return. */
const INFALLIBLE = [
  'alarm',
  'exit_group',
  'getpid',
  'getresgid',
  'getresuid',
  'rt_sigreturn',
  'setitimer',
  'umask',
];

/** The faults of a call that has this number among those of `who`. */
function faultsOf(who: Who, number: number, call: string, canHang: boolean): Fault[] {
  if (INFALLIBLE.includes(call)) return [];
  // Its runner is not told that it is ready.
  const isEndless = canHang && who === 'parent' && call === 'write';
  const errors = [...ANY, ...(MORE[call] ?? [])];
  const all: Fault[] = errors.flatMap((error) => [
    { who, number, how: 'once', error, isEndless },
    { who, number, how: 'while', error, isEndless },
  ]);
  if (['read', 'write', 'pread64'].includes(call)) all.push({ who, number, how: 'short' });
  all.push({ who, number, how: 'before' }, { who, number, how: 'after' });
  if (call === 'write') all.push({ who, number, how: 'torn' });
  if (canHang) all.push({ who, number, how: 'hang', isEndless: true });
  return all;
}

/** The calls of a run without a fault: `WHO CALL`, in their order. */
async function callsOf(job: Partial<NativeJob>): Promise<string[]> {
  const { call = '' } = await run(job, { who: 'parent', number: 0, how: 'list' });
  return call.split('\n').map((line) => line.replace(/ \d+ /, ' '));
}

async function limited<T>(promise: Promise<T>, fault: Fault): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs: ${JSON.stringify(fault)}`)), LIMIT_MS);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** In several places at once, because most of them wait. */
async function inParallel<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const rest = [...all];
  const work = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await act(one);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

describe.each(SCENARIOS)('a coordinator in C for a process $name', ({ name, job, needsRoot }) => {
  const index = SCENARIOS.findIndex((one) => one.name === name);
  test(
    'ends in order whichever system call fails, does less, or is the last',
    async ({ skip }) => {
      if (variant === undefined || (needsRoot && !isRoot)) return skip();
      const calls = await callsOf(job);
      const all: Fault[] = [];
      const numbers = { parent: 0, child: 0 };
      // From the time that the start is bounded. What hangs once a command runs is waited for.
      let canHang = false;
      let before = '';
      for (const each of calls) {
        const [who, call] = each.split(' ') as [Who, string];
        const number = ++numbers[who];
        if (call === 'alarm' || call === 'setitimer') canHang = !canHang;
        // All signals are reset in a row.
        const isRepeated = call === 'rt_sigaction' && before === each;
        before = each;
        if (isRepeated) continue;
        const faults = faultsOf(who, number, call, canHang || who === 'child');
        // A sample has one of each third call.
        if (IS_FULL) all.push(...faults);
        else if (faults.length > 0 && (number + index) % 3 === 0)
          all.push(faults[(number * 7) % faults.length] as Fault);
      }
      expect(calls.filter((each) => each.startsWith('child')).length).toBeGreaterThan(5);
      const failures: string[] = [];
      await inParallel(all, async (fault) => {
        try {
          check(await limited(run(job, fault), fault), calls, job.logger?.destination !== 'none');
        } catch (error) {
          failures.push((error as Error).message);
        }
      });
      expect(failures).toEqual([]);
    },
    IS_FULL ? 3_600_000 : 60_000,
  );
});

describe('the start of a coordinator in C', () => {
  /** What became of it, and whether its lock is free. */
  async function attempt(program: string, send: (started: ReturnType<typeof startOn>, logs: string) => void) {
    const place = join(temp.path, `${places++}`);
    mkdirSync(place);
    const stream = join(place, 'stream');
    const started = startOn(program, stream);
    await started.locked;
    writeFileSync(stream, forkedOf(started.pid));
    send(started, join(place, 'logs/p/0'));
    const { status, signal, report } = await started.ended;
    const { fd } = openFile(stream, { access: 'create' });
    const isFree = tryLock(fd);
    closeSync(fd);
    return { status, signal, report, isFree, records: recordsOf(stream).length };
  }

  test('ends if its runner is stopped', async ({ skip }) => {
    if (variant === undefined) return skip();
    const { brief } = variant;
    const parts = [0, 9].map((bytes) =>
      attempt(brief, ({ control }, logs) => control.write(encodeNativeJob(jobIn(logs)).subarray(0, bytes))),
    );
    for (const end of await Promise.all(parts)) {
      expect(end).toMatchObject({ status: null, signal: 'SIGALRM', isFree: true, records: 1 });
    }
  });

  test('waits for a lasting shortage for a while, says so, and refuses', async ({ skip }) => {
    if (variant === undefined) return skip();
    const program = join(temp.path, 'limited');
    writeFileSync(program, `#!/bin/sh\nulimit -n 6\nexec '${variant.program}' "$@"\n`);
    chmodSync(program, 0o755);
    const end = await attempt(program, ({ control }, logs) =>
      control.end(Buffer.concat([encodeNativeJob(jobIn(logs, { logger: ROTATING })), Buffer.from('go\n')])),
    );
    const why = 'EMFILE: too many open files';
    expect(end).toEqual({
      status: COORDINATOR_EXIT.shortage,
      signal: null,
      report: expect.stringMatching(`^${LOCKED}waiting: ${why}\n${why}, (pipe|open .*)$`),
      isFree: true,
      records: 1,
    });
  });
});
