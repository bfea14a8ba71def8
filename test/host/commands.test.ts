import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runningCommands } from '../../src/host/commands.js';
import { tempDir } from '../e2e/harness.js';

let proc: string;
let remove: () => void;
beforeEach(() => {
  ({ path: proc, remove } = tempDir());
});
afterEach(() => remove());

function make(pid: number | string, words: string[], status = `Uid:\t0\t0\t0\t0\nNSpid:\t${pid}\n`): void {
  mkdirSync(`${proc}/${pid}`);
  writeFileSync(`${proc}/${pid}/cmdline`, words.join('\0'));
  writeFileSync(`${proc}/${pid}/status`, status);
}

test('those that have the text in their words, for whom they run and where', () => {
  make(1, ['init']);
  make(20, ['/usr/sbin/mesos-agent', '--work_dir=/w']);
  make(30, ['sh', 'mesos-x'], 'Uid:\t5\t0\t0\t0\nNSpid:\t30\t1\n');
  expect(runningCommands(proc, 'mesos-')).toEqual([
    { pid: 20, words: ['/usr/sbin/mesos-agent', '--work_dir=/w'], uids: [0, 0, 0, 0], nested: false },
    { pid: 30, words: ['sh', 'mesos-x'], uids: [5, 0, 0, 0], nested: true },
  ]);
});

test('what is not a process, has ended, or has no user is skipped', () => {
  make('self', ['mesos-agent']);
  mkdirSync(`${proc}/40`);
  make(50, ['mesos-agent'], 'Name:\tx\n');
  make(60, []);
  expect(runningCommands(proc, 'mesos-')).toEqual([]);
  expect(runningCommands(`${proc}/none`, 'mesos-')).toEqual([]);
});

test('one word list is not found in the rest of a longer one before it', () => {
  make(1, ['mesos-agent', 'x'.repeat(1000)]);
  make(2, ['sh']);
  expect(runningCommands(proc, 'mesos-').map(({ pid }) => pid)).toEqual([1]);
  expect(runningCommands(proc, 'xxxx').map(({ pid }) => pid)).toEqual([1]);
});
