import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { streamOf } from '../checkpoint/arbitraries.js';
import { violations } from '../contracts/validate.js';
import { thermos } from './harness.js';
import { LoggedTask } from './logged-task.js';
import { isAlive, OnTerminal, RunPlace, type RunProcess } from './run-task.js';
import { expectContract, unprivileged } from './tasks.js';

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const MAIN = {
  name: 'main',
  cmdline: "trap 'echo term >> order; exit' TERM; echo $$ > pid; while :; do sleep 0.05; done",
};
const DEAF = { name: 'main', cmdline: "trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done" };
const FINAL = { name: 'clean', cmdline: 'echo final >> order', final: true };

/** A task that runs in the background; resolves when its first process does. */
async function running(id: string, processes: readonly RunProcess[] = [MAIN, FINAL]): Promise<void> {
  const config = place.config(processes, {}, id);
  expect(place.thermos('run', '--daemon', '--task-id', id, config)).toMatchObject({ status: 0, stderr: '' });
  expect(place.thermos('wait', id, '--for', 'process=main:RUNNING', '--timeout', '30s').status).toBe(0);
  while (!place.file(id, 'pid').endsWith('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
}

const pidOf = (id: string) => Number(place.file(id, 'pid'));
const recorded = (id: string) => {
  const { state, phase, verdict } = place.inspect(id);
  return { state, phase, verdict };
};
const KILLED = { state: 'KILLED', phase: 'finished', verdict: 'ok' };

describe('a task whose runner died before it made the checkpoint', () => {
  test.each([[[]], [['reasons']]])(
    'is not an error of the root, and kill says that it has not started: %j',
    (files) => {
      const directory = join(place.root, 'checkpoints', 'web-1');
      mkdirSync(directory, { recursive: true });
      for (const name of files) writeFileSync(join(directory, name), '');
      const seen = place.thermos('status', '--json');
      expect(seen.status).toBe(0);
      expect(JSON.parse(seen.stdout).tasks).toMatchObject([
        { task_id: 'web-1', state: 'UNKNOWN', verdict: 'unknown' },
      ]);
      expect(place.thermos('inspect', 'web-1').stdout).toContain('The task has not started');
      const { status, stderr } = place.thermos('kill', 'web-1');
      expect(stderr).toContain('error: task web-1: it was not ended: it has not started');
      expect(status).toBe(5);
      place.thermos('gc', '--yes');
      expect(existsSync(directory)).toBe(true);
      expect(place.thermos('gc', '--yes', '--orphan-age', '0s').status).toBe(0);
      expect(existsSync(directory)).toBe(false);
    },
  );
});

describe('a task with a runner', () => {
  test('is ended gracefully, and final processes run', async () => {
    await running('web-1');
    const { stdout, stderr, status } = place.thermos('kill', 'web-1');
    expect({ stdout, stderr, status }).toEqual({
      stdout: 'web-1: ACTIVE -> KILLED\n',
      stderr: '',
      status: 0,
    });
    expect(place.file('web-1', 'order')).toBe('term\nfinal\n');
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(recorded('web-1')).toEqual(KILLED);
  });

  test('--now ends it at once, without final processes', async () => {
    await running('web-1');
    const { stdout, status } = place.thermos('kill', '--now', '--json', 'web-1');
    const document = JSON.parse(stdout);
    expectContract('kill', document);
    expect(document.tasks).toMatchObject([{ task_id: 'web-1', was: 'ACTIVE', now: 'KILLED' }]);
    expect(document.tasks[0].signalled.length).toBeGreaterThan(1);
    expect(status).toBe(0);
    expect(place.file('web-1', 'order')).toBe('');
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(recorded('web-1')).toEqual(KILLED);
  });

  test('--lose records it as LOST', async () => {
    await running('web-1');
    expect(place.thermos('kill', '--lose', 'web-1').stdout).toBe('web-1: ACTIVE -> LOST\n');
    expect(place.file('web-1', 'order')).not.toContain('final');
    expect(recorded('web-1')).toEqual({ ...KILLED, state: 'LOST' });
  });

  test('a process that does not listen is killed when the time is over', async () => {
    await running('web-1', [DEAF]);
    const { stdout, status } = place.thermos('kill', '--grace', '1s', 'web-1');
    expect({ stdout, status }).toEqual({ stdout: 'web-1: ACTIVE -> KILLED\n', status: 0 });
    expect(isAlive(pidOf('web-1'))).toBe(false);
  });

  test('what it started in the background is ended too', async () => {
    const cmdline = '(setsid sleep 1000 & echo $! > child); echo $$ > pid; exec sleep 1000';
    await running('web-1', [{ name: 'main', cmdline }]);
    expect(place.thermos('kill', 'web-1').status).toBe(0);
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(isAlive(Number(place.file('web-1', 'child')))).toBe(false);
  });

  test('a stopped process is ended too', async () => {
    await running('web-1', [DEAF]);
    process.kill(pidOf('web-1'), 'SIGSTOP');
    expect(place.thermos('kill', '--now', 'web-1').status).toBe(0);
    expect(isAlive(pidOf('web-1'))).toBe(false);
  });

  test('a stopped runner, its coordinators and commands go on and end gracefully, and it is said', async () => {
    await running('web-1');
    const { runner, processes } = place.inspect('web-1');
    const main = processes.find((each: { process: string }) => each.process === 'main');
    for (const pid of [runner.pid, main.coordinator_pid, pidOf('web-1')]) process.kill(pid, 'SIGSTOP');
    const began = performance.now();
    const { stdout, stderr, status } = place.thermos('kill', 'web-1');
    expect({ stdout, stderr, status }).toEqual({
      stdout: 'web-1: ACTIVE -> KILLED\n',
      stderr: `warning: task web-1: its runner (process ${runner.pid}) was stopped; it was continued to end the task\n`,
      status: 0,
    });
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(place.file('web-1', 'order')).toBe('term\nfinal\n');
    expect(recorded('web-1')).toEqual(KILLED);
  });
});

describe('a task without a runner', () => {
  async function orphaned(id: string, processes?: readonly RunProcess[]): Promise<void> {
    await running(id, processes);
    process.kill(place.inspect(id).runner.pid, 'SIGKILL');
    const deadline = Date.now() + 60_000;
    while (place.inspect(id).verdict !== 'runner-gone' && Date.now() < deadline);
    expect(isAlive(pidOf(id))).toBe(true);
  }

  test('is taken over and ended the same way', async () => {
    await orphaned('web-1');
    expect(place.thermos('kill', 'web-1')).toMatchObject({ stdout: 'web-1: ACTIVE -> KILLED\n', status: 0 });
    expect(place.file('web-1', 'order')).toBe('term\nfinal\n');
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(recorded('web-1')).toEqual(KILLED);
  });

  test('or is lost, as by its runner: without final processes', async () => {
    await orphaned('web-1');
    expect(place.thermos('kill', '--lose', 'web-1').stdout).toBe('web-1: ACTIVE -> LOST\n');
    expect(place.file('web-1', 'order')).not.toContain('final');
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(recorded('web-1')).toEqual({ ...KILLED, state: 'LOST' });
  });

  test('or at once', async () => {
    await orphaned('web-1');
    expect(place.thermos('kill', '--now', 'web-1').status).toBe(0);
    expect(place.file('web-1', 'order')).toBe('');
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(recorded('web-1')).toEqual(KILLED);
  });

  test('a runner that dies of the request, as the original does, is replaced', async () => {
    const task = new LoggedTask(place.path, [{ name: 'web', cmdline: 'true' }]);
    await task.run();
    const { stdout, stderr, status } = place.thermos('kill', '--json', 'task-1');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout).tasks).toMatchObject([{ was: 'ACTIVE', now: 'KILLED' }]);
    expect(recorded('task-1')).toEqual(KILLED);
    await task.killRunner();
  });

  test('is rid of what its runner, as the original does, left behind when it ended the task', async () => {
    const task = new LoggedTask(place.path, [{ name: 'web', cmdline: 'true' }]);
    const fork_time = Date.now() / 1000;
    task.update('web', 'WAITING', { state: 'FORKED', fork_time, coordinator_pid: 4_194_001 });
    task.update('web', { state: 'RUNNING', start_time: fork_time, pid: 4_194_002 }, 'SUCCESS');
    await task.runUntilAsked();
    const left = spawn('sleep', ['1000'], { env: { HOME: task.sandbox }, detached: true, stdio: 'ignore' });
    try {
      const { stdout, status } = place.thermos('kill', '--json', 'task-1');
      expect(status).toBe(0);
      expect(JSON.parse(stdout).tasks[0].signalled).toContain(left.pid);
      expect(isAlive(left.pid as number)).toBe(false);
      expect(recorded('task-1')).toEqual(KILLED);
    } finally {
      left.kill('SIGKILL');
      await task.killRunner();
    }
  });

  test('that says it is root’s, but may have been written by somebody else, neither runs nor kills', async () => {
    await orphaned('web-1');
    // Who is no root can't give files away, and reads none but his own.
    if (process.getuid?.() !== 0) return;
    const stream = join(place.root, 'checkpoints', 'web-1', 'runner');
    chownSync(stream, 12_345, 12_345);
    const why = `task web-1 runs as uid 0, but somebody else may have written its files: ${stream} belongs to uid 12345`;
    for (const how of ['--grace=5s', '--now', '--lose']) {
      const { stderr, status } = place.thermos('kill', how, 'web-1');
      expect(status).toBe(5);
      expect(stderr).toContain(why);
    }
    const config = place.config([MAIN, FINAL], {}, 'web-1');
    const { stderr, status } = place.thermos('run', '--task-id', 'web-1', config);
    expect({ stderr, status }).toEqual({
      status: 2,
      stderr: expect.stringContaining(`error: ${why}\nhint: `),
    });
    expect(isAlive(pidOf('web-1'))).toBe(true);
    expect([place.file('web-1', 'order'), recorded('web-1').state]).toEqual(['', 'ACTIVE']);
    chownSync(stream, 0, 0);
    expect(place.thermos('kill', 'web-1').status).toBe(0);
  });

  test('a recorded pid that is somebody else by now is left alone', async () => {
    const task = new LoggedTask(place.path, [{ name: 'web', cmdline: 'true' }]);
    // Our own pid, with a start that is not ours.
    task.update('web', 'WAITING', {
      state: 'FORKED',
      fork_time: 1_400_000_001,
      coordinator_pid: process.pid,
    });
    task.update('web', { state: 'RUNNING', start_time: 1_400_000_002, pid: process.pid });
    const { status } = place.thermos('kill', '--now', 'task-1');
    expect(status).toBe(0);
    expect(recorded('task-1').state).toBe('KILLED');
    expect(isAlive(process.pid)).toBe(true);
  });
});

