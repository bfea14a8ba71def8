import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { COORDINATOR_EXIT } from '../../src/errors/exit-codes.js';
import { tryLock } from '../../src/host/flock.js';
import { encodeNativeJob, LOCKED, type NativeJob } from '../../src/runner/native-job.js';
import { openFile } from '../../src/store/open-file.js';
import { tempDir } from '../e2e/harness.js';
import { recordsOf } from '../runner/harness.js';
import { type Ended, forkedOf, jobIn, startOn } from './driver.js';
import { sanitizedCoordinator } from './variants.js';

/** The coordinator with checks of memory and arithmetic; undefined if there is no compiler that can build it. */
let program: string | undefined;
let builds: ReturnType<typeof tempDir>;
beforeAll(() => {
  builds = tempDir();
  program = sanitizedCoordinator(builds.path);
});
afterAll(() => builds.remove());

let temp: ReturnType<typeof tempDir>;
let stream: string;
let logs: string;
beforeEach(({ skip }) => {
  temp = tempDir();
  stream = join(temp.path, 'coordinator.p');
  logs = join(temp.path, 'logs/p/0');
  if (program === undefined) skip('there is no compiler that can build it');
});
afterEach(() => temp.remove());

/** Starts it on the stream. */
const start = () => startOn(program as string, stream);

/** Runs a job for which FORKED is on disk, to its end. */
async function run(job: Partial<NativeJob> = {}, forked: object = {}, go = 'go\n'): Promise<Ended> {
  const { pid, control, locked, ended } = start();
  await locked;
  const head = existsSync(stream) ? readFileSync(stream).length : 0;
  appendFileSync(stream, forkedOf(pid, forked));
  control.end(Buffer.concat([encodeNativeJob(jobIn(logs, { head, ...job })), Buffer.from(go)]));
  return await ended;
}

const DONE: Ended = { status: COORDINATOR_EXIT.ok, signal: null, report: LOCKED, stderr: '' };
const states = () => recordsOf(stream).map(({ value }) => ('state' in value ? value.state : undefined));

