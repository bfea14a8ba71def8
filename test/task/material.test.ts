import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discover } from '../../src/discovery/discover.js';
import type { FoundTask } from '../../src/discovery/found.js';
import type { Problem } from '../../src/errors/problem.js';
import { Host } from '../../src/host/host.js';
import { TaskBoard } from '../../src/task/board.js';
import { TaskReader } from '../../src/task/reader.js';
import { isUnstarted, type TaskView } from '../../src/task/view.js';
import { isRejection, LINKED, loadCases, plain, withFailedFields } from '../checkpoint/corpus.js';
import { optionsIn } from '../discovery/trees.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { FAILED, foundTask, lockLine, makeProc, RAN, Records, writeTask } from './trees.js';

let temp: { path: string; remove: () => void };
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = join(temp.path, 'root');
});
afterEach(() => temp.remove());

/** A host on which nothing of these tasks lives: their pids are beyond what a kernel gives. */
function deadHost(): Host {
  return Host.local({ proc: makeProc(join(temp.path, 'proc'), { locks: '' }), passwd: '/nonexistent' });
}

/** A host on which the runner of the task holds its lock. */
function liveHost(id = 't'): Host {
  const locks = lockLine(statSync(join(root, 'checkpoints', id, 'runner')), 4_194_000);
  return Host.local({ proc: makeProc(join(temp.path, 'live'), { locks }) });
}

function read(found: FoundTask, history = true, host = deadHost()): TaskView {
  return new TaskReader(found, { history }).read(host);
}

function codes(view: TaskView): string[] {
  return view.problems.map(({ code, severity }) => `${severity} ${code}`);
}

describe('every case of the corpus', () => {
  for (const from of loadCases()) {
    test(from.name, () => {
      const { tasks } = discover(
        optionsIn(temp.path, {
          flags: { root: [join(from.dir, 'root')], mesosRoot: [join(from.dir, 'mesos')] },
        }),
      );
      for (const found of tasks) {
        const path = `${found.checkpoint_dir}/runner`;
        const expected = from.expected[path.slice(from.dir.length + 1)];
        const view = read(found);
        const brief = read(found, false);
        expect({ ...brief, statuses: [], history: [], config: 0 }).toEqual({
          ...view,
          statuses: [],
          history: [],
          config: 0,
        });
        if (expected === undefined || isRejection(expected)) continue;
        if (from.name === LINKED) {
          expect(view.problems.map(({ code }) => code)).toEqual(['checkpoint-unreadable']);
          continue;
        }
        expect(view.state).toBe(expected.statuses.at(-1)?.state ?? 'UNKNOWN');
        expect(plain(view.statuses)).toEqual(plain(expected.statuses));
        expect(plain(view.header)).toEqual(plain(expected.header));
        const raw = from.records[path.slice(from.dir.length + 1)] ?? [];
        for (const [name, runs] of Object.entries(withFailedFields(expected, raw).processes)) {
          // The coordinators of a task without a runner may know more of the last run.
          expect(plain(view.history.get(name)?.runs.slice(0, -1))).toEqual(plain(runs.slice(0, -1)));
          expect(view.history.get(name)?.runs).toHaveLength(runs.length);
        }
      }
      expect(tasks).not.toEqual([]);
    });
  }
});

