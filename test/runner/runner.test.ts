import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { SystemError } from '../../src/errors/errors.js';
import { tryLock } from '../../src/host/flock.js';
import { processTable } from '../../src/host/process-table.js';
import { parseReasons } from '../../src/layout/reasons.js';
import { signalTask } from '../../src/lifecycle/end-orphan.js';
import { LOCAL_PROCESSES } from '../../src/lifecycle/local-processes.js';
import type { NewTask, RunSettings } from '../../src/runner/api.js';
import { openTask, takeOver } from '../../src/runner/runner.js';
import type { RunnableTask } from '../../src/runner/task-document.js';
import { REPOSITORY, tempDir } from '../e2e/harness.js';
import { seesAllLocks } from '../e2e/tasks.js';
import { writerThat } from './faulty-writer.js';
import { COORDINATOR, recordsOf, SETTINGS, storyOf, taskOf } from './harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(async () => {
  temp = tempDir();
  await build({
    entryPoints: [join(REPOSITORY, 'test/runner/interrupted-runner.ts')],
    outdir: temp.path,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
});
afterAll(() => temp.remove());

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

function newTask(name: string, task: RunnableTask): NewTask {
  const place = join(temp.path, name);
  return { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), task };
}

const streamOf = ({ root }: NewTask) => join(root, 'checkpoints/task/runner');
const logOf = ({ sandbox }: NewTask, path: string) => readFileSync(join(sandbox, '.logs', path), 'utf8');

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Resolves when the condition holds; the test's own time is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The pids that a command of the test left in files of the sandbox. */
function pidsIn({ sandbox }: NewTask): number[] {
  return readdirSync(sandbox)
    .filter((name) => name.startsWith('pid.'))
    .map((name) => Number(readFileSync(join(sandbox, name), 'utf8')));
}

const isAlive = (pid: number) => processTable().some((row) => row.pid === pid);

