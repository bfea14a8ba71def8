import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import { cleanEnv, PROGRAM } from './harness.js';
import { RunPlace } from './run-task.js';
import { seesAllLocks } from './tasks.js';

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const entries = (...parts: string[]) => {
  const path = join(place.root, ...parts);
  return existsSync(path) ? readdirSync(path) : [];
};
/** Everything of a task that is on disk, apart from its sandbox. */
const traces = (id: string) =>
  ['checkpoints', 'tasks/active', 'tasks/finished'].filter((each) => entries(each).includes(id));

interface TaskRow {
  task_id: string;
  state: string;
  verdict: string;
  phase: string;
  problems: object[];
}
const status = () => {
  const { stdout, status } = place.thermos('status', '--json');
  const { tasks, problems } = JSON.parse(stdout) as { tasks: TaskRow[]; problems: object[] };
  return { tasks, problems, status };
};

/** A directory for PATH with a program of the system that does something first. */
function disturbed(program: 'flock' | 'getent', first: string): string {
  const real = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
  const directory = join(place.path, `disturbed-${program}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, program), `#!/bin/bash\n${first}\nexec ${real} "$@"\n`);
  chmodSync(join(directory, program), 0o755);
  return `${directory}:${process.env.PATH}`;
}

/** Runs the program to its end; a number of milliseconds after its start it gets the signal. */
async function run(
  words: readonly string[],
  { path, after, signal }: { path?: string; after?: number; signal?: NodeJS.Signals } = {},
): Promise<{ end: number | NodeJS.Signals | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: cleanEnv(path === undefined ? {} : { PATH: path }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes) => {
    said.stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    said.stderr += bytes;
  });
  const timer = after === undefined ? undefined : setTimeout(() => child.kill(signal), after);
  const end = await new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, by) => resolve(by ?? code));
  });
  clearTimeout(timer);
  return { end, ...said };
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** As its parent sees it: a signal that comes before a task is begun does what it always does. */
const ENDS = { SIGTERM: [143, 'SIGTERM'], SIGINT: [130, 'SIGINT'], SIGHUP: [143, 'SIGHUP'] };

const commandsFor = (config: string) => ({
  run: (id: string) => ['run', '--root', place.root, '--task-id', id, config],
  simplerun: (id: string) => ['simplerun', '--root', place.root, '--task-id', id, '--', 'sleep', '60'],
  daemon: (id: string) => ['run', '--daemon', '--root', place.root, '--task-id', id, config],
});
const sleeper = () => commandsFor(place.config([{ name: 'sleeper', cmdline: 'sleep 60' }]));

