import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tryLock } from '../../src/host/flock.js';
import { Host } from '../../src/host/host.js';
import { Records, writeTask } from '../task/trees.js';
import { gc } from './gc-trees.js';
import { placeForEach, thermos } from './harness.js';
import { isAlive, RunPlace, type RunProcess } from './run-task.js';
import { seesAllLocks } from './tasks.js';

const HOUR = 3_600_000;
const AS_ROOT = process.getuid?.() === 0;
const ME = process.getuid?.() ?? 0;
/** Users who mean harm; who is no root has only himself. */
const MALLORY = AS_ROOT ? 4711 : ME;
const TRUDY = AS_ROOT ? 4712 : ME;

describe('a stranger that is made to look like a part of a task', () => {
  const temp = placeForEach();
  const { children } = temp;
  let root: string;
  beforeEach(() => {
    ({ root } = temp);
  });

  /** A daemon that has descriptors, and writes down what signals it gets. */
  async function daemon(fds: readonly number[], uid = ME): Promise<{ pid: number; signals: () => string }> {
    const notes = join(temp.path, `signals-${children.length}`);
    writeFileSync(notes, '');
    chmodSync(notes, 0o666);
    const script = `for s in USR1 USR2 TERM HUP CONT; do trap "echo $s >> '${notes}'" $s; done
      echo; while :; do sleep 0.05; done`;
    const child = spawn('bash', ['-c', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit', ...fds],
      uid,
      gid: uid,
      env: { PATH: process.env.PATH },
    });
    children.push(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return { pid: child.pid as number, signals: () => readFileSync(notes, 'utf8') };
  }

  /** Somebody who holds the lock of a file. */
  async function holder(path: string): Promise<void> {
    const child = spawn('flock', [path, 'bash', '-c', 'echo; exec sleep 300'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
  }

  const startOf = (pid: number) => (Host.local().process(pid)?.startTimeMs as number) / 1000;

  /** A task of Mallory's, all of it; `uid` is what its header says. */
  function forge(
    make: (records: Records) => void,
    coordinators: Record<string, Buffer> = {},
    uid = MALLORY,
  ): string {
    const sandbox = join(root, 'sandboxes', 'a');
    const records = new Records().header({
      task_id: 'a',
      uid,
      sandbox,
      log_dir: `${sandbox}/.logs`,
      launch_time_ms: 1,
    });
    make(records);
    const task = { name: 'a', processes: [{ name: 'p', cmdline: 'true' }] };
    return writeTask(root, 'a', { task, runner: records, coordinators });
  }

  function give(uid: number, age = 2 * HOUR): void {
    const visit = (path: string) => {
      if (AS_ROOT) chownSync(path, uid, uid);
      if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
      utimesSync(path, (Date.now() - age) / 1000, (Date.now() - age) / 1000);
    };
    visit(root);
  }

  const kill = (...args: string[]) => thermos(['kill', '--root', root, ...args, 'a']);

  test.each([
    ['a user', MALLORY],
    ['root', 0],
  ])(
    'gc does not kill who has a stream open while somebody holds its lock, in a task that says it is that of %s',
    async (_, uid) => {
      const directory = forge(() => {}, { p: Buffer.alloc(0) });
      const fd = openSync(`${directory}/coordinator.p`, 'r');
      const { pid, signals } = await daemon([fd]);
      closeSync(fd);
      await holder(`${directory}/coordinator.p`);
      // Of a start that is not its own: otherwise it is, for who is no root, a process of his own that he named.
      const fork_time = AS_ROOT ? startOf(pid) : startOf(pid) - 60;
      const forked = { state: 'FORKED' as const, fork_time, coordinator_pid: pid };
      forge((records) => records.status('ACTIVE').process('p', 'WAITING', forked), {}, uid);
      give(MALLORY);
      const answer = gc(['--root', root, '--yes']);
      expect(answer.json.tasks).toMatchObject([{ orphan: { result: 'refused', killed: [] } }]);
      expect([answer.status, isAlive(pid), signals()]).toEqual([5, true, '']);
    },
  );

  test('gc --retained tells nothing to who merely has the stream open', async () => {
    const directory = forge((records) => records.status('ACTIVE'));
    const fd = openSync(`${directory}/runner`, 'r');
    const { pid, signals } = await daemon([fd]);
    closeSync(fd);
    await holder(`${directory}/runner`);
    forge((records) => records.status('ACTIVE', Date.now(), pid));
    give(MALLORY);
    writeFileSync(join(temp.path, 'retained'), '{"a":"KILLED"}');
    const answer = gc(['--root', root, '--yes', '--retained', join(temp.path, 'retained')]);
    expect(answer.json.tasks).toMatchObject([{ orphan: { result: 'refused', killed: [] } }]);
    expect([answer.status, isAlive(pid), signals()]).toEqual([5, true, '']);
  });

  test.each(['--grace=1s', '--now', '--lose'])(
    'kill %s sends nothing to a daemon that was passed the locked stream',
    async (how) => {
      const directory = forge((records) => records.status('ACTIVE'));
      const fd = openSync(`${directory}/runner`, 'a');
      expect(tryLock(fd)).toBe(true);
      const { pid, signals } = await daemon([fd]);
      closeSync(fd);
      // A daemon of root's, or for who is no root one that he recorded as root's.
      const uid = AS_ROOT ? MALLORY : 0;
      forge((records) => records.status('ACTIVE', Date.now(), pid), {}, uid);
      give(MALLORY);
      const { status, stderr } = kill(how);
      expect(stderr).toContain(AS_ROOT ? `process ${pid}` : 'task a');
      expect([status, isAlive(pid), signals()]).toEqual([5, true, '']);
    },
  );

  test('kill --now does not kill a daemon that was passed the locked stream of a process', async () => {
    const directory = forge(() => {}, { p: Buffer.alloc(0) });
    const fd = openSync(`${directory}/coordinator.p`, 'a');
    expect(tryLock(fd)).toBe(true);
    const { pid, signals } = await daemon([fd]);
    closeSync(fd);
    const uid = AS_ROOT ? MALLORY : 0;
    const forked = { state: 'FORKED' as const, fork_time: startOf(pid), coordinator_pid: pid };
    forge((records) => records.status('ACTIVE').process('p', 'WAITING', forked), {}, uid);
    give(MALLORY);
    const { status } = kill('--now');
    expect([status, isAlive(pid), signals()]).toEqual([seesAllLocks() ? 5 : 0, true, '']);
  });

  test('files are distrusted before a signal is sent', async () => {
    const directory = forge((records) => records.status('ACTIVE'));
    const fd = openSync(`${directory}/runner`, 'a');
    expect(tryLock(fd)).toBe(true);
    // Mallory's own daemon, in a task that Trudy wrote: it is Mallory's to kill, not Trudy's.
    const { pid, signals } = await daemon([fd], MALLORY);
    closeSync(fd);
    forge((records) => records.status('ACTIVE', Date.now(), pid));
    give(TRUDY);
    if (!AS_ROOT) chmodSync(`${directory}/runner`, 0o666);
    for (const how of ['--grace=1s', '--now', '--lose']) {
      const { status, stderr } = kill(how);
      expect(stderr).toContain('somebody else may have written its files');
      expect([status, isAlive(pid), signals()]).toEqual([5, true, '']);
    }
    writeFileSync(join(temp.path, 'retained'), '{"a":"KILLED"}');
    const answer = gc(['--root', root, '--yes', '--retained', join(temp.path, 'retained')]);
    expect([answer.status, isAlive(pid), signals()]).toEqual([5, true, '']);
  });

  test('a task that is over asks nobody, whoever holds its lock', async () => {
    const directory = forge((records) => records.status('KILLED'), {}, ME);
    const fd = openSync(`${directory}/runner`, 'a');
    expect(tryLock(fd)).toBe(true);
    const { pid, signals } = await daemon([fd]);
    closeSync(fd);
    forge((records) => records.status('KILLED', Date.now(), pid), {}, ME);
    expect(kill('--grace=1s').status).toBe(5);
    expect([isAlive(pid), signals()]).toEqual([true, '']);
  });
});

describe('what lies where a file of a task was', () => {
  let place: RunPlace;
  beforeEach(() => {
    place = new RunPlace();
  });
  afterEach(() => place.remove());

  const MAIN = { name: 'main', cmdline: 'echo $$ > pid; exec sleep 1000' };
  const FINAL = { name: 'clean', cmdline: 'echo final >> order', final: true };
  const pidOf = (id: string) => Number(place.file(id, 'pid'));

  /** A task whose runner was killed, and whose process lives. */
  async function orphaned(id: string, processes: readonly RunProcess[] = [MAIN, FINAL]): Promise<void> {
    const config = place.config(processes, {}, id);
    expect(place.thermos('run', '--daemon', '--task-id', id, config).status).toBe(0);
    expect(place.thermos('wait', id, '--for', 'process=main:RUNNING', '--timeout', '30s').status).toBe(0);
    while (!place.file(id, 'pid').endsWith('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
    const { runner } = place.inspect(id);
    process.kill(runner.pid, 'SIGKILL');
    while (isAlive(runner.pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Puts something else where a file was. */
  function replace(path: string, kind: string): void {
    rmSync(path, { force: true });
    if (kind === 'a FIFO') spawnSync('mkfifo', [path]);
    if (kind === 'a socket') {
      const script = 'require("node:net").createServer().listen(process.argv[1], () => process.exit())';
      // Node removes it when it ends properly.
      spawnSync(process.execPath, [
        '-e',
        script.replace('process.exit()', 'process.kill(process.pid, 9)'),
        path,
      ]);
    }
    if (kind === 'a directory') mkdirSync(path);
    if (kind === 'a loop') symlinkSync(path, path);
    if (kind === 'a link to a device') symlinkSync('/dev/zero', path);
    if (kind === 'a link to nothing') symlinkSync('nothing', path);
    if (kind === 'cut off') writeFileSync(path, '{"processes":[{"name":');
    if (kind === 'no JSON') writeFileSync(path, Buffer.from([0, 1, 255]));
    if (kind === 'another kind of JSON') writeFileSync(path, '[]');
    if (kind === 'empty') writeFileSync(path, '');
    if (kind === '8 EiB long') {
      writeFileSync(path, '{}');
      for (let size = 2 ** 53; ; size /= 2) {
        try {
          truncateSync(path, size);
          break;
        } catch {
          // The file system takes less.
        }
      }
    }
  }

  const killed = (id: string, ...args: string[]) => {
    const began = performance.now();
    const grace = args.includes('--now') ? [] : ['--grace', '5s'];
    const answer = place.thermos('kill', '--json', ...grace, ...args, id);
    expect(performance.now() - began).toBeLessThan(60_000);
    return { ...answer, json: JSON.parse(answer.stdout) };
  };

  const SPOILED = [
    'gone',
    'cut off',
    'no JSON',
    'another kind of JSON',
    'empty',
    'a FIFO',
    'a directory',
    'a loop',
    'a link to a device',
    'a link to nothing',
    '8 EiB long',
  ];

  test('no task escapes kill --now, whatever its task file is; nor kill, which then runs no final processes', async () => {
    for (const [i, kind] of SPOILED.entries()) {
      const id = `task-${i}`;
      await orphaned(id);
      const file = join(place.root, 'tasks', 'active', id);
      replace(file, kind);
      const { status, json } = killed(id, ...(i % 2 === 0 ? ['--now'] : []));
      expect([kind, json.tasks.map(({ now }: { now: string }) => now)]).toEqual([kind, ['KILLED']]);
      expect([kind, isAlive(pidOf(id)), status]).toEqual([kind, false, i % 2 === 0 ? 0 : 5]);
      const own = json.problems.filter(({ task_id }: { task_id?: string }) => task_id === id);
      const told = own.map(({ message }: { message: string }) => message).join();
      expect(told).toMatch(i % 2 === 0 ? /^$/ : /final processes, if it has any, were not run/);
      expect([place.file(id, 'order'), existsSync(file)]).toEqual(['', false]);
      const { state, verdict } = place.inspect(id);
      expect([kind, state, verdict]).toEqual([kind, 'KILLED', 'ok']);
    }
  });

  test('the graceful end still is one without a task file', async () => {
    const cmdline = "trap 'echo term >> order; exit' TERM; echo $$ > pid; while :; do sleep 0.05; done";
    await orphaned('web', [{ name: 'main', cmdline }, FINAL]);
    replace(join(place.root, 'tasks', 'active', 'web'), 'gone');
    expect(killed('web').status).toBe(5);
    expect(place.file('web', 'order')).toBe('term\n');
    const { statuses } = place.inspect('web');
    expect(statuses.map(({ state }: { state: string }) => state)).toEqual(['ACTIVE', 'CLEANING', 'KILLED']);
  });

  test('the stream of a process', async () => {
    const kinds = ['a FIFO', 'a socket', 'a directory', 'a loop', 'a link to a device', 'a link to nothing'];
    for (const [i, kind] of kinds.entries()) {
      const id = `task-${i}`;
      await orphaned(id, [MAIN]);
      replace(join(place.root, 'checkpoints', id, 'coordinator.main'), kind);
      const { status, json } = killed(id, ...(i % 2 === 0 ? ['--now'] : []));
      expect([kind, json.tasks.map(({ now }: { now: string }) => now)]).toEqual([kind, ['KILLED']]);
      expect([kind, isAlive(pidOf(id)), status]).toEqual([kind, false, 5]);
      expect(json.problems).toMatchObject([{ code: 'checkpoint-unreadable' }]);
    }
  });

  test('in an executor’s sandbox, where root may be that of a container, nothing is executed', async () => {
    const cmdline = "trap 'echo term >> order; exit' TERM; echo $$ > pid; while :; do sleep 0.05; done";
    await orphaned('web', [{ name: 'main', cmdline }, FINAL]);
    const pid = pidOf('web');
    const run = join(place.path, 'slaves/S/frameworks/F/executors/E/runs/R');
    mkdirSync(run, { recursive: true });
    renameSync(place.root, join(run, 'checkpoints'));
    const { stdout, stderr, status } = thermos(['kill', '--root', join(run, 'checkpoints'), 'web']);
    expect({ stdout, status }).toEqual({ stdout: 'web: ACTIVE -> KILLED\n', status: 0 });
    expect(stderr).toContain('its final processes are not run');
    expect(isAlive(pid)).toBe(false);
    expect(readFileSync(join(run, 'checkpoints/sandboxes/web/order'), 'utf8')).toBe('term\n');
  });

  test('of one task does not keep the others from being ended', async () => {
    for (const id of ['a', 'b', 'c']) await orphaned(id, [MAIN]);
    replace(join(place.root, 'checkpoints', 'b', 'runner'), 'a FIFO');
    const { stdout, status } = place.thermos('kill', '--json', 'a', 'b', 'c');
    const { tasks } = JSON.parse(stdout);
    const now = Object.fromEntries(
      tasks.map((task: { task_id: string; now: string }) => [task.task_id, task.now]),
    );
    expect([status, now.a, now.c]).toEqual([5, 'KILLED', 'KILLED']);
    expect(['a', 'b', 'c'].map((id) => isAlive(pidOf(id)))).toEqual([false, true, false]);
    process.kill(pidOf('b'), 'SIGKILL');
  });

  test('a stream that is damaged records nothing more, but what lives is ended', async () => {
    await orphaned('web', [MAIN]);
    const stream = join(place.root, 'checkpoints', 'web', 'runner');
    writeFileSync(stream, Buffer.from('\xff\xff\xff\xff', 'latin1'), { flag: 'a' });
    const { status, json } = killed('web', '--now');
    expect(json.problems).toMatchObject([{ code: 'checkpoint-damaged' }]);
    expect([status, isAlive(pidOf('web'))]).toEqual([5, false]);
  });

  test('gc ends orphans whose coordinators live, and none is refused for a lock that outlives its holder', async () => {
    const ids = Array.from({ length: 8 }, (_, i) => `task-${i}`);
    for (const id of ids) await orphaned(id, [MAIN]);
    const { status, json } = gc(['--root', place.root, '--yes', '--orphan-age', '0s']);
    expect(json.tasks.map(({ orphan }) => orphan?.result)).toEqual(ids.map(() => 'done'));
    expect([status, ids.filter((id) => isAlive(pidOf(id)))]).toEqual([0, []]);
    for (const id of ids) expect(place.inspect(id).state).toBe('LOST');
  });
});