describe('a coordinator in C', () => {
  test('runs a command and records it', async () => {
    const before = Date.now() / 1000;
    expect(await run({ cmdline: 'echo $FROM; pwd; exit 3', cwd: temp.path, env: { FROM: 'us' } })).toEqual(
      DONE,
    );
    const [, running, end] = recordsOf(stream).map(({ value }) => value as Record<string, number>);
    expect(running).toEqual({
      seq: 2,
      process: 'p',
      state: 'RUNNING',
      pid: expect.any(Number),
      start_time: expect.any(Number),
    });
    expect(end).toEqual({
      seq: 3,
      process: 'p',
      state: 'FAILED',
      return_code: 3,
      stop_time: expect.any(Number),
    });
    const after = Date.now() / 1000;
    const times = [before, running?.start_time, end?.stop_time, after];
    expect(times).toEqual([...times].sort());
    expect(readFileSync(join(logs, 'stdout'), 'utf8')).toBe(`us\n${temp.path}\n`);
  });

  test.each([
    ['exit 255', 'FAILED', 255],
    ['kill -9 $$', 'KILLED', -9],
    ['kill -SEGV $$', 'KILLED', -11],
  ])('records how `%s` ends', async (cmdline, state, return_code) => {
    expect(await run({ cmdline })).toEqual(DONE);
    expect(recordsOf(stream).at(-1)?.value).toMatchObject({ state, return_code });
  });

  test('runs it though the runner has gone, if FORKED was recorded', async () => {
    expect(await run({}, {}, '')).toEqual(DONE);
    expect(states()).toEqual(['FORKED', 'RUNNING', 'SUCCESS']);
  });

  test.each<[string, object]>([
    ['another coordinator', { coordinator_pid: 1 }],
    ['another process', { process: 'q' }],
    ['another state', { state: 'RUNNING' }],
    ['no number that two could follow', { seq: 2n ** 63n - 2n }],
  ])('does nothing if the record at its place is of %s', async (_, forked) => {
    expect(await run({}, forked)).toEqual(DONE);
    expect(recordsOf(stream)).toHaveLength(1);
    expect(existsSync(logs)).toBe(false);
  });

  test('does nothing if its runner ends before it has sent the job', async () => {
    const job = encodeNativeJob(jobIn(logs));
    for (const length of [0, 3, 4, 5, job.length - 1]) {
      const { pid, control, locked, ended } = start();
      await locked;
      writeFileSync(stream, forkedOf(pid));
      control.end(job.subarray(0, length));
      expect(await ended).toEqual(DONE);
    }
    expect(existsSync(logs)).toBe(false);
  });

  test('leaves a stream alone that another one has locked', async () => {
    const other = openFile(stream, { access: 'create' });
    expect(tryLock(other.fd)).toBe(true);
    expect(await start().ended).toMatchObject({ status: COORDINATOR_EXIT.locked, report: '' });
    closeSync(other.fd);
  });

  test('does nothing if it is started by hand', () => {
    expect(spawnSync(program as string, [], { stdio: 'ignore' }).status).toBe(64);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)(
    'survives %s and records the end',
    async (signal) => {
      const { pid, control, locked, ended } = start();
      await locked;
      writeFileSync(stream, forkedOf(pid));
      const cmdline = `kill -${signal.slice(3)} $PPID; sleep 0.05; exit 7`;
      control.end(Buffer.concat([encodeNativeJob(jobIn(logs, { cmdline })), Buffer.from('go\n')]));
      expect(await ended).toEqual(DONE);
      expect(recordsOf(stream).at(-1)?.value).toMatchObject({ state: 'FAILED', return_code: 7 });
    },
  );

  test('leaves no signal ignored or blocked, and no descriptor open, for its command', async () => {
    const cmdline = 'grep -E "^Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd | tr "\\n" " "';
    await run({ cmdline });
    const zero = '0000000000000000';
    const [blocked, ignored, fds] = readFileSync(join(logs, 'stdout'), 'utf8').split('\n');
    expect([blocked, ignored]).toEqual([`SigBlk:\t${zero}`, `SigIgn:\t${zero}`]);
    expect(fds).toBe('0 1 2 3 ');
  });

  test('gives the command its limit of open files and its umask', async () => {
    await run({
      cmdline: 'ulimit -Sn; umask; cat /proc/self/limits | grep open',
      openFiles: 99,
      umask: 0o27,
    });
    expect(readFileSync(join(logs, 'stdout'), 'utf8')).toMatch(/^99\n0027\nMax open files +99 +\d+/);
  });

  test('rotates a log at its size, and keeps so many of them', async () => {
    const logger = { destination: 'file', mode: 'rotate', log_size: 1000, backups: 3 } as const;
    await run({ cmdline: 'for i in {1..1000}; do printf "%09d\\n" $i; done', logger });
    const lines = (name: string) =>
      readFileSync(join(logs, name), 'utf8').split('\n').filter(Boolean).map(Number);
    expect(lines('stdout')).toEqual([]);
    expect(lines('stdout.1')[0]).toBe(901);
    expect(lines('stdout.3')[0]).toBe(701);
    expect(existsSync(join(logs, 'stdout.4'))).toBe(false);
  });

  test('empties a log without backups at its size', async () => {
    const logger = { destination: 'file', mode: 'rotate', log_size: 1000, backups: 0 } as const;
    await run({ cmdline: 'for i in {1..105}; do printf "%09d\\n" $i; done', logger });
    expect(readFileSync(join(logs, 'stdout'), 'utf8').split('\n')).toEqual([
      '000000101',
      '000000102',
      '000000103',
      '000000104',
      '000000105',
      '',
    ]);
  });

  test('refuses a named pipe that nobody reads in place of a log', async () => {
    mkdirSync(logs, { recursive: true });
    expect(spawnSync('mkfifo', [join(logs, 'stderr')]).status).toBe(0);
    for (const mode of ['standard', 'rotate'] as const) {
      rmSync(stream, { force: true });
      const { status, report } = await run({
        logger: { destination: 'file', mode, log_size: 1000, backups: 3 },
      });
      expect(status).toBe(COORDINATOR_EXIT.cannotStart);
      expect(report).toBe(`${LOCKED}ENXIO: no such device or address, open '${join(logs, 'stderr')}'`);
    }
    expect(states()).toEqual(['FORKED']);
  });

  test('takes what a command leaves in its pipes, and not what others go on to write', async () => {
    const logger = { destination: 'file', mode: 'rotate', log_size: 1e6, backups: 1 } as const;
    const cmdline = '(trap "" PIPE; while sleep 0.01; do echo more; done) & echo first; exit 0';
    const { pid, control, locked, ended } = start();
    await locked;
    writeFileSync(stream, forkedOf(pid));
    control.end(Buffer.concat([encodeNativeJob(jobIn(logs, { cmdline, logger })), Buffer.from('go\n')]));
    while (states().at(-1) !== 'SUCCESS') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(readFileSync(join(logs, 'stdout'), 'utf8')).toMatch(/^first\n/);
    process.kill(-pid, 'SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
  });
});

/** Whatever it is told, it ends in one of its ways, and without a fault of memory or arithmetic. */
function expectOrder({ status, signal, report, stderr }: Ended): void {
  expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
  expect([COORDINATOR_EXIT.ok, COORDINATOR_EXIT.cannotStart]).toContain(status);
  expect(report.startsWith(LOCKED)).toBe(true);
  expect(report.length > LOCKED.length).toBe(status === COORDINATOR_EXIT.cannotStart);
}

const CHANGES = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });

