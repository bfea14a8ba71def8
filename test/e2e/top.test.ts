import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TopDocument } from '../../src/contracts/top.js';
import { Records, writeTask } from '../task/trees.js';
import { thermos } from './harness.js';
import { RunPlace, type RunProcess } from './run-task.js';
import { ago, expectScreens, ORDINARY, type Screen, screenPlace, startScreen } from './screen.js';
import { expectContract, unprivileged } from './tasks.js';

/**
 * Commands for bash: `used` says in `u` how many ticks of processor time the process has used, with its children that
 * have ended; `burn N` uses so many. Neither starts a process.
 */
const LOADS = `
  used() { read -r stat </proc/$BASHPID/stat; set -- \${stat##*) }; u=$((\${12} + \${13} + \${14} + \${15})); }
  burn() { used; end=$((u + $1)); while ((u < end)); do for ((i = 0; i < 20000; i++)); do :; done; used; done; }
`;
/** Waits without using anything, then does the work, writes what it has used for it, and stays. */
const load = (name: string, work: string) =>
  `${LOADS} read -r <go.${name}; used; start=$u; ${work}; used; echo $((u - start)) >new.${name}; mv new.${name} used.${name}; sleep 1000`;

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

/** Starts a task. */
function run(id: string, processes: readonly RunProcess[], ...args: string[]): void {
  const resources = { cpu: 0.01, ram: 2 ** 20, disk: 2 ** 30 };
  const config = place.config(processes, { resources });
  expect(place.thermos('run', config, '--daemon', '--task-id', id, ...args)).toMatchObject({ status: 0 });
}

