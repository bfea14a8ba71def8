import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HAS_NATIVE } from '../runner/harness.js';
import { CAN_CONTAIN, CONTAINER } from './containers.js';
import { cleanEnv, type Finished, PROGRAM, placeForEach, REPOSITORY, runToEnd, thermos } from './harness.js';

const place = placeForEach();

const WAYS: [string, string[]][] = [
  ['thermos', [PROGRAM]],
  ['node bin/run.js', [process.execPath, PROGRAM]],
];

/** For a command of a process: the parent of a pid; the pid of the runner. */
const RUNNER = `parent() { read -r stat </proc/$1/stat; set -- \${stat##*)}; echo $2; }
runner() { parent $PPID; }`;
const FOREVER = 'while :; do sleep 0.05; done';

interface Process {
  name: string;
  cmdline: string;
  [field: string]: unknown;
}

function config(...processes: Process[]): string {
  const path = join(place.path, 'web.json');
  const task = { name: 'web', finalization_wait: 30, processes };
  writeFileSync(path, JSON.stringify(task));
  return path;
}

let count = 0;

/** Runs the processes as a task, as the first process of a container. */
function inContainer(way: readonly string[], ...processes: Process[]): Finished & { sandbox: string } {
  mkdirSync(place.root, { recursive: true });
  const id = `web-${count++}`;
  const run = ['run', '--root', place.root, '--task-id', id, config(...processes)];
  const options = { env: { THERMOS_COORDINATOR: '' } };
  const finished = runToEnd('unshare', [...CONTAINER, ...way, ...run], options);
  const sandbox = join(place.root, 'sandboxes', id);
  expect(processesIn(sandbox)).toEqual([]);
  return { ...finished, sandbox };
}

function processesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === directory;
    } catch {
      return false;
    }
  });
}

/** Runs a process that sends signals and a final one. */
function ended(way: readonly string[], cmdline: string): { status: number | null; finalized: boolean } {
  const main = { name: 'main', cmdline };
  const { status, sandbox } = inContainer(way, main, { name: 'end', cmdline: 'touch ended', final: true });
  return { status, finalized: existsSync(join(sandbox, 'ended')) };
}

describe.skipIf(!CAN_CONTAIN || !HAS_NATIVE)('as the first process of a container', () => {
  describe.each(WAYS)('started as %s', (_, way) => {
    test('reaps what loses its parent, and ends as the task does', () => {
      // The first run kills its coordinator, which is the parent of its command; the next one looks.
      const cmdline = `if mkdir first; then kill -KILL $PPID; ${FOREVER}; fi
        for pid in /proc/[0-9]*; do tries=0
          while grep -q '^State:.Z' $pid/status 2>/dev/null; do
            sleep 0.05; tries=$((tries + 1)); if [ $tries = 600 ]; then exit 0; fi
          done
        done; echo clean; exit 7`;
      const { stdout, status } = inContainer(way, { name: 'main', cmdline, min_duration: 0 });
      expect(stdout).toContain('main 1 stdout | clean\n');
      expect(status).toBe(1);
    });

    test('SIGTERM ends the task gracefully; a second one ends it at once', () => {
      expect(ended(way, `kill -TERM 1; ${FOREVER}`)).toEqual({ status: 143, finalized: true });
      expect(ended(way, `trap 'kill -TERM 1' TERM; kill -TERM 1; ${FOREVER}`)).toEqual({
        status: 143,
        finalized: false,
      });
    });
  });

  test.each([
    ['INT', 130, true],
    ['HUP', 143, true],
    ['USR1', 3, true],
    ['USR2', 4, false],
    ['QUIT', 131, false],
  ])('SIG%s does what it does elsewhere', (signal, status, finalized) => {
    expect(ended([PROGRAM], `kill -${signal} 1; ${FOREVER}`)).toEqual({ status, finalized });
  });

  test('nothing is left if the runner is killed', () => {
    expect(ended([PROGRAM], `${RUNNER}\nkill -KILL $(runner); ${FOREVER}`)).toEqual({
      status: 137,
      finalized: false,
    });
  });
});

