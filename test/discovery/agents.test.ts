import { mkdirSync, writeFileSync } from 'node:fs';
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
  put('proc/1/cmdline', 'init\0');
  put('proc/12/cmdline', 'mesos-slave\0--work_dir=/running\0');
  put('proc/13/cmdline', '');
  put('proc/self/cmdline', 'mesos-slave\0--work_dir=/self\0');
  mkdirSync(join(dir, 'proc/14'));
  put('etc/mesos-slave/work_dir', '/slave-file\n');
  put('etc/mesos-agent/work_dir', `file://${dir}/indirect`);
  put('indirect', '/indirect\n');
  put('etc/default/mesos-agent', 'MESOS_WORK_DIR=relative');
  put('etc/default/mesos', 'MESOS_WORK_DIR=/defaults');
  const found = agentWorkDirs({ MESOS_WORK_DIR: '/variable' }, join(dir, 'proc'), join(dir, 'etc'));
  expect(found.map(({ path, source }) => [path, source.replace(dir, '')])).toEqual([
    ['/running', 'mesos-agent'],
    ['/variable', 'MESOS_WORK_DIR'],
    ['/slave-file', '/etc/mesos-slave/work_dir'],
    ['/indirect', '/etc/mesos-agent/work_dir'],
    ['/defaults', '/etc/default/mesos'],
  ]);
  expect(agentWorkDirs({}, join(dir, 'no-proc'), join(dir, 'no-etc'))).toEqual([]);
});

test('the tasks of a running agent are found, once', () => {
  const work = join(dir, 'some where');
  const run = makeTaskRun(work, 'a', 'c1');
  put('proc/12/cmdline', `/usr/sbin/mesos-agent\0--work_dir=${work}/\0`);
  put('proc/13/cmdline', 'mesos-agent\0--work_dir=/not/there\0');
  const { roots, problems } = discoverRoots(
    optionsIn(dir, {
      env: { MESOS_WORK_DIR: work },
      places: { proc: join(dir, 'proc'), workDirs: [work] },
    }),
  );
  expect(problems).toEqual([]);
  expect(roots).toMatchObject([{ path: run, source: 'mesos-agent' }]);
});