describe('what processes leave behind', () => {
  const DAEMON =
    "setsid bash -c '(echo $BASHPID > pid.daemon; exec sleep 1000) & ' > /dev/null 2>&1 < /dev/null";
  const done = (count: number) => `while [ $(ls pid.* | wc -l) -lt ${count} ]; do sleep 0.02; done`;

  test('is ended with the task: children, children of children, daemons', async () => {
    const cmdline = `(echo $BASHPID > pid.child; exec sleep 1000) & ${DAEMON}; ${done(2)}`;
    const spec = newTask('left', taskOf([{ name: 'parent', cmdline }]));
    const { state, problems } = await openTask(spec, SETTINGS).run();
    expect({ state, problems }).toEqual({ state: 'SUCCESS', problems: [] });
    const pids = pidsIn(spec);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('of another task in the same sandbox is left alone', async () => {
    const sleep = (name: string) => `bash -c 'echo $$ > pid.${name}; exec sleep 1000'`;
    const cmdline = `setsid -f ${sleep('daemon')}; ${sleep('other')}`;
    const own = { name: 'own-session', cmdline: `exec setsid ${sleep('own')}` };
    const other = newTask('shared', taskOf([{ name: 'other', cmdline }, own]));
    const runner = openTask(other, SETTINGS);
    const running = runner.run();
    await until(() => existsSync(other.sandbox) && pidsIn(other).filter((pid) => pid > 0).length === 3);
    const spec = { ...other, taskId: 'second', task: taskOf([{ name: 'short', cmdline: 'true' }]) };
    expect(await openTask(spec, SETTINGS).run()).toEqual({ state: 'SUCCESS', problems: [] });
    expect(pidsIn(other).filter(isAlive)).toHaveLength(3);
    runner.kill({ state: 'KILLED' });
    expect((await running).state).toBe('KILLED');
    expect(pidsIn(other).filter(isAlive)).toEqual([]);
  });

  test('also when it is stopped or ignores SIGTERM', async () => {
    const spec = newTask(
      'stubborn',
      taskOf([
        { name: 'stopped', cmdline: 'echo $$ > pid.stopped; kill -STOP $$' },
        { name: 'deaf', cmdline: "trap '' TERM; echo $$ > pid.deaf; while :; do sleep 0.1; done" },
      ]),
    );
    const told = () => storyOf(recordsOf(streamOf(spec))).processes;
    const runner = openTask(spec, SETTINGS);
    const running = runner.run();
    await until(() => pidsIn(spec).filter((pid) => pid > 0).length === 2);
    // The commands may be ahead of what is recorded of them.
    await until(() => Object.values(told()).every((lines) => lines.includes('2 RUNNING')));
    runner.kill({ state: 'KILLED' });
    await until(() => told().stopped?.at(-1) === '3 KILLED -15');
    expect(told().deaf?.at(-1)).toBe('2 RUNNING');
    runner.kill({ state: 'KILLED', wait: 0 });
    expect(await running).toEqual({ state: 'KILLED', problems: [] });
    expect(pidsIn(spec).filter(isAlive)).toEqual([]);
    expect(told().deaf?.at(-1)).toBe('3 KILLED -1');
  });
});

test('a process that is just starting is asked to end as soon as it can be', async () => {
  const spec = newTask('starting', taskOf([{ name: 'web', cmdline: 'exec sleep 1000' }]));
  const runner = openTask(spec, SETTINGS, {
    record: ({ type, value }) => {
      if (type === 'process_status' && value.state === 'FORKED')
        setImmediate(() => runner.kill({ state: 'KILLED' }));
    },
  });
  expect(await runner.run()).toEqual({ state: 'KILLED', problems: [] });
  const { task, processes } = storyOf(recordsOf(streamOf(spec)));
  expect(task).toEqual(['ACTIVE', 'ACTIVE', 'CLEANING', 'FINALIZING', 'KILLED']);
  expect(processes.web).toEqual(['0 WAITING', '1 FORKED', '2 RUNNING', '3 KILLED -15']);
});

test('what a command leaves behind is ended by a graceful kill also if the clock was set back meanwhile', async () => {
  const deaf = (name: string) => `trap "" HUP TERM; echo $$ > pid.${name}; exec sleep 1000`;
  const cmdline = `(bash -c '${deaf('child')}' &) ; setsid -f bash -c '${deaf('daemon')}'; (env -i bash -c '${deaf('stripped')}' > /dev/null 2>&1 &) ; echo $$ > pid.p; exec sleep 1000`;
  const spec = newTask('clock-set-back', taskOf([{ name: 'p', cmdline }]));
  // What we record is a minute after what the machine says of the same process.
  const runner = openTask(spec, { ...SETTINGS, now: () => Date.now() + 60_000 });
  const running = runner.run();
  await until(() => existsSync(spec.sandbox) && pidsIn(spec).filter((pid) => pid > 0).length === 4);
  await until(() => storyOf(recordsOf(streamOf(spec))).processes.p?.includes('2 RUNNING') === true);
  runner.kill({ state: 'KILLED' });
  expect(await running).toEqual({ state: 'KILLED', problems: [] });
  expect(pidsIn(spec).filter(isAlive)).toEqual([]);
});

test('what runs is ended with the task also if the clock was set meanwhile', async () => {
  const cmdline = "trap '' TERM; echo $$ > pid.p; while :; do sleep 0.1; done";
  const spec = newTask('clock-set', taskOf([{ name: 'p', cmdline }]));
  const recorded: Record<string, unknown> = {};
  // What we record is an hour before what the machine says of the same process.
  const runner = openTask(
    spec,
    { ...SETTINGS, now: () => Date.now() - 3_600_000 },
    { record: ({ value }) => Object.assign(recorded, value) },
  );
  const running = runner.run();
  await until(() => recorded.state === 'RUNNING' && pidsIn(spec).some((pid) => pid > 0));
  const { coordinator_pid } = recorded;
  runner.kill({ state: 'KILLED', now: true });
  expect(await running).toEqual({ state: 'KILLED', problems: [] });
  expect([coordinator_pid as number, ...pidsIn(spec)].filter(isAlive)).toEqual([]);
});

describe('output', () => {
  const lines = 'for i in $(seq 1000); do echo "line $i"; done; printf end > /dev/stderr';
  const shown = `${Array.from({ length: 1000 }, (_, i) => `line ${i + 1}\n`).join('')}`;

  test.each([
    ['file', 'standard'],
    ['file', 'rotate'],
    ['both', 'standard'],
    ['both', 'rotate'],
    ['console', 'standard'],
    ['none', 'standard'],
  ])('to %s, %s, is whole', async (destination, mode) => {
    const logger = { destination, mode, rotate: { log_size: 4000, backups: 9 } };
    const spec = newTask(`output-${destination}-${mode}`, taskOf([{ name: 'p', cmdline: lines, logger }]));
    mkdirSync(spec.sandbox, { recursive: true });
    const file = join(spec.sandbox, 'console');
    const fd = openSync(file, 'a');
    const settings: RunSettings = { ...SETTINGS, console: { stdout: fd, stderr: fd } };
    expect((await openTask(spec, settings).run()).state).toBe('SUCCESS');
    closeSync(fd);
    const toConsole = destination === 'both' || destination === 'console';
    expect(readFileSync(file, 'utf8').replace('end', '')).toBe(toConsole ? shown : '');
    const directory = join(spec.sandbox, '.logs/p/0');
    const names = readdirSync(directory).sort();
    if (destination === 'none' || destination === 'console') {
      expect(names).toEqual([]);
      return;
    }
    expect(logOf(spec, 'p/0/stderr')).toBe('end');
    const parts = names.filter((name) => name.startsWith('stdout')).reverse();
    expect(parts.length).toBe(mode === 'rotate' ? 3 : 1);
    expect(parts.map((name) => logOf(spec, `p/0/${name}`)).join('')).toBe(shown);
  });

  test('is taken to its end when the console cannot be written', async () => {
    const spec = newTask(
      'deaf-console',
      taskOf([
        { name: 'p', cmdline: 'for i in $(seq 20000); do echo $i; done', logger: { destination: 'both' } },
      ]),
    );
    const fd = openSync('/dev/full', 'w');
    const { state } = await openTask(spec, { ...SETTINGS, console: { stdout: fd, stderr: fd } }).run();
    closeSync(fd);
    expect(state).toBe('SUCCESS');
    expect(logOf(spec, 'p/0/stdout').split('\n')).toHaveLength(20_001);
  });
});

test('a console that does not wait and is read late gets everything', async () => {
  const spec = newTask(
    'late-console',
    taskOf([
      { name: 'p', cmdline: 'for i in $(seq 50000); do echo $i; done', logger: { destination: 'console' } },
    ]),
  );
  mkdirSync(spec.sandbox, { recursive: true });
  const fifo = join(spec.sandbox, 'fifo');
  spawnSync('mkfifo', [fifo]);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const running = openTask(spec, { ...SETTINGS, console: { stdout: fd, stderr: fd } }).run();
  await until(() => existsSync(streamOf(spec)) && recordsOf(streamOf(spec)).length === 5);
  const reader = spawn('head', ['-n', '50000', fifo], { stdio: ['ignore', 'pipe', 'ignore'] });
  let lines = 0;
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    lines += text.split('\n').length - 1;
  });
  const [status] = await once(reader, 'close');
  expect({ status, lines, state: (await running).state }).toEqual({
    status: 0,
    lines: 50_000,
    state: 'SUCCESS',
  });
  closeSync(fd);
});

