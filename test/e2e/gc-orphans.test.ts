import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ProcessStatus } from '../../src/checkpoint/records.js';
import { Records, writeTask } from '../task/trees.js';
import { actions, deleted, gc, gcTask, gone, hookFile, listing, put, setAge } from './gc-trees.js';
import { FIXTURES, placeForEach, thermos } from './harness.js';
import { seesAllLocks } from './tasks.js';

const HOUR = 3_600_000;
const AS_ROOT = process.getuid?.() === 0;

let dir: string;
let root: string;
const place = placeForEach();
const { children } = place;
beforeEach(() => {
  ({ path: dir, root } = place);
});

/** A coordinator and its command, in a session of their own, and what a stream says of them. */
async function coordinator(): Promise<{
  child: ChildProcess;
  forked: ProcessStatus;
  running: ProcessStatus;
}> {
  const child = spawn('bash', ['-c', 'sleep 300 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const now = Date.now() / 1000;
  const pid = await new Promise<number>((resolve) =>
    child.stdout?.once('data', (text) => resolve(Number(text))),
  );
  return {
    child,
    forked: { state: 'FORKED', coordinator_pid: child.pid as number, fork_time: now },
    running: { state: 'RUNNING', pid, start_time: now },
  };
}

const isAlive = (pid: number) => {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

const started = () =>
  new Records().status('ACTIVE').header({
    task_id: 'a',
    sandbox: `${root}/sandboxes/a`,
    log_dir: `${root}/sandboxes/a/.logs`,
    uid: process.getuid?.() ?? 0,
  });

/** An active task whose stream has been still for two hours. */
function orphan(
  runner: Records | Buffer | null,
  coordinators: Record<string, Buffer> = {},
  id = 'a',
): string {
  const directory = writeTask(root, id, { runner, coordinators });
  for (const path of [`${directory}/runner`, directory, `${root}/tasks/active/${id}`]) {
    if (existsSync(path)) setAge(path, 2 * HOUR);
  }
  return directory;
}

const state = (id = 'a') => {
  const { stdout } = thermos(['inspect', '--json', '--root', root, id]);
  const { phase, state, processes, verdict } = JSON.parse(stdout);
  return { phase, state, verdict, processes: processes.map((each: { state: string }) => each.state) };
};

describe('a task whose runner died', () => {
  test('becomes LOST: last words taken over, leftovers killed, the file moved; then it can be collected', async () => {
    const { child, forked, running } = await coordinator();
    const records = started()
      .process('done', 'WAITING')
      .process('runs', 'WAITING', forked)
      .process('never', 'WAITING');
    orphan(records, {
      done: records.coordinator('done', 'FORKED', 'RUNNING', {
        state: 'SUCCESS',
        stop_time: 5,
        return_code: 0,
      }),
      runs: records.coordinator('runs', running),
    });
    // A record that the dying runner could not write whole.
    appendFileSync(`${root}/checkpoints/a/runner`, Buffer.from([0, 0, 1, 0, 12]));
    setAge(`${root}/checkpoints/a/runner`, 2 * HOUR);
    const before = listing(dir);
    const plan = gc(['--root', root, '--dry-run']);
    expect(plan.json.tasks).toMatchObject([
      {
        task_id: 'a',
        orphan: { was: 'ACTIVE', becomes: 'LOST', result: 'would-do', killed: [] },
        actions: [],
      },
    ]);
    expect(gone(before, listing(dir))).toEqual([]);

    const answer = gc(['--root', root, '--yes']);
    expect(answer.json.tasks[0]?.orphan).toMatchObject({ result: 'done', killed: [child.pid, running.pid] });
    expect(answer.status).toBe(0);
    expect(isAlive(child.pid as number) || isAlive(running.pid as number)).toBe(false);
    expect(state()).toEqual({
      phase: 'finished',
      state: 'LOST',
      verdict: 'ok',
      processes: ['SUCCESS', 'KILLED', 'WAITING'],
    });
    const read = thermos(['read', '--json', `${root}/checkpoints/a/runner`]);
    expect(JSON.parse(read.stdout).problems).toEqual([]);
    expect(existsSync(`${root}/tasks/active/a`)).toBe(false);
    const { reasons } = JSON.parse(thermos(['inspect', '--root', root, '--json', 'a']).stdout);
    expect(reasons).toMatchObject([{ code: 'task-lost', message: expect.stringContaining('thermos gc') }]);

    expect(gc(['--root', root, '--yes']).status).toBe(0);
    expect(existsSync(`${root}/checkpoints/a`)).toBe(false);
  });

  test('a stranger that has the pid now is not touched', async () => {
    const { child, forked, running } = await coordinator();
    const then = { fork_time: 1000, start_time: 1000 };
    const records = started().process(
      'p',
      'WAITING',
      { ...forked, fork_time: then.fork_time },
      { ...running, start_time: then.start_time },
    );
    orphan(records);
    const answer = gc(['--root', root, '--yes']);
    expect(answer.json.tasks[0]?.orphan).toMatchObject({ result: 'done', killed: [] });
    expect(isAlive(child.pid as number) && isAlive(running.pid as number)).toBe(true);
    expect(state()).toMatchObject({ state: 'LOST', processes: ['LOST'] });
  });

  test('a user’s stream that names a process of somebody else does not kill it', async () => {
    const { child, forked, running } = await coordinator();
    const directory = orphan(started().process('p', 'WAITING', forked, running));
    if (AS_ROOT) chownSync(`${directory}/runner`, 12_345, 12_345);
    const answer = gc(['--root', root, '--yes']);
    const alive = isAlive(child.pid as number) && isAlive(running.pid as number);
    // Who is no root reads his own streams, and kills his own processes.
    if (!AS_ROOT) return expect([answer.status, alive]).toEqual([0, false]);
    expect(answer.json.tasks[0]?.orphan).toEqual({
      was: 'ACTIVE',
      becomes: 'LOST',
      result: 'refused',
      why: expect.stringMatching(/^task a runs as uid 0, .*written/),
      killed: [],
    });
    expect([answer.status, alive, state().state]).toEqual([5, true, 'ACTIVE']);
  });

  test('is left alone: before the age, with --no-orphans, and while somebody holds its lock', async () => {
    orphan(started());
    const ids = (...args: string[]) => gc(['--root', root, '--yes', ...args]).json.tasks;
    expect(ids('--orphan-age', '3h')).toEqual([]);
    expect(ids('--no-orphans')).toEqual([]);
    const holder = spawn('flock', [`${root}/checkpoints/a/runner`, 'bash', '-c', 'echo; sleep 300'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(holder);
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    expect(ids()).toEqual([]);
    expect(state()).toMatchObject({ phase: 'active', state: 'ACTIVE' });
  });

  test('a live runner whose stream says that all is over, or is corrupt, keeps its task', async () => {
    const holders = ['over', 'corrupt'].map((id) => {
      const runner =
        id === 'over' ? started().status('SUCCESS') : Buffer.from('\xff\xff\xff\xffno stream', 'latin1');
      orphan(runner, {}, id);
      const holder = spawn('flock', [`${root}/checkpoints/${id}/runner`, 'bash', '-c', 'echo; sleep 300'], {
        detached: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.push(holder);
      return new Promise((resolve) => holder.stdout?.once('data', resolve));
    });
    await Promise.all(holders);
    const before = listing(dir);
    expect(gc(['--root', root, '--yes']).json.tasks).toEqual([]);
    expect(gone(before, listing(dir))).toEqual([]);
  });

  test('a coordinator that lives, but by a pid that is not its own here, refuses', async () => {
    const directory = orphan(started().process('p', 'WAITING', 'FORKED'), { p: Buffer.alloc(0) });
    const holder = spawn('flock', [`${directory}/coordinator.p`, 'bash', '-c', 'echo; sleep 300'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(holder);
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    const before = listing(dir);
    const answer = gc(['--root', root, '--yes']);
    expect(answer.json.tasks[0]?.orphan).toMatchObject({
      result: 'refused',
      why: expect.stringContaining('the coordinator of process p is alive'),
    });
    expect(answer.status).toBe(5);
    expect(gone(before, listing(dir))).toEqual([]);
  });

  test('one that is over gets no other state, only its file moved', () => {
    const directory = orphan(started().process('p', 'WAITING').status('SUCCESS'));
    const bytes = readFileSync(`${directory}/runner`);
    expect(gc(['--root', root, '--yes']).json.tasks[0]?.orphan).toMatchObject({
      becomes: 'SUCCESS',
      result: 'done',
    });
    expect(readFileSync(`${directory}/runner`)).toEqual(bytes);
    expect(existsSync(`${root}/tasks/finished/a`)).toBe(true);
  });

  test('killed at any step of it, a second run makes it LOST, once', async () => {
    let step = 1;
    for (; ; step++) {
      const records = started().process('p', 'WAITING', 'FORKED');
      const words = records.coordinator('p', 'RUNNING', 'SUCCESS');
      orphan(records, { p: words });
      const args = ['--root', root, '--yes', '--orphan-age', '0s'];
      const hook = hookFile(`${dir}/hook.cjs`, step, "process.kill(process.pid, 'SIGKILL');");
      const killed = gc([...args, '--keep-metadata'], { hook }).signal === 'SIGKILL';
      if (killed) gc([...args, '--keep-metadata']);
      expect(state()).toEqual({ phase: 'finished', state: 'LOST', verdict: 'ok', processes: ['SUCCESS'] });
      const { statuses } = JSON.parse(thermos(['read', '--json', `${root}/checkpoints/a/runner`]).stdout);
      expect(statuses.map((status: { state: string }) => status.state)).toEqual(['ACTIVE', 'LOST']);
      rmSync(root, { recursive: true });
      if (!killed) break;
    }
    expect(step).toBeGreaterThan(4);
  });
});

test('an orphan of many processes that live is ended with one write', () => {
  const records = started();
  for (let i = 0; i < 60; i++) {
    const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    children.push(child);
    const fork_time = Date.now() / 1000;
    records.process(`p${i}`, 'WAITING', { state: 'FORKED', coordinator_pid: child.pid as number, fork_time });
  }
  orphan(records);
  const hook = `${dir}/count.cjs`;
  writeFileSync(
    hook,
    `const fs = require('node:fs');
    const { fdatasyncSync } = fs;
    let count = 0;
    fs.fdatasyncSync = (fd) => { count += 1; fdatasyncSync(fd); };
    process.on('exit', () => fs.writeFileSync('${dir}/count', String(count)));`,
  );
  const answer = gc(['--root', root, '--yes'], { hook });
  expect(answer.json.tasks[0]?.orphan).toMatchObject({ result: 'done' });
  expect(answer.json.tasks[0]?.orphan?.killed).toHaveLength(60);
  expect(readFileSync(`${dir}/count`, 'utf8')).toBe('1');
});

describe('what no runner can go on with', () => {
  test('corrupt and headless tasks past the age are collected, with the reason', () => {
    orphan(Buffer.from('\xff\xff\xff\xffno stream', 'latin1'), {}, 'corrupt');
    orphan(new Records().status('ACTIVE'), {}, 'headless');
    orphan(null, {}, 'streamless');
    writeTask(root, 'young', { runner: null });
    const before = listing(dir);
    const answer = gc(['--root', root, '--yes']);
    const reasons = Object.fromEntries(answer.json.tasks.map(({ task_id, reason }) => [task_id, reason]));
    expect(reasons).toEqual({
      corrupt: 'its stream is corrupt, silent for 2h',
      headless: 'its stream has no header, silent for 2h',
      streamless: 'it has no stream, silent for 2h',
    });
    expect(answer.status).toBe(0);
    const missing = gone(before, listing(dir));
    expect(missing.filter((path) => path.includes('young'))).toEqual([]);
    expect(missing).toEqual(
      ['corrupt', 'headless', 'streamless']
        .flatMap((id) => [
          `${root}/checkpoints/${id}`,
          ...(id === 'streamless' ? [] : [`${root}/checkpoints/${id}/runner`]),
          `${root}/tasks/active/${id}`,
        ])
        .sort(),
    );
  });
});

describe('Mesos', () => {
  let work: string;
  let runDir: string;
  const ID = 'backup-prod-sync-0-ef430183-e62c-5179-a11f-7ad64808585d';
  const S3 =
    'slaves/20150617-080000-16842879-5050-1234-S3/frameworks/20150601-000000-16842879-5050-99-0000/executors';

  beforeEach(() => {
    work = `${dir}/mesos`;
    cpSync(join(FIXTURES, 'mesos'), work, {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
    runDir = `${work}/${S3}/thermos-${ID}/runs/e827fd2e-87de-5ffa-86b9-2b9e31b8cfac`;
  });

  test('all is kept, and the plan says when the agent removes it', () => {
    const before = listing(dir);
    // How long the streams have been still depends on when the fixtures were checked out.
    const answer = gc(['--mesos-root', work, '--yes', '--delete-data', '--no-orphans']);
    expect(answer.status).toBe(0);
    expect(deleted(answer)).toEqual([]);
    for (const action of answer.json.tasks.flatMap((task) => task.actions)) {
      expect(action).toMatchObject({
        result: 'kept',
        why: expect.stringMatching(/^the Mesos agent removes it /),
      });
    }
    expect(gone(before, listing(dir))).toEqual([]);
  });

  test('--include-mesos: metadata and logs of finished tasks, never data', () => {
    put(`${runDir}/sandbox/data`, 'x');
    const before = listing(dir);
    const answer = gc(['--mesos-root', work, '--yes', '--include-mesos', '--delete-data', ID]);
    // Who is no root can't see where the processes of others work.
    if (!AS_ROOT) {
      const kinds = ['logs', 'data', 'metadata', 'metadata'];
      const why = 'cannot determine whether its executor is alive';
      expect(actions(answer, ID)).toEqual(kinds.map((kind) => `${kind} kept: ${why}`));
      expect(gone(before, listing(dir))).toEqual([]);
      return;
    }
    expect(actions(answer, ID)).toEqual([
      'logs deleted',
      'data kept: it belongs to the Mesos agent',
      'metadata deleted',
      'metadata deleted',
    ]);
    expect(answer.status).toBe(0);
    const missing = gone(before, listing(dir));
    for (const path of missing) expect(path.startsWith(`${runDir}/`)).toBe(true);
    expect(existsSync(`${runDir}/sandbox/data`)).toBe(true);
    expect(deleted(answer)).toEqual(
      [
        `${runDir}/checkpoints/checkpoints/${ID}`,
        `${runDir}/checkpoints/tasks/finished/${ID}`,
        `${runDir}/sandbox/.logs`,
      ].sort(),
    );
  });

  test('--include-mesos, and the executor lives: kept', () => {
    children.push(spawn('sleep', ['300'], { cwd: runDir, detached: true, stdio: 'ignore' }));
    const before = listing(dir);
    const answer = gc(['--mesos-root', work, '--yes', '--include-mesos', ID]);
    expect(actions(answer, ID)).toContain('metadata kept: its executor is alive');
    expect(gone(before, listing(dir))).toEqual([]);
  });

  test('a run directory in which a task put links for its checkpoints and logs', () => {
    gcTask(root, 'victim');
    rmSync(`${runDir}/sandbox`, { recursive: true });
    cpSync(`${root}/sandboxes/victim`, `${dir}/elsewhere`, { recursive: true });
    symlinkSync(`${dir}/elsewhere`, `${runDir}/sandbox`);
    const before = listing(`${dir}/elsewhere`);
    const answer = gc(['--mesos-root', work, '--yes', '--include-mesos', ID]);
    expect(actions(answer, ID).filter((action) => action.startsWith('logs deleted'))).toEqual([]);
    expect(gone(before, listing(`${dir}/elsewhere`))).toEqual([]);
  });

  test('a bare root: finished tasks whose executor is gone go whatever the limits; active ones are reported', () => {
    const sandboxOf = (id: string) => `${work}/${S3}/thermos-${id}/runs/c/sandbox`;
    gcTask(root, 'gone', { header: { sandbox: sandboxOf('gone') } });
    gcTask(root, 'here', { header: { sandbox: sandboxOf('here') } });
    const active = new Records().status('ACTIVE').header({ task_id: 'act', sandbox: sandboxOf('act') });
    writeTask(root, 'act', { runner: active });
    rmSync(`${work}/${S3}/thermos-gone`, { recursive: true });
    const answer = gc(['--root', root, '--yes', '--max-age', '1d']);
    expect(answer.json.tasks.map(({ task_id, reason }) => [task_id, reason])).toEqual([
      ['gone', "its executor's directory is gone"],
    ]);
    expect(answer.json.problems).toMatchObject([{ code: 'sandbox-pulled', task_id: 'act' }]);
    expect([answer.status, existsSync(`${root}/checkpoints/gone`)]).toEqual([0, false]);

    // The sandbox of a bare root's task, too, belongs to the agent if it stands in its tree.
    const kept = gc(['--root', root, '--yes', '--delete-data', 'here']);
    expect(actions(kept, 'here').slice(0, 2)).toEqual([
      'logs kept: it belongs to the Mesos agent',
      'data kept: it belongs to the Mesos agent',
    ]);
    expect(existsSync(`${sandboxOf('here')}/.logs/p/0/stdout`)).toBe(true);
  });
});

describe('--retained', () => {
  const believed = (map: object) => {
    writeFileSync(`${dir}/believed.json`, JSON.stringify(map));
    return ['--root', root, '--retained', `${dir}/believed.json`];
  };

  test('the table, the local actions, and what the scheduler is told', () => {
    gcTask(root, 'f-run');
    gcTask(root, 'f-end');
    gcTask(root, 'f-unknown');
    orphan(started(), {}, 'a-run');
    orphan(started(), {}, 'a-unknown');
    const args = believed({
      'f-run': 'RUNNING',
      'f-end': 'KILLED',
      'a-run': 'RUNNING',
      gone: 'RUNNING',
      new: 'ASSIGNED',
    });
    const before = listing(dir);
    const plan = gc([...args, '--dry-run']);
    const rows = Object.fromEntries(
      (plan.json.reconcile ?? []).map((row) => [
        row.task_id,
        [row.local, row.expected, row.action, row.send?.state],
      ]),
    );
    expect(rows).toEqual({
      'f-run': ['finished', 'RUNNING', 'send-final-state', 'TASK_FINISHED'],
      'f-end': ['finished', 'KILLED', 'none', undefined],
      'f-unknown': ['finished', 'unknown', 'collect', undefined],
      'a-run': ['active', 'RUNNING', 'none', undefined],
      'a-unknown': ['active', 'unknown', 'kill', undefined],
      gone: ['absent', 'RUNNING', 'send-lost', 'TASK_LOST'],
      new: ['absent', 'ASSIGNED', 'none', undefined],
    });
    expect(gone(before, listing(dir))).toEqual([]);

    const done = gc([...args, '--yes']);
    expect(done.status).toBe(0);
    expect(existsSync(`${root}/checkpoints/f-unknown`)).toBe(false);
    expect(state('a-unknown')).toMatchObject({ phase: 'finished', state: 'KILLED' });
    expect(state('a-run')).toMatchObject({ phase: 'active' });
    expect(existsSync(`${root}/checkpoints/f-end`)).toBe(true);
  });

  test('a task that was launched a moment ago is not killed', () => {
    const runner = new Records()
      .status('ACTIVE')
      .header({ task_id: 'a', launch_time_ms: Date.now(), sandbox: '/x' });
    orphan(runner);
    const answer = gc([...believed({}), '--yes']);
    expect(answer.json.reconcile).toMatchObject([{ task_id: 'a', action: 'none' }]);
    expect(state()).toMatchObject({ state: 'ACTIVE' });
  });

  test('a live runner is told to end its task; whoever holds no lock is told nothing', async () => {
    mkdirSync(`${root}/checkpoints`, { recursive: true });
    const runner = spawn(
      'bash',
      [
        '-c',
        `exec 9>>"$1"; flock 9; trap 'exit 7' USR1; echo; while :; do sleep 0.05; done`,
        'bash',
        `${dir}/stream`,
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    children.push(runner);
    await new Promise((resolve) => runner.stdout?.once('data', resolve));
    const ended = new Promise((resolve) => runner.once('exit', resolve));
    const records = (pid: number) =>
      new Records()
        .status('ACTIVE', Date.now() - HOUR, pid)
        .header({ task_id: 'a', launch_time_ms: Date.now() - HOUR });
    // The stream of the task is the file that the runner holds the lock of.
    writeTask(root, 'a', { runner: null });
    writeFileSync(`${dir}/stream`, records(process.pid).bytes());
    renameSync(`${dir}/stream`, `${root}/checkpoints/a/runner`);
    const refused = gc([...believed({ a: 'KILLED' }), '--yes']);
    expect(refused.json.tasks[0]?.orphan).toMatchObject({ result: 'refused' });

    writeFileSync(`${root}/checkpoints/a/runner`, records(runner.pid as number).bytes());
    const answer = gc([...believed({ a: 'KILLED' }), '--yes']);
    if (seesAllLocks()) {
      expect(answer.json.tasks[0]?.orphan).toMatchObject({ result: 'done', killed: [runner.pid] });
      expect(await ended).toBe(7);
    } else expect(answer.json.tasks[0]?.orphan).toMatchObject({ result: 'refused', killed: [] });
  });

  test.each(['', '[]', '{"a":"WELL"}'])('what is no such map: %j', (text) => {
    gcTask(root, 'a');
    const { status, stderr } = thermos(['gc', '--root', root, '--yes', '--retained', '-'], { input: text });
    expect(status).toBe(2);
    expect(stderr).toContain('it has the form {');
    expect(existsSync(`${root}/checkpoints/a`)).toBe(true);
  });
});
