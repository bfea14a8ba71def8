import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KeptFiles } from '../../src/host/kept-files.js';
import { readDetails } from '../../src/host/process-details.js';
import { processFile } from '../../src/host/process-file.js';

/** The files of a process that are open here. */
function openOf(pid: number | undefined): string[] {
  const names = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(`/proc/${pid}/`) ? [path.slice(`/proc/${pid}/`.length)] : [];
    } catch {
      // That of this listing.
      return [];
    }
  });
  return names.sort();
}

async function withProcess(use: (pid: number, end: () => Promise<unknown>) => Promise<void> | void) {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const end = () => {
    child.kill('SIGKILL');
    return ended;
  };
  try {
    await use(child.pid as number, end);
  } finally {
    await end();
  }
}

test('a file is opened once, and read as it is in each pass', () =>
  withProcess((pid) => {
    const files = new KeptFiles(10);
    for (let pass = 0; pass < 3; pass++) {
      files.begin();
      for (const name of ['stat', 'statm']) {
        expect(files.read(`/proc/${pid}/${name}`)).toBe(processFile(`/proc/${pid}/${name}`));
      }
      expect(openOf(pid)).toEqual(['stat', 'statm']);
    }
    const own = () => files.read(`/proc/${process.pid}/stat`);
    const before = own();
    for (const end = process.cpuUsage().user + 50_000; process.cpuUsage().user < end; );
    expect(own()).not.toBe(before);
    files.begin();
    files.begin();
    expect([...openOf(pid), ...openOf(process.pid)]).toEqual([]);
  }));

test('what nobody asks for any more is closed', () =>
  withProcess((pid) => {
    const files = new KeptFiles(10);
    files.begin();
    files.read(`/proc/${pid}/stat`);
    files.read(`/proc/${pid}/statm`);
    files.begin();
    files.read(`/proc/${pid}/stat`);
    expect(openOf(pid)).toEqual(['stat', 'statm']);
    files.begin();
    expect(openOf(pid)).toEqual(['stat']);
    files.begin();
    expect(openOf(pid)).toEqual([]);
  }));

test('of more than may be open, the others are opened each time', () =>
  withProcess((pid) => {
    const files = new KeptFiles(1);
    for (let pass = 0; pass < 2; pass++) {
      files.begin();
      for (const name of ['stat', 'statm', 'io']) {
        expect(files.read(`/proc/${pid}/${name}`)).toBe(processFile(`/proc/${pid}/${name}`));
      }
      expect(openOf(pid)).toEqual(['stat']);
    }
    files.begin();
    files.begin();
  }));

test('a process that is gone has no text, and no file stays open', () =>
  withProcess(async (pid, end) => {
    const files = new KeptFiles(10);
    files.begin();
    expect(files.read(`/proc/${pid}/stat`)).toContain('(sleep)');
    await end();
    files.begin();
    expect(files.read(`/proc/${pid}/stat`)).toBeUndefined();
    expect(openOf(pid)).toEqual([]);
    expect(files.read('/proc/none/stat')).toBeUndefined();
  }));

test('the file that belongs to a memory, and not to its process, is opened for each look', () =>
  withProcess((pid) => {
    const files = new KeptFiles(10);
    files.begin();
    const details = readDetails(pid, true, { read: (path) => files.read(path) });
    expect(details?.pssBytes).toBeGreaterThan(0);
    expect(openOf(pid)).toEqual(['io', 'statm']);
    files.close();
    expect(openOf(pid)).toEqual([]);
    expect(files.read(`/proc/${pid}/statm`)).toBe(processFile(`/proc/${pid}/statm`));
  }));
