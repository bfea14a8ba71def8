import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ProcessState, ProcessStatus } from '../../src/checkpoint/records.js';
import { tryLock } from '../../src/host/flock.js';
import { agentsIn, sandboxesIn } from '../agent/sandboxes.js';
import { type Cluster, startCluster } from '../agent/serve.js';
import { HAS_NATIVE } from '../runner/harness.js';
import { FAILED, RAN, Records, type TaskFiles, writeTask } from '../task/trees.js';
import { FIXTURES, REPOSITORY, thermos } from './harness.js';
import { RunPlace, type RunProcess } from './run-task.js';
import {
  ago,
  expectScreens,
  ORDINARY,
  type Screen,
  type ScreenOptions,
  type Step,
  screenPlace,
  startScreen,
} from './screen.js';

const AS_ROOT = process.geteuid?.() === 0;
const ESC = '\u001b';
const DOWN = '\u001b[B';
const WHEEL_DOWN = '\u001b[<65;10;10M';
const WHEEL_UP = '\u001b[<64;10;10M';

/** What no terminal may get, as names and as text. */
const CONTROL = `a${ESC}[31mb\u0007\u009b2Jc\u202ed`;

const place = screenPlace();
const asBefore = (screen: Screen) => [screen.modes, screen.settingsKept];
const AS_BEFORE = [ORDINARY, true];

function start(args: readonly string[] = [], options: ScreenOptions = {}): Screen {
  return startScreen(['ui', '--interval', '0.1', '--root', place.root, ...args], options);
}

/** The records of a run that began so many hours ago, and took two seconds. */
function runOf(hours: number, end: ProcessState, return_code: number, pid: number): ProcessStatus[] {
  const start = ago(hours, 'h') / 1000;
  return [
    { state: 'WAITING' },
    { state: 'FORKED', fork_time: start, coordinator_pid: pid - 1 },
    { state: 'RUNNING', start_time: start, pid },
    { state: end, stop_time: start + 2, return_code },
  ];
}

/** A task that failed after a process that succeeded, at its second run. */
function failedTask(id: string, hours = 3): void {
  writeTask(place.root, id, {
    phase: 'finished',
    task: {
      name: 'web',
      processes: [{ name: 'setup' }, { name: 'web', max_failures: 2 }, { name: 'never' }],
      constraints: [{ order: ['setup', 'web', 'never'] }],
    },
    runner: new Records()
      .header({ user: 'www-data', launch_time_ms: ago(hours + 2, 'h') })
      .status('ACTIVE', ago(hours + 2, 'h'))
      .process('setup', ...runOf(hours + 2, 'SUCCESS', 0, 4_194_010))
      .process('web', ...runOf(hours + 1, 'FAILED', 3, 4_194_020))
      .process('web', ...runOf(hours, 'FAILED', 3, 4_194_030))
      .status('FAILED', ago(hours, 'h')),
  });
}

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 200, rows: 60 },
];
/** The clock, the name of this host, and moments. */
const normalise = [
  [/\d\d:\d\d:\d\d$/, '#'],
  [new RegExp(`^(\\d+,1 bold: )?${hostname().replaceAll('.', '\\.')}$`), 'HOST'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '#'],
] as const;

describe('its screens', () => {
  beforeEach(() => {
    failedTask('www-data-prod-web-0-6ba7b812-9dad-51d1-80b4-000000000000');
    for (let i = 1; i < 30; i++) {
      writeTask(
        place.root,
        `www-data-prod-hello-${i}-6ba7b812-9dad-51d1-80b4-${String(i).padStart(12, '0')}`,
        {
          phase: i < 3 ? 'active' : 'finished',
          task: { name: 'hello', processes: [{ name: 'p' }] },
          runner: new Records()
            .header({ user: 'www-data' })
            .status('ACTIVE', ago(4_200 + i, 'd'))
            .process('p', ...RAN)
            .status(i < 3 ? 'CLEANING' : 'SUCCESS', ago(i < 3 ? 4_200 : i, 'd')),
        },
      );
    }
  });
  const expected = (name: string, steps: readonly Step[]) =>
    expectScreens(name, ['ui', '--root', place.root], { sizes: SIZES, normalise, steps });

  test('tasks', () =>
    expected('ui-tasks', [{ see: 'q quit', type: `${DOWN}${DOWN}` }, { see: /^› www-data\S*web/ }]));

  test('processes and their runs', () =>
    expected('ui-runs', [
      { see: 'q quit', type: `${DOWN}${DOWN}\r` },
      { see: 'Esc back' },
      { see: /^› setup / },
    ]));

  test('why', () =>
    expected('ui-why', [
      { see: 'q quit', type: `${DOWN}${DOWN}` },
      { see: /^› www-data\S*web/, type: 'w' },
      { see: /^Why www-data/ },
      { see: /never started/ },
    ]));

  test('keys', () =>
    expected('ui-keys', [{ see: 'q quit', type: '?' }, { see: /^Keys$/ }, { see: /^w +why/ }]));

  test('? shows the keys, and the list again', async () => {
    const screen = start();
    await screen.until(/^› www-data/);
    screen.type('?');
    await screen.until(/^Keys$/);
    screen.type('?');
    await screen.until(/^› www-data/);
  });
});