/** The bytes, some of them changed, and cut off or followed by others. */
const mutated = (bytes: Buffer) =>
  fc
    .tuple(CHANGES, fc.integer({ min: -60, max: 10 }), fc.uint8Array({ maxLength: 10 }))
    .map(([changes, at, more]) => {
      const copy = Buffer.from(bytes);
      for (const [where, byte] of changes) copy[where % copy.length] = byte;
      return Buffer.concat([
        copy.subarray(0, at < 0 ? at : undefined),
        at > 0 ? Buffer.from(more) : Buffer.alloc(0),
      ]);
    });

/** More hostile input with `npm run test:faults`. */
const TIMES = process.env.THERMOS_TEST_FAULTS === undefined ? 1 : 40;

describe('hostile input', { timeout: 600_000 * TIMES }, () => {
  /** Nothing is run, because no FORKED is on disk. */
  const sent = async (bytes: Uint8Array) => {
    const { control, ended } = start();
    control.end(bytes);
    expectOrder(await ended);
    expect(existsSync(logs)).toBe(false);
  };

  test('in a job is refused in order', async () => {
    const job = encodeNativeJob(
      jobIn(logs, {
        account: { name: 'nobody', uid: 65534, gid: 65534, home: '/' },
        groups: [65534, 7],
        chroot: '/nowhere',
        umask: 0o22,
        openFiles: 100,
        env: { PATH: '/bin', HOME: '/' },
      }),
    );
    await fc.assert(fc.asyncProperty(mutated(job), sent), { numRuns: 80 * TIMES });
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), sent), { numRuns: 20 * TIMES });
  });

  test.each([
    ['more than any job', Buffer.from([0xff, 0xff, 0xff, 0xff, 0])],
    ['nothing', Buffer.from([0, 0, 0, 0])],
    ['only ends of strings', Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.alloc(256)])],
    ['one string without an end', Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.alloc(256, '1')])],
  ])('in a job that announces %s is refused', async (_, bytes) => {
    await sent(bytes);
  });

  test('in a stream is not taken for FORKED, or is FORKED', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(mutated(forkedOf(0))),
        fc.oneof(fc.nat({ max: 200 }), fc.maxSafeNat()),
        fc.boolean(),
        async (frames, head, isAtStart) => {
          const { pid, control, locked, ended } = start();
          await locked;
          // The pid is known only now, and is not among what is changed.
          const frame = Buffer.from((frames.next().value as Buffer) ?? Buffer.alloc(0));
          const right = forkedOf(pid);
          const at = right.indexOf(Buffer.from([0, 10])) + 2;
          if (frame.length > at + 4) right.copy(frame, at, at, at + 4);
          writeFileSync(stream, frame);
          const job = encodeNativeJob(jobIn(logs, { head: isAtStart ? 0 : head }));
          control.end(Buffer.concat([job, Buffer.from('go\n')]));
          const done = await ended;
          expectOrder(done);
          writeFileSync(stream, '');
        },
      ),
      { numRuns: 60 * TIMES },
    );
  });

  test('in numbers and names of a job that runs is bounded', async () => {
    const number = fc.oneof(fc.nat(), fc.integer(), fc.maxSafeInteger(), fc.double());
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          umask: fc.integer({ min: 0, max: 0o777 }),
          openFiles: fc.integer({ min: 10, max: Number.MAX_SAFE_INTEGER }),
          env: fc.dictionary(
            fc.string({ minLength: 1 }).map((name) => name.replaceAll(/[=\0]/g, 'x')),
            fc.string().map((text) => text.replaceAll('\0', '')),
          ),
          logger: fc.record({
            destination: fc.constantFrom('file', 'console', 'both', 'none'),
            mode: fc.constantFrom('standard', 'rotate'),
            log_size: number,
            backups: number,
          }),
        }),
        async (rest) => {
          expectOrder(await run({ ...rest, cmdline: 'echo something' }));
          expect(recordsOf(stream).at(-1)?.value).toMatchObject({ state: 'SUCCESS' });
        },
      ),
      { numRuns: 30 * TIMES },
    );
  });
});
