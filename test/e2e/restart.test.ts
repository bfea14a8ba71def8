import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REPOSITORY, type RunOptions, startThermos, thermos } from './harness.js';
import { LoggedTask } from './logged-task.js';
import { isAlive, OnTerminal, RunPlace, type RunProcess } from './run-task.js';
import { expectContract, unprivileged } from './tasks.js';

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const COORDINATORS = existsSync(join(REPOSITORY, 'dist/coordinator')) ? ['native', 'js'] : ['js'];

/** It obeys SIGTERM and ends well, as a good server does: for its coordinator, it is done. */
const SERVER = {
  name: 'web',
  cmdline:
    "trap 'echo bye >> order; exit 0' TERM; trap 'echo hup >> order' HUP; echo $$ >> pids; while :; do sleep 0.02; done",
};
const AFTER = { name: 'after', cmdline: 'echo after >> order' };
const IN_ORDER = { constraints: [{ order: ['web', 'after'] }] };

/** Waits for what a process of the task does. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`still waiting: ${what}`);
    await sleep(20);
  }
}

/** A task in the background whose process `web` has begun. */
async function running(
  processes: readonly RunProcess[],
  task: object = {},
  options: RunOptions = {},
): Promise<void> {
  const config = place.config(processes, task);
  const args = ['run', '--daemon', '--root', place.root, '--task-id', 'web-1'];
  const { status, stderr } = thermos([...args, config], options);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  await until('web begins', () => pids().length === 1);
  expect(place.thermos('wait', 'web-1', '--for', 'process=web:RUNNING', '--timeout', '60s').status).toBe(0);
}

/** The main processes of all runs of `web`, which they wrote themselves. */
const pids = () => place.file('web-1', 'pids').split('\n').slice(0, -1).map(Number);
const order = () => place.file('web-1', 'order');
const stream = () => join(place.root, 'checkpoints', 'web-1', 'runner');

/** `STATE` of each run of a process, by the strict rules of the original's replay. */
function runsOf(process: string): string[] {
  const { stdout, status } = thermos(['read', '--json', stream()]);
  const document = JSON.parse(stdout);
  expect({ status, problems: document.problems }).toEqual({ status: 0, problems: [] });
  return (document.processes[process] ?? []).map(({ state }: { state: string }) => state);
}

