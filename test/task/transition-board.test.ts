import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FoundTask } from '../../src/discovery/found.js';
import { Host } from '../../src/host/host.js';
import { TransitionBoard } from '../../src/task/transition-board.js';
import { tempDir } from '../e2e/harness.js';
import { FAILED, foundTask, lockLine, makeProc, RAN, Records, writeTask } from './trees.js';

/** The times of `Records`. */
const BEGIN = 1_400_000_000_000;
const SINCE = BEGIN - 1000;

let temp: { path: string; remove: () => void };
let root: string;
let clock = 0;
beforeEach(() => {
  temp = tempDir();
  root = join(temp.path, 'root');
  clock = 0;
});
afterEach(() => temp.remove());

/** A machine on which the runners of these tasks hold their locks. */
function host(...alive: string[]): () => Host {
  const locks = alive.map((id) => lockLine(statSync(join(root, 'checkpoints', id, 'runner')), 4_194_000));
  const proc = makeProc(join(temp.path, 'proc'), { locks: locks.join('') });
  return () => Host.local({ proc });
}

function append(id: string, records: Records, before: number, file = 'runner'): void {
  appendFileSync(join(root, 'checkpoints', id, file), records.bytes().subarray(before));
}

class Read {
  readonly board: TransitionBoard;

  constructor(sinceMs = SINCE) {
    this.board = new TransitionBoard(sinceMs, () => clock);
  }

  /** `ID PROCESS RUN STATE` of what is new, in order. */
  next(
    tasks: readonly FoundTask[],
    alive: readonly string[] = tasks.map(({ task_id }) => task_id),
    nowMs = BEGIN,
  ) {
    this.board.update(tasks, nowMs);
    return this.again(new Set(tasks.map(({ checkpoint_dir }) => checkpoint_dir)), alive);
  }

  again(changed: ReadonlySet<string>, alive: readonly string[] = [], polls = false) {
    const { transitions, problems } = this.board.read(host(...alive), changed, polls);
    const words = transitions.map(({ task_id, process = '', run = '', state }) =>
      `${task_id} ${process} ${run} ${state}`.replaceAll(/ +/g, ' '),
    );
    return { words, codes: problems.map(({ code }) => code) };
  }
}

describe('the tasks that are there at first', () => {
  test('give what has happened since then', () => {
    const records = new Records().status('ACTIVE').process('p', ...RAN);
    writeTask(root, 't', { runner: records });
    expect(new Read(BEGIN + 2000).next([foundTask(root, 't')]).words).toEqual([
      't p 0 RUNNING',
      't p 0 SUCCESS',
    ]);
    expect(new Read(BEGIN + 9000).next([foundTask(root, 't')]).words).toEqual([]);
  });

  test('are not read if they are over, and were before', () => {
    const directory = writeTask(root, 't', { phase: 'finished', runner: Buffer.from('damaged') });
    const old = BEGIN / 1000 - 3600;
    utimesSync(join(directory, 'runner'), old, old);
    const read = new Read();
    expect(read.next([foundTask(root, 't', 'finished')], [])).toEqual({ words: [], codes: [] });
    expect([...read.board.directories]).toEqual([]);
    expect(new Read(0).next([foundTask(root, 't', 'finished')], []).codes).toEqual(['checkpoint-damaged']);
  });
});

test('what is appended is given once, and a task that is over is not read any more', () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING');
  const directory = writeTask(root, 't', { runner: records });
  const read = new Read(BEGIN + 1000);
  expect(read.next([foundTask(root, 't')]).words).toEqual([]);
  const before = records.bytes().length;
  append('t', records.process('p', 'FORKED', 'RUNNING', 'FAILED').status('FAILED', BEGIN + 4000), before);
  expect(read.again(new Set([directory]), ['t']).words).toEqual([
    't p 0 FORKED',
    't p 0 RUNNING',
    't p 0 FAILED',
    't FAILED',
  ]);
  expect(read.again(new Set([directory]), ['t']).words).toEqual([]);
  expect([...read.board.directories]).toEqual([directory]);
  renameSync(join(root, 'tasks/active/t'), join(root, 'tasks/finished/t'));
  expect(read.next([foundTask(root, 't', 'finished')], []).words).toEqual([]);
  expect([...read.board.directories]).toEqual([]);
  // Somebody writes to it again: no runner does.
  append('t', new Records().status('ACTIVE'), 0);
  expect(read.next([foundTask(root, 't', 'finished')], []).words).toEqual([]);
});

test('a task that is found later is read from its start, also if it is over by then', () => {
  const read = new Read();
  expect(read.next([]).words).toEqual([]);
  writeTask(root, 'a', { runner: new Records().status('ACTIVE') });
  const over = new Records()
    .status('ACTIVE')
    .process('p', ...RAN)
    .status('SUCCESS', BEGIN + 5000);
  writeTask(root, 'b', { phase: 'finished', runner: over });
  const found = [foundTask(root, 'a'), foundTask(root, 'b', 'finished')];
  expect(read.next(found, ['a']).words).toEqual([
    'a ACTIVE',
    'b ACTIVE',
    'b p 0 WAITING',
    'b p 0 FORKED',
    'b p 0 RUNNING',
    'b p 0 SUCCESS',
    'b SUCCESS',
  ]);
  expect(read.next(found, ['a']).words).toEqual([]);
});

