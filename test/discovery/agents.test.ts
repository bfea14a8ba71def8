import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentWorkDirs, workDirOfCommand, workDirOfDefaults } from '../../src/discovery/agents.js';
import { discoverRoots } from '../../src/discovery/roots.js';
import { tempDir } from '../e2e/harness.js';
import { makeTaskRun, optionsIn } from './trees.js';

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

function put(name: string, text: string): void {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), text);
}

/** A process of that name; `uids` and `nsPid` as in /proc/PID/status. */
function putProcess(pid: number, words: string, uids = '0\t0\t0\t0', nsPid = String(pid)): void {
  put(`proc/${pid}/cmdline`, words);
  put(`proc/${pid}/status`, `Name:\tmesos\nUid:\t${uids}\nNSpid:\t${nsPid}\n`);
}

describe('the command line of an agent', () => {
  test.each([
    [['/usr/sbin/mesos-slave', '--master=zk://x', '--work_dir=/var/lib/mesos'], '/var/lib/mesos'],
    [['mesos-agent', '--work_dir', '/data/a b', '--ip=1.2.3.4'], '/data/a b'],
    [['/build/src/.libs/lt-mesos-agent', '--work_dir=/x'], '/x'],
    [['mesos-agent', '--work_dir=/a', '--work_dir=/b'], '/b'],
    [['mesos-agent', '--work_dir='], ''],
  ])('%j works in %j', (words, expected) => {
    expect(workDirOfCommand(words)).toBe(expected);
  });

  test.each([
    [[]],
    [['mesos-agent']],
    [['mesos-agent', '--work_dir']],
    [['mesos-master', '--work_dir=/x']],
    [['vi', 'mesos-agent', '--work_dir=/x']],
    [['grep', '--work_dir=/x', 'mesos-slave']],
  ])('%j tells nothing', (words) => {
    expect(workDirOfCommand(words)).toBeUndefined();
  });
});

test('files of shell assignments', () => {
  expect(workDirOfDefaults('# MESOS_WORK_DIR=/no\nexport MESOS_WORK_DIR="/a b"\n')).toBe('/a b');
  expect(workDirOfDefaults("MESOS_WORK_DIR=/a\nMESOS_WORK_DIR='/b'")).toBe('/b');
  expect(workDirOfDefaults('  MESOS_WORK_DIR=/a # why\nULIMIT=1')).toBe('/a');
  expect(workDirOfDefaults('XMESOS_WORK_DIR=/a')).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => typeof workDirOfDefaults(text) !== 'object'));
});

test('all that says where an agent works, the running one first', () => {
  putProcess(1, 'init\0');
  putProcess(12, 'mesos-slave\0--work_dir=/running\0');
  put('proc/13/cmdline', '');
  put('proc/self/cmdline', 'mesos-slave\0--work_dir=/self\0');
  mkdirSync(join(dir, 'proc/14'));
  put('etc/mesos-slave/work_dir', '/slave-file\n');
  put('etc/mesos-agent/work_dir', `file://${dir}/indirect`);
  put('indirect', '/indirect\n');
  put('etc/default/mesos-agent', 'MESOS_WORK_DIR=relative');
  put('etc/default/mesos', 'MESOS_WORK_DIR=/defaults');
  const found = agentWorkDirs({ MESOS_WORK_DIR: '/variable' }, join(dir, 'proc'), join(dir, 'etc'), 0);
  expect(found.map(({ path, source }) => [path, source.replace(dir, '')])).toEqual([
    ['/running', 'mesos-agent'],
    ['/variable', 'MESOS_WORK_DIR'],
    ['/slave-file', '/etc/mesos-slave/work_dir'],
    ['/indirect', '/etc/mesos-agent/work_dir'],
    ['/defaults', '/etc/default/mesos'],
  ]);
  expect(agentWorkDirs({}, join(dir, 'no-proc'), join(dir, 'no-etc'), 0)).toEqual([]);
});

test('the tasks of a running agent are found, once', () => {
  const work = join(dir, 'some where');
  const run = makeTaskRun(work, 'a', 'c1');
  putProcess(12, `/usr/sbin/mesos-agent\0--work_dir=${work}/\0`);
  putProcess(13, 'mesos-agent\0--work_dir=/not/there\0');
  const { roots, problems } = discoverRoots(
    optionsIn(dir, {
      env: { MESOS_WORK_DIR: work },
      places: { proc: join(dir, 'proc'), workDirs: [work] },
    }),
  );
  expect(problems).toEqual([]);
  expect(roots).toMatchObject([{ path: run, source: 'mesos-agent' }]);
});

test('only agents of root and of our own are believed', () => {
  putProcess(12, 'mesos-agent\0--work_dir=/root\0');
  putProcess(13, 'mesos-agent\0--work_dir=/stranger\0', '4711\t4711\t4711\t4711');
  putProcess(14, 'mesos-agent\0--work_dir=/set-uid\0', '4711\t0\t0\t0');
  putProcess(15, 'mesos-agent\0--work_dir=/container\0', '0\t0\t0\t0', '15\t1');
  putProcess(16, 'mesos-agent\0--work_dir=/mine\0', '4712\t4712\t4712\t4712');
  put('proc/17/cmdline', 'mesos-agent\0--work_dir=/unknown\0');
  const found = (euid: number) =>
    agentWorkDirs({}, join(dir, 'proc'), join(dir, 'etc'), euid).map(({ path }) => path);
  expect(found(0)).toEqual(['/root']);
  expect(found(4712)).toEqual(['/root', '/mine']);
});

test('a file that holds a flag is a small regular file, or says nothing', () => {
  expect(spawnSync('mkfifo', [join(dir, 'fifo')]).status).toBe(0);
  put('big', `/${'x'.repeat(100_000)}`);
  for (const [pid, path] of [
    [12, `${dir}/fifo`],
    [13, '/dev/zero'],
    [14, `${dir}/big`],
    [15, dir],
  ] as const) {
    putProcess(pid, `mesos-agent\0--work_dir=file://${path}\0`);
  }
  expect(agentWorkDirs({}, join(dir, 'proc'), join(dir, 'etc'), 0)).toEqual([]);
});

test('a default place that somebody else may have made is ignored, and that is reported', () => {
  const work = join(dir, 'work');
  makeTaskRun(work, 'a', 'c1');
  const host = join(dir, 'host');
  mkdirSync(join(host, 'tasks'), { recursive: true });
  chmodSync(work, 0o777);
  chmodSync(host, 0o777);
  const options = optionsIn(dir, { places: { hostRoot: host, workDirs: [work] } });
  const { roots, problems } = discoverRoots(options);
  expect(roots).toEqual([]);
  expect(problems.map(({ code, severity, path, message }) => [code, severity, path, message])).toEqual(
    [host, work].map((path) => [
      'root-untrusted',
      'warning',
      path,
      `the task root ${path} (default) is ignored: ${path} can be written by everybody`,
    ]),
  );
  chmodSync(work, 0o755);
  chmodSync(host, 0o755);
  expect(discoverRoots(options).problems).toEqual([]);
  expect(discoverRoots(options).roots).toHaveLength(2);
  // Whoever names it wants to see it.
  chmodSync(work, 0o777);
  const named = optionsIn(dir, { flags: { mesosRoot: [work] } });
  expect(discoverRoots(named).roots).toHaveLength(1);
});
