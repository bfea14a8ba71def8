import { type ChildProcess, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import { ThriftWriter, TYPE } from '../../src/checkpoint/thrift.js';
import { streamOf } from '../checkpoint/arbitraries.js';
import {
  isRejection,
  loadCase,
  loadCases,
  type PlainState,
  plain,
  withFailedFields,
} from '../checkpoint/corpus.js';
import { violations } from '../contracts/validate.js';
import { cleanEnv, FIXTURES, PROGRAM, shell, startThermos, tempDir, thermos } from './harness.js';

const CHECKPOINTS = join(FIXTURES, 'checkpoints');
const SOUND = join(CHECKPOINTS, 'fail-retries-3/root/checkpoints/retry-3/runner');

let dir: string;
let remove: () => void;

beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

function lines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('read FILE --json', () => {
  for (const from of loadCases()) {
    for (const [path, verdict] of Object.entries(from.expected)) {
      it(`${from.name} ${basename(dirname(path))}`, () => {
        const file = join(from.dir, path);
        const { stdout, stderr, status } = thermos(['read', file, '--json']);
        const document = JSON.parse(stdout);
        const { header, statuses, processes, records, bytes, problems, ...rest } = document;
        const raw = from.records[path] ?? [];
        const applied = isRejection(verdict) ? verdict.records_before_error : raw.length;
        const state = isRejection(verdict) ? (from.partial[path]?.state_before_error as PlainState) : verdict;
        expect(rest).toEqual({});
        expect(plain({ header, statuses, processes })).toEqual(
          withFailedFields(state, raw.slice(0, applied)),
        );
        expect(records).toBe(applied);
        expect(violations('read', document)).toEqual([]);
        if (!isRejection(verdict)) {
          expect({ problems, stderr, status }).toEqual({ problems: [], stderr: '', status: 0 });
          expect(bytes).toBe(readFileSync(file).length);
          return;
        }
        const offset = raw[applied]?.offset;
        const { code, severity } = problems[0];
        expect(problems).toEqual([expect.objectContaining({ path: file, offset })]);
        expect(bytes).toBe(offset);
        expect([code, severity, status]).toEqual(
          code === 'checkpoint-incomplete' ? [code, 'warning', 0] : ['checkpoint-damaged', 'error', 5],
        );
        expect(stderr).toContain(`${severity}: the checkpoint ${file}`);
        expect(stderr).toContain(`at byte ${offset}: `);
      });
    }
  }
});

describe('read FILE', () => {
  it('shows the header, the states, the runs', () => {
    const { stdout, stderr, status } = thermos(['read', SOUND]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toMatch(/^ +task_id +retry-3$/m);
    expect(stdout).toMatch(/^ +2026-11-21T18:37:51\.832Z +ACTIVE +18032 +0$/m);
    expect(stdout).toMatch(/^ +flaky +2 +FAILED +18155 +3 +2026-11-21T18:37:54\.102Z /m);
    expect(stdout).toMatch(/^17 records, 974 bytes$/m);
  });

  it('takes the directory of a task', () => {
    expect(thermos(['read', dirname(SOUND)]).stdout).toBe(thermos(['read', SOUND]).stdout);
  });

  it.each([
    'damaged-control-chars',
    'odd-names',
    'unicode',
    'damaged-process-name-path',
    'damaged-process-name-proto',
  ])('prints no control characters: %s', (name) => {
    const [path = ''] = Object.keys(loadCase(name).expected);
    for (const flags of [[], ['--records']]) {
      const { stdout, status } = thermos(['read', join(CHECKPOINTS, name, path), ...flags]);
      expect(status).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(stdout.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)).toBeNull();
    }
  });

  it("shows the runs in a coordinator's stream", () => {
    const file = join(dirname(SOUND), 'coordinator.flaky');
    const { stdout, stderr, status } = thermos(['read', file, '--json']);
    const whole = JSON.parse(thermos(['read', SOUND, '--json']).stdout);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      header: null,
      statuses: [],
      processes: whole.processes,
      records: 9,
      problems: [],
    });
  });

  it('of a file with an odd name', () => {
    const file = join(dir, "-- a\u001b[31m %s 'x'\n");
    copyFileSync(SOUND, file);
    expect(thermos(['read', file]).stdout).toBe(thermos(['read', SOUND]).stdout);
    truncateSync(file, 970);
    const { stderr, status } = thermos(['read', file]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning: .*ends inside a record at byte 933/);
    expect(stderr).not.toContain('\u001b');
  });
});