describe('a signal while a task starts', () => {
  test('at any time leaves nothing, or a task that has ended', async () => {
    const commands = sleeper();
    const quick = commandsFor(place.config([{ name: 'p', cmdline: 'true' }], {}, 'quick'));
    await run(quick.run('other'));
    const tries = SIGNALS.flatMap((signal) =>
      (['run', 'simplerun', 'daemon'] as const).flatMap((how) =>
        [0, 110, 150, 200, 300, 600].map((after) => ({ signal, how, after })),
      ),
    );
    const odd: string[] = [];
    const worker = async () => {
      for (let each = tries.pop(); each !== undefined; each = tries.pop()) {
        const { signal, how, after } = each;
        const id = `${how}-${signal}-${after}`;
        const { end, stdout } = await run(commands[how](id), { signal, after });
        const left = traces(id).join(' ');
        const isOver = left === '' || left === 'checkpoints tasks/finished';
        // It was told to run, even if the signal then found its starter on the way out.
        const begun = how === 'daemon' && stdout === `${id}\n`;
        if (!begun && !(isOver && (ENDS[signal] as unknown[]).includes(end)))
          odd.push(`${id}: ${end} ${left}`);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    expect(odd).toEqual([]);
    const { tasks, problems } = status();
    expect(problems).toEqual([]);
    const mine = tasks.filter(({ task_id }) => task_id !== 'other');
    for (const { task_id, state, verdict, phase, problems } of mine) {
      const begun = task_id.startsWith('daemon') && phase === 'active';
      expect([task_id, state, verdict, problems]).toEqual([task_id, begun ? 'ACTIVE' : 'KILLED', 'ok', []]);
    }
  });

  test.each(
    SIGNALS.flatMap((signal) => (['run', 'simplerun'] as const).map((how) => [signal, how] as const)),
  )('%s in the middle of opening it: %s ends it as KILLED', async (signal, how) => {
    // Node waits for flock: the signal is there before the lock is.
    const path = disturbed('flock', `kill -${signal} $PPID; sleep 0.1`);
    const { end } = await run(sleeper()[how]('t'), { path });
    expect(end).toBe(ENDS[signal][0]);
    expect(status().tasks).toMatchObject([{ state: 'KILLED', verdict: 'ok', problems: [] }]);
    expect(traces('t')).toEqual(['checkpoints', 'tasks/finished']);
  });

  test.each([
    ['SIGUSR1', 3, 'KILLED'],
    ['SIGUSR2', 4, 'LOST'],
  ] as const)('%s in the middle of opening it: exit %i, %s', async (signal, code, state) => {
    const path = disturbed('flock', `kill -${signal} $PPID; sleep 0.1`);
    const { end } = await run(sleeper().run('t'), { path });
    expect([end, status().tasks]).toMatchObject([code, [{ state, verdict: 'ok', problems: [] }]]);
  });

  test('Ctrl-C that ends the programs that we run ourselves, too', async () => {
    // Each is ended the first time.
    const once = (name: string) =>
      `[ -e ${place.path}/${name} ] || { : > ${place.path}/${name}; kill -INT $$; }`;
    const path = `${disturbed('flock', once('a'))}:${disturbed('getent', once('b'))}`;
    const config = place.config([{ name: 'quick', cmdline: 'true' }]);
    const { end, stderr } = await run(commandsFor(config).run('t'), { path });
    expect([end, stderr]).toEqual([0, expect.stringContaining('t: SUCCESS')]);
  });

  test.each([
    ...SIGNALS.map((signal) => [signal, ENDS[signal][0], 'KILLED']),
    ['SIGUSR1', 3, 'KILLED'],
    ['SIGUSR2', 4, 'LOST'],
  ])('%s to who starts a daemon, while that opens the task: exit %i, %s', async (signal, code, state) => {
    // The daemon's parent.
    const path = disturbed('flock', `kill -${signal} $(ps -o ppid= -p $PPID); sleep 0.2`);
    const { end, stderr } = await run(sleeper().daemon('t'), { path });
    expect([end, stderr]).toEqual([code, expect.stringContaining('was ended')]);
    expect(status().tasks).toMatchObject([{ state, verdict: 'ok', problems: [] }]);
  });

  test('a daemon whose starter was killed before it heard of it ends the task', async () => {
    const path = disturbed('flock', 'kill -KILL $(ps -o ppid= -p $PPID); sleep 0.2');
    expect((await run(sleeper().daemon('t'), { path })).end).toBe('SIGKILL');
    for (let looks = 0; traces('t').join() !== 'checkpoints,tasks/finished' && looks < 1200; looks++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(status().tasks).toMatchObject([{ state: 'KILLED', verdict: 'ok', problems: [] }]);
  });

  test('stopped, and then its terminal goes away', async () => {
    const isStopped = `grep -q '^State:.*T' /proc/$thermos/status`;
    const later = `(until ${isStopped}; do sleep 0.05; done; kill -HUP $thermos; kill -CONT $thermos) >/dev/null 2>&1 &`;
    const path = disturbed('flock', `thermos=$PPID\n${later}\nkill -STOP $PPID`);
    const { end } = await run(sleeper().run('t'), { path });
    expect([end, status().tasks]).toMatchObject([143, [{ state: 'KILLED', verdict: 'ok', problems: [] }]]);
  });

  test('a terminal that goes away ends the task', async () => {
    const words = [process.execPath, PROGRAM, ...sleeper().run('t')].map((word) => `'${word}'`).join(' ');
    const terminal = spawn('script', ['-qefc', `exec ${words}`, '/dev/null'], {
      env: { ...cleanEnv(), SHELL: '/bin/sh', TERM: 'xterm' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const path = join(place.root, 'checkpoints/t/runner');
    while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 2));
    terminal.kill('SIGKILL');
    for (let looks = 0; traces('t').join() !== 'checkpoints,tasks/finished' && looks < 1200; looks++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(status().tasks).toMatchObject([{ state: 'KILLED', verdict: 'ok', problems: [] }]);
  });
});

describe('a start that fails leaves no task', () => {
  test('no lock can be taken', async () => {
    const path = disturbed('flock', 'echo broken >&2; exit 66');
    const { end, stderr } = await run(sleeper().run('t'), { path });
    // Where it can't be known whether another runner has come, what is there stays.
    const left = seesAllLocks() ? [] : ['checkpoints'];
    expect([end, stderr, traces('t')]).toEqual([5, expect.stringContaining('broken'), left]);
  });

  test('the task file cannot be written', async () => {
    mkdirSync(join(place.root, 'tasks/active/t'), { recursive: true });
    const { end } = await run(sleeper().run('t'));
    expect([end, entries('checkpoints')]).toEqual([5, []]);
  });

  test('the log directory cannot be made', async () => {
    mkdirSync(place.sandbox('t'), { recursive: true });
    writeFileSync(join(place.sandbox('t'), '.logs'), '');
    const { end } = await run(sleeper().run('t'));
    expect([end, traces('t')]).toEqual([2, []]);
  });

  test('nothing can be written', async () => {
    const words = [process.execPath, PROGRAM, ...sleeper().run('t')];
    const { status, stderr } = spawnSync('prlimit', ['--fsize=0', '--', ...words], {
      env: cleanEnv(),
      encoding: 'utf8',
    });
    expect([status, stderr, traces('t')]).toEqual([5, expect.stringContaining('cannot write'), []]);
  });

  test('what others had begun stays', async () => {
    const config = place.config([{ name: 'p', cmdline: 'true' }]);
    mkdirSync(join(place.root, 'checkpoints/t'), { recursive: true });
    writeFileSync(join(place.root, 'checkpoints/t/runner'), '');
    mkdirSync(place.sandbox('t'), { recursive: true });
    writeFileSync(join(place.sandbox('t'), '.logs'), '');
    const { end } = await run(commandsFor(config).run('t'));
    expect([end, traces('t'), entries('checkpoints/t')]).toEqual([2, ['checkpoints'], ['runner']]);
  });
});

describe('a runner that was killed while it started', () => {
  const active = encodeFrame(
    encodeRecord({
      type: 'task_status',
      value: { state: 'ACTIVE', timestamp_ms: 1_700_000_000_000, runner_pid: 4_194_001, runner_uid: 0 },
    }),
  );
  /** What is there after each of its steps. */
  const STEPS: Record<string, (checkpoint: string, taskFile: string) => void> = {
    'made its directory': () => {},
    'made its stream': (checkpoint) => writeFileSync(join(checkpoint, 'runner'), ''),
    'wrote a part of the task file': (checkpoint) => {
      writeFileSync(join(checkpoint, 'runner'), '');
      writeFileSync(join(checkpoint, '.task'), '{"name":');
    },
    'wrote the task file': (checkpoint, taskFile) => {
      writeFileSync(join(checkpoint, 'runner'), '');
      copyFileSync(taskFile, join(place.root, 'tasks/active/t'));
    },
    'wrote its first record': (checkpoint, taskFile) => {
      writeFileSync(join(checkpoint, 'runner'), active);
      copyFileSync(taskFile, join(place.root, 'tasks/active/t'));
    },
  };

  test.each(Object.keys(STEPS))('after it %s', async (step) => {
    const commands = commandsFor(place.config([{ name: 'p', cmdline: 'true' }]));
    await run(commands.run('other'));
    const arrange = () => {
      mkdirSync(join(place.root, 'checkpoints/t'));
      STEPS[step]?.(join(place.root, 'checkpoints/t'), join(place.root, 'tasks/finished/other'));
    };
    arrange();
    const before = status();
    expect([before.status, before.problems, before.tasks.length]).toEqual([0, [], 2]);
    expect(before.tasks.find(({ task_id }) => task_id === 't')?.problems).not.toContainEqual(
      expect.objectContaining({ severity: 'error' }),
    );
    expect((await run(commands.run('t'))).end).toBe(0);
    expect(traces('t')).toEqual(['checkpoints', 'tasks/finished']);
    expect(place.thermos('gc', '--yes', 't').status).toBe(0);
    arrange();
    expect(place.thermos('gc', '--yes', '--orphan-age', '0s', 't').status).toBe(0);
    expect(traces('t')).toEqual([]);
  });

  test('really: flock kills it', async () => {
    const path = disturbed('flock', 'kill -KILL $PPID');
    const commands = commandsFor(place.config([{ name: 'p', cmdline: 'true' }]));
    expect((await run(commands.run('t'), { path })).end).toBe('SIGKILL');
    expect([traces('t'), statSync(join(place.root, 'checkpoints/t/runner')).size]).toEqual([
      ['checkpoints'],
      0,
    ]);
    expect((await run(commands.run('t'))).end).toBe(0);
  });
});

test('a stream that somebody removes while it is opened is made anew', async () => {
  const stream = join(place.root, 'checkpoints/t/runner');
  const path = disturbed(
    'flock',
    `[ -e ${place.path}/x ] || { : > ${place.path}/x; rm -r ${place.root}/checkpoints/t; }`,
  );
  const commands = commandsFor(place.config([{ name: 'p', cmdline: 'true' }]));
  expect((await run(commands.run('t'), { path })).end).toBe(0);
  expect(readFileSync(stream).length).toBeGreaterThan(0);
});
