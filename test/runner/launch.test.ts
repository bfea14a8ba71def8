import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import { SystemError, UsageError } from '../../src/errors/errors.js';
import { COORDINATOR_EXIT } from '../../src/errors/exit-codes.js';
import { tryLock } from '../../src/host/flock.js';

import { READY } from '../../src/runner/coordinator/job.js';
import {
  type CoordinatorEnd,
  type Launch,
  launch,
  TransientError,
  UnusableError,
} from '../../src/runner/launch.js';
import { DEFAULT_LOGGER } from '../../src/runner/task-document.js';
import { openFile } from '../../src/store/open-file.js';
import { RefusedError } from '../../src/store/refused.js';
import { tempDir } from '../e2e/harness.js';
import { writerThat } from './faulty-writer.js';
import { COORDINATOR, HAS_NATIVE, recordsOf } from './harness.js';

let temp: ReturnType<typeof tempDir>;
let stream: string;
beforeEach(() => {
  temp = tempDir();
  stream = join(temp.path, 'coordinator.p');
});
afterEach(() => temp.remove());

/** Launches a program that stands in for the coordinator; resolves when it has ended. */
async function launched(code: string, rest: Partial<Launch> = {}) {
  const program = join(temp.path, 'program.cjs');
  writeFileSync(program, `const fs = require('fs');\nfs.writeSync(4, ${JSON.stringify(READY)});\n${code}`);
  let end: (ended: { pid: number } & CoordinatorEnd) => void;
  const ended = new Promise<Parameters<typeof end>[0]>((resolve) => {
    end = resolve;
  });
  const pid = await launch({
    stream,
    open: () => openFile(stream, { access: 'create' }),
    job: { process: 'p', cmdline: 'true', cwd: '/', env: {}, logs: temp.path, logger: DEFAULT_LOGGER },
    seq: 1,
    taskId: 'task',
    program: { kind: 'script', path: program },
    now: () => 1000.5,
    writer: (fd) => new CheckpointWriter(fd),
    forked: () => {},
    ended: (coordinator, how) => end({ pid: coordinator, ...how }),
    ...rest,
  });
  return { pid, ended };
}

/** A program that writes what it is told into a file. */
const writeTo = (out: string) => `fs.writeFileSync('${out}', fs.readFileSync(0));`;

describe('a coordinator', () => {
  test('is started once FORKED is on disk, and told its job', async () => {
    const out = join(temp.path, 'out');
    const { pid, ended } = await launched(writeTo(out));
    expect(recordsOf(stream)).toEqual([
      {
        type: 'process_status',
        value: { seq: 1, process: 'p', state: 'FORKED', fork_time: 1000.5, coordinator_pid: pid },
      },
    ]);
    expect(await ended).toEqual({ pid, refusal: undefined });
    const [job = '', ...go] = readFileSync(out, 'utf8').split('\n');
    expect(JSON.parse(job)).toMatchObject({ process: 'p', cmdline: 'true', head: 0 });
    expect(go).toEqual(['go', '']);
  });

  test('leads a session of its own, with nothing of our environment, and holds the lock of its stream', async () => {
    const out = join(temp.path, 'out');
    const code = `
      const env = Object.keys(process.env).filter((name) => !['PATH', 'LD_LIBRARY_PATH'].includes(name));
      const session = fs.readFileSync('/proc/self/stat', 'latin1').replace(/.*\\) /, '').split(' ')[3];
      const said = { env, leads: Number(session) === process.pid, args: process.argv.slice(2), cwd: process.cwd() };
      fs.writeFileSync('${out}', JSON.stringify(said));
      fs.readFileSync(0);
      setTimeout(() => {}, 300);`;
    const { ended } = await launched(code);
    const own = openFile(stream, { access: 'create' });
    expect(tryLock(own.fd)).toBe(false);
    await ended;
    expect(tryLock(own.fd)).toBe(true);
    own.close();
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({
      env: [],
      leads: true,
      args: ['task', 'p'],
      cwd: '/',
    });
  });

  test('says why it cannot start the process, by its exit status and on its descriptor', async () => {
    const { ended } = await launched(
      `fs.readFileSync(0); fs.writeSync(4, 'no such user'); process.exit(${COORDINATOR_EXIT.cannotStart});`,
    );
    expect((await ended).refusal).toBe('no such user');
  });

  test('says why it cannot record the start, which is a fault of the disk and not of the process', async () => {
    const { ended } = await launched(
      `fs.writeSync(4, 'i/o error'); process.exit(${COORDINATOR_EXIT.cannotRecord});`,
    );
    expect(await ended).toMatchObject({
      failure: new SystemError('checkpoint-write-failed', 'cannot write to the checkpoint: i/o error'),
    });
  });

  test('that ends otherwise refuses nothing, whatever it says', async () => {
    const { ended } = await launched(`fs.readFileSync(0); fs.writeSync(4, 'no such user'); process.exit(1);`);
    expect((await ended).refusal).toBeUndefined();
  });

  test('is ended at once if FORKED cannot be written', async () => {
    const out = join(temp.path, 'out');
    const writer = writerThat({
      before: () => {
        throw new SystemError('checkpoint-write-failed', 'full');
      },
    });
    await expect(launched(writeTo(out), { writer })).rejects.toThrow('full');
    expect(readFileSync(stream)).toHaveLength(0);
    expect(readdirSync(temp.path)).not.toContain('out');
  });

  test('begins after the last whole record: what a killed one left of another is taken away', async () => {
    await (await launched('fs.readFileSync(0);')).ended;
    const whole = readFileSync(stream);
    writeFileSync(stream, Buffer.concat([whole, Buffer.from([0, 0, 0, 50, 12])]));
    const out = join(temp.path, 'out');
    await (await launched(writeTo(out), { seq: 5 })).ended;
    expect(recordsOf(stream).map(({ value }) => 'seq' in value && value.seq)).toEqual([1, 5]);
    expect(JSON.parse(readFileSync(out, 'utf8').split('\n')[0] ?? '')).toMatchObject({ head: whole.length });
  });
});