test('what has happened at once is in the order of time, and that of one process as it was', () => {
  const at = (records: Records, process: string, second: number) =>
    records.process(
      process,
      { state: 'WAITING' },
      { state: 'FORKED', fork_time: second, coordinator_pid: 1 },
      { state: 'RUNNING', start_time: second + 3, pid: 1 },
      { state: 'SUCCESS', stop_time: second + 1, return_code: 0 },
    );
  writeTask(root, 'a', { runner: at(at(new Records(), 'late', 1_400_000_020), 'early', 1_400_000_010) });
  writeTask(root, 'b', { runner: at(new Records(), 'between', 1_400_000_012) });
  expect(new Read().next([foundTask(root, 'a'), foundTask(root, 'b')]).words).toEqual([
    'a early 0 WAITING',
    'a early 0 FORKED',
    'b between 0 WAITING',
    'b between 0 FORKED',
    'a early 0 RUNNING',
    'a early 0 SUCCESS',
    'b between 0 RUNNING',
    'b between 0 SUCCESS',
    'a late 0 WAITING',
    'a late 0 FORKED',
    'a late 0 RUNNING',
    'a late 0 SUCCESS',
  ]);
});

test('without a runner, coordinators tell what happens, and the next runner does not repeat it', () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING');
  const own = records.coordinator('p', 'FORKED', 'RUNNING');
  const directory = writeTask(root, 't', { runner: records, coordinators: { p: own } });
  const read = new Read();
  expect(read.next([foundTask(root, 't')], ['t']).words).toEqual(['t ACTIVE', 't p 0 WAITING']);
  expect(read.again(new Set([directory]), []).words).toEqual(['t p 0 FORKED', 't p 0 RUNNING']);
  const before = records.bytes().length;
  append('t', records.process('p', 'FORKED', 'RUNNING', 'SUCCESS'), before);
  expect(read.again(new Set([directory]), ['t']).words).toEqual(['t p 0 SUCCESS']);
});

describe('a task that goes away', () => {
  test('is forgotten, and another one with its id is new', () => {
    const header = (launch_time_ms: number) => new Records().header({ launch_time_ms }).status('ACTIVE');
    const directory = writeTask(root, 't', { runner: header(1) });
    const read = new Read();
    expect(read.next([foundTask(root, 't')]).words).toEqual(['t ACTIVE']);
    rmSync(directory, { recursive: true });
    expect(read.again(new Set([directory])).words).toEqual([]);
    expect(read.next([]).words).toEqual([]);
    expect([...read.board.directories]).toEqual([]);
    writeTask(root, 't', { runner: header(2) });
    expect(read.next([foundTask(root, 't')]).words).toEqual(['t ACTIVE']);
  });

  test('for a while, because its root cannot be listed, is read on', () => {
    const records = new Records().status('ACTIVE');
    writeTask(root, 't', { runner: records });
    const read = new Read();
    read.next([foundTask(root, 't')]);
    read.next([]);
    const before = records.bytes().length;
    append('t', records.process('p', ...FAILED), before);
    expect(read.next([foundTask(root, 't')]).words).toEqual([
      't p 0 WAITING',
      't p 0 FORKED',
      't p 0 RUNNING',
      't p 0 FAILED',
    ]);
  });
});

test('a task that appears with what happened long ago tells nothing of that', () => {
  const read = new Read(BEGIN + 60_000);
  read.next([], [], BEGIN + 60_000);
  writeTask(root, 't', { runner: new Records().status('ACTIVE').process('p', ...RAN) });
  expect(read.next([foundTask(root, 't')], ['t'], BEGIN + 61_000).words).toEqual([]);
});

test('when the clock is set back, tasks that start then are told, too', () => {
  const read = new Read(BEGIN + 3_600_000);
  read.next([], [], BEGIN + 3_600_000);
  read.next([], [], BEGIN - 500);
  writeTask(root, 't', { runner: new Records().status('ACTIVE') });
  expect(read.next([foundTask(root, 't')], ['t'], BEGIN + 500).words).toEqual(['t ACTIVE']);
});

test('what cannot be read is a problem; the end of a record that is being written is none', () => {
  writeTask(root, 'damaged', {
    runner: Buffer.concat([new Records().status('ACTIVE').bytes(), Buffer.alloc(8)]),
  });
  const directory = writeTask(root, 'writing', {
    runner: new Records().status('ACTIVE').bytes().subarray(0, -3),
  });
  mkdirSync(join(writeTask(root, 'directory', { runner: null }), 'runner'));
  writeTask(root, 'starting', { runner: null });
  const tasks = ['damaged', 'writing', 'directory', 'starting'].map((id) => foundTask(root, id));
  const read = new Read();
  const { words, codes } = read.next(tasks, []);
  expect(words).toEqual(['damaged ACTIVE']);
  expect(codes).toEqual(['checkpoint-damaged', 'checkpoint-unreadable']);
  writeFileSync(join(directory, 'runner'), new Records().status('ACTIVE').bytes());
  expect(read.again(new Set([directory])).words).toEqual(['writing ACTIVE']);
});

test('a task of which no change is announced is read from time to time; if none are announced, soon', () => {
  const records = new Records().status('ACTIVE');
  writeTask(root, 't', { runner: records });
  const read = new Read();
  read.next([foundTask(root, 't')]);
  append('t', records.status('CLEANING'), records.bytes().length / 2);
  expect(read.again(new Set(), ['t']).words).toEqual([]);
  expect(read.again(new Set(), ['t'], true).words).toEqual(['t CLEANING']);
  append('t', records.status('FINALIZING'), (records.bytes().length / 3) * 2);
  clock += 10_000;
  expect(read.again(new Set(), ['t']).words).toEqual(['t FINALIZING']);
});
