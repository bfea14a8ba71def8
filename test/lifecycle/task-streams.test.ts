import { appendFileSync, chmodSync, linkSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { coordinatorStat, TaskStreams } from '../../src/lifecycle/task-streams.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';

const UID = process.getuid?.() ?? 0;

let temp: ReturnType<typeof tempDir>;
let root: string;
let directory: string;
let opened: TaskStreams[];
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  opened = [];
});
afterEach(() => {
  for (const streams of opened) streams.close();
  temp.remove();
});

const started = () => new Records().status('ACTIVE').header({ task_id: 't', uid: UID });
const place = () => ({ root, taskId: 't' });

function write(runner: Records | Buffer, coordinators: Record<string, Buffer> = {}): void {
  directory = writeTask(root, 't', { runner, coordinators });
}

function open(access: 'read' | 'write' = 'read'): TaskStreams {
  const streams = new TaskStreams(place(), access);
  opened.push(streams);
  return streams;
}

describe('what the streams say together', () => {
  test('the last status, and what a coordinator recorded after the runner', () => {
    const runner = started()
      .process('p', 'WAITING', 'FORKED')
      .process('done', 'WAITING', 'FORKED', 'RUNNING');
    write(runner.process('done', 'SUCCESS'), {
      p: runner.coordinator('p', 'RUNNING', 'FAILED'),
      done: runner.coordinator('done', 'FAILED'),
    });
    const { header, last, runs, finalRecords, bytes, damagedAt, problems } = open().read(0);
    expect([header?.task_id, last?.state, damagedAt, problems]).toEqual(['t', 'ACTIVE', undefined, []]);
    expect([...runs].map(([process, { state }]) => [process, state])).toEqual([
      ['p', 'FAILED'],
      ['done', 'SUCCESS'],
    ]);
    expect(finalRecords.map(({ value }) => 'state' in value && value.state)).toEqual(['RUNNING', 'FAILED']);
    expect(bytes).toBe(statSync(`${directory}/runner`).size);
  });

  test('up to the damage; a record that is cut short is none', () => {
    const good = started().bytes();
    write(Buffer.concat([good, Buffer.from([0, 0, 0, 99, 1])]));
    expect(open().read(0)).toMatchObject({ bytes: good.length, damagedAt: undefined });
    write(Buffer.concat([good, Buffer.from([0, 0, 0, 2, 255, 255])]));
    expect(open().read(0)).toMatchObject({ bytes: good.length, damagedAt: good.length });
  });

  test('a coordinator’s stream that can’t be read is a problem, and the rest is said', () => {
    const runner = started().process('p', 'WAITING', 'FORKED');
    write(runner);
    symlinkSync('/dev/null', `${directory}/coordinator.p`);
    const { runs, problems } = open().read(0);
    expect(runs.get('p')?.state).toBe('FORKED');
    expect(problems).toMatchObject([{ task_id: 't', process: 'p', path: `${directory}/coordinator.p` }]);
  });

  test('what was forked before the boot left nothing', () => {
    write(started().process('p', 'WAITING', 'FORKED'));
    const forkedMs = 1_400_000_001_000;
    expect(open().read(forkedMs - 60_000).traces).toHaveLength(1);
    expect(open().read(forkedMs + 600_000).traces).toEqual([]);
  });
});

describe('writing', () => {
  test('cuts what a runner’s death left of a record, and appends', () => {
    const good = started().bytes();
    write(Buffer.concat([good, Buffer.from([0, 0, 0, 99, 1])]));
    const streams = open('write');
    const { bytes } = streams.read(0);
    streams.append([{ type: 'task_status', value: { state: 'LOST', timestamp_ms: 1 } }], bytes);
    expect(streams.ends()).toMatchObject({ header: { task_id: 't' }, last: { state: 'LOST' } });
    expect(open().read(0).damagedAt).toBeUndefined();
  });

  test('one writer has the lock', () => {
    write(started());
    const [first, second] = [open('write'), open('write')];
    expect([first.lock(), second.lock()]).toEqual([true, false]);
    first.close();
    opened = opened.filter((each) => each !== first);
    expect(second.lock()).toBe(true);
  });

  test('a stream that was removed or replaced has its name no more', () => {
    write(started());
    const streams = open();
    expect(streams.isNamed()).toBe(true);
    renameSync(`${directory}/runner`, `${directory}/old`);
    expect(streams.isNamed()).toBe(false);
    write(started());
    expect(streams.isNamed()).toBe(false);
  });
});

describe('who may have written them', () => {
  test('only we: nothing is wrong', () => {
    write(started());
    expect(open().checkOwnership(UID)).toBeUndefined();
    expect(open().owner(UID)).toMatchObject({ uid: UID });
  });

  test.each<[string, () => void]>([
    ['anybody who may write the stream', () => chmodSync(`${directory}/runner`, 0o666)],
    ['anybody who may put one in its place', () => chmodSync(directory, 0o777)],
    ['who has it under another name', () => linkSync(`${directory}/runner`, `${root}/other`)],
  ])('%s', (_, change) => {
    write(started());
    change();
    expect(open().checkOwnership(UID)).toMatchObject({ code: 'task-untrusted' });
  });

  test('a link on the way is not followed', () => {
    write(started());
    renameSync(directory, `${root}/moved`);
    symlinkSync(`${root}/moved`, directory);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'ELINK' }));
  });
});

test('the stream of a process: a regular file of one name, or none', () => {
  write(started());
  const path = `${directory}/coordinator.p`;
  expect(coordinatorStat(place(), 'p')).toBeUndefined();
  appendFileSync(path, 'x');
  expect(coordinatorStat(place(), 'p')?.size).toBe(1);
  expect(coordinatorStat(place(), '../../x')).toBeUndefined();
  linkSync(path, `${root}/other`);
  expect(coordinatorStat(place(), 'p')).toBeUndefined();
  rmSync(path);
  symlinkSync(`${root}/other`, path);
  expect(coordinatorStat(place(), 'p')).toBeUndefined();
});