test('a process whose log directory cannot be made has FAILED, and the task says why', async () => {
  const spec = newTask('no-logs', taskOf([{ name: 'p', cmdline: 'true', max_failures: 5 }]));
  mkdirSync(join(spec.sandbox, '.logs'), { recursive: true });
  writeFileSync(join(spec.sandbox, '.logs/p'), 'in the way');
  const { state, problems } = await openTask(spec, SETTINGS).run();
  expect(state).toBe('FAILED');
  expect(problems).toMatchObject([{ code: 'process-not-started', process: 'p' }]);
  expect(problems[0]?.message).toMatch(/ENOTDIR|EEXIST/);
  const { processes } = storyOf(recordsOf(streamOf(spec)));
  expect(processes).toEqual({ p: ['0 WAITING', '1 FORKED', '2 LOST', '3 WAITING', '4 FAILED'] });
});

test('what the command finds around it is what the original gives it', async () => {
  const cmdline =
    'env -0 | tr "\\0" "\\n" | sort; pwd; echo $BASH_ENV; ulimit -n > /dev/null; readlink /proc/self/fd/0';
  const spec = newTask('environment', taskOf([{ name: 'p', cmdline }]));
  await openTask(spec, SETTINGS).run();
  const out = logOf(spec, 'p/0/stdout').split('\n');
  const names = out.filter((line) => /^\w+=/.test(line)).map((line) => line.replace(/=.*/, ''));
  // Bash adds the last three by itself.
  expect(names).toEqual(
    ['HOME', 'LOGNAME', 'PATH', 'PWD', 'SHLVL', 'USER', '_'].filter((name) => name !== ''),
  );
  expect(out).toContain(`HOME=${spec.sandbox}`);
  expect(out).toContain(spec.sandbox);
  expect(out).toContain('/dev/null');
});

