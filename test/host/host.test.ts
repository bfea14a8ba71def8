import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Host, isDead } from '../../src/host/host.js';
import { tempDir } from '../e2e/harness.js';
import { seesAllLocks } from '../e2e/tasks.js';

const INITIAL = 'pid:[4026531836]';

let temp: { path: string; remove: () => void };
const children: ChildProcess[] = [];
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  temp.remove();
});

/** Starts a program and waits for the first line it prints. */
async function startAndWait(command: string, args: string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [data] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return { child, line: String(data).trim() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 2));
}

describe('this machine', () => {
  test('our own process', () => {
    const host = Host.local();
    const self = host.process(process.pid);
    expect(self).toMatchObject({ pid: process.pid, uid: process.getuid?.() });
    expect(self?.nsPid[0]).toBe(process.pid);
    expect(self && isDead(self)).toBe(false);
    expect(host.presence(process.pid)).toBe('here');
    expect(host.euid).toBe(process.geteuid?.());
    expect(host.pidNamespace()).toMatch(/^pid:\[\d+\]$/);
    expect(host.pidNamespace(process.pid)).toBe(host.pidNamespace());
    const started = Date.now() - process.uptime() * 1000;
    expect(Math.abs((self?.startTimeMs ?? 0) - started)).toBeLessThan(60_000);
    expect(host.bootTimeMs).toBeLessThanOrEqual(self?.startTimeMs ?? 0);
  });

  test('a child is found with its start time, and is gone after its end in a new snapshot', async () => {
    const { child, line } = await startAndWait('sh', ['-c', 'echo $$; read x']);
    const pid = Number(line);
    const before = Host.local();
    const found = before.process(pid);
    expect(found).toMatchObject({ pid, command: 'sh' });
    expect(found?.startTimeTicks).toBeGreaterThanOrEqual(before.process(process.pid)?.startTimeTicks ?? 0);
    child.stdin?.end();
    await once(child, 'exit');
    expect(before.process(pid)).toEqual(found);
    expect(Host.local().process(pid)).toBeUndefined();
    expect(Host.local().presence(pid)).toBe('gone');
  });

  test('a zombie is found, and dead', async () => {
    // The shell becomes a sleep, which never waits for the child that the shell has left it.
    const child = spawn('sh', ['-c', '(read x <&3) & echo $!; exec 3<&-; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    children.push(child);
    const [data] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    await until(() => Host.local().process(child.pid as number)?.command === 'sleep');
    const pid = Number(data);
    const alive = Host.local().process(pid);
    expect(alive && isDead(alive)).toBe(false);
    (child.stdio[3] as NodeJS.WritableStream).end();
    await until(() => Host.local().process(pid)?.state === 'Z');
    const dead = Host.local().process(pid);
    expect(dead && isDead(dead)).toBe(true);
    expect(Host.local().presence(pid)).toBe('here');
  });

  test('a command full of parentheses', async () => {
    const program = join(temp.path, ') R 1 (x');
    symlinkSync('/bin/sh', program);
    const { line } = await startAndWait(program, ['-c', 'echo $$; read x']);
    expect(Host.local().process(Number(line))?.command).toBe(') R 1 (x');
  });

  test('pids that are none', () => {
    const host = Host.local();
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 40]) {
      expect(host.process(pid)).toBeUndefined();
      expect(host.presence(pid)).toBe('gone');
    }
  });

  test('a file that flock(1) holds, another that it does not', async () => {
    const file = join(temp.path, 'runner');
    const other = join(temp.path, 'other');
    writeFileSync(file, '');
    writeFileSync(other, '');
    const { child, line } = await startAndWait('flock', [file, 'sh', '-c', 'echo $PPID; read x']);
    const host = Host.local();
    expect(host.isLocked(statSync(file, { bigint: true }))).toBe(true);
    expect(host.isLocked(statSync(file))).toBe(true);
    expect(host.lockHolders(statSync(file))).toEqual([Number(line)]);
    const free = host.pidNamespace() === INITIAL ? false : undefined;
    expect(host.isLocked(statSync(other))).toBe(free);
    expect(host.lockHolders(statSync(other))).toEqual([]);
    child.stdin?.end();
    await once(child, 'exit');
    expect(host.isLocked(statSync(file))).toBe(true);
    expect(Host.local().isLocked(statSync(file))).toBe(free);
  });

  test('a lock is seen after the one who took it has gone, while a child of it holds on', async () => {
    const file = join(temp.path, 'runner');
    const script = `exec 9>'${file}'; flock 9; (sh -c 'read x' <&3 &)`;
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(Host.local().isLocked(statSync(file))).toBe(seesAllLocks() ? true : undefined);
    (child.stdio[3] as NodeJS.WritableStream).end();
  });

  test('a process in a pid namespace of its own', async () => {
    const able = spawnSync('unshare', ['-p', '-f', 'true']).status === 0;
    const host = Host.local();
    if (!able) {
      // Not allowed here: then at least every process we see is in a namespace that it tells.
      expect(host.process(process.pid)?.nsPid.length).toBeGreaterThan(0);
      return;
    }
    const file = join(temp.path, 'runner');
    writeFileSync(file, '');
    await startAndWait('unshare', ['-p', '-f', 'flock', file, 'sh', '-c', 'echo $PPID; read x']);
    const stat = statSync(file);
    expect(host.isLocked(stat)).toBe(true);
    const [holder] = host.lockHolders(stat) as [number];
    const inside = host.process(holder);
    expect(inside?.nsPid).toEqual([...(inside?.nsPid.slice(0, -1) ?? []), 1]);
    expect(inside?.nsPid[0]).toBe(holder);
    expect(host.pidNamespace(holder)).not.toBe(host.pidNamespace());
  });
});