/** What `launch` throws when the stream can't be opened for this reason. */
async function refusalOf(reason: Error): Promise<unknown> {
  try {
    await launched('', {
      open: () => {
        throw reason;
      },
    });
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a stream that cannot be opened', () => {
  const errno = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

  test.each(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])('for %s may be opened in a moment', async (code) => {
    expect(await refusalOf(errno(code))).toBeInstanceOf(TransientError);
  });

  test('because its name is too long is the fault of the process', async () => {
    const reason = errno('ENAMETOOLONG');
    expect(await refusalOf(reason)).toBe(reason);
  });

  test.each([
    ['checkpoint-write-failed', errno('EACCES')],
    ['checkpoint-write-failed', new RefusedError('ELINK', 'it is a link')],
    ['task-untrusted', new UsageError('task-untrusted', 'somebody else could have written it')],
  ])('otherwise ends the runner: %s', async (code, reason) => {
    const error = await refusalOf(reason);
    expect(error).toBeInstanceOf(SystemError);
    expect(error).toMatchObject({ code });
  });
});

describe.skipIf(!HAS_NATIVE)('a coordinator in C', () => {
  const program = { kind: 'native', path: COORDINATOR.native as string, groups: [] } as const;

  test('locks its stream by itself, and then FORKED is recorded and the command runs', async () => {
    const job = {
      process: 'p',
      cmdline: 'sleep 0.3',
      cwd: '/',
      env: { PATH: process.env.PATH ?? '' },
      logs: temp.path,
      logger: DEFAULT_LOGGER,
    };
    const { pid, ended } = await launched('', { program, job });
    const own = openFile(stream, { access: 'create' });
    expect(tryLock(own.fd)).toBe(false);
    expect(await ended).toEqual({ pid });
    const states = recordsOf(stream).map(({ value }) => 'state' in value && value.state);
    expect(states).toEqual(['FORKED', 'RUNNING', 'SUCCESS']);
    own.close();
  });

  test('of a stream that is locked may be started in a moment', async () => {
    const other = openFile(stream, { access: 'create' });
    tryLock(other.fd);
    await expect(launched('', { program })).rejects.toBeInstanceOf(TransientError);
    other.close();
    expect(readFileSync(stream)).toHaveLength(0);
  });

  test('is ended, and nothing is recorded, if its runner ends meanwhile', async () => {
    await expect(launched('', { program, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    expect(readFileSync(stream)).toHaveLength(0);
    const own = openFile(stream, { access: 'create' });
    while (!tryLock(own.fd)) await new Promise((resolve) => setTimeout(resolve, 5));
    own.close();
  });

  test.each([
    ["echo 'locked 2' >&4; exec sleep 1000", UnusableError, 'is of another version'],
    ['kill -9 $$', TransientError, 'the coordinator was killed'],
  ])('that does `%s` is not given its job', async (line, kind, message) => {
    const path = join(temp.path, 'program');
    writeFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    const launching = launched('', { program: { ...program, path } });
    await expect(launching).rejects.toThrow(message);
    await expect(launching).rejects.toBeInstanceOf(kind);
    expect(readFileSync(stream)).toHaveLength(0);
  });

  test('that ends before it has locked its stream is unusable', async () => {
    const path = join(temp.path, 'program');
    writeFileSync(path, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const launching = launched('', { program: { ...program, path } });
    await expect(launching).rejects.toThrow(`${path} ends at once: exit status 3`);
    await expect(launching).rejects.toBeInstanceOf(UnusableError);
    expect(readFileSync(stream)).toHaveLength(0);
  });
});

test('a stream that an earlier coordinator still holds can be had in a moment', async () => {
  const other = openFile(stream, { access: 'create' });
  expect(tryLock(other.fd)).toBe(true);
  await expect(launched('')).rejects.toBeInstanceOf(TransientError);
  other.close();
});

test('nothing stays open whatever comes of it', async () => {
  const open = () => readdirSync('/proc/self/fd').map((fd) => linkOf(fd));
  const other = openFile(stream, { access: 'create' });
  tryLock(other.fd);
  await expect(launched('')).rejects.toBeInstanceOf(TransientError);
  expect(open().filter((path) => path === stream)).toHaveLength(1);
  other.close();
  expect(open().filter((path) => path === stream)).toHaveLength(0);
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