test('a profile in the sandbox is read, and the whole environment kept if asked', async () => {
  const spec = newTask(
    'profile',
    taskOf([{ name: 'p', cmdline: 'echo $FROM_PROFILE $FROM_US; echo $HOME' }]),
  );
  mkdirSync(spec.sandbox, { recursive: true });
  writeFileSync(join(spec.sandbox, '.thermos_profile'), 'FROM_PROFILE=one\n');
  process.env.FROM_US = 'two';
  try {
    await openTask(spec, { ...SETTINGS, preserveEnv: true }).run();
  } finally {
    delete process.env.FROM_US;
  }
  expect(logOf(spec, 'p/0/stdout')).toBe(`one two\n${spec.sandbox}\n`);
});

test('200 processes, 20 at a time, lose no record', async () => {
  const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
  const spec = newTask(
    'many',
    taskOf(
      names.map((name) => ({ name, cmdline: 'sleep 0.0$((RANDOM % 9))' })),
      { max_concurrency: 20 },
    ),
  );
  const running = new Set<unknown>();
  let most = 0;
  const record = ({ type, value }: CheckpointRecord) => {
    if (type !== 'process_status') return;
    if (value.state === 'WAITING') running.add(value.process);
    if (value.state === 'SUCCESS') running.delete(value.process);
    most = Math.max(most, running.size);
  };
  expect(await openTask(spec, SETTINGS, { record }).run()).toEqual({ state: 'SUCCESS', problems: [] });
  expect(most).toBeLessThanOrEqual(20);
  const once_ = ['0 WAITING', '1 FORKED', '2 RUNNING', '3 SUCCESS 0'];
  expect(storyOf(recordsOf(streamOf(spec))).processes).toEqual(
    Object.fromEntries(names.map((name) => [name, once_])),
  );
});

test('a process that always fails to hold out runs as often as is allowed', async () => {
  const spec = newTask('capped', taskOf([{ name: 'p', cmdline: 'exit 1', max_failures: 0 }]));
  expect((await openTask(spec, { ...SETTINGS, maxRuns: 3 }).run()).state).toBe('FAILED');
  expect(
    storyOf(recordsOf(streamOf(spec))).processes.p?.filter((line) => line.endsWith('FAILED 1')),
  ).toHaveLength(3);
});

test('a runner that has nothing to do keeps its stream young', async () => {
  const spec = newTask('touched', taskOf([{ name: 'p', cmdline: 'sleep 1000' }]));
  const runner = openTask(spec, SETTINGS);
  const running = runner.run();
  await until(() => recordsOf(streamOf(spec)).length === 5);
  utimesSync(streamOf(spec), 1000, 1000);
  await until(() => statSync(streamOf(spec)).mtimeMs > 2_000_000);
  runner.kill({ state: 'KILLED' });
  await running;
});

test('another user needs root', () => {
  const place = join(temp.path, 'unprivileged');
  mkdirSync(place);
  spawnSync('chmod', ['777', place]);
  const spec = { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), user: 'root' };
  const words = [
    JSON.stringify({ ...spec, task: taskOf([{ name: 'p', cmdline: 'true' }]).document }),
    JSON.stringify(COORDINATOR),
    'never',
    '0',
  ];
  const uid = isRoot ? NOBODY : undefined;
  const { stderr } = spawnSync(process.execPath, [join(temp.path, 'interrupted-runner.cjs'), ...words], {
    uid,
    gid: uid,
    encoding: 'utf8',
  });
  expect(stderr).toContain('only root can run a task for another user');
});

test('a runner that cannot write any more ends at once, and what runs goes on', async () => {
  const spec = newTask('gives-up', taskOf([{ name: 'p', cmdline: 'echo $$ > pid.p; exec sleep 1000' }]));
  const words = [
    JSON.stringify({ ...spec, task: spec.task.document }),
    JSON.stringify(COORDINATOR),
    'full',
    '6',
  ];
  const program = join(temp.path, 'interrupted-runner.cjs');
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [status] = await once(child, 'close');
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'it is full' });
  await until(() => pidsIn(spec).some((pid) => pid > 0));
  expect(pidsIn(spec).filter(isAlive)).toHaveLength(1);
  const next = takeOver(spec, SETTINGS);
  next.kill({ state: 'KILLED', now: true });
  expect((await next.run()).state).toBe('KILLED');
  expect(pidsIn(spec).filter(isAlive)).toEqual([]);
});