describe('a made-up machine', () => {
  const put = (name: string, text: string) => {
    const path = join(temp.path, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  };
  const local = () => Host.local({ proc: temp.path, passwd: join(temp.path, 'passwd'), euid: 1000 });
  const namespace = (target: string) => {
    mkdirSync(join(temp.path, 'self/ns'), { recursive: true });
    symlinkSync(target, join(temp.path, 'self/ns/pid'));
  };
  const STAT = '7 (sleep) S 1 7 7 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 250 3133440 360 1 1 1 0\n';
  const STATUS = 'Name:\tsleep\nUid:\t33\t33\t33\t33\nNSpid:\t7\n';

  test('start times count from boot, in ticks of 10 ms', () => {
    put('stat', 'btime 1000\n');
    put('7/stat', STAT);
    put('7/status', STATUS);
    expect(local().process(7)).toEqual({
      pid: 7,
      uid: 33,
      state: 'S',
      startTimeMs: 1_002_500,
      startTimeTicks: 250,
      command: 'sleep',
      nsPid: [7],
    });
  });

  test('nothing can be read: nothing is known, and nothing is thrown', () => {
    const host = local();
    expect(host.euid).toBe(1000);
    expect(host.bootTimeMs).toBeUndefined();
    expect(host.isLocked({ dev: 1, ino: 1 })).toBeUndefined();
    expect(host.lockHolders({ dev: 1, ino: 1 })).toEqual([]);
    expect(host.process(7)).toBeUndefined();
    expect(host.presence(7)).toBe('gone');
    expect(host.pidNamespace()).toBeUndefined();
    expect(host.userName(0)).toBeUndefined();
    expect(host.userHome(0)).toBeUndefined();
  });

  test('no lock listed means no lock only in the initial pid namespace', () => {
    put('locks', '1: FLOCK  ADVISORY  WRITE 5 00:01:10 0 EOF\n');
    expect(local().isLocked({ dev: 1, ino: 10 })).toBe(true);
    expect(local().isLocked({ dev: 1, ino: 11 })).toBeUndefined();
    namespace('pid:[4026532777]');
    expect(local().isLocked({ dev: 1, ino: 11 })).toBeUndefined();
    rmSync(join(temp.path, 'self'), { recursive: true });
    namespace(INITIAL);
    expect(local().isLocked({ dev: 1, ino: 11 })).toBe(false);
    expect(local().isLocked({ dev: 1, ino: 10 })).toBe(true);
  });

  test('holders without a pid here are left out, and each is listed once', () => {
    const line = (kind: string, pid: number) => `1: ${kind} ADVISORY  WRITE ${pid} 00:01:10 0 EOF\n`;
    put('locks', line('FLOCK ', 5) + line('OFDLCK', -1) + line('FLOCK ', 0) + line('POSIX ', 5));
    expect(local().lockHolders({ dev: 1, ino: 10 })).toEqual([5]);
  });

  // Who waits for a task takes one a second, for days.
  test('any number of snapshots leaves nothing open', () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const look = Host.snapshots();
    const before = open();
    for (let i = 0; i < 200; i++) {
      look().lookAtLocks();
      Host.local().lookAtLocks();
    }
    expect(open()).toBeLessThan(before + 100);
  });

  test('the snapshots of a machine are taken anew on each call', () => {
    const look = Host.snapshots();
    expect(look()).not.toBe(look());
    expect(look().bootTimeMs).toBe(Host.local().bootTimeMs);
  });

  test('everything is read when it is asked for, and once', () => {
    put('stat', 'btime 1000\n');
    put('locks', '1: FLOCK  ADVISORY  WRITE 5 00:01:10 0 EOF\n');
    put('passwd', 'me:x:1000:1000::/home/me:/bin/sh\n');
    const host = local();
    expect(host.userName(1000)).toBe('me');
    expect(host.userHome(1000)).toBe('/home/me');
    expect(host.userName(1001)).toBeUndefined();
    expect(host.bootTimeMs).toBe(1_000_000);
    put('stat', 'btime 2000\n');
    put('passwd', '');
    put('locks', '');
    expect(host.userName(1000)).toBe('me');
    expect(host.bootTimeMs).toBe(1_000_000);
    expect(host.isLocked({ dev: 1, ino: 10 })).toBeUndefined();
    put('locks', '1: FLOCK  ADVISORY  WRITE 5 00:01:10 0 EOF\n');
    expect(host.lockHolders({ dev: 1, ino: 10 })).toEqual([]);
    expect(local().isLocked({ dev: 1, ino: 10 })).toBe(true);
  });
});
