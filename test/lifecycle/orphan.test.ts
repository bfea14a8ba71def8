import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RecordLister } from '../../src/checkpoint/follow.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { endOrphan } from '../../src/lifecycle/end-orphan.js';
import { Orphan } from '../../src/lifecycle/orphan.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';
import { BOOT_MS, type FakeProcess, FakeProcesses } from './fake-processes.js';

const UID = process.getuid?.() ?? 0;
const NOW = 1_900_000_000_000;
const SECONDS = BOOT_MS / 1000 + 100;

let temp: ReturnType<typeof tempDir>;
let root: string;
let directory: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
});
afterEach(() => temp.remove());

const header = () => ({
  task_id: 't',
  uid: UID,
  sandbox: `${root}/sandbox`,
  log_dir: `${root}/sandbox/.logs`,
});
const started = () => new Records().status('ACTIVE').header(header());
const forked = (coordinator_pid: number) => ({
  state: 'FORKED' as const,
  fork_time: SECONDS,
  coordinator_pid,
});
const running = (pid: number) => ({ state: 'RUNNING' as const, start_time: SECONDS, pid });
const write = (runner: Records | Buffer, coordinators: Record<string, Buffer> = {}) => {
  directory = writeTask(root, 't', { runner, coordinators });
};
const place = () => ({ root, taskId: 't' });
const places = () => ({ sandbox: `${root}/sandbox`, logDir: `${root}/sandbox/.logs` });
const end = (processes: FakeProcesses, becomes: 'LOST' | 'KILLED' = 'LOST', isExpected = () => true) =>
  endOrphan(place(), places(), becomes, () => NOW, processes, isExpected);
const ours = (rest: FakeProcess = {}): FakeProcess => ({ uid: UID, ...rest });

function records(): CheckpointRecord[] {
  const found: CheckpointRecord[] = [];
  const bytes = readFileSync(`${directory}/runner`);
  const lister = new RecordLister((record) => found.push(record));
  lister.feed(bytes, 0, bytes.length);
  expect(lister.bytes).toBe(bytes.length);
  return found;
}
const last = (count: number) =>
  records()
    .slice(-count)
    .map(({ value }) => value);

