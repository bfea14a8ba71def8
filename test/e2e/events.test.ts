import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { CONTROL } from '../views/task-views.js';
import { placeForEach, shell, startThermos, thermos } from './harness.js';
import { expectScreens, screenPlace, startScreen } from './screen.js';
import { expectContract, unprivileged } from './tasks.js';
import { Watched } from './watched.js';

const temp = placeForEach();
const { children } = temp;
let root: string;
beforeEach(() => {
  ({ root } = temp);
});

/** Also what has just happened, because it is not known when the program begins to follow. */
function follow(...args: string[]): Watched {
  return new Watched(startThermos(['events', '--root', root, '--since', '1h', ...args]), children);
}

/** Times of tasks that start now. */
function task(): Records {
  return new Records().header({ launch_time_ms: Date.now() }).status('ACTIVE', Date.now());
}

/** Appends what the records have beyond the stream. */
function write(id: string, records: Records): void {
  const path = join(root, 'checkpoints', id, 'runner');
  appendFileSync(path, records.bytes().subarray(readFileSync(path).length));
}

const nowSeconds = () => Date.now() / 1000;
const runOf = (records: Records, process: string, code: number) =>
  records.process(
    process,
    'WAITING',
    { state: 'FORKED', fork_time: nowSeconds(), coordinator_pid: 4_194_001 },
    { state: 'RUNNING', start_time: nowSeconds(), pid: 4_194_002 },
    { state: code === 0 ? 'SUCCESS' : 'FAILED', stop_time: nowSeconds(), return_code: code },
  );

const lines = (text: string) => text.split('\n').filter((line) => line !== '');
/** Without times, which differ, and blanks. */
const words = (text: string) =>
  lines(text).map((line) => line.replaceAll(/ +/g, ' ').split(' ').slice(1).join(' '));
// biome-ignore lint/suspicious/noExplicitAny: events are checked against their contract
const documents = (text: string): any[] => lines(text).map((line) => JSON.parse(line));

/** Resolves when it has told of a task that was made for that. */
async function untilItFollows(watched: Watched, id = 'first'): Promise<void> {
  writeTask(root, id, { runner: task() });
  await watched.until(({ stdout }) => stdout.includes(id));
}