describe('a task that is over', () => {
  test('of which something lives on is rid of it', async () => {
    const cmdline = 'echo $$ > pid; exec sleep 1000';
    await running('web-1', [{ name: 'main', cmdline }]);
    const { runner } = place.inspect('web-1');
    process.kill(runner.pid, 'SIGKILL');
    // As if a runner had recorded the end without ending anything: the original's does when it may not signal.
    const { root } = place;
    const task = {
      state: 'KILLED' as const,
      timestamp_ms: Date.now(),
      runner_pid: runner.pid,
      runner_uid: 0,
    };
    appendFileSync(
      join(root, 'checkpoints', 'web-1', 'runner'),
      streamOf([{ type: 'task_status', value: task }]),
    );
    renameSync(join(root, 'tasks', 'active', 'web-1'), join(root, 'tasks', 'finished', 'web-1'));
    expect(recorded('web-1')).toEqual({ ...KILLED, verdict: 'leftovers' });
    if (process.getuid?.() === 0) {
      chownSync(join(root, 'checkpoints', 'web-1'), 12_345, 12_345);
      const refused = place.thermos('kill', 'web-1');
      expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining('belongs to uid 12345') });
      expect(isAlive(pidOf('web-1'))).toBe(true);
      chownSync(join(root, 'checkpoints', 'web-1'), 0, 0);
    }
    const { stdout, status } = place.thermos('kill', 'web-1');
    expect({ stdout, status }).toEqual({ stdout: 'web-1: KILLED, cleaned up\n', status: 0 });
    expect(isAlive(pidOf('web-1'))).toBe(false);
    expect(recorded('web-1')).toEqual(KILLED);
  });

  test('but whose file was never moved gets it moved', async () => {
    const task = new LoggedTask(place.path, [{ name: 'web', cmdline: 'true' }]);
    task.end('FAILED');
    const tasks = join(place.root, 'tasks');
    renameSync(join(tasks, 'finished', 'task-1'), join(tasks, 'active', 'task-1'));
    expect(place.thermos('kill', 'task-1').status).toBe(0);
    expect(existsSync(join(tasks, 'finished', 'task-1'))).toBe(true);
    expect(recorded('task-1').state).toBe('FAILED');
  });
});

