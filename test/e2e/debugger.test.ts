import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanEnv, PROGRAM } from './harness.js';
import { RunPlace } from './run-task.js';

const NEVER = { name: 'never', cmdline: 'while true; do echo tick; sleep 0.1; done' };

/** Says on descriptor 3 when somebody listens to SIGUSR1 for the first time: that is the first statement. */
const FIRST_STATEMENT = `
  const { on } = process;
  process.on = function (name, listener) {
    const result = on.call(this, name, listener);
    if (name === 'SIGUSR1') {
      process.on = on;
      require('node:fs').writeSync(3, 'x');
    }
    return result;
  };
`;

let place: RunPlace;
let preload: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  place = new RunPlace();
  preload = join(place.path, 'first-statement.cjs');
  writeFileSync(preload, FIRST_STATEMENT);
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await place.remove();
});

interface Program {
  pid: number;
  child: ChildProcess;
  first: Promise<unknown>;
  ended: Promise<number | null>;
  stderr: () => string;
}

function start(...args: string[]): Program {
  const child = spawn(process.execPath, ['-r', preload, PROGRAM, ...args, '--root', place.root], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  started.push(child);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout?.resume();
  return {
    pid: child.pid as number,
    child,
    first: new Promise((resolve) => (child.stdio[3] as Readable).once('data', resolve)),
    ended: new Promise((resolve) => child.once('close', resolve)),
    stderr: () => stderr,
  };
}

/** Inodes of sockets that wait for connections. */
function listening(pid: number): string[] {
  const inodes = new Set(
    ['tcp', 'tcp6'].flatMap((kind) =>
      readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state]) => state === '0A')
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  );
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return inodes.has(link) ? [link] : [];
    } catch {
      return [];
    }
  });
}

function catches(pid: number, signal: number): boolean {
  const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

const COMMANDS = [
  ['status', '--watch'],
  ['wait', 'web-1'],
  ['tail', '-f', 'web-1'],
];

describe('SIGUSR1 opens no debugger', () => {
  beforeEach(async () => {
    const run = place.start('run', '--task-id', 'web-1', place.config([NEVER]));
    await run.until(({ stderr }) => stderr.includes('RUNNING'));
  });

  test.each(COMMANDS)('in %s %s, from its first statement on', async (...args) => {
    const { pid, child, first, ended, stderr } = start(...args);
    await first;
    for (let i = 0; i < 100; i++) {
      child.kill('SIGUSR1');
      await sleep(5);
      expect(listening(pid)).toEqual([]);
    }
    expect(stderr()).not.toMatch(/debugger/i);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
  });

  test.each(COMMANDS)('in %s %s that stays: one that was opened before is closed', async (...args) => {
    const { pid, child, first, ended } = start(...args);
    while (!catches(pid, 10)) await sleep(1);
    let isUp = false;
    void first.then(() => {
      isUp = true;
    });
    while (!isUp) {
      child.kill('SIGUSR1');
      await sleep(1);
    }
    await sleep(1000);
    await expect.poll(() => listening(pid), { timeout: 60_000 }).toEqual([]);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
  });
});

describe('SIGUSR1 is the request to kill what is run', () => {
  test.each([0, 2, 5, 10, 20, 50, 100, 200, 500])('%i ms after the first statement', async (age) => {
    const { child, first, ended, stderr } = start(
      'run',
      '--json',
      '--task-id',
      'web-1',
      place.config([NEVER]),
    );
    await first;
    await sleep(age);
    child.kill('SIGUSR1');
    expect(await ended).toBe(3);
    expect(stderr()).not.toMatch(/debugger/i);
  });

  test('before the first statement', async () => {
    const { pid, child, first, ended } = start('run', '--json', '--task-id', 'web-1', place.config([NEVER]));
    while (!catches(pid, 10)) await sleep(0);
    child.kill('SIGUSR1');
    await first;
    expect(await ended).toBe(3);
  });
});