describe('read FILE --records', () => {
  const names = [
    'fail-retries-3',
    'ports',
    'damaged-port-name-proto',
    'damaged-times-nan-inf',
    'damaged-numbers-extreme',
  ];

  it.each([...names, 'damaged-seq-beyond-2-53', 'damaged-unknown-fields'])(
    '--json gives each record: %s',
    (name) => {
      const from = loadCase(name);
      for (const [path, expected] of Object.entries(from.records)) {
        const { stdout, stderr, status } = thermos(['read', '--records', '--json', join(from.dir, path)]);
        expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
        expect(plain(lines(stdout))).toEqual(
          expected.map(({ offset, length, union, fields }) =>
            plain({ offset, length, type: union, value: fields }),
          ),
        );
        for (const line of lines(stdout)) expect(violations('record', line)).toEqual([]);
      }
    },
  );

  it.each([
    'damaged-garbage-tail-text',
    'damaged-zero-frame-middle',
    'damaged-future-union-only',
    'damaged-type-invalid-07',
  ])('--json ends with the damage: %s', (name) => {
    const from = loadCase(name);
    const [path = ''] = Object.keys(from.expected);
    const raw = from.records[path] ?? [];
    const good = raw.findIndex(({ union }) => typeof union !== 'string');
    const { stdout, status } = thermos(['read', '--records', '--json', join(from.dir, path)]);
    const found = lines(stdout);
    expect(status).toBe(5);
    expect(found).toHaveLength(good + 1);
    expect(found.at(-1)).toEqual({
      problem: expect.objectContaining({ code: 'checkpoint-damaged', offset: raw[good]?.offset }),
    });
    expect(violations('record', found.at(-1))).toEqual([]);
  });

  it('reads what the replay refuses, to the end', () => {
    const file = join(CHECKPOINTS, 'damaged-seq-gap/root/checkpoints/retry-3/runner');
    const { stdout, stderr, status } = thermos(['read', '--records', file]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout.trimEnd().split('\n')).toHaveLength(16);
  });

  it('is --simple for the hands of those who used the original', () => {
    expect(thermos(['read', '--simple', SOUND]).stdout).toBe(thermos(['read', '--records', SOUND]).stdout);
  });

  it('ends quietly when nobody reads on', () => {
    const file = join(dir, 'runner');
    writeFileSync(
      file,
      streamOf(Array.from({ length: 50_000 }, (_, k) => ({ type: 'task_status', value: { runner_pid: k } }))),
    );
    for (const flags of ['--records', '--records --json', '', '--json']) {
      const { stdout, stderr } = shell(
        `thermos read ${flags} '${file}' | head -c 10; echo; echo "\${PIPESTATUS[0]}"`,
      );
      expect({ status: stdout.split('\n').at(-2), stderr }).toEqual({ status: '0', stderr: '' });
    }
  });

  it('says that the disk is full', () => {
    const { stderr, stdout } = shell(`thermos read --records '${SOUND}' >/dev/full; echo $?`);
    expect(stderr).toMatch(/^error: cannot write to stdout: no space left on device/);
    expect(stdout).not.toBe('0\n');
  });
});