describe('tasks, processes and logs', () => {
  test('Enter leads into a task and into a log, Escape back; the wheel moves', async () => {
    failedTask('bad');
    const screen = start();
    await screen.until(/^› bad /);
    await screen.until('1 FAILED');
    expect(screen.modes.mouse).toBe(true);
    screen.type('\r');
    await screen.until(/^› setup +0 +SUCCESS +0 +2\.00s/);
    await screen.until(/^ {2}web +1 +FAILED +3 /);
    await screen.until(/^ {2}web +0 +FAILED +3 /);
    await screen.until(/^ {2}never +- +WAITING +-/);
    screen.type(WHEEL_DOWN);
    await screen.until(/^› web +1 /);
    screen.type(`${WHEEL_DOWN}${WHEEL_DOWN}${WHEEL_UP}`);
    await screen.until(/^› web +0 /);
    // What needs attention first; the selected one stays.
    screen.type('s');
    await screen.until(({ lines }) =>
      /^ {2}web +1 /.test(lines[lines.findIndex((line) => / PROCESS /.test(line)) + 1] ?? ''),
    );
    await screen.until(/^› web +0 /);
    screen.type('/SETUP\r');
    await screen.until(/^› setup /);
    screen.type(ESC);
    await screen.until(/^ {2}never/);
    screen.type(ESC);
    await screen.until(/^› bad /);
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
    expect(screen.lines[0]).toBe(hostname());
  });

  test('a list that was left is as it was; why, inspect and logs of a task', async () => {
    failedTask('bad');
    writeTask(place.root, 'other', { phase: 'finished', runner: new Records().status('SUCCESS') });
    const screen = start(['--failed']);
    await screen.until(/^› bad /);
    expect(screen.lines.join()).not.toContain('other');
    screen.type('w');
    await screen.until('Process web failed first');
    screen.type(ESC);
    await screen.until(/^› bad /);
    screen.type('i');
    await screen.until('PROCESSES');
    screen.type(ESC);
    await screen.until(/^› bad /);
    screen.type('l');
    await screen.until(/^Logs of bad$/);
    // q leaves all lists.
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test('words select as for status; without any, exit 1; on no terminal, exit 2 with what does instead', async () => {
    for (const id of ['alpha', 'beta']) writeTask(place.root, id);
    const screen = start(['alp']);
    await screen.until(/^› alpha /);
    expect(screen.lines.join()).not.toContain('beta');
    screen.type('q');
    expect(await screen.ended).toBe(0);
    const nothing = start(['nothing']);
    expect(await nothing.ended).toBe(1);
    const dumb = start([], { env: { TERM: 'dumb' } });
    expect(await dumb.ended).toBe(2);
    expect(dumb.lines.join(' ')).toContain("thermos status', or 'thermos top --once'");
    const deaf = start([], { stdin: 'closed' });
    expect(await deaf.ended).toBe(2);
    for (const screen of [nothing, dumb, deaf]) expect(screen.output).not.toContain('\u001b[?1049h');
    const piped = thermos(['ui', '--root', place.root]);
    expect(piped).toMatchObject({ status: 2, stdout: '' });
    expect(piped.stderr).toContain("thermos status', or 'thermos top --once'");
    expect(thermos(['ui', '--json', '--root', place.root]).status).toBe(2);
  });

  test.each<[string, number, (screen: Screen) => void]>([
    ['q', 0, (screen) => screen.type('q')],
    ['Ctrl-C', 130, (screen) => screen.type('\u0003')],
    ['SIGTERM', 143, (screen) => screen.signal('SIGTERM')],
    ['SIGHUP', 129, (screen) => screen.signal('SIGHUP')],
  ])(
    '%s ends it with %d, from the processes of a task too; the terminal is as it was',
    async (_, status, end) => {
      failedTask('bad');
      const screen = start();
      await screen.until(/^› bad /);
      screen.type('\r');
      await screen.until(/^› setup /);
      end(screen);
      expect(await screen.ended).toBe(status);
      expect(asBefore(screen)).toEqual(AS_BEFORE);
    },
  );

  test('Ctrl-Z in a list that is open: the terminal is as it was, until it goes on', async () => {
    failedTask('bad');
    const screen = start();
    await screen.until(/^› bad /);
    screen.type('\r');
    await screen.until(/^› setup /);
    screen.type('\u001a');
    await screen.stopped();
    expect(asBefore(screen)).toEqual(AS_BEFORE);
    await screen.foreground();
    await screen.until(/^› setup /);
    expect(screen.modes.mouse).toBe(true);
    screen.type('q');
    expect(await screen.ended).toBe(0);
  });

  test('a task that vanishes while it is shown, and a root that does', async () => {
    failedTask('bad');
    writeTask(place.root, 'stays');
    const screen = start();
    await screen.until(/^› stays /);
    screen.type(`${DOWN}\r`);
    await screen.until(/^› setup /);
    for (const each of ['checkpoints/bad', 'tasks/finished/bad'])
      rmSync(join(place.root, each), { recursive: true });
    await screen.until('there is no checkpoint');
    screen.type('\r');
    await screen.until('Esc back');
    screen.type('wk');
    await screen.until('Esc back');
    screen.type(`n${ESC}`);
    await screen.until('Esc back');
    screen.type(ESC);
    // Its neighbour is not selected by itself.
    await screen.until('What was selected is not listed any more.');
    await screen.until(/^ {2}stays /);
    screen.type('k');
    await screen.until(/^ {2}stays /);
    screen.type(DOWN);
    await screen.until(/^› stays /);
    rmSync(place.root, { recursive: true });
    await screen.until(({ lines }) => !lines.join().includes('stays '));
    screen.type('\r\rwlkyeir');
    await screen.until('q quit');
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test('names and logs of anything; a line of 10 MB; a screen of 20×5, and one without a size', async () => {
    const logs = join(place.path, 'logs');
    const id = `evil${ESC}[2J`;
    const process = `p${ESC}]0;title\u0007`;
    writeTask(place.root, id, {
      task: { name: CONTROL, processes: [{ name: process }] },
      runner: new Records()
        .header({ user: CONTROL, hostname: CONTROL, log_dir: logs })
        .status('ACTIVE')
        .process(process, ...FAILED),
    });
    mkdirSync(join(logs, process, '0'), { recursive: true });
    writeFileSync(
      join(logs, process, '0', 'stdout'),
      `${'x'.repeat(10_000_000)}\n${CONTROL}\nlast ${ESC}[31m\n`,
    );
    const screen = start();
    await screen.until(/^› evil\\e\[2J /);
    screen.type('\r');
    await screen.until(/^› p\\e\]0;title\\u\{7\} /);
    screen.type('\rs');
    await screen.until(/^last \\e\[31m/);
    screen.type(`g${'\u001b[C'.repeat(3)}`);
    await screen.until(/^x{80}$/);
    screen.resize(20, 5);
    await screen.until(({ lines }) => lines.length === 5 && lines[0]?.startsWith('Logs of evil') === true);
    screen.resize(80, 24);
    execFileSync('stty', ['-F', screen.tty, 'rows', '0', 'cols', '0']);
    screen.type(ESC);
    await screen.until(/^› p/);
    screen.type(`${ESC}`);
    await screen.until(/^› evil/);
    expect(screen.output).not.toContain(`${ESC}[2J`);
    expect(screen.output).not.toContain('title\u0007');
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });
});

describe('what runs', () => {
  let run: RunPlace;
  beforeEach(() => {
    run = new RunPlace();
  });
  afterEach(() => run.remove());

  /** Of a shell that waits for a command. */
  const PROMPT = ({ lines }: { lines: readonly string[] }) =>
    /[$#]$/.test(lines.findLast((line) => line.trim() !== '')?.trim() ?? '');

  const begin = (processes: readonly RunProcess[], ...args: string[]) => {
    mkdirSync(run.sandbox('t'), { recursive: true });
    const config = run.config(processes);
    expect(
      run.thermos('run', config, '--daemon', '--task-id', 't', '--sandbox', run.sandbox('t'), ...args).status,
    ).toBe(0);
    const screen = startScreen(['ui', '--interval', '0.1', '--root', run.root], { cwd: run.path });
    return screen;
  };

  test('a log as it grows, its streams, what the task uses, its page, and its end', async () => {
    const go = join(run.sandbox('t'), 'go');
    mkdirSync(run.sandbox('t'), { recursive: true });
    execFileSync('mkfifo', [go]);
    const screen = begin([
      { name: 'p', cmdline: 'echo first; echo wrong >&2; read -r <go; echo second; sleep 1000' },
    ]);
    await screen.until(/^› t /);
    screen.type('\r');
    await screen.until(/^› p +0 +RUNNING/);
    screen.type('\r');
    await screen.until(/^stdout \| first$/);
    await screen.until(/^stderr \| wrong$/);
    await screen.until('f follow: on');
    writeFileSync(go, 'go\n');
    await screen.until(/^stdout \| second$/);
    screen.type('s');
    await screen.until(/^second$/);
    expect(screen.lines.join()).not.toContain('wrong');
    screen.type('s');
    await screen.until(/^wrong$/);
    screen.type('f');
    await screen.until('f follow: off');
    appendFileSync(join(run.sandbox('t'), '.logs/p/0/stderr'), 'more\n'.repeat(60));
    await screen.until(/ more lines/);
    screen.type('f');
    await screen.until(/^\d+ lines above/);
    screen.type(ESC);
    await screen.until(/^› p +0 +RUNNING/);
    screen.type('t');
    await screen.until(/^› t +p +\d/);
    screen.type(ESC);
    await screen.until(/^› p +0 +RUNNING/);
    screen.type('r');
    await screen.until('Write the page of task t into this directory? [y/N]');
    screen.type('y');
    await screen.until('thermos-report/task/t/index.html');
    expect(existsSync(join(run.path, 'thermos-report/task/t/index.html'))).toBe(true);
    screen.type('k');
    await screen.until('End task t? [y/N]');
    screen.type('y');
    await screen.until('t: ACTIVE -> KILLED');
    await screen.until(/^› p +0 +KILLED/);
    screen.type('k');
    await screen.until(/^\d\d:\d\d:\d\d task t is over: KILLED/);
    screen.type('e');
    await screen.until('process p of task t is not running');
    screen.type(ESC);
    await screen.until(/^› t +finished/);
    screen.type('t');
    await screen.until('No task is active.');
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test.skipIf(AS_ROOT && !HAS_NATIVE)(
    'a shell beside a process has the terminal, and then the screen again',
    async () => {
      const screen = begin([{ name: 'p', cmdline: 'sleep 1000' }], ...(AS_ROOT ? ['--user', 'nobody'] : []));
      await screen.until(/^› t /);
      screen.type('\r');
      await screen.until(/^› p +0 +RUNNING/);
      screen.type('e');
      await screen.until(() => !screen.modes.alternateScreen);
      await screen.until(/^Shell of \S+ beside process p of task t\.$/);
      await screen.until('exit or Ctrl-D leads back to the list.');
      await screen.until(PROMPT);
      expect(screen.modes).toMatchObject({ cursorVisible: true, wraps: true, mouse: false });
      // Ctrl-C is for the shell alone.
      screen.type('echo "in=$(pwd)="\r');
      await screen.until(`in=${run.sandbox('t')}=`);
      screen.type('sleep 1000\r');
      await screen.until(({ lines }) => lines.some((line) => line.endsWith('sleep 1000')));
      screen.type('\u0003');
      await screen.until('^C');
      await screen.until(PROMPT);
      screen.type('exit 3\r');
      await screen.until('the shell ended with 3');
      await screen.until(/^› p +0 +RUNNING/);
      expect(screen.modes.mouse).toBe(true);
      screen.type('e');
      await screen.until(() => !screen.modes.alternateScreen);
      await screen.until(PROMPT);
      screen.type('echo "again=$?="\r');
      await screen.until('again=0=');
      // What ends the screen ends the shell.
      screen.signal('SIGTERM');
      expect(await screen.ended).toBe(143);
      expect(asBefore(screen)).toEqual(AS_BEFORE);
    },
  );
});

describe('on an agent', () => {
  const S3 = '20150617-080000-16842879-5050-1234-S3';
  let cluster: Cluster;
  let isClosed = false;
  beforeEach(async () => {
    isClosed = false;
    const workDir = join(place.path, 'mesos');
    cpSync(join(FIXTURES, 'mesos'), workDir, { recursive: true, verbatimSymlinks: true });
    expect(agentsIn(workDir)).toContain(S3);
    cluster = await startCluster([
      { id: S3, hostname: 'agent-2', workDir, sandboxes: sandboxesIn(workDir, S3) },
    ]);
  });
  afterEach(() => (isClosed ? undefined : cluster.close()));

  test('tasks, processes, logs and why are shown; what only its host can do is refused, with what to do', async () => {
    const url = cluster.urlOf(cluster.agents[0] as Cluster['agents'][number]);
    const screen = startScreen(['ui', '--interval', '0.1', '--agent', url]);
    await screen.until(/^agent-2$/);
    await screen.until(/^› /);
    for (const [key, words] of [
      ['k', 'kill works only on the host of the task'],
      ['e', 'aurora task run'],
      ['r', 'thermos report --agent'],
    ] as const) {
      screen.type(key);
      await screen.until(words);
    }
    screen.type('t');
    await screen.until('No task is active.');
    screen.type(ESC);
    await screen.until('Enter open');
    screen.type('w');
    await screen.until(/^State: /);
    screen.type(ESC);
    await screen.until('Enter open');
    screen.type('\r');
    await screen.until(/ on agent-2$/);
    await screen.until(/^› /);
    screen.type('\r');
    await screen.until('f follow: on');
    screen.type(ESC);
    await screen.until(/ on agent-2$/);
    screen.type(ESC);
    await screen.until(/^agent-2$/);
    // What is known of it stays.
    await cluster.close();
    isClosed = true;
    await screen.until(/^agent-2 does not answer: its tasks are shown as they were \d+s ago, at/);
    await screen.until('cannot read the agent');
    await screen.until(/^agent-2$/);
    await screen.until(/^› /);
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });
});

test('the picture of docs/ui.md is what a terminal shows', async () => {
  const page = readFileSync(join(REPOSITORY, 'docs/ui.md'), 'utf8');
  const [, picture = ''] = /^```\n([\s\S]*?)```$/m.exec(page) ?? [];
  const [, ...shown] = picture.trimEnd().split('\n');
  const write = (job: string, i: number, files: TaskFiles) => {
    const id = `www-data-prod-${job}-${i}-6ba7b812-9dad-51d1-80b4-${String(i).padStart(12, '0')}`;
    writeTask(place.root, id, files);
    return join(place.root, 'checkpoints', id, 'runner');
  };
  const began = (ms: number) =>
    new Records().header({ user: 'www-data', launch_time_ms: ms }).status('ACTIVE', ms);
  const taskOf = (name: string, ...processes: string[]) => ({
    name,
    processes: processes.map((process) => ({ name: process })),
  });
  for (const i of [1, 2]) {
    const runner = began(ago(52, 'h')).process('p', { state: 'WAITING' });
    // Who holds the lock is its runner.
    const fd = openSync(write('hello', i, { task: taskOf('hello', 'p'), runner }), 'a');
    onTestFinished(() => closeSync(fd));
    expect(tryLock(fd)).toBe(true);
  }
  for (let i = 3; i < 30; i++) {
    const runner = began(ago(i + 1, 'd'))
      .process('p', ...RAN)
      .status('SUCCESS', ago(i, 'd'));
    write('hello', i, { phase: 'finished', task: taskOf('hello', 'p'), runner });
  }
  const runner = began(ago(4, 'h'))
    .process('setup', ...RAN)
    .process('web', ...FAILED)
    .status('FAILED', ago(3, 'h'));
  write('web', 0, { phase: 'finished', task: taskOf('web', 'setup', 'web', 'never'), runner });
  const screen = start([], { columns: 80, rows: shown.length + 1 });
  await screen.until('q quit');
  screen.type(`${DOWN}${DOWN}`);
  await screen.until(/^› www-data\S*web/);
  expect(screen.lines.slice(1).map((line) => line.trimEnd())).toEqual(shown);
});