describe('on a pipe', () => {
  test('tasks that start, processes that run and fail, tasks that end, each once; SIGINT ends it with 130', async () => {
    mkdirSync(root);
    writeTask(root, 'old', { runner: new Records().status('ACTIVE').process('p', ...RAN) });
    const watched = follow();
    await untilItFollows(watched);
    const records = task();
    writeTask(root, 't', { runner: records });
    runOf(runOf(records, 'p', 7), 'p', 0).status('SUCCESS', Date.now());
    write('t', records);
    renameSync(join(root, 'tasks/active/t'), join(root, 'tasks/finished/t'));
    await watched.until(({ stdout }) => / SUCCESS +t {2}-/.test(stdout));
    // It goes away, as gc removes it, and another one comes.
    rmSync(join(root, 'checkpoints/t'), { recursive: true });
    rmSync(join(root, 'tasks/finished/t'));
    writeTask(root, 'u', { phase: 'finished', runner: task().status('KILLED', Date.now() + 1) });
    await watched.until(({ stdout }) => stdout.includes('KILLED'));
    watched.child.kill('SIGINT');
    expect(await watched.ended).toEqual({ status: 130, signal: null });
    expect(watched.stderr).toBe('');
    expect(watched.stdout).not.toMatch(CONTROL);
    expect(words(watched.stdout)).toEqual([
      'ACTIVE first - - -',
      'ACTIVE t - - -',
      'WAITING t p 0 -',
      'FORKED t p 0 -',
      'RUNNING t p 0 pid 4194002',
      'FAILED t p 0 exit code 7',
      'WAITING t p 1 -',
      'FORKED t p 1 -',
      'RUNNING t p 1 pid 4194002',
      'SUCCESS t p 1 exit code 0',
      'SUCCESS t - - -',
      'ACTIVE u - - -',
      'KILLED u - - -',
    ]);
    for (const line of lines(watched.stdout))
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}/);
  });

  test('--json: an object a line, as the contract says; SIGTERM ends it with 143', async () => {
    mkdirSync(root);
    const watched = follow('--json', '--state', 'active,FAILED');
    await untilItFollows(watched);
    const records = task();
    writeTask(root, 't', { runner: records });
    write('t', runOf(records, 'p', 7).status('FAILED', Date.now()));
    await watched.until(({ stdout }) => lines(stdout).length === 4);
    watched.child.kill('SIGTERM');
    expect(await watched.ended).toEqual({ status: 143, signal: null });
    const events = documents(watched.stdout);
    for (const event of events) expectContract('event', event);
    const time_ms = expect.any(Number);
    expect(events).toEqual([
      { time_ms, task_id: 'first', root, type: 'task', state: 'ACTIVE' },
      { time_ms, task_id: 't', root, type: 'task', state: 'ACTIVE' },
      {
        ...{ time_ms, task_id: 't', root, type: 'process', state: 'FAILED', was: 'RUNNING' },
        ...{ process: 'p', run: 0, return_code: 7, pid: 4_194_002 },
      },
      { time_ms, task_id: 't', root, type: 'task', state: 'FAILED', was: 'ACTIVE' },
    ]);
  });

  test('a root that does not exist yet, and a task that the words will match', async () => {
    const watched = follow('t*');
    await watched.until(({ stderr }) => stderr.includes("warning: no task matches 't*'"));
    // The first one: where no id matches the word as it stands, it names each that has it as a part, as `other` has.
    writeTask(root, 't1', { runner: task() });
    writeTask(root, 'other', { runner: task() });
    writeTask(root, 't2', { runner: task() });
    await watched.until(({ stdout }) => stdout.includes('t2'));
    watched.child.kill('SIGINT');
    expect(await watched.ended).toEqual({ status: 130, signal: null });
    expect(watched.stderr).toContain(`warning: --root ${root} does not exist`);
    expect(words(watched.stdout)).toEqual(['ACTIVE t1 - - -', 'ACTIVE t2 - - -']);
  });

  test('sandboxes that a Mesos agent makes', async () => {
    const executors = join(temp.path, 'mesos/slaves/S/frameworks/F/executors');
    mkdirSync(executors, { recursive: true });
    const runs = (id: string) => join(executors, `thermos-${id}`, 'runs', 'r', 'checkpoints');
    const watched = new Watched(
      startThermos(['events', '--since', '1h', '--mesos-root', join(temp.path, 'mesos')]),
      children,
    );
    await watched.until(({ stderr }) => stderr !== '');
    for (const id of ['a', 'b']) {
      const records = task();
      writeTask(runs(id), id, { runner: records });
      await watched.until(({ stdout }) => stdout.includes(`ACTIVE      ${id}`));
      const path = join(runs(id), 'checkpoints', id, 'runner');
      appendFileSync(path, records.status('LOST', Date.now()).bytes().subarray(readFileSync(path).length));
      await watched.until(({ stdout }) => stdout.includes(`LOST        ${id}`));
    }
    watched.child.kill('SIGINT');
    await watched.ended;
    expect(words(watched.stdout)).toEqual([
      'ACTIVE a - - -',
      'LOST a - - -',
      'ACTIVE b - - -',
      'LOST b - - -',
    ]);
  });

  test('damage is told once, on stderr, and ends nothing', async () => {
    mkdirSync(root);
    const watched = follow('--json');
    await untilItFollows(watched);
    const records = task();
    writeTask(root, 't', { runner: Buffer.concat([records.bytes(), Buffer.alloc(8)]) });
    await watched.until(({ stderr }) => stderr.includes('is damaged at byte'));
    appendFileSync(join(root, 'checkpoints/t/runner'), Buffer.alloc(8));
    writeTask(root, 'u', { runner: task() });
    await watched.until(({ stdout }) => stdout.includes('"u"'));
    watched.child.kill('SIGINT');
    await watched.ended;
    expect(documents(watched.stdout).map(({ task_id }) => task_id)).toEqual(['first', 't', 'u']);
    expect(watched.stderr.match(/is damaged at byte/g)).toHaveLength(1);
  });

  test('nobody reads any more: exit 0, quietly, with the next event', () => {
    writeTask(root, 't', { runner: task() });
    const reader = `{ head -1; exec <&-; cp -r '${root}/checkpoints/t' '${root}/checkpoints/u'; }`;
    const { stdout, stderr } = shell(
      `thermos events --root '${root}' --since 1h | ${reader}; echo "\${PIPESTATUS[0]}"`,
    );
    expect([words(stdout)[0], stdout.split('\n').at(-2), stderr]).toEqual(['ACTIVE t - - -', '0', '']);
  });

  test('nobody reads any more from a socket: exit 0, quietly, though nothing happens', async () => {
    writeTask(root, 't', { runner: task() });
    const watched = follow();
    await watched.until(({ stdout }) => stdout !== '');
    watched.child.stdout?.destroy();
    expect(await watched.ended).toEqual({ status: 0, signal: null });
    expect(watched.stderr).toBe('');
  });
});