describe('what is no checkpoint', () => {
  /** A read that must end by itself, and soon. */
  function read(file: string, ...flags: string[]) {
    const result = spawnSync(process.execPath, [PROGRAM, 'read', file, ...flags], {
      env: cleanEnv(),
      encoding: 'utf8',
      timeout: 120_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(result.error).toBeUndefined();
    return result;
  }

  const modes = ['', '--json', '--records', '--records --json', '--follow'];

  it.each(modes)('a missing file %s', (words) => {
    const flags = words.split(' ').filter(Boolean);
    const file = join(dir, 'nowhere');
    const { stdout, stderr, status } = read(file, ...flags);
    expect(status).toBe(1);
    if (flags.includes('--json')) {
      expect(JSON.parse(stdout)).toEqual({
        error: {
          code: 'checkpoint-missing',
          message: expect.stringContaining(file),
          hint: expect.any(String),
        },
      });
      expect(violations('error', JSON.parse(stdout))).toEqual([]);
    } else {
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^error: there is no checkpoint .*nowhere\nhint: /);
    }
  });

  it.each(modes)('a FIFO that nobody writes to %s', (words) => {
    const file = join(dir, 'runner');
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    const { status, stdout, stderr } = read(file, ...words.split(' ').filter(Boolean));
    expect(status).toBe(5);
    expect(stdout + stderr).toContain('is not a regular file');
  });

  it('an endless device', () => {
    const { status, stderr } = read('/dev/zero');
    expect({ status, stderr }).toEqual({
      status: 5,
      stderr: 'error: /dev/zero is not a regular file: it cannot be a checkpoint\n',
    });
  });

  it('an empty directory, a loop of links, a path through a file', () => {
    expect(read(dir).status).toBe(1);
    symlinkSync('loop', join(dir, 'loop'));
    const loop = read(join(dir, 'loop'));
    expect(loop.status).toBe(5);
    expect(loop.stderr).toMatch(/^error: cannot read .*loop: /);
    expect(read(join(SOUND, 'runner')).status).toBe(1);
  });

  it('a file that may not be read', () => {
    const file = join(dir, 'runner');
    copyFileSync(SOUND, file);
    chmodSync(file, 0o000);
    const root = process.getuid?.() === 0;
    const { status, stderr } = thermos(['read', file], root ? { uid: 65_534 } : {});
    expect(status).toBe(5);
    expect(stderr).toMatch(/^error: cannot read .*runner: .*\nhint: run it again with sudo\n$/);
  });

  it('an empty file: a checkpoint without records', () => {
    const file = join(dir, 'runner');
    writeFileSync(file, '');
    const { stdout, stderr, status } = read(file, '--json');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toEqual({
      header: null,
      statuses: [],
      processes: {},
      records: 0,
      bytes: 0,
      problems: [],
    });
    expect(read(file).status).toBe(0);
    expect(read(file, '--records').stdout).toBe('');
  });

  it('a text', () => {
    const { status, stderr } = read(join(FIXTURES, 'README.md'));
    expect(status).toBe(5);
    expect(stderr).toContain('is damaged at byte 0: a record of at most 67108864 bytes was expected');
  });

  it.each([[['read']], [['read', 'a', 'b']], [['read', SOUND, '--bogus']]])(
    'a wrong command line %j',
    (argv) => {
      const { status, stdout, stderr } = thermos(argv);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^error: .*\n.*thermos read/);
    },
  );
});