describe('signals to a runner', () => {
  function started(spec: NewTask) {
    const words = [
      JSON.stringify({ ...spec, task: spec.task.document }),
      JSON.stringify(COORDINATOR),
      'never',
      '0',
    ];
    return spawn(process.execPath, [join(temp.path, 'interrupted-runner.cjs'), ...words], {
      stdio: 'ignore',
    });
  }
  const task = taskOf([{ name: 'p', cmdline: 'sleep 1000' }]);

  test('reach it, and nobody but it', async () => {
    const spec = newTask('signalled', task);
    const child = started(spec);
    await until(() => existsSync(streamOf(spec)) && recordsOf(streamOf(spec)).length === 5);
    // A process that has the pid of another runner in its stream.
    const stranger = newTask('stranger', task);
    mkdirSync(join(stranger.root, 'checkpoints/task'), { recursive: true });
    writeFileSync(streamOf(stranger), readFileSync(streamOf(spec)));
    expect(signalTask(stranger, 'SIGKILL', LOCAL_PROCESSES).kind).toBe('no-runner');
    const fd = openSync(streamOf(stranger), 'a');
    expect(tryLock(fd)).toBe(true);
    const kind = seesAllLocks() ? 'refused' : 'no-runner';
    expect(signalTask(stranger, 'SIGKILL', LOCAL_PROCESSES)).toMatchObject({ kind });
    closeSync(fd);
    expect(signalTask(spec, 'SIGKILL', LOCAL_PROCESSES)).toEqual({ kind: 'sent', pid: child.pid });
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(signalTask(spec, 'SIGKILL', LOCAL_PROCESSES).kind).toBe('no-runner');
    const killer = takeOver(spec, SETTINGS);
    killer.kill({ state: 'LOST' });
    expect((await killer.run()).state).toBe('LOST');
  });

  /** True if one of the sockets of the process waits for connections. */
  function listens(pid: number): boolean {
    const inodes = readdirSync(`/proc/${pid}/fd`)
      .map((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1])
      .filter((inode) => inode !== undefined);
    const listening = ['tcp', 'tcp6']
      .flatMap((protocol) => readFileSync(`/proc/net/${protocol}`, 'utf8').split('\n').slice(1))
      .map((line) => line.trim().split(/ +/))
      .filter(([, , , state]) => state === '0A')
      .map((fields) => fields[9]);
    return inodes.some((inode) => listening.includes(inode));
  }

  test.each([0, 10, 20, 40, 80])('SIGUSR1 opens no debugger in a coordinator %i ms old', async (age) => {
    const spec = newTask(`debugger-${age}`, task);
    const coordinators: number[] = [];
    const runner = openTask(spec, SETTINGS, {
      record: ({ type, value }) => {
        if (type !== 'process_status' || value.state !== 'FORKED') return;
        const { coordinator_pid } = value;
        // Until Node is about to open it, the signal ends it; then the process is run again, unsignalled.
        if (coordinators.push(coordinator_pid as number) > 1) return;
        setTimeout(() => process.kill(coordinator_pid as number, 'SIGUSR1'), age);
      },
    });
    const running = runner.run();
    await until(() =>
      recordsOf(streamOf(spec)).some(({ value }) => 'state' in value && value.state === 'RUNNING'),
    );
    // Long enough for Node to open a port, as it does when nothing prevents it.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(coordinators.filter((pid) => isAlive(pid) && listens(pid))).toEqual([]);
    runner.kill({ state: 'KILLED' });
    expect((await running).state).toBe('KILLED');
  });
});

