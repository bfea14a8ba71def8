import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { realPathsOfOneMoment } from '../../src/discovery/real-paths.js';
import { DirectoryOwners, lookAtStream, type Subject, silenceOf, subjectOf } from '../../src/gc/subject.js';
import { readTasks } from '../../src/task/board.js';
import { gcTask, put, setAge } from '../e2e/gc-trees.js';
import { placeForEach } from '../e2e/harness.js';
import { foundTask, lockLine, RAN, Records, writeTask } from '../task/trees.js';
import { finished, machineIn } from './machines.js';
import { subject } from './subjects.js';

const isRoot = process.getuid?.() === 0;
const NOW = 1_000_000;

let dir: string;
let root: string;
const place = placeForEach();
beforeEach(() => {
  ({ path: dir, root } = place);
});

function subjectIn(found = finished(root, 'a'), machine = machineIn(dir)): Subject {
  const [view] = readTasks([found], machine.host);
  if (view === undefined) throw new Error('no view');
  const made = subjectOf(view, realPathsOfOneMoment());
  lookAtStream(made, machine.host, new DirectoryOwners());
  return made;
}

const runner = () => `${root}/checkpoints/a/runner`;

describe('what gc keeps of a task', () => {
  test('places, end, and the processes that ran', () => {
    const sandbox = gcTask(root, 'a', { ageMs: 5000 });
    const found = subjectIn();
    expect(found).toMatchObject({
      task_id: 'a',
      phase: 'finished',
      state: 'SUCCESS',
      rootPath: root,
      bases: [root, dir],
      sandbox: { path: sandbox, found: true },
      taskFiles: [`${root}/tasks/finished/a`],
      finish: { by: 'status' },
      ran: ['p/0'],
      copied: false,
      marked: false,
      damaged: false,
      headless: false,
    });
    expect(found.headerFlaw).toBeUndefined();
    expect(Math.abs(Date.now() - 5000 - found.finish.at)).toBeLessThan(60_000);
  });

  test('a process whose logs are elsewhere has none here, and one that never started had none yet', () => {
    const processes = [
      { name: 'p', cmdline: 'x', logger: { destination: 'console' } },
      { name: 'q', cmdline: 'x' },
    ];
    const stream = new Records()
      .status('ACTIVE')
      .header({ task_id: 'a' })
      .process('p', ...RAN)
      .process('q', 'WAITING', 'FORKED')
      .status('KILLED');
    writeTask(root, 'a', { phase: 'finished', task: { name: 'a', processes }, runner: stream });
    expect(subjectIn().ran).toEqual([]);
  });

  test('without a last status the time of the file that was moved, or of the stream', () => {
    const stream = new Records().status('ACTIVE').header({ task_id: 'a' });
    writeTask(root, 'a', { phase: 'finished', runner: stream });
    setAge(`${root}/tasks/finished/a`, 50_000);
    expect(subjectIn().finish.by).toBe('task-file');
    rmSync(`${root}/tasks/finished/a`);
    expect(subjectIn({ ...finished(root, 'a'), task_file: undefined }).finish.by).toBe('stream-file');
  });

  test('sandboxes that were copied with their root are those of the copy', () => {
    gcTask(root, 'a');
    put(`${dir}/copy/sandboxes/a/data.txt`, 'x');
    mkdirSync(`${dir}/copy/checkpoints/a`, { recursive: true });
    copyFileSync(runner(), `${dir}/copy/checkpoints/a/runner`);
    put(`${dir}/copy/tasks/finished/a`, '{}');
    expect(subjectIn(finished(`${dir}/copy`, 'a'))).toMatchObject({
      sandbox: { path: `${dir}/copy/sandboxes/a`, recorded: `${root}/sandboxes/a` },
      logDir: { path: `${dir}/copy/sandboxes/a/.logs`, found: false },
    });
  });
});

describe('a header by which nothing may be deleted', () => {
  test.each<[string, () => void, string]>([
    [
      'names another task',
      () => gcTask(root, 'a', { header: { task_id: 'b' } }),
      'its header is that of task b',
    ],
    [
      'has another name',
      () => {
        gcTask(root, 'a');
        linkSync(runner(), `${dir}/other`);
      },
      'its stream has another name, which may belong to another task',
    ],
    [
      'is no file',
      () => {
        gcTask(root, 'a');
        rmSync(runner());
        mkdirSync(runner());
      },
      'its stream is not a regular file',
    ],
    [
      'is behind a link',
      () => {
        gcTask(root, 'b');
        gcTask(root, 'a');
        rmSync(`${root}/checkpoints/a`, { recursive: true });
        symlinkSync('b', `${root}/checkpoints/a`);
      },
      'its checkpoint directory is a link',
    ],
  ])('%s', (_, make, flaw) => {
    make();
    expect(subjectIn().headerFlaw).toBe(flaw);
  });

  test('may be of anybody, or of somebody who is reported', () => {
    gcTask(root, 'a');
    const own = process.geteuid?.() ?? 0;
    expect(subjectIn().authors).toEqual(isRoot ? [] : [own]);
    if (isRoot) {
      chownSync(runner(), 1234, 1234);
      expect(subjectIn()).toMatchObject({ authors: [1234], headerFlaw: undefined });
    }
    chmodSync(runner(), 0o666);
    // Others could make who is not root remove only what is that user's own.
    expect(subjectIn().headerFlaw).toEqual(isRoot ? expect.stringContaining(runner()) : undefined);
  });
});

describe('what the stream’s file says', () => {
  test('absent, copied, marked, locked', () => {
    gcTask(root, 'a');
    setAge(runner(), 60_000);
    put(`${root}/checkpoints/a/.gc`, '');
    const locks = lockLine(statSync(runner()), 7);
    const machine = machineIn(dir, { proc: { locks, processes: { 7: {} } } });
    expect(subjectIn(undefined, machine)).toMatchObject({ copied: true, marked: true, locked: true });
    rmSync(runner());
    expect(subjectIn()).toMatchObject({ stream: 'absent', locked: undefined });
  });
});

describe('silence', () => {
  const stream = { dev: 1, ino: 2, size: 3, mtimeMs: NOW - 500 };
  const silence = (given: Partial<Subject>, alive: boolean | null | undefined, age?: number) =>
    silenceOf(subject({ phase: 'active', stream, ...given }), alive, NOW, age).state;

  test.each<[string, Partial<Subject>, boolean | null | undefined, number | undefined, string]>([
    ['the lock is held', { locked: true }, false, 100, 'alive'],
    ['the runner is seen', { locked: undefined }, true, 100, 'alive'],
    ['nothing is known of it', {}, null, 100, 'unknown'],
    ['longer than the age', {}, false, 499, 'silent'],
    ['exactly the age', {}, false, 500, 'quiet'],
    ['no age is asked about', {}, false, undefined, 'quiet'],
    ['without a stream the runner does not matter', { stream: 'absent' }, null, 100, 'silent'],
  ])('%s', (_, given, alive, age, expected) => {
    expect(silence(given, alive, age)).toBe(expected);
  });

  test('without a stream it goes by the newest of what is left', () => {
    writeTask(root, 'a', { runner: null });
    setAge(`${root}/checkpoints/a`, 90_000);
    setAge(`${root}/tasks/active/a`, 60_000);
    const found = subjectIn(foundTask(root, 'a'));
    const { since } = silenceOf(found, undefined, Date.now(), 1000);
    expect(Math.abs(Date.now() - 60_000 - since)).toBeLessThan(30_000);
  });
});