const documents = (stdout: string): TopDocument[] =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test('processor time, memory and bytes of real loads are what the kernel counted for them', async () => {
  const sandbox = place.sandbox('loads');
  const alloc = `${process.execPath} -e 'global.kept = Buffer.alloc(200 << 20, 1); require("fs").writeFileSync("used.mem", String(process.pid)); setInterval(() => {}, 1e6)'`;
  const processes = [
    { name: 'burn', cmdline: load('burn', 'burn 60') },
    // Each of them is gone before it can be seen for long.
    { name: 'kids', cmdline: load('kids', 'for n in 1 2 3 4 5 6; do (burn 10); done') },
    // It leaves its parent and its session.
    { name: 'leaver', cmdline: `(setsid bash -c '${load('leaver', 'burn 40')}' &); sleep 1000` },
    { name: 'mem', cmdline: `read -r <go.mem; exec ${alloc}` },
    {
      name: 'write',
      cmdline: load('write', 'dd if=/dev/zero of=big bs=1M count=100 conv=fsync 2>dd; cat /proc/$$/io >io'),
    },
  ];
  const names = processes.map(({ name }) => name);
  mkdirSync(sandbox, { recursive: true });
  for (const name of names) execFileSync('mkfifo', [join(sandbox, `go.${name}`)]);
  chmodSync(sandbox, 0o755);
  run('loads', processes, '--sandbox', sandbox);
  const top = place.start('top', '--json', '--interval', '0.2', '--count', '0');
  const ofRunning = ({ tasks }: TopDocument) =>
    tasks[0]?.processes.filter(({ pid }) => pid !== undefined) ?? [];
  const latest = () => documents(top.stdout).at(-1);
  await top.until(() => latest() !== undefined && ofRunning(latest() as TopDocument).length === names.length);
  for (const name of names) writeFileSync(join(sandbox, `go.${name}`), 'go\n');
  await top.until(() => names.every((name) => existsSync(join(sandbox, `used.${name}`))));
  const atEnd = documents(top.stdout).length;
  await top.until(() => documents(top.stdout).length >= atEnd + 2);
  const mem = Number(place.file('loads', 'used.mem'));
  const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${mem}/status`, 'utf8'))?.[1]) * 1024;
  await top.kill('SIGINT');

  const all = documents(top.stdout);
  for (const document of all) expectContract('top', document);
  const sum = (
    name: string,
    of: (use: TopDocument['tasks'][0]['processes'][0]) => number | null | undefined,
  ) =>
    all.reduce((total, document) => {
      const use = document.tasks[0]?.processes.find(({ process }) => process === name);
      return total + (use === undefined ? 0 : (of(use) ?? 0));
    }, 0);
  const ticks = (name: string) =>
    all.reduce((total, { tasks, interval_ms }) => {
      const cpu = tasks[0]?.processes.find(({ process }) => process === name)?.cpu ?? 0;
      return total + (cpu * interval_ms) / 10;
    }, 0);
  for (const name of ['burn', 'kids', 'leaver']) {
    const used = Number(place.file('loads', `used.${name}`));
    expect(used).toBeGreaterThanOrEqual(40);
    // A machine that stands still during a sample makes the interval of a process another one than that of the sample.
    expect(Math.abs(ticks(name) - used), `${name}: ${ticks(name)} of ${used}`).toBeLessThan(used / 3 + 10);
  }
  const written = Number(/^write_bytes: (\d+)$/m.exec(place.file('loads', 'io'))?.[1]);
  const counted = sum('write', ({ written_bytes }) => written_bytes);
  expect(Math.abs(counted - written), `${counted} of ${written}`).toBeLessThan(written / 20 + 2 ** 16);

  const [last] = (all.at(-1) as TopDocument).tasks as [TopDocument['tasks'][0]];
  const bytes = last.processes.find(({ process }) => process === 'mem')?.rss_bytes as number;
  expect(bytes).toBeGreaterThan(200 * 2 ** 20);
  expect(Math.abs(bytes - rss)).toBeLessThan(rss / 20);
  expect(last).toMatchObject({ cpu_asked: 0.01, ram_asked_bytes: 2 ** 20, disk_asked_bytes: 2 ** 30 });
  expect(last.pids).toBe(last.processes.reduce((total, { pids }) => total + (pids as number), 0));
  // Coordinators and the runner are not among them.
  expect(last.processes.find(({ process }) => process === 'burn')?.pids).toBe(1);
  expect(top.stderr).toBe('');
});

describe('on a pipe', () => {
  test('one sample as a table, after an interval; the mark says what is above what was asked for', async () => {
    run('t', [{ name: 'p', cmdline: 'sleep 1000' }]);
    const { stdout, stderr, status } = place.thermos('top', '--interval', '0.1');
    expect([stderr, status]).toEqual(['', 0]);
    const [titles, line, ...rest] = stdout.split('\n');
    expect(titles?.split(/ +/)).toEqual(
      ['TASK', 'STATE', 'CPU', 'CPU%', 'RSS', 'RAM%', 'THR', 'PIDS', 'FDS', 'READ/s', 'WRITE/s'].concat([
        'DISK',
        'DISK%',
        'THROTTLED',
        'OOM',
        'AGE',
      ]),
    );
    expect(line).toMatch(/^t {5}ACTIVE +0\.00 +0% +\S+B +!\d+% +\d+ +\d+ +\d+ /);
    expect(line).toMatch(/\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(rest).toEqual(['']);
    const lines = place.thermos('top', '--processes', '--pss', '--interval', '0.1').stdout.split('\n');
    expect(lines[0]).toMatch(/^TASK +PROCESS +RUN +CPU +CPU% +RSS +RAM% +PSS +THR /);
    expect(lines[1]).toMatch(/^t +p +0 +0\.00 +0% +\S+B +!\d+% +\S+B +\d+ /);
  });

  test('several samples have their times above them; what is wrong is said once', () => {
    writeTask(place.root, 't', {
      runner: Buffer.concat([new Records().status('ACTIVE').bytes(), Buffer.alloc(8)]),
    });
    const { stdout, stderr, status } = place.thermos('top', '--count', '3', '--interval', '0.1');
    expect(stdout.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z\nTASK .*\nt .*\n\n/gm)).toHaveLength(3);
    expect(stderr.match(/is damaged at byte/g)).toHaveLength(1);
    expect(status).toBe(5);
  });

  test('without an active task: 1, and a document without tasks; without a task of that name, an error', () => {
    writeTask(place.root, 'over', { phase: 'finished', runner: new Records().status('SUCCESS') });
    const none = place.thermos('top', '--interval', '0.1');
    expect(none).toMatchObject({ stdout: '', stderr: 'No task is active.\n', status: 1 });
    const over = place.thermos('top', '--interval', '0.1', '--json', 'over');
    expect(over).toMatchObject({ stderr: 'None of these tasks is active.\n', status: 1 });
    expectContract('top', JSON.parse(over.stdout));
    expect(place.thermos('top', 'nothing')).toMatchObject({ stdout: '', status: 1 });
    expect(place.thermos('top', '--sort', 'colour').status).toBe(2);
    expect(place.thermos('top', '--interval', '1ms').status).toBe(2);
  });

  test('numbers descend, names ascend; --reverse turns both', () => {
    for (const id of ['b', 'a', 'c']) writeTask(place.root, id);
    const ids = (...args: string[]) =>
      place
        .thermos('top', '--interval', '0.1', ...args)
        .stdout.split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')[0]);
    expect(ids('--sort', 'mem')).toEqual(['a', 'b', 'c']);
    expect(ids('--sort', 'name', '--reverse')).toEqual(['c', 'b', 'a']);
    const inJson = (...args: string[]) => {
      const { stdout } = place.thermos('top', '--json', '--interval', '0.1', ...args);
      return documents(stdout).flatMap(({ tasks }) => tasks.map(({ task_id }) => task_id));
    };
    expect(inJson()).toEqual(['a', 'b', 'c']);
    expect(inJson('--sort', 'name', '--reverse')).toEqual(['c', 'b', 'a']);
    expect([inJson(), inJson('--reverse')]).toEqual([
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
    ]);
  });

  test.runIf(unprivileged().uid !== undefined)(
    "what another user's processes read and write is unknown, and said once",
    () => {
      run('t', [{ name: 'p', cmdline: 'sleep 1000' }]);
      chmodSync(place.path, 0o755);
      const args = ['top', '--root', place.root, '--interval', '0.1', '--count', '2', '--json'];
      const { stdout, stderr } = thermos(args, unprivileged());
      const [task] = (documents(stdout)[1] as TopDocument).tasks;
      expect(task).toMatchObject({ cpu: expect.any(Number), rss_bytes: expect.any(Number) });
      for (const name of ['read_bytes', 'written_bytes']) expect(task).not.toHaveProperty(name);
      expect(stderr.match(/^warning: t: reads and writes are not known/gm)).toHaveLength(1);
    },
  );
});

describe('on a terminal', () => {
  const screens = screenPlace();
  const start = (args: readonly string[] = [], size: { columns?: number; rows?: number } = {}) =>
    startScreen(['top', '--interval', '0.2', '--root', screens.root, ...args], size);
  const asBefore = (screen: Screen) => [screen.modes, screen.settingsKept];
  const AS_BEFORE = [ORDINARY, true];
  const task = (id: string, more: object = {}, hours = 2) =>
    writeTask(screens.root, id, {
      task: { name: id, processes: [{ name: 'main' }], ...more },
      runner: new Records()
        .header({ user: 'www-data', launch_time_ms: ago(hours, 'h') })
        .status('ACTIVE', ago(hours, 'h')),
    });

  test('its screens', async () => {
    for (let i = 0; i < 4; i++) {
      const id = `www-data-prod-hello-${i}-6ba7b812-9dad-51d1-80b4-00000000000${i}`;
      task(id, { name: 'hello', resources: { cpu: 0.5, ram: 2 ** 27, disk: 2 ** 30 } }, i + 1);
    }
    await expectScreens('top', ['top', '--root', screens.root], {
      sizes: [
        { columns: 80, rows: 24 },
        { columns: 200, rows: 60 },
      ],
      normalise: [[/\d\d:\d\d:\d\d$/, '#']],
      steps: [{ see: /0\.00/, type: 'n' }, { see: 'sort: task' }],
    });
  });

  test('its keys: order, selection, filter, question', async () => {
    for (const id of ['alpha', 'beta', 'gamma']) task(id);
    const screen = start();
    await screen.until(/^› alpha /);
    screen.type('\u001b[B');
    await screen.until(/^› beta /);
    // It stays the selected one wherever it is.
    screen.type('nr\u001b[A');
    await screen.until('sort: task, reversed');
    await screen.until(/^› gamma /);
    screen.type('G');
    await screen.until(/^› alpha /);
    screen.type('>');
    await screen.until(({ lines }) => !lines.join().includes('sort: task'));
    screen.type('<');
    await screen.until('sort: task, reversed');
    screen.type('k');
    await screen.until('End task alpha? [y/N]');
    expect(screen.modes.cursorVisible).toBe(true);
    screen.type('n');
    await screen.until('q quit');
    screen.type('/BETA\r');
    await screen.until(/^› beta /);
    expect(screen.lines.some((line) => /^ {2}alpha /.test(line))).toBe(false);
    screen.resize(60, 10);
    await screen.until(({ lines }) => lines.length === 10 && lines.some((line) => /^› beta /.test(line)));
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test('its keys: processes, logs, inspection, and the end of a task', async () => {
    mkdirSync(place.sandbox('t'), { recursive: true });
    execFileSync('mkfifo', [join(place.sandbox('t'), 'go')]);
    const processes = [
      { name: 'one', cmdline: 'echo first; read -r <go; echo second; sleep 1000' },
      { name: 'two', cmdline: "printf 'a\\tb\\033[31m\\n'; sleep 1000" },
    ];
    run('t', processes, '--sandbox', place.sandbox('t'));
    const screen = startScreen(['top', '--interval', '0.2', '--root', place.root]);
    await screen.until(/^› t /);
    screen.type('pN');
    await screen.until(/^› t +one /);
    await screen.until(/^ {2}t +two /);
    // What is filtered by a process stays when its task is shown.
    screen.type('/two\r');
    await screen.until(/^› t +two /);
    screen.type('p');
    await screen.until(/^› t +ACTIVE /);
    screen.type('p');
    await screen.until(/^› t +two /);
    screen.type('\u001b');
    await screen.until(/^. t +one /);
    screen.type('\u001b[A');
    await screen.until(/^› t +one /);
    screen.type('l');
    await screen.until('Logs of t one');
    await screen.until(/^one 0 stdout \| first$/);
    writeFileSync(join(place.sandbox('t'), 'go'), 'go\n');
    await screen.until(/^one 0 stdout \| second$/);
    screen.type('\u001b');
    await screen.until(/^› t +one /);
    screen.type('pl');
    await screen.until(/^two 0 stdout \| a {4}b\\e\[31m/);
    screen.type('\u001b');
    await screen.until(/^› t /);
    screen.type('i');
    await screen.until('PROCESSES');
    await screen.until(/^Task: +t$/);
    screen.type('\u001b');
    await screen.until(/^› t /);
    screen.type('ky');
    await screen.until('End task t? [y/N]');
    // What was typed before the question was seen is no answer.
    screen.type('n');
    await screen.until('q quit');
    screen.type('k');
    await screen.until('End task t? [y/N]');
    screen.type('y');
    await screen.until('t: ACTIVE -> KILLED');
    await screen.until('No task is active.');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test.each<[string, number, (screen: Screen) => void]>([
    ['q', 0, (screen) => screen.type('q')],
    ['Ctrl-C', 130, (screen) => screen.type('\u0003')],
    ['SIGTERM', 143, (screen) => screen.signal('SIGTERM')],
    ['SIGHUP', 129, (screen) => screen.signal('SIGHUP')],
  ])(
    '%s ends it with %d, from a text that is open too; the terminal is as it was',
    async (_, status, end) => {
      task('a');
      const screen = start();
      await screen.until(/^› a /);
      screen.type('?');
      await screen.until('Sort by a column');
      end(screen);
      expect(await screen.ended).toBe(status);
      expect(asBefore(screen)).toEqual(AS_BEFORE);
    },
  );

  test('--once prints one sample there', async () => {
    task('a');
    const screen = start(['--once']);
    expect(await screen.ended).toBe(0);
    expect(screen.output).not.toContain('\u001b[?1049h');
    expect(screen.lines[0]).toMatch(/^1 active task, 0 processes: CPU 0\.00, RSS 0B$/);
    expect(screen.lines.some((line) => /^a +ACTIVE +0\.00 /.test(line))).toBe(true);
  });
});
