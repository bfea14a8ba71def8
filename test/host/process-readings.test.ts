import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pageSizeIn, readDetails } from '../../src/host/process-details.js';
import { readProcesses } from '../../src/host/process-readings.js';

const clocks = { now: () => 1000, monotonic: () => performance.now() };

describe('all processes', () => {
  test('we are among them, with our parent, session and times', () => {
    const { ownTicks, childTicks, ...ours } = readProcesses(clocks).processes.get(process.pid) ?? {};
    expect(ours).toMatchObject({ pid: process.pid, parent: process.ppid });
    const { user, system } = process.cpuUsage();
    // The clock of ticks is 10 ms; the first was read a moment before.
    expect((ownTicks as number) * 10).toBeLessThanOrEqual((user + system) / 1000);
    expect(ownTicks).toBeGreaterThan(0);
    expect(childTicks).toBeGreaterThanOrEqual(0);
  });

  test('a zombie is one of them as long as its parent has not waited for it', async () => {
    const shell = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 1000'], { stdio: 'pipe' });
    try {
      const [output] = (await once(shell.stdout, 'data')) as [Buffer];
      const pid = Number(output.toString());
      const state = () => readProcesses(clocks).processes.get(pid)?.state;
      for (const end = Date.now() + 30_000; state() !== 'Z' && Date.now() < end; ) {
        await new Promise((done) => setTimeout(done, 10));
      }
      expect(state()).toBe('Z');
    } finally {
      shell.kill('SIGKILL');
    }
  });
});

describe('a tree like /proc', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'));
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  const add = (pid: number, start: number, files: Record<string, string> = {}) => {
    mkdirSync(join(proc, String(pid)));
    const stat = `${pid} (a) b) S 1 2 3 0 0 0 0 0 0 0 10 20 3 4 20 0 7 0 ${start} 0 0\n`;
    for (const [name, text] of Object.entries({ stat, ...files }))
      writeFileSync(join(proc, String(pid), name), text);
  };

  test('parents are read before their children if they are known; what is not a process is left out', () => {
    add(10, 300);
    add(20, 100);
    mkdirSync(join(proc, 'sys'));
    mkdirSync(join(proc, '15'));
    writeFileSync(join(proc, '15', 'stat'), '15 (cut');
    const first = readProcesses(clocks, undefined, { proc });
    expect([...first.processes.keys()]).toEqual([10, 20]);
    expect(first).toMatchObject({ timeMs: 1000 });
    expect(first.processes.get(20)).toMatchObject({
      session: 3,
      parent: 1,
      ownTicks: 30,
      childTicks: 7,
      threads: 7,
      startTimeTicks: 100,
    });
    add(5, 400);
    add(7, 400);
    expect([...readProcesses(clocks, first, { proc }).processes.keys()]).toEqual([20, 10, 5, 7]);
  });

  test('details: what may not be read or is not there is undefined', () => {
    add(10, 1, { statm: '100 7 1 1 0 1 0\n', smaps_rollup: 'x\nRss:  8 kB\nPss:                   5 kB\n' });
    const page = pageSizeIn(Uint8Array.from(readFileSync('/proc/self/auxv'))) as number;
    expect(readDetails(10, true, { proc })).toEqual({ rssBytes: 7 * page, pssBytes: 5120 });
    writeFileSync(
      join(proc, '10', 'io'),
      'rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: 4\ncancelled_write_bytes: 5\n',
    );
    expect(readDetails(10, false, { proc })).toEqual({
      rssBytes: 7 * page,
      readBytes: 3,
      writtenBytes: 4,
    });
    expect(readDetails(11, false, { proc })).toBeUndefined();
  });
});

test('our own details', () => {
  const {
    rssBytes = 0,
    pssBytes = 0,
    fds = 0,
    readBytes,
    writtenBytes,
  } = readDetails(process.pid, true) ?? {};
  const { rss } = process.memoryUsage();
  expect(Math.abs(rssBytes - rss)).toBeLessThan(rss / 5);
  expect(pssBytes).toBeGreaterThan(0);
  expect(fds).toBeGreaterThan(2);
  for (const bytes of [readBytes, writtenBytes]) expect(bytes === undefined || bytes >= 0).toBe(true);
});

test('the size of a page is a power of two; without an auxiliary vector, it is unknown', () => {
  const bytes = pageSizeIn(Uint8Array.from(readFileSync('/proc/self/auxv'))) as number;
  expect(Math.log2(bytes) % 1).toBe(0);
  expect(bytes).toBeGreaterThanOrEqual(4096);
  expect(pageSizeIn(new Uint8Array())).toBeUndefined();
  expect(pageSizeIn(new Uint8Array(7))).toBeUndefined();
});