test.skipIf(!CAN_CONTAIN)(
  'without the program in C, signals and exit codes in a container are the same',
  () => {
    const program = join(place.path, 'package/bin/run.js');
    cpSync(join(REPOSITORY, 'bin'), join(place.path, 'package/bin'), { recursive: true });
    mkdirSync(join(place.path, 'package/dist'));
    for (const name of readdirSync(join(REPOSITORY, 'dist'))) {
      const [from, to] = [join(REPOSITORY, 'dist', name), join(place.path, 'package/dist', name)];
      if (name.endsWith('.cjs')) cpSync(from, to);
    }
    expect(ended([program], `kill -TERM 1; ${FOREVER}`)).toEqual({ status: 143, finalized: true });
    expect(ended([program], `kill -USR2 1; ${FOREVER}`)).toEqual({ status: 4, finalized: false });
    expect(ended([program], `kill -QUIT 1; ${FOREVER}`)).toEqual({ status: 131, finalized: false });
    expect(ended([program], 'exit 9')).toEqual({ status: 1, finalized: true });
  },
);

describe.skipIf(!HAS_NATIVE).each(WAYS)('with THERMOS_INIT, %s', (_, [program = '', ...words]) => {
  test('runs below an init also elsewhere', () => {
    const command = `${RUNNER}\ntr '\\0' ' ' </proc/$(parent $(runner))/cmdline`;
    const env = { THERMOS_INIT: '1', THERMOS_COORDINATOR: '' };
    const { stdout, status } = runToEnd(
      program,
      [...words, 'simplerun', '--root', place.root, '--', command],
      { env },
    );
    expect(stdout).toMatch(/^\S+\/coordinator --init \S*node /);
    expect(status).toBe(0);
  });
});

describe('signals that the program was started to ignore', () => {
  const ignoring = (line: string) =>
    runToEnd('sh', ['-c', `trap '' HUP INT QUIT TERM; exec '${PROGRAM}' ${line}`]);

  test('do not end a task, as with nohup or in the background of a script', () => {
    const signals = ['HUP', 'INT', 'QUIT', 'TERM'];
    const cmdline = `${RUNNER}\nfor name in ${signals.join(' ')}; do kill -$name $(runner); done; echo over`;
    const { stdout, status } = ignoring(`run --root '${place.root}' ${config({ name: 'main', cmdline })}`);
    expect(stdout).toContain('main 0 stdout | over\n');
    expect(status).toBe(0);
  });

  test('are those that end it otherwise', () => {
    const cmdline = `${RUNNER}\nkill -HUP $(runner); ${FOREVER}`;
    const run = `'${PROGRAM}' run --root '${place.root}' ${config({ name: 'main', cmdline })}`;
    expect(runToEnd('sh', ['-c', `exec ${run}`]).status).toBe(143);
    // A command gets the usual effects.
    const command = `trap '' HUP TERM; exec '${PROGRAM}' simplerun --preserve-env --root '${place.root}' -- `;
    const { stdout } = runToEnd('sh', ['-c', `${command} "env; grep SigIgn /proc/self/status"`]);
    expect(stdout).toContain('SigIgn:\t0000000000000000\n');
    expect(stdout).not.toContain('THERMOS_IGNORED_SIGNALS');
  });

  test('do not end a command that waits', async () => {
    const task = config({ name: 'main', cmdline: 'until [ -e go ]; do sleep 0.05; done' });
    const id = thermos(['run', '--daemon', '--root', place.root, task]).stdout.trim();
    const words = `wait --root '${place.root}' ${id}`;
    const line = `trap '' HUP INT QUIT TERM; exec '${PROGRAM}' ${words}`;
    const child = spawn('sh', ['-c', line], { env: cleanEnv(), stdio: 'ignore' });
    place.children.push(child);
    const exited = once(child, 'exit');
    // Node first gives signals their usual effects. It is the last that we handle, and Node itself does not.
    await until(() => caught(child.pid as number, 'SIGQUIT'));
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) child.kill(signal);
    writeFileSync(join(place.root, 'sandboxes', id, 'go'), '');
    expect(await exited).toEqual([0, null]);
  });
});

/** Does the process handle the signal? */
function caught(pid: number, signal: 'SIGQUIT'): boolean {
  const [, bits = '0'] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${bits}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds() && Date.now() < end; ) await sleep(20);
}