describe('which tasks', () => {
  test('kk-1 never means kk-10', async () => {
    await running('kk-10');
    const { stderr, status } = place.thermos('kill', '--yes', 'kk-1');
    expect(status).toBe(1);
    expect(stderr).toContain("no task matches 'kk-1'");
    expect(isAlive(pidOf('kk-10'))).toBe(true);
    const exact = place.thermos('kill', '--yes', '--exact', 'kk-.*');
    expect(exact.status).toBe(1);
    expect(exact.stderr).toContain("no task matches 'kk-.*'");
    const path = place.thermos('kill', '--exact', `${place.root}/tasks/active/kk-10`);
    expect(path.status).toBe(1);
    expect(isAlive(pidOf('kk-10'))).toBe(true);
  });

  test('a pattern is asked about, and without a terminal refused', async () => {
    await running('kk-1');
    await running('kk-2');
    const refused = place.thermos('kill', 'kk-.*');
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('kk-1, kk-2');
    expect(refused.stderr).toContain('--yes');
    const shown = place.thermos('kill', '--dry-run', 'kk-.*');
    expect(shown.stdout).toMatch(/kk-1 +ACTIVE[\s\S]*kk-2 +ACTIVE/);
    expect(shown.status).toBe(0);
    expect(isAlive(pidOf('kk-1')) && isAlive(pidOf('kk-2'))).toBe(true);
    const done = place.thermos('kill', '--yes', 'kk-*');
    expect(done.stdout.split('\n').sort()).toEqual(['', 'kk-1: ACTIVE -> KILLED', 'kk-2: ACTIVE -> KILLED']);
    expect(isAlive(pidOf('kk-1')) || isAlive(pidOf('kk-2'))).toBe(false);
  });

  test('on a terminal there is an answer', async () => {
    await running('kk-1');
    const no = new OnTerminal(['kill', '--root', place.root, 'kk-.*']);
    await no.until((output) => output.includes('[y/N]'));
    no.type('n\r');
    expect(await no.ended).toBe(1);
    expect(isAlive(pidOf('kk-1'))).toBe(true);
    const yes = new OnTerminal(['kill', '--root', place.root, 'kk-.*']);
    await yes.until((output) => output.includes('[y/N]'));
    yes.type('y\r');
    expect(await yes.ended).toBe(0);
    expect(isAlive(pidOf('kk-1'))).toBe(false);
  });

  test('one that is over is told, and is no error', () => {
    place.thermos('run', '--task-id', 'old', place.config([{ name: 'a', cmdline: 'true' }]));
    place.thermos('run', '--task-id', 'older', place.config([{ name: 'a', cmdline: 'false' }]));
    const said = (stdout: string) => ({ stdout, stderr: '', status: 0 });
    const each = 'old: had already ended, SUCCESS\nolder: had already ended, FAILED\n';
    expect(place.thermos('kill', 'old')).toMatchObject(said('old: had already ended, SUCCESS\n'));
    // Nobody is asked about nothing, also where there is nobody to ask.
    for (const words of [['old*'], ['.*', '--now'], ['old.*', '--yes'], ['old', 'older', '--lose']]) {
      expect(place.thermos('kill', ...words)).toMatchObject(said(each));
      expect(place.thermos('kill', '--dry-run', ...words)).toMatchObject(said(each));
    }
    const { stdout, status } = place.thermos('kill', '--json', 'old*');
    const document = JSON.parse(stdout);
    const root = expect.any(String);
    expect({ status, document }).toEqual({
      status: 0,
      document: {
        tasks: [
          { task_id: 'old', root, was: 'SUCCESS', now: 'SUCCESS', signalled: [] },
          { task_id: 'older', root, was: 'FAILED', now: 'FAILED', signalled: [] },
        ],
        problems: [],
      },
    });
    expect(violations('kill', document)).toEqual([]);
  });

  test('a pattern that means some to be ended leaves out those that are over', async () => {
    place.thermos('run', '--task-id', 'web-0', place.config([{ name: 'a', cmdline: 'true' }]));
    await running('web-1');
    const listed = place.thermos('kill', '--dry-run', 'web-*').stdout;
    expect(listed).toMatch(/^web-1 +ACTIVE/m);
    expect(listed).not.toContain('web-0');
    expect(place.thermos('kill', '--dry-run', 'web-0', 'web-*').stdout).toContain(
      'web-0: had already ended, SUCCESS\n',
    );
    expect(place.thermos('kill', '--yes', 'web-*').stdout).toBe('web-1: ACTIVE -> KILLED\n');
  });

  test('some that there are and some that there are not', async () => {
    await running('web-1');
    const { stdout, stderr, status } = place.thermos('kill', 'web-1', 'nope');
    expect(stdout).toBe('web-1: ACTIVE -> KILLED\n');
    expect(stderr).toContain("no task matches 'nope'");
    expect(status).toBe(1);
  });

  test('none is a mistake', () => {
    expect(place.thermos('kill').status).toBe(2);
    expect(place.thermos('kill', '--yes', '.*').status).toBe(1);
  });
});

test('who may not end a task is told so, and the task lives on', async () => {
  if (process.getuid?.() !== 0) {
    // Without root there is no task of somebody else: one whose runner can't be found out is refused as well.
    expect(thermos(['kill', '--root', place.root, 'nope']).status).toBe(1);
    return;
  }
  await running('web-1');
  const { status, stderr } = thermos(['kill', '--root', place.root, 'web-1'], unprivileged());
  expect(status).toBe(5);
  expect(stderr).toContain('web-1');
  expect(isAlive(pidOf('web-1'))).toBe(true);
  expect(recorded('web-1').state).toBe('ACTIVE');
  expect(existsSync(join(place.root, 'tasks', 'active', 'web-1'))).toBe(true);
  expect(readFileSync(`/proc/${pidOf('web-1')}/stat`, 'utf8')).not.toBe('');
});