describe('an orphan that is ended', () => {
  test('last words taken over, a torn record cut, open runs and the task recorded, its file moved', () => {
    const stream = started()
      .process('done', 'WAITING')
      .process('runs', 'WAITING', forked(100))
      .process('gone', 'WAITING', forked(200), running(201))
      .process('never', 'WAITING');
    write(stream, {
      done: stream.coordinator('done', 'FORKED', 'RUNNING', 'SUCCESS'),
      runs: stream.coordinator('runs', running(101)),
    });
    appendFileSync(`${directory}/runner`, Buffer.from([0, 0, 1, 0, 12]));
    const processes = new FakeProcesses({ 100: ours(), 101: ours({ parent: 100, session: 100 }) });
    expect(end(processes)).toEqual({ result: 'done', killed: [100, 101], problems: [] });
    expect(last(7)).toMatchObject([
      { process: 'done', state: 'FORKED', seq: 1 },
      { process: 'done', state: 'RUNNING', seq: 2 },
      { process: 'done', state: 'SUCCESS', seq: 3 },
      { process: 'runs', state: 'RUNNING', seq: 2, pid: 101 },
      { process: 'runs', state: 'KILLED', seq: 3, return_code: -9, stop_time: NOW / 1000 },
      { process: 'gone', state: 'LOST', seq: 3 },
      { state: 'LOST', timestamp_ms: NOW, runner_pid: process.pid },
    ]);
    expect(existsSync(`${root}/tasks/active/t`)).toBe(false);
    expect(lstatSync(`${root}/tasks/finished/t`).mtimeMs).toBe(NOW);
    // Ended again it stays what it is.
    expect(end(processes, 'KILLED').result).toBe('done');
    expect(last(1)).toMatchObject([{ state: 'LOST' }]);
  });

  test.each(['gone', 'cut', 'spoiled', 'a directory', 'a link to /dev/zero', 'a link to nothing'])(
    'its task file is not needed: %s',
    (kind) => {
      write(started().process('p', 'WAITING', forked(100)));
      const file = `${root}/tasks/active/t`;
      rmSync(file);
      if (kind === 'cut') writeFileSync(file, '{"processes":[');
      if (kind === 'spoiled') writeFileSync(file, Buffer.from([0, 255, 1]));
      if (kind === 'a directory') mkdirSync(file);
      if (kind === 'a link to /dev/zero') symlinkSync('/dev/zero', file);
      if (kind === 'a link to nothing') symlinkSync('nothing', file);
      expect(end(new FakeProcesses({ 100: ours() }))).toMatchObject({ result: 'done', killed: [100] });
      expect(last(1)).toMatchObject([{ state: 'LOST' }]);
      expect(lstatSync(file, { throwIfNoEntry: false })).toBeUndefined();
    },
  );

  test.each(['a directory', 'a link to a device', 'a link to nothing', 'a loop', 'garbage'])(
    'the stream of a process is %s: told, and its processes are ended',
    (kind) => {
      write(started().process('p', 'WAITING', forked(100)));
      const path = `${directory}/coordinator.p`;
      if (kind === 'a directory') mkdirSync(path);
      if (kind === 'a link to a device') symlinkSync('/dev/zero', path);
      if (kind === 'a link to nothing') symlinkSync('nothing', path);
      if (kind === 'a loop') symlinkSync('coordinator.p', path);
      if (kind === 'garbage') writeFileSync(path, 'x'.repeat(100));
      const finalized = end(new FakeProcesses({ 100: ours() }));
      expect(finalized).toMatchObject({ result: 'done', killed: [100] });
      const told = kind === 'garbage' ? [] : [{ code: 'checkpoint-unreadable', path, process: 'p' }];
      expect(finalized.problems).toMatchObject(told);
      expect(last(1)).toMatchObject([{ state: 'LOST' }]);
    },
  );

  test('a lock that outlives its holder for a moment is waited for', () => {
    write(started().process('p', 'WAITING', forked(100)), { p: Buffer.alloc(0) });
    const stream = statSync(`${directory}/coordinator.p`);
    const holds = [[stream, { isWritable: true }]] as const;
    const processes = new FakeProcesses({ 100: ours({ holds, lingers: 300 }) });
    expect(end(processes)).toMatchObject({ result: 'done', killed: [100] });
    expect(processes.clock()).toBeGreaterThan(300);
    expect(processes.clock()).toBeLessThan(1000);
  });

  test('a coordinator that has just died by itself is waited for', () => {
    write(started().process('p', 'WAITING', forked(100)), { p: Buffer.alloc(0) });
    const processes = new FakeProcesses();
    processes.lock(statSync(`${directory}/coordinator.p`), 200);
    expect(end(processes)).toMatchObject({ result: 'done', killed: [] });
    expect(last(2)).toMatchObject([{ state: 'LOST', process: 'p' }, { state: 'LOST' }]);
  });

  test('many processes cost one look and one write', () => {
    const stream = started();
    const processes = new FakeProcesses();
    for (let i = 0; i < 2000; i++) {
      stream.process(`p${i}`, 'WAITING', forked(10_000 + i));
      processes.add(10_000 + i, ours());
    }
    write(stream);
    const began = process.cpuUsage();
    const finalized = end(processes);
    expect([finalized.result, finalized.killed.length, processes.looks]).toEqual(['done', 2000, 3]);
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(4000);
    expect(records().length).toBe(2 + 4000 + 2001);
  });
});