describe('the reasons that a runner keeps beside its stream', () => {
  const reasonsOf = ({ root }: NewTask) =>
    parseReasons(readFileSync(join(root, 'checkpoints/task/reasons'), 'utf8'));

  test('why a process could not be started, and that it is not run again', async () => {
    const spec = newTask(
      'reasons',
      taskOf(
        [
          { name: 'log', cmdline: 'rm -rf .logs/no; touch .logs/no' },
          { name: 'no', cmdline: 'true' },
          { name: 'again', cmdline: 'false', max_failures: 0 },
        ],
        { max_failures: 0, constraints: [{ order: ['log', 'no'] }] },
      ),
    );
    expect((await openTask(spec, { ...SETTINGS, maxRuns: 2 }).run()).state).toBe('SUCCESS');
    const kept = reasonsOf(spec).map(({ code, process, run, message }) => ({ code, process, run, message }));
    expect(kept).toContainEqual({
      code: 'process-not-started',
      process: 'no',
      run: 0,
      message: expect.stringContaining('not a directory'),
    });
    expect(kept).toContainEqual({
      code: 'process-run-cap',
      process: 'again',
      run: 1,
      message: 'it ran 2 times',
    });
  });

  test('that a coordinator was killed; not those that it kills itself', async () => {
    const spec = newTask(
      'lost-reason',
      taskOf([{ name: 'p', cmdline: '[ -f f ] || { touch f; sleep 1000; }' }]),
    );
    const runner = openTask(spec, SETTINGS);
    const running = runner.run();
    await until(() => existsSync(join(spec.sandbox, 'f')));
    const [pid] = recordsOf(streamOf(spec)).flatMap(({ value }) =>
      'coordinator_pid' in value && value.coordinator_pid !== undefined ? [value.coordinator_pid] : [],
    );
    process.kill(pid as number, 'SIGKILL');
    expect((await running).state).toBe('SUCCESS');
    expect(reasonsOf(spec)).toMatchObject([
      {
        code: 'process-lost',
        process: 'p',
        run: 0,
        message: `its coordinator (pid ${pid}) was killed by SIGKILL`,
      },
    ]);
  });

  test('who asked for the end, also before it runs; nothing about what that kills', async () => {
    const spec = newTask('asked', taskOf([{ name: 'p', cmdline: 'sleep 1000' }]));
    const runner = openTask(spec, SETTINGS);
    runner.kill({ state: 'KILLED', asked: { what: 'SIGTERM' } });
    runner.kill({ state: 'KILLED', now: true, asked: { what: 'thermos kill', by: 'me' } });
    expect((await runner.run()).state).toBe('KILLED');
    expect(reasonsOf(spec)).toMatchObject([
      { code: 'task-killed', message: 'SIGTERM' },
      { code: 'task-killed', message: 'thermos kill', by: 'me' },
    ]);
  });

  test('why it has given up a task that can be resumed', async () => {
    const spec = newTask('given-up', taskOf([{ name: 'p', cmdline: 'true' }]));
    let writes = 0;
    const writer = writerThat({
      before: () => {
        if (++writes > 4) throw new SystemError('checkpoint-write-failed', 'no space left on device');
      },
    });
    await expect(openTask(spec, { ...SETTINGS, writer }).run()).rejects.toThrow('no space left');
    expect(reasonsOf(spec).at(-1)).toMatchObject({
      code: 'checkpoint-write-failed',
      message: 'the runner has given up: no space left on device',
    });
    expect((await openTask(spec, SETTINGS).run()).state).toBe('SUCCESS');
  });

  test('a start that failed leaves no file of them', async () => {
    const spec = newTask('rolled-back', taskOf([{ name: 'p', cmdline: 'true' }]));
    const writer = writerThat({
      before: () => {
        throw new SystemError('checkpoint-write-failed', 'no space left on device');
      },
    });
    await expect(openTask(spec, { ...SETTINGS, writer }).run()).rejects.toThrow('no space left');
    expect(existsSync(join(spec.root, 'checkpoints/task'))).toBe(false);
  });
});

test('a coordinator’s record that was cut off is taken away before the next', async () => {
  const spec = newTask('cut', taskOf([{ name: 'p', cmdline: '[ -f f ] || { touch f; sleep 1000; }' }]));
  let cut = false;
  const runner = openTask(spec, SETTINGS, {
    record: ({ type, value }) => {
      if (type !== 'process_status' || value.state !== 'RUNNING' || cut) return;
      cut = true;
      const { coordinator_pid } = recordsOf(streamOf(spec))
        .map((each) => each.value as { coordinator_pid?: number })
        .find((each) => each.coordinator_pid !== undefined) as { coordinator_pid: number };
      const ended = setInterval(() => {
        if (!existsSync(join(spec.sandbox, 'f'))) return;
        clearInterval(ended);
        process.kill(coordinator_pid, 'SIGKILL');
        writeFileSync(join(spec.root, 'checkpoints/task/coordinator.p'), Buffer.from([0, 0, 0, 50, 12]), {
          flag: 'a',
        });
      }, 5);
    },
  });
  expect((await runner.run()).state).toBe('SUCCESS');
  expect(storyOf(recordsOf(join(spec.root, 'checkpoints/task/coordinator.p'))).processes.p).toEqual([
    '1 FORKED',
    '2 RUNNING',
    '5 FORKED',
    '6 RUNNING',
    '7 SUCCESS 0',
  ]);
  rmSync(spec.sandbox, { recursive: true });
});
