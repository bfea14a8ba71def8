import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../../src/host/host.js';
import { isRejection, LINKED, loadCases } from '../checkpoint/corpus.js';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { DEFAULT_ROOTS, FIXTURES, placeForEach, thermos } from './harness.js';
import { canUnshare, json, seesAllLocks, states, unprivileged } from './tasks.js';

const HOST = join(FIXTURES, 'host', 'root');
const MESOS = join(FIXTURES, 'mesos');

const temp = placeForEach();
const { children } = temp;
let root: string;
beforeEach(() => {
  ({ root } = temp);
});

/** Starts a shell line and waits for the first line it prints. */
async function start(line: string, ...args: string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn('sh', ['-c', line, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [data] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return { child, line: String(data).trim() };
}

test("a part of an id, a job's key and an id as it is shown on a narrow terminal find tasks, but kill nothing", () => {
  const id = 'www-data-prod-web-0-2f9c3a4e-7a52-4d0c-9b1e-5f3a8f6c1d20';
  writeTask(root, id);
  writeTask(root, 'other');
  for (const word of ['prod-web', '7a52-4d', 'www-data/prod/web', 'www-data/prod/web/0/2f9c3a4e']) {
    expect(thermos(['status', '--root', root, '--quiet', word]).stdout).toBe(`${id}\n`);
    const { stderr, status } = thermos(['kill', '--root', root, word]);
    expect([status, stderr]).toEqual([1, expect.stringContaining(`hint: did you mean ${id}?`)]);
  }
});

describe('both layouts', () => {
  test('a bare host', () => {
    const answer = json('status', ['--root', HOST]);
    expect([answer.status, answer.stderr]).toEqual([0, '']);
    // Nothing of the fixture lives; whether it died before this machine was started is not known here.
    expect(states(answer).map((line) => line.replace(/runner-gone|host-rebooted/, 'dead'))).toEqual([
      'host-dead ACTIVE dead',
      'host-live ACTIVE dead',
      'host-bad FAILED ok',
      'host-kill KILLED ok',
      'host-ok-1 SUCCESS ok',
      'host-ok-2 SUCCESS ok',
      'other.name SUCCESS ok',
    ]);
    expect(answer.json.roots).toEqual([{ path: HOST, layout: 'host', tasks: 7 }]);
    const text = thermos(['status', '--root', HOST]);
    expect(text.stdout).toMatch(/^TASK +PHASE +STATE +VERDICT +USER +DONE +FAILED +AGE\n/);
    expect(text.stdout).toMatch(
      /^host-bad {4}finished {2}FAILED {3}ok +root +0\/1 +1 {2}2026-11-21T18:38:02\.688Z$/m,
    );
    expect(text.stdout.trimEnd().split('\n')).toHaveLength(8);
  });

  test('a Mesos agent, with ids and relocated sandboxes', () => {
    const answer = json('status', ['--mesos-root', MESOS]);
    for (const task of answer.json.tasks) {
      expect([task.layout, task.root.endsWith(`/runs/${task.mesos.container_id}/checkpoints`)]).toEqual([
        'mesos',
        true,
      ]);
      if (task.sandbox !== undefined)
        expect(task.sandbox.startsWith(MESOS) || task.recorded_sandbox === undefined).toBe(true);
    }
    expect(new Set(answer.json.tasks.map(({ state }: { state: string }) => state))).toEqual(
      new Set(['ACTIVE', 'SUCCESS', 'FAILED', 'KILLED', 'LOST']),
    );
    const both = json('status', ['--mesos-root', MESOS, '--root', HOST]);
    expect(both.json.tasks).toHaveLength(answer.json.tasks.length + 7);
    for (const verbosity of ['0', '1', '2', '3']) {
      const { stdout } = thermos(['status', '--mesos-root', MESOS, '--verbosity', verbosity]);
      for (const { task_id } of answer.json.tasks) expect(stdout).toContain(task_id);
    }
  });

  test('a copy moved elsewhere says the same, but for where it is', () => {
    cpSync(join(FIXTURES, 'host'), join(temp.path, 'moved'), { recursive: true });
    const strip = (document: { tasks: Record<string, unknown>[] }) =>
      document.tasks.map(({ root: _root, sandbox, log_dir, owner: _owner, ...rest }) => ({
        ...rest,
        sandbox: String(sandbox).replace(/^.*\/(?=sandboxes\/)/, ''),
        log_dir: String(log_dir).replace(/^.*\/(?=sandboxes\/)/, ''),
      }));
    const there = json('status', ['--root', join(temp.path, 'moved', 'root')]).json;
    expect(strip(there)).toEqual(strip(json('status', ['--root', HOST]).json));
    for (const { sandbox } of there.tasks)
      expect(sandbox.startsWith(join(temp.path, 'moved', 'sandboxes'))).toBe(true);
  });
});

test('every case of the corpus: a document, a documented exit code, the state of the original', () => {
  const cases = loadCases();
  const args = cases.flatMap(({ dir }) => [
    ...(readdirSync(dir).includes('root') ? ['--root', join(dir, 'root')] : []),
    ...(readdirSync(dir).includes('mesos') ? ['--mesos-root', join(dir, 'mesos')] : []),
  ]);
  const all = json('status', args);
  expect(all.status).toBe(5);
  const byStream = new Map<string, { state: unknown; problems: { severity: string }[] }>();
  for (const task of all.json.tasks) byStream.set(`${task.root}/checkpoints/${task.task_id}/runner`, task);
  for (const { dir, expected, name } of cases) {
    for (const [path, verdict] of Object.entries(expected)) {
      const task = byStream.get(join(dir, path));
      expect([name, task === undefined]).toEqual([name, false]);
      if (isRejection(verdict) || name === LINKED) {
        if (!name.includes('trunc') && !name.includes('prefix'))
          expect([name, task?.problems]).not.toEqual([name, []]);
      } else expect([name, task?.state]).toEqual([name, verdict.statuses.at(-1)?.state ?? 'UNKNOWN']);
    }
  }
  const text = thermos(['status', '--verbosity', '3', ...args]);
  expect(text.status).toBe(5);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text.stdout + text.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  for (const { task_id } of all.json.tasks) expect(text.stdout).toContain(task_id);
});

describe('filters act on the table as on the document', () => {
  test.each<[string[], string[]]>([
    [
      ['--only', 'active'],
      ['host-dead', 'host-live'],
    ],
    [['--only', 'finished', '--state', 'KILLED'], ['host-kill']],
    [
      ['--state', 'FAILED,killed'],
      ['host-bad', 'host-kill'],
    ],
    [
      ['--state', 'FAILED', '--state', 'ACTIVE'],
      ['host-dead', 'host-live', 'host-bad'],
    ],
    [
      ['--only', 'active', 'host-.*'],
      ['host-dead', 'host-live'],
    ],
    [
      ['--state', 'SUCCESS', 'host-*'],
      ['host-ok-1', 'host-ok-2'],
    ],
  ])('%j', (flags, ids) => {
    const answer = json('status', ['--root', HOST, ...flags]);
    expect([answer.status, answer.json.tasks.map(({ task_id }: { task_id: string }) => task_id)]).toEqual([
      0,
      ids,
    ]);
    expect(answer.json.roots).toEqual([{ path: HOST, layout: 'host', tasks: ids.length }]);
    const { stdout } = thermos(['status', '-q', '--root', HOST, ...flags, '--sort', 'id']);
    expect(stdout).toBe(
      ids
        .toSorted()
        .map((id) => `${id}\n`)
        .join(''),
    );
  });

  test('nothing left: exit 1, an empty document or table, and why', () => {
    const flags = ['--root', HOST, '--state', 'LOST'];
    const answer = json('status', flags);
    expect([answer.status, answer.json.tasks, answer.stderr]).toEqual([
      1,
      [],
      'None of the 7 tasks matches the filters.\n',
    ]);
    expect(thermos(['status', ...flags])).toMatchObject({ status: 1, stdout: '', stderr: answer.stderr });
  });
});

describe('TASK', () => {
  const ids = (args: string[], cwd?: string) => {
    const { status, stdout } = thermos(['status', '-q', '--sort', 'id', ...args], {
      cwd,
      env: DEFAULT_ROOTS,
    });
    expect(status).toBe(0);
    return stdout.trimEnd().split('\n');
  };
  const within = join(FIXTURES, 'host');

  test.each<[string, string, string[]]>([
    ['an exact id', 'host-ok-1', ['host-ok-1']],
    ['the beginning of ids', 'host-o', ['host-ok-1', 'host-ok-2']],
    ['a regular expression', 'host-(bad|kill)$', ['host-bad', 'host-kill']],
    ['a glob', '*.name', ['other.name']],
  ])('%s', (_what, word, expected) => {
    expect(ids(['--root', HOST, word])).toEqual(expected);
  });

  test.each<[string, string, string[]]>([
    ['a sandbox', 'sandboxes/host-ok-1', ['host-ok-1']],
    ['something in a sandbox', 'sandboxes/host-ok-1/.logs', ['host-ok-1']],
    ['a task file', 'root/tasks/finished/host-bad', ['host-bad']],
    ['a checkpoint directory', 'root/checkpoints/host-kill', ['host-kill']],
    ['a stream', 'root/checkpoints/host-kill/runner', ['host-kill']],
    [
      'a root',
      'root',
      ['host-bad', 'host-dead', 'host-kill', 'host-live', 'host-ok-1', 'host-ok-2', 'other.name'],
    ],
  ])('by path: %s', (_what, path, expected) => {
    expect(ids([join(within, path)])).toEqual(expected);
    expect(ids([`./${path}`], within)).toEqual(expected);
  });

  test('a run directory of Mesos, and no word inside one', () => {
    const [task] = json('status', ['--mesos-root', MESOS, '--state', 'KILLED']).json.tasks;
    const run = task.root.replace(/\/checkpoints$/, '');
    expect(ids([run])).toEqual([task.task_id]);
    expect(ids([], run)).toEqual([task.task_id]);
    expect(ids([], join(run, 'sandbox'))).toEqual([task.task_id]);
  });

  test('unknown: exit 1 and a hint; among known ones these are shown', () => {
    const unknown = json('status', ['--root', HOST, 'host-bda']);
    expect([unknown.status, unknown.json.error.code, unknown.json.error.hint]).toEqual([
      1,
      'task-not-found',
      'did you mean host-bad?',
    ]);
    const text = thermos(['status', '--root', HOST, 'host-bda']);
    expect([text.status, text.stdout, text.stderr]).toEqual([
      1,
      '',
      `error: no task matches 'host-bda' in ${HOST}\nhint: did you mean host-bad?\n`,
    ]);
    const mixed = json('status', ['--root', HOST, 'host-bda', 'host-ok-1']);
    expect([mixed.status, states(mixed), mixed.json.problems]).toEqual([
      1,
      ['host-ok-1 SUCCESS ok'],
      [expect.objectContaining({ code: 'task-not-found', severity: 'error' })],
    ]);
    const table = thermos(['status', '--root', HOST, 'host-bda', 'host-ok-1']);
    expect([table.status, table.stdout.includes('host-ok-1'), table.stderr]).toEqual([1, true, text.stderr]);
  });

  test('a bad regular expression: exit 2', () => {
    const bad = json('status', ['--root', HOST, 'host-(']);
    expect([bad.status, bad.json.error.code]).toEqual([2, 'bad-pattern']);
  });
});

describe('nothing there', () => {
  test('an empty host: exit 1, and where was looked', () => {
    writeTask(root, 'x');
    rmSync(join(root, 'tasks/active/x'));
    rmSync(join(root, 'checkpoints/x'), { recursive: true });
    const answer = json('status', ['--root', root]);
    expect([answer.status, answer.json, answer.stderr]).toEqual([
      1,
      { tasks: [], roots: [{ path: root, layout: 'host', tasks: 0 }], problems: [] },
      `No tasks in ${root}.\n`,
    ]);
  });

  test('a missing root: reported, and all others listed', () => {
    const none = thermos(['status', '--root', root]);
    expect([none.status, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toMatch(/^No task.*\nerror: .*root/s);
    const some = json('status', ['--root', root, '--root', HOST]);
    expect([some.status, some.json.tasks.length, some.json.problems[0]?.code]).toEqual([
      5,
      7,
      'root-missing',
    ]);
  });

  test.each(['abc', '0', '-1', '1e9', 'NaN', ''])('an interval of %j: exit 2', (interval) => {
    const { status, stdout } = thermos(['status', '--root', HOST, '--watch', `--interval=${interval}`]);
    expect([status, stdout]).toEqual([2, '']);
  });
});

describe('as an unprivileged user', () => {
  const who = unprivileged();

  test('a root that may not be read: exit 5, and all others listed', () => {
    writeTask(root, 'secret');
    chmodSync(root, 0o000);
    const alone = json('status', ['--root', root], who);
    expect([alone.status, alone.json.tasks, alone.json.problems.length]).toEqual([5, [], 1]);
    const both = json('status', ['--root', root, '--root', HOST], who);
    expect([both.status, both.json.tasks.length]).toEqual([5, 7]);
    chmodSync(root, 0o755);
  });

  test('a sandbox that may not be entered is listed by its name', () => {
    const agent = join(temp.path, 'mesos');
    const run = (task: string) =>
      join(
        agent,
        'slaves/S0/frameworks/F0/executors',
        `thermos-${task}`,
        'runs/11111111-1111-4111-8111-111111111111',
      );
    for (const task of ['open', 'closed', 'half']) {
      writeTask(join(run(task), 'checkpoints'), task, {
        phase: 'finished',
        runner: new Records().status('SUCCESS'),
      });
    }
    chmodSync(run('closed'), 0o700);
    chmodSync(join(run('half'), 'checkpoints/checkpoints/half/runner'), 0o000);
    // Without being root, what may not be entered must be closed for its owner, too.
    if (who.uid === undefined) chmodSync(run('closed'), 0o000);
    const answer = json('status', ['--mesos-root', agent], who);
    expect([answer.status, states(answer)]).toEqual([
      5,
      ['closed UNKNOWN unknown', 'half UNKNOWN unknown', 'open SUCCESS ok'],
    ]);
    const reported = [
      ...answer.json.problems,
      ...answer.json.tasks.flatMap(({ problems }: { problems: object[] }) => problems),
    ];
    expect(reported).toHaveLength(2);
    expect(answer.stderr).toContain('sudo');
    const inspected = json('inspect', ['--mesos-root', agent, 'closed'], who);
    expect([inspected.status, inspected.json.why]).toEqual([
      5,
      ['The sandbox of the task cannot be entered: only the name of the task is known.'],
    ]);
    const tailed = thermos(['tail', '--mesos-root', agent, 'closed'], who);
    expect([tailed.status, tailed.signal, tailed.stdout]).toEqual([5, null, '']);
    expect(tailed.stderr).toMatch(/^error: cannot look into the sandbox of closed.*denied\nhint: .*sudo\n$/);
    chmodSync(run('closed'), 0o755);
  });
});

describe('what really lives', () => {
  const look = (...args: string[]) => states(json('status', ['--root', root, ...args]));

  test('a runner that holds the lock; then one that let go; then one from before the boot', async () => {
    const now = Date.now();
    const directory = writeTask(root, 't');
    // Its own pid is recorded, as a runner does it.
    const { child, line } = await start('exec 9>>"$0"; flock 9; echo $$; read x', join(directory, 'runner'));
    const records = (time: number) =>
      new Records().status('ACTIVE', time, Number(line)).process('p', 'WAITING', 'FORKED', 'RUNNING');
    writeTask(root, 't', { runner: records(now) });
    const alive = json('status', ['--root', root]);
    // Where the lock can't be seen it goes by the pid, which must be of the recorded user, root.
    const isKnown = seesAllLocks() || process.getuid?.() === 0;
    expect([states(alive), alive.json.tasks[0].runner]).toEqual([
      [isKnown ? 't ACTIVE ok' : 't ACTIVE runner-gone'],
      { pid: Number(line), uid: 0, alive: isKnown },
    ]);
    child.stdin?.end();
    await once(child, 'exit');
    const gone = json('status', ['--root', root]);
    expect([states(gone), gone.json.tasks[0].runner.alive, gone.status]).toEqual([
      ['t ACTIVE runner-gone'],
      false,
      0,
    ]);
    const boot = Host.local().bootTimeMs as number;
    writeTask(root, 't', { runner: records(boot - 3_600_000) });
    expect(look()).toEqual(['t ACTIVE host-rebooted']);
  });

  test('a process of a task that is over; not a stranger with its pid', async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    children.push(child);
    const start_time = (Host.local().process(child.pid as number)?.startTimeMs as number) / 1000;
    const over = (uid: number, time: number) =>
      new Records()
        .status('ACTIVE')
        .header({ task_id: 't', uid })
        .process('p', 'WAITING', 'FORKED', { state: 'RUNNING', start_time: time, pid: child.pid })
        .status('KILLED');
    const uid = process.getuid?.() ?? 0;
    const task = (id: string, runner: Records) => writeTask(root, id, { phase: 'finished', runner });
    task('lives', over(uid, start_time));
    task('reused', over(uid, start_time - 3600));
    task('stranger', over(uid + 1, start_time));
    expect(look()).toEqual(['lives KILLED leftovers', 'reused KILLED ok', 'stranger KILLED ok']);
    const inspected = json('inspect', ['--root', root, 'lives']);
    expect(inspected.json.why).toContain(`Still alive in this task: pid ${child.pid}.`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(look('lives')).toEqual(['lives KILLED ok']);
  });

  test('a runner in a pid namespace of its own', async () => {
    const directory = writeTask(root, 't', { runner: new Records().status('ACTIVE', Date.now(), 1) });
    const namespace = canUnshare();
    // flock(1) takes the lock itself, as a runner does; in its namespace it is pid 1. Where no namespace can be
    // made, the same lock under a pid that is not the recorded one is held by an ordinary runner.
    const inNamespace = namespace ? 'unshare -pf ' : '';
    const { child } = await start(
      `exec ${inNamespace}flock "$0" sh -c 'echo held; read x'`,
      join(directory, 'runner'),
    );
    expect(look()).toEqual([namespace ? 't ACTIVE foreign-pids' : 't ACTIVE ok']);
    child.stdin?.end();
    await once(child, 'exit');
  });
});

test('what each process is, from the task file and from coordinators of a dead runner', () => {
  const records = new Records()
    .status('ACTIVE')
    .process('a', ...FAILED, ...RAN)
    .process('b', 'WAITING', 'FORKED', 'RUNNING');
  writeTask(root, 't', {
    task: {
      processes: [
        { name: 'b', max_failures: 2, cmdline: 'exit 3' },
        { name: 'a', max_failures: 0 },
        { name: 'never', cmdline: 'true' },
      ],
    },
    runner: records,
    coordinators: {
      b: records.coordinator('b', { state: 'FAILED', stop_time: 1_400_000_004.5, return_code: 3 }),
    },
  });
  const [task] = json('status', ['--root', root]).json.tasks;
  expect(task.processes).toEqual([
    expect.objectContaining({
      process: 'b',
      state: 'FAILED',
      runs: 1,
      failures: 1,
      max_failures: 2,
      return_code: 3,
      stop_time: 1_400_000_004.5,
    }),
    expect.objectContaining({ process: 'a', state: 'SUCCESS', runs: 2, failures: 1, max_failures: 0 }),
    { process: 'never', state: 'WAITING', runs: 0, failures: 0, cmdline: 'true' },
  ]);
});

test('a root that is reached by two paths counts once', () => {
  writeTask(root, 't');
  symlinkSync(root, join(temp.path, 'again'));
  mkdirSync(join(temp.path, 'd'));
  const answer = json('status', [
    '--root',
    root,
    '--root',
    `${root}/`,
    '--root',
    join(temp.path, 'again'),
    '--root',
    join(temp.path, 'd/../root'),
  ]);
  expect([answer.json.tasks.length, answer.json.roots.length]).toEqual([1, 1]);
});