describe.each(COORDINATORS)('restart, with the coordinator %s', (kind) => {
  const options = { env: { THERMOS_COORDINATOR: kind } };

  test('ends a process that would be done, which runs once more without a failure, and those after it wait on', async () => {
    await running([SERVER, AFTER], IN_ORDER, options);
    const [first] = pids();
    const { stdout, stderr, status } = place.thermos('restart', 'web-1', 'web');
    const now = place.inspect('web-1').processes[0];
    expect({ stdout, stderr, status }).toEqual({
      stdout: `web: run 0 (pid ${first}) ended, run 1 is running (pid ${now.pid})\n`,
      stderr: '',
      status: 0,
    });
    await until('web begins again', () => pids().length === 2);
    expect(pids()).toEqual([first, now.pid]);
    expect(now).toMatchObject({ state: 'RUNNING', runs: 2, failures: 0 });
    expect(isAlive(first as number)).toBe(false);
    expect([order(), runsOf('web'), runsOf('after')]).toEqual(['bye\n', ['LOST', 'RUNNING'], []]);
    const { stdout: shown } = place.thermos('inspect', 'web-1');
    expect(shown).toMatch(/Run 0 of process web was restarted at \S+, by thermos restart, user /);
    expect(shown).not.toContain('was killed by SIGKILL');
    expect(place.thermos('doctor', 'web-1').stdout).toMatch(
      /web\[0\] +is ended to run again, by thermos restart/,
    );
    // What it does afterwards counts as ever.
    expect(place.thermos('signal', 'web-1', 'web', 'TERM').status).toBe(0);
    expect(place.thermos('wait', 'web-1', '--timeout', '60s').status).toBe(0);
    expect([order(), runsOf('web'), runsOf('after')]).toEqual([
      'bye\nbye\nafter\n',
      ['LOST', 'SUCCESS'],
      ['SUCCESS'],
    ]);
  });

  test('kills what does not obey, and all that it started, before the next run', async () => {
    const deaf = {
      name: 'web',
      daemon: true,
      cmdline: `trap '' TERM; [ -e child ] && grep -qs '^State:.[RSDT]' /proc/$(cat child)/status && echo both >> order;
        (setsid sleep 1000 & echo $! > child); echo $$ >> pids; while :; do sleep 0.02; done`,
    };
    await running([deaf], {}, options);
    const [first] = pids();
    const child = Number(place.file('web-1', 'child'));
    const { stdout, stderr, status } = place.thermos('restart', '--json', '--grace', '200ms', 'web-1', 'web');
    const document = JSON.parse(stdout);
    expectContract('restart', document);
    expect({ stderr, status, document }).toMatchObject({
      stderr: '',
      status: 0,
      document: {
        task_id: 'web-1',
        process: 'web',
        was: { run: 0, pid: first },
        ended: 'killed',
        now: { run: 1, state: 'RUNNING' },
        problems: [],
      },
    });
    expect(document.signalled).toEqual(expect.arrayContaining([first, child]));
    expect(isAlive(first as number) || isAlive(child)).toBe(false);
    await until('web begins again', () => pids().length === 2);
    expect([order(), runsOf('web')]).toEqual(['', ['LOST', 'RUNNING']]);
  });

  test('interrupted, lets the process end as it ends by itself', async () => {
    const slow = {
      name: 'web',
      cmdline:
        "trap 'echo term >> order; until [ -e go ]; do sleep 0.02; done; exit 0' TERM; echo $$ >> pids; while :; do sleep 0.02; done; exit",
    };
    await running(
      [
        slow,
        {
          name: 'go',
          cmdline: 'until [ -e now ]; do sleep 0.02; done; touch go; until [ -e over ]; do sleep 0.02; done',
        },
      ],
      {},
      options,
    );
    const child = startThermos(['restart', '--root', place.root, 'web-1', 'web']);
    let said = '';
    child.stderr?.on('data', (bytes) => {
      said += bytes;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until('web is asked', () => order() === 'term\n');
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(said).toBe(
      'interrupted: run 0 of process web was sent SIGTERM; its end counts as if it had ended by itself\n',
    );
    expect(runsOf('web')).toEqual(['RUNNING']);
    writeFileSync(join(place.sandbox('web-1'), 'now'), '');
    expect(place.thermos('wait', 'web-1', '--for', 'process=web:SUCCESS', '--timeout', '60s').status).toBe(0);
    writeFileSync(join(place.sandbox('web-1'), 'over'), '');
    expect(place.thermos('wait', 'web-1', '--timeout', '60s').status).toBe(0);
    expect(runsOf('web')).toEqual(['SUCCESS']);
  });
});

describe('restart', () => {
  test('ended by SIGQUIT lets the coordinator go on', async () => {
    const cmdline = "trap 'echo term >> order' TERM; echo $$ >> pids; while :; do sleep 0.02; done; exit";
    await running([{ name: 'web', cmdline }]);
    const child = startThermos(['restart', '--root', place.root, 'web-1', 'web']);
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until('web is asked', () => order() === 'term\n');
    child.kill('SIGQUIT');
    expect(await ended).toBe(131);
    const { coordinator_pid } = place.inspect('web-1').processes[0];
    const stat = () => readFileSync(`/proc/${coordinator_pid}/stat`, 'utf8');
    await until('the coordinator goes on', () => !/\) T /.test(stat()));
  });

  test('goes on with a run that an earlier restart was killed over', async () => {
    await running([SERVER]);
    const { coordinator_pid } = place.inspect('web-1').processes[0];
    process.kill(coordinator_pid, 'SIGSTOP');
    expect(place.thermos('restart', 'web-1', 'web').status).toBe(0);
    expect(runsOf('web')).toEqual(['LOST', 'RUNNING']);
  });

  test('does not restart what ended by itself in the meantime', async () => {
    await running([SERVER]);
    const { coordinator_pid } = place.inspect('web-1').processes[0];
    // As if it had been held in the moment in which the process ended.
    process.kill(coordinator_pid, 'SIGSTOP');
    await until('the coordinator stops', () =>
      / T /.test(readFileSync(`/proc/${coordinator_pid}/stat`, 'utf8')),
    );
    const [pid] = pids() as [number];
    process.kill(pid, 'SIGTERM');
    await until('the process ends', () => !isAlive(pid));
    const { stderr, status } = place.thermos('restart', 'web-1', 'web');
    expect({ stderr, status }).toEqual({
      stderr: 'error: process web ended by itself before it was restarted: run 0 is SUCCESS\n',
      status: 1,
    });
    expect(place.thermos('wait', 'web-1', '--timeout', '60s').status).toBe(0);
    expect(runsOf('web')).toEqual(['SUCCESS']);
  });

  test('waits for the next run no longer than --timeout, or not at all', async () => {
    const other = { name: 'other', cmdline: 'while :; do sleep 0.02; done' };
    await running([SERVER]);
    const { stdout, status } = place.thermos('restart', '--no-wait', 'web-1', 'web');
    expect({ stdout, status }).toEqual({
      stdout: `web: run 0 (pid ${pids()[0]}) ended, its runner starts run 1\n`,
      status: 0,
    });
    await until('web begins again', () => pids().length === 2);
    expect(place.thermos('kill', '--now', 'web-1').status).toBe(0);
    // The other process takes the place of the one that ends, for ever.
    const config = place.config([SERVER, other], { max_concurrency: 1 });
    expect(place.thermos('run', '--daemon', '--task-id', 'full', config).status).toBe(0);
    expect(place.thermos('wait', 'full', '--for', 'process=web:RUNNING', '--timeout', '60s').status).toBe(0);
    const late = place.thermos('restart', '--timeout', '10ms', 'full', 'web');
    expect(late).toMatchObject({
      status: 124,
      stderr: 'error: timed out: run 0 of process web ended, but run 1 has not started\n',
    });
    expect(place.thermos('restart', '--no-wait', '--timeout', '3s', 'full', 'other').status).toBe(2);
  });

  test('needs a live runner, and a process that runs', async () => {
    await running([SERVER, AFTER], IN_ORDER);
    const refusal = (status: number, ...words: string[]) => {
      const answer = place.thermos('restart', ...words);
      expect({ words, status: answer.status, stdout: answer.stdout }).toEqual({ words, status, stdout: '' });
      return answer.stderr;
    };
    expect(refusal(1, 'web-1', 'after')).toBe(
      'error: process after has never started: it waits for its turn\n',
    );
    expect(refusal(1, 'web-1', 'wab')).toBe(
      "error: task web-1 has no process 'wab'\nhint: did you mean web?\n",
    );
    expect(refusal(1, 'web', 'web')).toContain("no task matches 'web'");
    expect(refusal(2, 'web-1')).toContain('PROCESS');
    expect(refusal(2, 'web-.', 'web')).toContain('--yes');
    const { runner } = place.inspect('web-1');
    process.kill(runner.pid, 'SIGSTOP');
    await until('the runner stops', () => / T /.test(readFileSync(`/proc/${runner.pid}/stat`, 'utf8')));
    expect(refusal(5, 'web-1', 'web')).toBe(
      `error: the runner of task web-1 (process ${runner.pid}) is stopped: it would not run the process again\nhint: continue it: kill -CONT ${runner.pid}\n`,
    );
    process.kill(runner.pid, 'SIGKILL');
    await until('the runner is gone', () => place.inspect('web-1').verdict === 'runner-gone');
    expect(refusal(5, 'web-1', 'web')).toMatch(
      /^error: task web-1 has no live runner .*\nhint: .*--task-id web-1/,
    );
    expect(order()).toBe('');
    expect(isAlive(pids()[0] as number)).toBe(true);
    expect(place.thermos('kill', '--now', 'web-1').status).toBe(0);
    expect(refusal(1, 'web-1', 'web')).toBe('error: task web-1 is over: KILLED\n');
  });

  test('asks about a task that a pattern names', async () => {
    await running([SERVER]);
    const no = new OnTerminal(['restart', '--root', place.root, 'web-.', 'web']);
    await no.until((output) => output.includes('Restart process web of web-1? [y/N]'));
    no.type('n\r');
    expect(await no.ended).toBe(1);
    expect(runsOf('web')).toEqual(['RUNNING']);
    expect(place.thermos('restart', '--yes', 'web-.', 'web').status).toBe(0);
    expect(runsOf('web')).toEqual(['LOST', 'RUNNING']);
  });

  test('is for the user of the task and for root, not for others', async () => {
    const { uid } = unprivileged();
    if (uid === undefined) return;
    await running([SERVER]);
    for (const words of [
      ['restart', 'web-1', 'web'],
      ['signal', 'web-1', 'web', 'HUP'],
    ]) {
      const [command = '', ...rest] = words;
      const answer = thermos([command, '--root', place.root, ...rest], { uid });
      expect({ status: answer.status, stdout: answer.stdout }).toEqual({ status: 5, stdout: '' });
      expect(answer.stderr).toMatch(/^error: .*\nhint: run it again with sudo\n$/);
    }
    expect([order(), runsOf('web')]).toEqual(['', ['RUNNING']]);
  });

  test.each(['root', 'its own user'])('of a task of another user, by %s', async (who) => {
    const { uid } = unprivileged();
    if (uid === undefined) return;
    const own = join(place.path, 'own');
    mkdirSync(own);
    chownSync(own, uid, uid);
    const root = join(own, 'root');
    const config = place.config([SERVER]);
    const as = (id: number | undefined, ...args: string[]) => thermos([...args, '--root', root], { uid: id });
    expect(as(uid, 'run', '--daemon', '--task-id', 'web-1', config)).toMatchObject({ status: 0, stderr: '' });
    try {
      expect(as(uid, 'wait', 'web-1', '--for', 'process=web:RUNNING', '--timeout', '60s').status).toBe(0);
      const by = who === 'root' ? undefined : uid;
      const log = join(root, 'sandboxes', 'web-1', 'pids');
      await until('web begins', () => existsSync(log) && readFileSync(log, 'utf8').endsWith('\n'));
      expect(as(by, 'signal', 'web-1', 'web', 'HUP').stdout).toMatch(/^SIGHUP -> web \(pid \d+, run 0\)\n$/);
      const { stdout, stderr, status } = as(by, 'restart', 'web-1', 'web');
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
      expect(stdout).toMatch(/^web: run 0 \(pid \d+\) ended, run 1 is running \(pid \d+\)\n$/);
    } finally {
      as(undefined, 'kill', '--now', 'web-1');
    }
  });
});

describe('signal', () => {
  test('reaches the main process, or all that it started', async () => {
    const cmdline =
      "bash -c 'trap \"echo child >> order; exit\" USR1; echo up > child; while :; do sleep 0.02; done' & trap 'echo main >> order' USR1; echo $$ >> pids; while :; do sleep 0.02; done";
    await running([{ name: 'web', cmdline }]);
    await until('its child begins', () => place.file('web-1', 'child') === 'up\n');
    const [pid] = pids();
    const { stdout, stderr, status } = place.thermos('signal', 'web-1', 'web', 'usr1');
    expect({ stdout, stderr, status }).toEqual({
      stdout: `SIGUSR1 -> web (pid ${pid}, run 0)\n`,
      stderr: '',
      status: 0,
    });
    await until('it is signalled', () => order() === 'main\n');
    const all = place.thermos('signal', '--json', '--all', 'web-1', 'web', '10');
    const document = JSON.parse(all.stdout);
    expectContract('signal', document);
    expect(document).toMatchObject({
      process: 'web',
      run: 0,
      signal: 'SIGUSR1',
      number: 10,
      pid,
      problems: [],
    });
    expect(document.signalled.length).toBeGreaterThan(1);
    await until('both are signalled', () => order().split('\n').sort().join(' ') === ' child main main');
    expect(runsOf('web')).toEqual(['RUNNING']);
  });

  test('needs no runner, but a process that runs', async () => {
    await running([SERVER, AFTER], IN_ORDER);
    process.kill(place.inspect('web-1').runner.pid, 'SIGKILL');
    await until('the runner is gone', () => place.inspect('web-1').verdict === 'runner-gone');
    expect(place.thermos('signal', 'web-1', 'web', 'HUP').status).toBe(0);
    await until('it is signalled', () => order() === 'hup\n');
    const { stderr, status } = place.thermos('signal', 'web-1', 'after', 'HUP');
    expect({ stderr, status }).toEqual({
      stderr: 'error: process after of task web-1 is not running: it has never started\n',
      status: 1,
    });
    const [pid] = pids() as [number];
    expect(place.thermos('signal', 'web-1', 'web', 'KILL').status).toBe(0);
    await until('it ends', () => !isAlive(pid));
    await until('its end is recorded', () => place.inspect('web-1').processes[0].state === 'KILLED');
    const again = place.thermos('signal', '--json', 'web-1', 'web', 'HUP');
    expect(again.status).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'process-not-running' } });
  });

  test('that is none gets those that there are', () => {
    const { stderr, status } = place.thermos('signal', 'web-1', 'web', 'HUPP');
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^error: 'HUPP' is not a signal\nhint: did you mean HUP\? the signals are HUP, INT, /,
    );
  });

  test('a recorded pid that is somebody else by now is left alone', () => {
    const task = new LoggedTask(place.path, [{ name: 'web', cmdline: 'true' }]);
    const mine = { state: 'FORKED' as const, fork_time: 1_400_000_001, coordinator_pid: process.pid };
    task.update('web', 'WAITING', mine, { state: 'RUNNING', start_time: 1_400_000_002, pid: process.pid });
    const { stderr, status } = place.thermos('signal', 'task-1', 'web', 'KILL');
    expect(status).toBe(5);
    expect(stderr).toContain(`error: process ${process.pid} was left alone: `);
  });

  test('of root’s is not sent where somebody else may have written what the stream says', async () => {
    if (process.getuid?.() !== 0) return;
    await running([SERVER]);
    chownSync(stream(), 12_345, 12_345);
    for (const words of [
      ['signal', 'web-1', 'web', 'HUP'],
      ['restart', 'web-1', 'web'],
    ]) {
      const [command = '', ...rest] = words;
      const { stderr, status } = place.thermos(command, ...rest);
      expect(status).toBe(2);
      expect(stderr).toContain(`${stream()} belongs to uid 12345`);
    }
    chownSync(stream(), 0, 0);
    expect(order()).toBe('');
    expect(isAlive(pids()[0] as number)).toBe(true);
  });
});