describe('--since --no-follow', () => {
  const recorded = (...args: string[]) => {
    const { stdout, stderr, status } = thermos(['events', '--root', root, '--no-follow', ...args]);
    return { words: words(stdout), stderr, status };
  };

  test('what has happened since then, of all tasks in the order of time', () => {
    const at = (second: number) => new Records().status('ACTIVE', 1_400_000_000_000 + second * 1000);
    writeTask(root, 'a', { runner: at(1).status('LOST', 1_400_000_004_000) });
    writeTask(root, 'b', {
      phase: 'finished',
      runner: at(0)
        .process('p', ...FAILED)
        .status('FAILED', 1_400_000_005_000),
    });
    expect(recorded('--since', '2014-05-13T16:53:21.5Z')).toEqual({
      words: ['RUNNING b p 0 pid 4194002', 'FAILED b p 0 exit code 7', 'LOST a - - -', 'FAILED b - - -'],
      stderr: '',
      status: 0,
    });
    expect(recorded('--since', '2014-05-13T16:53:21.5Z', '--state', 'LOST', 'a').words).toEqual([
      'LOST a - - -',
    ]);
    expect(recorded('--since', '1h')).toEqual({ words: [], stderr: '', status: 1 });
    expect(recorded('--since', '1h', 'none').stderr).toContain("no task matches 'none'");
  });

  test('the end of a task whose runner died is told from its coordinators', () => {
    const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED');
    const coordinators = { p: new Records().process('p', ...RAN).bytes() };
    writeTask(root, 't', { runner: records, coordinators });
    expect(recorded('--since', '2014-05-13T16:53:22Z').words).toEqual([
      'RUNNING t p 0 pid 4194002',
      'SUCCESS t p 0 exit code 0',
    ]);
  });

  test('a damaged stream: exit 5', () => {
    writeTask(root, 't', { runner: Buffer.concat([task().bytes(), Buffer.alloc(8)]) });
    const { words, stderr, status } = recorded('--since', '1h');
    expect([words, status]).toEqual([['ACTIVE t - - -'], 5]);
    expect(stderr).toContain('is damaged at byte');
  });

  test.each([
    [['--no-follow'], '--since'],
    [['--since', 'soon'], 'a time such as 2h, 14:30'],
    [['--state', 'DEAD'], 'DEAD'],
  ])('%j: exit 2', (args, text) => {
    const { stderr, status } = thermos(['events', '--root', root, ...args]);
    expect(status).toBe(2);
    expect(stderr).toContain(text);
  });
});