describe('a length that no record can have', () => {
  const huge = 2 ** 31 - 1;
  const prefix = (length: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    return bytes;
  };
  const status = encodeRecord({ type: 'task_status', value: { state: 'ACTIVE' } });
  const inside = (member: number, write: (out: ThriftWriter) => ThriftWriter) =>
    encodeFrame(write(new ThriftWriter().field(TYPE.STRUCT, member)).stop().stop().finish());
  const hostile: [string, Buffer][] = [
    ['of a frame, as long as may be', Buffer.concat([prefix(64 << 20), status])],
    ['of a frame, too long', Buffer.concat([prefix(0xffffffff), status])],
    ['of a name', inside(2, (out) => out.field(TYPE.STRING, 3).i32(huge))],
    ['of a string nobody knows', inside(2, (out) => out.field(TYPE.STRING, 99).i32(huge))],
    ['of the ports', inside(1, (out) => out.field(TYPE.MAP, 6).byte(TYPE.STRING).byte(TYPE.I64).i32(huge))],
    ['of a list', inside(3, (out) => out.field(TYPE.LIST, 99).byte(TYPE.BYTE).i32(huge))],
  ];

  /** The most memory that a read took, in bytes. */
  function peak(file: string, ...flags: string[]): number {
    const report = join(dir, 'peak');
    const hook = join(dir, 'peak.cjs');
    // Not by resourceUsage, which begins with the memory of the process that started it.
    writeFileSync(
      hook,
      `const { readFileSync, writeFileSync } = require('node:fs');
      process.on('exit', () => {
        const [, kilobytes] = /^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
        writeFileSync(${JSON.stringify(report)}, String(kilobytes * 1024));
      });`,
    );
    const result = spawnSync(process.execPath, ['--require', hook, PROGRAM, 'read', file, ...flags], {
      env: cleanEnv(),
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect(result.error).toBeUndefined();
    return Number(readFileSync(report, 'utf8'));
  }

  it.each(hostile)('%s costs no memory', (_, bytes) => {
    const small = join(dir, 'small');
    const file = join(dir, 'runner');
    writeFileSync(small, encodeFrame(status));
    writeFileSync(file, Buffer.concat([encodeFrame(status), bytes]));
    const before = peak(small, '--json');
    for (const flags of [['--json'], ['--records', '--json']]) {
      expect(peak(file, ...flags) - before).toBeLessThan(24 << 20);
    }
    const document = JSON.parse(thermos(['read', file, '--json']).stdout);
    expect(document).toMatchObject({ records: 1, bytes: encodeFrame(status).length });
    expect(document.problems).toMatchObject([{ offset: encodeFrame(status).length }]);
  });

  it('in a file of holes, 100 GB long, ends at once', () => {
    const file = join(dir, 'runner');
    writeFileSync(file, '');
    truncateSync(file, 100e9);
    expect(peak(file, '--json')).toBeLessThan(200 << 20);
    expect(JSON.parse(thermos(['read', file, '--json']).stdout).problems).toMatchObject([{ offset: 0 }]);
  });
});

describe('read --follow', () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  const active = streamOf([{ type: 'task_status', value: { state: 'ACTIVE', runner_pid: 1 } }]);
  const waiting = streamOf([{ type: 'process_status', value: { seq: 0, process: 'web', state: 'WAITING' } }]);
  const success = streamOf([{ type: 'task_status', value: { state: 'SUCCESS', runner_pid: 1 } }]);

  /** A read that follows `file`: what it printed so far, and how it ends. */
  function follow(file: string, ...flags: string[]) {
    const started = startThermos(['read', '--follow', file, ...flags]);
    child = started;
    let stdout = '';
    let stderr = '';
    let wake = () => {};
    started.stdout?.on('data', (chunk) => {
      stdout += chunk;
      wake();
    });
    started.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const end = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
      started.once('close', (status) => resolve({ status, stdout, stderr }));
    });
    return {
      process: started,
      end,
      /** Resolves when so many lines are there. */
      async printed(count: number): Promise<string[]> {
        while (stdout.split('\n').length - 1 < count) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        return stdout.split('\n').slice(0, -1);
      },
    };
  }

  const other = streamOf([
    { type: 'task_status', value: { state: 'CLEANING', runner_pid: 2 } },
    { type: 'process_status', value: { seq: 0, process: 'other', state: 'WAITING' } },
    { type: 'task_status', value: { state: 'KILLED', runner_pid: 2 } },
  ]);
  const exchanges: [string, (file: string) => void, RegExp][] = [
    [
      'mv of another over it',
      (file) => {
        writeFileSync(`${file}.new`, other);
        renameSync(`${file}.new`, file);
      },
      /another file replaced it/,
    ],
    ['cp of another over it', (file) => writeFileSync(file, other), /it was rewritten|it became shorter/],
  ];

  it.each(exchanges)('starts again and says so after a %s', async (_, exchange, how) => {
    const file = join(dir, 'runner');
    writeFileSync(file, active);
    const following = follow(file);
    await following.printed(1);
    exchange(file);
    const { status, stdout, stderr } = await following.end;
    expect(status).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(' ').slice(2).join(' '))).toEqual([
      'task_status state=ACTIVE runner_pid=1',
      'task_status state=CLEANING runner_pid=2',
      'process_status seq=0 process=other state=WAITING',
      'task_status state=KILLED runner_pid=2',
      '',
    ]);
    expect(stderr).toMatch(/^warning: the checkpoint .*runner is read again from the start: .*\n$/);
    expect(stderr).toMatch(how);
  });

  it.each(exchanges)('has a line for it among its objects after a %s', async (_, exchange, how) => {
    const file = join(dir, 'runner');
    writeFileSync(file, active);
    const following = follow(file, '--json');
    await following.printed(1);
    exchange(file);
    const { status, stdout, stderr } = await following.end;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = lines(stdout) as { type?: string; offset?: number; problem?: { message: string } }[];
    for (const line of found) expect(violations('record', line)).toEqual([]);
    expect(found.map(({ type, offset }) => type && offset)).toEqual([
      0,
      undefined,
      0,
      active.length,
      other.length - active.length,
    ]);
    expect(found[1]).toEqual({
      problem: expect.objectContaining({ code: 'checkpoint-replaced', severity: 'warning', path: file }),
    });
    expect(found[1]?.problem?.message).toMatch(how);
  });

  it('prints what is appended, and ends with the task', async () => {
    const file = join(dir, 'runner');
    writeFileSync(file, active);
    const following = follow(file);
    expect(await following.printed(1)).toEqual([
      `0 ${active.length - 4} task_status state=ACTIVE runner_pid=1`,
    ]);
    appendFileSync(file, waiting);
    expect((await following.printed(2))[1]).toBe(
      `${active.length} ${waiting.length - 4} process_status seq=0 process=web state=WAITING`,
    );
    appendFileSync(file, success);
    const { status, stdout, stderr } = await following.end;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n')).toHaveLength(4);
  });

  it('waits for the rest of a record', async () => {
    const file = join(dir, 'runner');
    writeFileSync(file, Buffer.concat([active, waiting.subarray(0, 3)]));
    const following = follow(file, '--json');
    await following.printed(1);
    appendFileSync(file, waiting.subarray(3, 20));
    appendFileSync(file, waiting.subarray(20));
    const [, second = ''] = await following.printed(2);
    expect(JSON.parse(second)).toMatchObject({ offset: active.length, type: 'process_status' });
    appendFileSync(file, success);
    expect((await following.end).status).toBe(0);
  });

  it('ends at a damage', async () => {
    const file = join(dir, 'runner');
    writeFileSync(file, active);
    const following = follow(file, '--json');
    await following.printed(1);
    appendFileSync(file, Buffer.alloc(4));
    const { status, stdout } = await following.end;
    expect(status).toBe(5);
    expect(lines(stdout).at(-1)).toMatchObject({
      problem: { code: 'checkpoint-damaged', offset: active.length },
    });
  });

  it('of a finished task ends by itself', async () => {
    const { status, stdout } = await follow(SOUND).end;
    expect(status).toBe(0);
    expect(stdout).toBe(thermos(['read', '--records', SOUND]).stdout);
  });

  it('ends with Ctrl-C', async () => {
    const file = join(dir, 'runner');
    writeFileSync(file, active);
    const following = follow(file);
    await following.printed(1);
    following.process.kill('SIGINT');
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      following.process.once('exit', (status, by) => resolve([status, by]));
    });
    expect(signal ?? code).toBe(signal === null ? 130 : 'SIGINT');
  });
});