describe('an orphan that is asked first', () => {
  test('CLEANING is recorded, its commands get SIGTERM, and what they recorded then is taken over', () => {
    const stream = started().process('p', 'WAITING', forked(100), running(101));
    write(stream, { p: Buffer.alloc(0) });
    const command = ours({ parent: 100, session: 100 });
    const processes = new FakeProcesses({ 100: ours(), 101: command });
    const orphan = new Orphan(place(), places(), processes);
    try {
      expect(orphan.alive()).toEqual([100, 101]);
      expect(orphan.ask(NOW)).toEqual([]);
      expect([processes.sent, last(1)]).toMatchObject([[[101, 'SIGTERM']], [{ state: 'CLEANING' }]]);
      processes.remove(100);
      processes.remove(101);
      writeFileSync(`${directory}/coordinator.p`, stream.coordinator('p', 'KILLED'));
      expect(orphan.alive()).toEqual([]);
      expect(orphan.end('KILLED', () => NOW)).toMatchObject({ state: 'KILLED', signalled: [] });
      expect(last(2)).toMatchObject([
        { process: 'p', state: 'KILLED', return_code: -15 },
        { state: 'KILLED' },
      ]);
    } finally {
      orphan.close();
    }
  });
});

describe('nothing is signalled or written', () => {
  const refused = (why: string, processes = new FakeProcesses({ 100: ours() }), isExpected = () => true) => {
    const before = readFileSync(`${directory}/runner`);
    const finalized = end(processes, 'LOST', isExpected);
    expect(finalized).toMatchObject({ result: 'refused', why: expect.stringContaining(why), killed: [] });
    expect(processes.sent).toEqual([]);
    expect(readFileSync(`${directory}/runner`)).toEqual(before);
    expect(existsSync(`${root}/tasks/active/t`)).toBe(true);
  };

  test('if the stream is not as expected, has a second name, or is damaged', () => {
    write(started().process('p', 'WAITING', forked(100)));
    refused('changed since the plan was made', undefined, () => false);
    linkSync(`${directory}/runner`, `${directory}/other`);
    refused('has another name');
    rmSync(`${directory}/other`);
    appendFileSync(`${directory}/runner`, Buffer.from('\xff\xff\xff\xff', 'latin1'));
    refused('damaged at byte');
  });

  test('if somebody holds its lock', async () => {
    write(started().process('p', 'WAITING', forked(100)));
    const holder = spawn('flock', [`${directory}/runner`, 'bash', '-c', 'echo; exec sleep 300'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(holder.stdout, 'data');
      refused('its runner is alive');
    } finally {
      process.kill(-(holder.pid as number), 'SIGKILL');
    }
  });

  test('if a coordinator lives on that can’t be told to be its own', () => {
    write(started().process('p', 'WAITING', forked(100)), { p: Buffer.alloc(0) });
    const processes = new FakeProcesses();
    processes.lock(statSync(`${directory}/coordinator.p`));
    refused('the coordinator of process p is alive', processes);
    expect(processes.clock()).toBeLessThan(10_000);
  });

  test('if somebody else may have written the stream', () => {
    write(started().process('p', 'WAITING', forked(100)));
    // Who is no root can't give files away, and reads none but his own.
    if (UID !== 0) return;
    chownSync(`${directory}/runner`, 12_345, 12_345);
    refused('somebody else may have written its files');
    chownSync(`${directory}/runner`, 0, 0);
  });

  test('if it is removed by who had its lock', async () => {
    write(started());
    const holder = spawn('flock', [`${directory}/runner`, 'bash', '-c', 'echo; exec sleep 300'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(holder.stdout, 'data');
    const processes = new FakeProcesses();
    const pause = processes.pause.bind(processes);
    processes.pause = (ms) => {
      if (processes.clock() === 0) {
        rmSync(directory, { recursive: true });
        process.kill(-(holder.pid as number), 'SIGKILL');
      }
      pause(ms);
    };
    expect(end(processes)).toMatchObject({ result: 'refused', why: 'it was removed meanwhile' });
  });

  test('if a link was laid where a directory was', () => {
    write(started().process('p', 'WAITING', forked(100)));
    renameSync(directory, `${temp.path}/elsewhere`);
    symlinkSync(`${temp.path}/elsewhere`, directory);
    refused('symbolic link');
  });
});