describe('--exec', () => {
  const run = (command: string, args: readonly string[] = [], env: Record<string, string> = {}) =>
    thermos(['events', '--root', root, '--since', '1h', '--no-follow', '--exec', command, ...args], {
      env,
    });

  test('runs a command for each event, in order, with its fields in the environment and nothing else', () => {
    writeTask(root, 't', { runner: runOf(task(), 'p', 7) });
    const out = join(temp.path, 'out');
    const names = ['TASK_ID', 'ROOT', 'TYPE', 'STATE', 'WAS', 'PROCESS', 'RUN', 'RETURN_CODE', 'PID'];
    const shown = names.map((name) => `\${THERMOS_${name}--}`).join(' ');
    const { stdout, stderr, status } = run(
      `sleep 0.01; printf '%s\\n' "${shown}" >> ${out}; echo "$THERMOS_EVENT"`,
      ['--json'],
      { THERMOS_PROCESS: 'inherited', THERMOS_PID: '1' },
    );
    expect(status).toBe(0);
    // The events of stdout are what each command got, and printed to stderr.
    expect(stderr).toBe(stdout);
    expect(lines(readFileSync(out, 'utf8'))).toEqual([
      `t ${root} task ACTIVE - - - - -`,
      `t ${root} process WAITING - p 0 - -`,
      `t ${root} process FORKED WAITING p 0 - -`,
      `t ${root} process RUNNING FORKED p 0 - 4194002`,
      `t ${root} process FAILED RUNNING p 0 7 4194002`,
    ]);
  });

  test('one that fails is told, and ends nothing', () => {
    writeTask(root, 't', { runner: task().process('p', 'WAITING') });
    const { stdout, stderr, status } = run('[ $THERMOS_TYPE = task ] && exit 3; kill -KILL $$');
    expect([words(stdout), status]).toEqual([['ACTIVE t - - -', 'WAITING t p 0 -'], 0]);
    expect(lines(stderr)).toEqual([
      'warning: --exec ended with exit code 3, for t: ACTIVE',
      'warning: --exec was ended by SIGKILL, for p 0 of t: WAITING',
    ]);
  });

  test('nothing that a user names is run, and what no variable can hold is shown', () => {
    const hostile = '$(touch pwned)`touch pwned`; touch pwned\n"\'\\ \0 \u001b[2J';
    writeTask(root, 't', { runner: task().process(hostile, 'WAITING') });
    const { stdout, stderr, status } = thermos(
      [
        'events',
        '--root',
        root,
        '--since',
        '1h',
        '--no-follow',
        '--exec',
        'printf "%s\\n" "$THERMOS_PROCESS"',
      ],
      { cwd: temp.path },
    );
    expect([status, stdout.match(CONTROL)]).toEqual([0, null]);
    expect(stderr).toContain('$(touch pwned)`touch pwned`; touch pwned\n"\'\\ \\0 \u001b[2J\n');
    expect(shell('ls', { cwd: temp.path }).stdout).not.toContain('pwned');
    const failing = run('exit 1');
    expect(failing.stderr).not.toMatch(CONTROL);
  });

  test('a name that is too long for a variable is told, and the next event comes', () => {
    const long = 'n'.repeat(300_000);
    writeTask(root, 't', { runner: task().process(long, 'WAITING').status('LOST', Date.now()) });
    const { stderr, status } = run('echo "$THERMOS_STATE"');
    expect(status).toBe(0);
    expect(stderr).toContain('warning: --exec cannot be run:');
    expect(lines(stderr).at(-1)).toBe('LOST');
  });

  test('a signal ends the command, and what it started', async () => {
    writeTask(root, 't', { runner: task() });
    const pids = join(temp.path, 'pids');
    const watched = follow('--exec', `sleep 1000 & echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}; wait`);
    const started = () => {
      try {
        return readFileSync(pids, 'utf8').trim().split(' ').map(Number);
      } catch {
        return undefined;
      }
    };
    await watched.until(() => started() !== undefined);
    watched.child.kill('SIGTERM');
    expect(await watched.ended).toEqual({ status: 143, signal: null });
    for (const pid of started() ?? [0]) await gone(pid);
    expect(watched.stderr).toBe('');
  });
});

/** Resolves when there is no such process, or only what is left of it. */
async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    let state: string | undefined;
    try {
      state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '')[0];
    } catch {
      return;
    }
    if (state === 'Z') return;
    if (Date.now() > deadline) throw new Error(`${pid} is still there: ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a user who may not read a task is told so', () => {
  const directory = writeTask(root, 't', { runner: task() });
  writeTask(root, 'open', { runner: task() });
  writeFileSync(join(directory, 'runner'), task().bytes(), { mode: 0o600 });
  shell(`chmod 600 '${join(directory, 'runner')}'; chmod -R a+rX '${temp.path}'; chmod 000 '${directory}'`);
  const { stdout, stderr, status } = thermos(
    ['events', '--root', root, '--since', '1h', '--no-follow'],
    unprivileged(),
  );
  // Else who is not root cannot remove it.
  chmodSync(directory, 0o755);
  expect([words(stdout), status]).toEqual([['ACTIVE open - - -'], 5]);
  expect(stderr).toContain('cannot read the checkpoint');
});

describe('on a terminal', () => {
  const place = screenPlace();

  test('its screen', async () => {
    const id = (n: number) =>
      `www-data-prod-hello-${n}-6ba7b812-9dad-51d1-80b4-${String(n).padStart(12, '0')}`;
    writeTask(place.root, id(0), {
      runner: new Records()
        .status('ACTIVE')
        .process('load', ...RAN)
        .process('web', ...FAILED)
        .status('CLEANING', 1_400_000_004_000),
    });
    writeTask(place.root, 'etl-2', {
      phase: 'finished',
      runner: new Records().status('ACTIVE', 1_400_086_400_000).status('SUCCESS', 1_400_086_401_000),
    });
    await expectScreens('events', [
      'events',
      '--since',
      '2014-05-13T00:00:00Z',
      '--no-follow',
      '--root',
      place.root,
    ]);
  });

  test('it says what it follows; Ctrl-C ends it with 130', async () => {
    writeTask(place.root, 't', { runner: new Records().status('ACTIVE') });
    const screen = startScreen(['events', '--root', place.root]);
    await screen.until('Following 1 active task, and those that start; Ctrl-C ends it.');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
  });
});