describe('the coordinators of a task without a runner', () => {
  const config = { name: 't', processes: [{ name: 'p' }] };

  test('a process that ended after its runner died is seen to have ended', () => {
    const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
    const coordinators = { p: records.coordinator('p', { state: 'FAILED', return_code: 3, stop_time: 9.5 }) };
    writeTask(root, 't', { task: config, runner: records, coordinators });
    const view = read(foundTask(root, 't'));
    expect(view.processes).toEqual([
      expect.objectContaining({
        process: 'p',
        state: 'FAILED',
        return_code: 3,
        stop_time: 9.5,
        failures: 1,
        runs: 1,
      }),
    ]);
    expect([view.state, view.verdict]).toEqual(['ACTIVE', 'runner-gone']);
  });

  test('with a live runner its own stream is what counts', () => {
    const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
    writeTask(root, 't', { runner: records, coordinators: { p: records.coordinator('p', 'SUCCESS') } });
    const view = read(foundTask(root, 't'), true, liveHost());
    expect([view.verdict, view.processes[0]?.state]).toEqual(['ok', 'RUNNING']);
    expect(view.runner).toEqual({ pid: 4_194_000, uid: 0, alive: true });
  });

  test('of a task that is over, nothing is merged', () => {
    const records = new Records().process('p', 'WAITING', 'FORKED').status('KILLED');
    writeTask(root, 't', {
      phase: 'finished',
      runner: records,
      coordinators: { p: records.coordinator('p', 'RUNNING') },
    });
    expect(read(foundTask(root, 't', 'finished')).processes[0]?.state).toBe('FORKED');
  });

  test('what does not go on from the stream is skipped, without a word', () => {
    const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED');
    const others = new Records().process('p', 'WAITING', 'FORKED', 'RUNNING').process('q', 'WAITING');
    writeTask(root, 't', { runner: records, coordinators: { p: others.bytes() } });
    const view = read(foundTask(root, 't'));
    expect([view.processes.map(({ process, state }) => [process, state]), view.problems]).toEqual([
      [['p', 'RUNNING']],
      [],
    ]);
  });

  test('a damaged one gives what it has, and is a problem of that process', () => {
    const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED');
    const good = records.coordinator('p', 'RUNNING');
    writeTask(root, 't', { runner: records, coordinators: { p: Buffer.concat([good, Buffer.alloc(9)]) } });
    const view = read(foundTask(root, 't'));
    expect(view.processes[0]?.state).toBe('RUNNING');
    expect(view.problems).toEqual([
      expect.objectContaining({
        code: 'checkpoint-damaged',
        process: 'p',
        task_id: 't',
        offset: good.length,
        path: join(root, 'checkpoints/t/coordinator.p'),
      }),
    ]);
  });

  test.each(['a directory', 'a loop'])('%s in its place is a problem', (what) => {
    const directory = writeTask(root, 't', {
      runner: new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED'),
    });
    const path = join(directory, 'coordinator.p');
    if (what === 'a directory') mkdirSync(path);
    else symlinkSync(path, path);
    expect(codes(read(foundTask(root, 't')))).toEqual(['error checkpoint-unreadable']);
  });

  test('names that would lead elsewhere are not joined to a path', () => {
    const records = new Records().status('ACTIVE');
    const names = [
      '/../../other/coordinator.x',
      'a/b',
      '\0',
      '..',
      '__proto__',
      'n\n',
      '',
      'constructor',
      'x'.repeat(300),
    ];
    for (const name of names) records.process(name, 'WAITING', 'FORKED');
    const coordinators = {
      ['__proto__']: records.coordinator('__proto__', 'RUNNING'),
    };
    const directory = writeTask(root, 't', { runner: records, coordinators });
    writeFileSync(join(directory, 'coordinator.n\n'), records.coordinator('n\n', 'RUNNING'));
    const other = join(directory, 'coordinator.', '..', '..', 'other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'coordinator.x'), records.coordinator('/../../other/coordinator.x', 'RUNNING'));
    const view = read(foundTask(root, 't'));
    expect(view.processes.map(({ process, state }) => [process, state])).toEqual(
      names.map((name) => [name, name === '__proto__' || name === 'n\n' ? 'RUNNING' : 'FORKED']),
    );
    // Those that can't be the name of a file have no stream.
    expect(view.problems).toEqual([]);
  });
});

describe('asked again', () => {
  test('it reads on, also after coordinators were merged in', () => {
    const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
    const coordinators = { p: records.coordinator('p', 'SUCCESS') };
    const directory = writeTask(root, 't', { runner: records, coordinators });
    const reader = new TaskReader(foundTask(root, 't'), { history: true });
    for (let times = 0; times < 2; times++) {
      expect(reader.read(deadHost()).processes[0]).toMatchObject({ state: 'SUCCESS', runs: 1 });
    }
    // A new runner takes over: it applies what the coordinator wrote and goes on.
    const before = records.bytes().length;
    records
      .status('ACTIVE', 1_400_000_009_000)
      .process('p', 'SUCCESS')
      .process('q', ...FAILED, 'WAITING');
    appendFileSync(join(directory, 'runner'), records.bytes().subarray(before));
    const view = reader.read(liveHost());
    expect(view.problems).toEqual([]);
    expect(view.statuses).toHaveLength(2);
    expect(
      view.processes.map(({ process, state, runs, failures }) => [process, state, runs, failures]),
    ).toEqual([
      ['p', 'SUCCESS', 1, 0],
      ['q', 'WAITING', 2, 1],
    ]);
    expect(view).toEqual(new TaskReader(foundTask(root, 't'), { history: true }).read(liveHost()));
  });

  test('after every appended byte it gives the same as a first read', () => {
    const bytes = new Records()
      .status('ACTIVE')
      .header({ task_id: 't' })
      .process('p', ...FAILED, ...RAN)
      .status('SUCCESS')
      .bytes();
    const directory = writeTask(root, 't', { runner: Buffer.alloc(0) });
    const reader = new TaskReader(foundTask(root, 't'), { history: true });
    const host = deadHost();
    for (let length = 0; length < bytes.length; length += 7) {
      appendFileSync(join(directory, 'runner'), bytes.subarray(length, length + 7));
      const view = reader.read(host);
      expect(view).toEqual(new TaskReader(foundTask(root, 't'), { history: true }).read(host));
      for (const problem of view.problems) {
        expect([problem.code, problem.severity]).toEqual(['checkpoint-incomplete', 'warning']);
      }
    }
    expect(reader.read(host)).toMatchObject({ state: 'SUCCESS', problems: [] });
  });

  test('a stream that was cut or replaced is read from its start', () => {
    const directory = writeTask(root, 't', { runner: new Records().status('ACTIVE').process('p', ...RAN) });
    const reader = new TaskReader(foundTask(root, 't'), { history: true });
    expect(reader.read(deadHost()).processes).toHaveLength(1);
    truncateSync(join(directory, 'runner'), new Records().status('ACTIVE').bytes().length);
    expect(reader.read(deadHost()).processes).toHaveLength(0);
  });

  test('a board reads tasks that come, end and go', () => {
    const board = new TaskBoard();
    writeTask(root, 'a');
    writeTask(root, 'b');
    const look = (...found: FoundTask[]) =>
      [...board.read(found, deadHost())].map(({ task_id, state }) => `${task_id} ${state}`);
    expect(look(foundTask(root, 'a'), foundTask(root, 'b'))).toEqual(['a ACTIVE', 'b ACTIVE']);
    appendFileSync(join(root, 'checkpoints/b/runner'), new Records().status('LOST').bytes());
    expect(look(foundTask(root, 'b'))).toEqual(['b LOST']);
    rmSync(join(root, 'checkpoints/b'), { recursive: true });
    writeTask(root, 'b', { runner: new Records().status('CLEANING') });
    expect(look(foundTask(root, 'a'), foundTask(root, 'b'))).toEqual(['a ACTIVE', 'b CLEANING']);
    expect(look()).toEqual([]);
  });

  test('a board reads nothing again of a finished task, but notices in time that its files have changed', () => {
    const sandbox = join(root, 'sandbox');
    mkdirSync(sandbox, { recursive: true });
    const records = new Records().header({ sandbox }).status('ACTIVE').status('SUCCESS');
    writeTask(root, 't', { phase: 'finished', runner: records });
    const found = foundTask(root, 't', 'finished');
    const board = new TaskBoard();
    const look = () => [...board.read([found], deadHost())][0] as TaskView;
    const first = look();
    expect([first.state, first.verdict, first.sandbox?.found]).toEqual(['SUCCESS', 'ok', true]);
    for (let i = 0; i < 300; i++) expect([look() === first, board.mayHaveChanged()]).toEqual([true, false]);
    rmdirSync(sandbox);
    const until = (seen: (view: TaskView) => boolean) => {
      for (let looks = 0; looks < 300; looks++) if (board.mayHaveChanged() && seen(look())) return;
      throw new Error('it was never noticed');
    };
    until(({ sandbox }) => sandbox?.found === false);
    appendFileSync(join(root, 'checkpoints/t/runner'), Buffer.alloc(8));
    until(({ problems }) => problems.length > 0);
    rmSync(join(root, 'checkpoints/t'), { recursive: true });
    expect(look()).toMatchObject({ verdict: 'unknown' });
  });

  test.each<[string, Partial<FoundTask>, Records]>([
    ['active', { phase: 'active' }, new Records().status('ACTIVE')],
    ['not over', {}, new Records().status('CLEANING')],
    ['damaged', {}, new Records().status('SUCCESS')],
  ])('a board reads a task again that is %s', (what, extra, records) => {
    const damage = what === 'damaged' ? Buffer.alloc(8) : Buffer.alloc(0);
    writeTask(root, 't', {
      phase: extra.phase ?? 'finished',
      runner: Buffer.concat([records.bytes(), damage]),
    });
    const found = foundTask(root, 't', extra.phase ?? 'finished');
    const board = new TaskBoard();
    const look = () => [...board.read([found], deadHost())][0];
    expect(look()).not.toBe(look());
    expect(board.mayHaveChanged()).toBe(true);
  });
});

describe('while it is read', () => {
  test('a task that ended since it was found is finished, and its task file is read where it is now', () => {
    writeTask(root, 't', {
      task: { name: 'n', processes: [{ name: 'never' }] },
      runner: new Records().status('SUCCESS'),
    });
    const found = foundTask(root, 't');
    renameSync(join(root, 'tasks/active/t'), join(root, 'tasks/finished/t'));
    const view = read(found);
    expect([view.phase, view.state, view.verdict, view.name, view.problems]).toEqual([
      'finished',
      'SUCCESS',
      'ok',
      'n',
      [],
    ]);
    expect(view.processes.map(({ process }) => process)).toEqual(['never']);
  });

  test('a runner that ends after its stream was read did not die', () => {
    writeTask(root, 't');
    const host = liveHost();
    let let_go = false;
    // The checkpoint is looked for right before it is read: then the runner ends.
    const found = new Proxy(foundTask(root, 't'), {
      get(target, name, receiver) {
        if (name === 'task_file' && !let_go) {
          let_go = true;
          writeFileSync(join(temp.path, 'live', 'locks'), '');
        }
        return Reflect.get(target, name, receiver);
      },
    });
    const view = new TaskReader(found, { history: false }).read(host);
    expect([let_go, view.state, view.verdict]).toEqual([true, 'ACTIVE', 'ok']);
  });

  test('a runner that starts after the locks were read is alive', () => {
    writeTask(root, 't', { task: null });
    const host = deadHost();
    host.lookAtLocks();
    const locks = lockLine(statSync(join(root, 'checkpoints/t/runner')), 4_194_000);
    writeFileSync(join(temp.path, 'proc', 'locks'), locks);
    const found = foundTask(root, 't', 'active', { task_file: undefined });
    expect(new TaskReader(found, { history: false }).read(host).verdict).toBe('ok');
  });

  test('a task that vanishes is unknown, with the reason', () => {
    writeTask(root, 't');
    const found = foundTask(root, 't');
    rmSync(root, { recursive: true });
    const view = read(found);
    expect([view.state, view.verdict, codes(view)]).toEqual([
      'UNKNOWN',
      'unknown',
      ['warning checkpoint-missing'],
    ]);
    expect(view.removed).toBe(true);
    const gone: Problem = { code: 'checkpoint-missing', severity: 'error', message: '' };
    const listed = { task_file: join(root, 'tasks/finished/t'), problems: [gone] };
    expect(codes(read(foundTask(root, 't', 'finished', listed)))).toEqual(['warning checkpoint-missing']);
  });
});

describe('the reasons beside a stream', () => {
  const reason = { time_ms: 7, code: 'task-killed', message: 'SIGTERM' };

  test('are read where all of a task is read, and not where many are listed', () => {
    const checkpoint = writeTask(root, 't', { runner: new Records().status('ACTIVE') });
    expect(read(foundTask(root, 't'))).toMatchObject({ reasons: [], problems: [] });
    writeFileSync(join(checkpoint, 'reasons'), `${JSON.stringify(reason)}\n`);
    expect(read(foundTask(root, 't'))).toMatchObject({ reasons: [reason], problems: [] });
    expect(read(foundTask(root, 't'), false).reasons).toEqual([]);
  });

  test('that cannot be read are a problem, and all else is shown', () => {
    const checkpoint = writeTask(root, 't', { runner: new Records().status('ACTIVE') });
    spawnSync('mkfifo', [join(checkpoint, 'reasons')]);
    const view = read(foundTask(root, 't'));
    expect([view.state, codes(view)]).toEqual(['ACTIVE', ['warning reasons-unreadable']]);
    rmSync(join(checkpoint, 'reasons'));
    symlinkSync('/etc/passwd', join(checkpoint, 'reasons'));
    expect(codes(read(foundTask(root, 't')))).toEqual(['warning reasons-unreadable']);
  });

  test('of a file without an end are only read at its beginning', () => {
    const checkpoint = writeTask(root, 't', { runner: new Records().status('ACTIVE') });
    writeFileSync(join(checkpoint, 'reasons'), `${JSON.stringify(reason)}\n`);
    truncateSync(join(checkpoint, 'reasons'), 2 ** 40);
    expect(read(foundTask(root, 't')).reasons).toEqual([reason]);
  });
});

describe('what is missing or damaged', () => {
  test('a record cut short is normal while the task is active, damage when it is finished', () => {
    const runner = new Records()
      .status('ACTIVE')
      .process('p', ...RAN)
      .bytes()
      .subarray(0, -3);
    for (const phase of ['active', 'finished'] as const) writeTask(root, phase, { phase, runner });
    const active = read(foundTask(root, 'active'));
    expect([codes(active), active.processes[0]?.state]).toEqual([
      ['warning checkpoint-incomplete'],
      'RUNNING',
    ]);
    const finished = read(foundTask(root, 'finished', 'finished'));
    expect([codes(finished), finished.verdict]).toEqual([['error checkpoint-damaged'], 'unknown']);
  });

  test('over by its stream, but its task file was never moved', () => {
    writeTask(root, 't', { runner: new Records().status('KILLED') });
    expect(read(foundTask(root, 't'))).toMatchObject({
      phase: 'active',
      state: 'KILLED',
      verdict: 'runner-gone',
    });
  });

  test('no task file: the stream says the phase', () => {
    writeTask(root, 'over', { task: null, runner: new Records().status('LOST').process('p', 'WAITING') });
    writeTask(root, 'on', { task: null });
    const extra = { task_file: undefined };
    expect(read(foundTask(root, 'over', 'active', extra))).toMatchObject({
      phase: 'finished',
      verdict: 'ok',
    });
    expect(read(foundTask(root, 'on', 'active', extra))).toMatchObject({
      phase: 'active',
      verdict: 'runner-gone',
    });
  });

  test('no checkpoint: the task file is shown, the verdict is unknown, the problem reported once', () => {
    writeTask(root, 't', {
      runner: null,
      task: { name: 'n', processes: [{ name: 'p', cmdline: 'x', max_failures: 2 }] },
    });
    const view = read(foundTask(root, 't'));
    expect(view).toMatchObject({ name: 'n', state: 'UNKNOWN', verdict: 'unknown' });
    expect(view.processes).toEqual([
      expect.objectContaining({
        process: 'p',
        state: 'WAITING',
        runs: 0,
        failures: 0,
        max_failures: 2,
        cmdline: 'x',
      }),
    ]);
    expect(codes(view)).toEqual(['warning checkpoint-missing']);
    rmSync(join(root, 'checkpoints/t'), { recursive: true });
    const { tasks } = discover(optionsIn(temp.path, { flags: { root: [root] } }));
    const unstarted = read(tasks[0] as FoundTask);
    expect([codes(unstarted), isUnstarted(unstarted)]).toEqual([['warning checkpoint-missing'], true]);
  });

  test('neither task file nor checkpoint', () => {
    const view = read(foundTask(root, 't'));
    expect([view.processes, view.verdict, codes(view)]).toEqual([
      [],
      'unknown',
      ['warning checkpoint-missing'],
    ]);
  });

  test('a directory without anything: its runner died at the very start, and nothing is lost', () => {
    mkdirSync(join(root, 'checkpoints/t'), { recursive: true });
    const { tasks } = discover(optionsIn(temp.path, { flags: { root: [root] } }));
    const view = read(tasks[0] as FoundTask);
    expect([view.state, codes(view)]).toEqual([
      'UNKNOWN',
      ['warning task-file-missing', 'warning checkpoint-missing'],
    ]);
    const made = statSync(join(root, 'checkpoints/t')).mtimeMs;
    expect([view.silent_since_ms, isUnstarted(view)]).toEqual([made, true]);
    for (const name of ['reasons', '.task', '.gc']) writeFileSync(join(root, 'checkpoints/t', name), '');
    expect(codes(read(tasks[0] as FoundTask))).toEqual(codes(view));
    writeFileSync(join(root, 'checkpoints/t/coordinator.p'), '');
    expect(isUnstarted(read(tasks[0] as FoundTask))).toBe(false);
    expect(codes(read(tasks[0] as FoundTask))).toEqual([
      'warning task-file-missing',
      'error checkpoint-missing',
    ]);
  });

  test('a stream without a record is of a task that has not started: nobody calls its runner dead', () => {
    mkdirSync(join(root, 'checkpoints/t'), { recursive: true });
    writeFileSync(join(root, 'checkpoints/t/runner'), '');
    const view = read(foundTask(root, 't', 'active', { task_file: undefined }));
    expect([view.state, view.verdict, codes(view), isUnstarted(view)]).toEqual([
      'UNKNOWN',
      'unknown',
      [],
      true,
    ]);
  });

  test('an unreadable sandbox: nothing but the name', () => {
    const view = read(foundTask(root, 't', 'active', { unreadable: true, task_file: undefined }));
    expect(view).toMatchObject({
      task_id: 't',
      state: 'UNKNOWN',
      verdict: 'unknown',
      problems: [],
      processes: [],
    });
  });

  test.each<[string, (path: string) => void]>([
    ['a directory', (path) => mkdirSync(path)],
    ['a link to an endless device', (path) => symlinkSync('/dev/zero', path)],
    ['a loop', (path) => symlinkSync(path, path)],
  ])('%s as the stream', (_what, make) => {
    make(join(writeTask(root, 't', { runner: null }), 'runner'));
    const view = read(foundTask(root, 't'));
    expect([view.verdict, codes(view)]).toEqual(['unknown', ['error checkpoint-unreadable']]);
  });

  test('a run whose first record was refused', () => {
    writeTask(root, 't', { runner: new Records().status('ACTIVE').process('p', 'FORKED') });
    const view = read(foundTask(root, 't'));
    expect(codes(view)).toEqual(['error checkpoint-damaged']);
    expect(view.processes.every(({ state }) => state === 'WAITING')).toBe(true);
  });
});

describe('what is joined', () => {
  test('processes in the order of the task file, then those it does not know', () => {
    writeTask(root, 't', {
      task: { processes: [{ name: 'b' }, { name: 'a' }, { name: 'b' }, { name: '__proto__' }] },
      runner: new Records()
        .status('ACTIVE')
        .process('z', ...RAN)
        .process('a', ...RAN),
    });
    expect(read(foundTask(root, 't')).processes.map(({ process, state }) => `${process} ${state}`)).toEqual([
      'b WAITING',
      'a SUCCESS',
      '__proto__ WAITING',
      'z SUCCESS',
    ]);
  });

  test('the time since when the stream is silent, and who owns it', () => {
    const directory = writeTask(root, 't');
    utimesSync(join(directory, 'runner'), 1_400_000_000, 1_400_000_001);
    const view = read(foundTask(root, 't'));
    expect(view.silent_since_ms).toBe(1_400_000_001_000);
    expect(view.owner).toBe(String(process.getuid?.()));
  });

  test('a copy of a sandbox is found beside its root; both places are known', () => {
    cpSync(join(FIXTURES, 'host'), join(temp.path, 'moved'), { recursive: true });
    const view = read(foundTask(join(temp.path, 'moved/root'), 'host-ok-1', 'finished'));
    expect(view.sandbox).toEqual({
      path: join(temp.path, 'moved/sandboxes/host-ok-1'),
      recorded: expect.stringContaining('/host-mixed/sandboxes/host-ok-1'),
      found: true,
    });
    expect(view.log_dir?.path).toBe(join(temp.path, 'moved/sandboxes/host-ok-1/.logs'));
  });

  test('a recorded path longer than any path does not resolve, at once', () => {
    const sandbox = '/a'.repeat(500_000);
    writeTask(root, 't', { runner: new Records().status('ACTIVE').header({ sandbox, log_dir: sandbox }) });
    const [view] = new TaskBoard().read([foundTask(root, 't')], deadHost());
    expect(view?.sandbox).toEqual({ path: sandbox, recorded: sandbox, found: false });
  });

  test('processes that live on: by pid, start and user, not by pid alone', () => {
    const boot = 1_399_000_000;
    const records = new Records()
      .status('ACTIVE')
      .header({ task_id: 't', uid: 1000 })
      .process(
        'lives',
        'WAITING',
        { state: 'FORKED', fork_time: boot + 9, coordinator_pid: 8 },
        {
          state: 'RUNNING',
          start_time: boot + 10,
          pid: 9,
        },
      )
      .process('reused', 'WAITING', 'FORKED', { state: 'RUNNING', start_time: boot + 10, pid: 10 })
      .process('stranger', 'WAITING', 'FORKED', { state: 'RUNNING', start_time: boot + 10, pid: 11 })
      .status('KILLED');
    writeTask(root, 't', { phase: 'finished', runner: records });
    const processes = {
      8: { startTicks: 900, uid: 0 },
      9: { startTicks: 1000, uid: 1000 },
      10: { startTicks: 99_000, uid: 1000 },
      11: { startTicks: 1000, uid: 1001 },
    };
    const host = Host.local({
      proc: makeProc(join(temp.path, 'p'), { bootTime: boot, locks: '', processes }),
    });
    const view = read(foundTask(root, 't', 'finished'), true, host);
    expect([view.verdict, view.leftovers]).toEqual(['leftovers', [9]]);
  });
});
