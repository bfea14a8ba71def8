import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { RAN, Records, writeTask } from '../task/trees.js';
import { CONTROL } from '../views/task-views.js';
import { PROGRAM, placeForEach, runToEnd, shell, thermos } from './harness.js';
import { json, seesAllLocks, states } from './tasks.js';

const temp = placeForEach();
const { children } = temp;
let root: string;
beforeEach(() => {
  ({ root } = temp);
});

const ODD: Record<string, (path: string) => void> = {
  fifo: (path) => spawnSync('mkfifo', [path]),
  directory: (path) => mkdirSync(path),
  device: (path) => symlinkSync('/dev/zero', path),
  loop: (path) => symlinkSync(path, path),
  dangling: (path) => symlinkSync('nowhere', path),
};

test('odd things in the place of streams, task files and coordinators: told, all else listed', () => {
  const records = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED');
  for (const [name, make] of Object.entries(ODD)) {
    make(join(writeTask(root, `runner-${name}`, { runner: null }), 'runner'));
    make(join(writeTask(root, `coordinator-${name}`, { runner: records }), 'coordinator.p'));
    writeTask(root, `task-${name}`, { task: null, runner: records });
    make(join(root, 'tasks/active', `task-${name}`));
  }
  writeTask(root, 'sound', { phase: 'finished', runner: new Records().status('SUCCESS') });
  symlinkSync('dir-loop', join(root, 'checkpoints/dir-loop'));
  const answer = json('status', ['--root', root]);
  expect(answer.status).toBe(5);
  expect(answer.json.tasks).toHaveLength(16);
  expect(states(answer)).toContain('sound SUCCESS ok');
  const problems = (id: string): string[] =>
    answer.json.tasks
      .find(({ task_id }: { task_id: string }) => task_id === id)
      .problems.map(({ code }: { code: string }) => code);
  expect(Object.keys(ODD).map((name) => problems(`runner-${name}`))).toEqual([
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
  ]);
  expect(Object.keys(ODD).map((name) => problems(`coordinator-${name}`))).toEqual([
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
    ['checkpoint-unreadable'],
  ]);
  for (const name of Object.keys(ODD)) expect([name, problems(`task-${name}`)]).not.toEqual([name, []]);
  const inspected = json('inspect', ['--root', root, 'runner-fifo']);
  expect([inspected.status, inspected.json.verdict]).toEqual([5, 'unknown']);
  expect(thermos(['status', '--root', root]).stdout.trimEnd().split('\n')).toHaveLength(17);
});

test('lengths that are lies, endless files: no memory, no waiting', () => {
  const start = new Records().status('ACTIVE').bytes();
  const claim = (length: number) => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(length);
    return Buffer.concat([start, prefix, Buffer.from('x')]);
  };
  writeTask(root, 'a-64m-less-1', { runner: claim(64 * 1024 * 1024 - 1) });
  writeTask(root, 'b-64m', { runner: claim(64 * 1024 * 1024) });
  writeTask(root, 'c-over', { runner: claim(64 * 1024 * 1024 + 1) });
  writeTask(root, 'd-most', { runner: claim(0xffffffff) });
  truncateSync(join(writeTask(root, 'e-sparse'), 'runner'), 2 ** 40);
  truncateSync(
    join(writeTask(root, 'f-sparse-record', { runner: claim(64 * 1024 * 1024) }), 'runner'),
    2 ** 30,
  );
  const args = ['--max-old-space-size=64', PROGRAM, 'status', '--json', '--root', root];
  const { status, stdout } = runToEnd(process.execPath, args);
  expect(status).toBe(5);
  const codes = JSON.parse(stdout).tasks.map(
    ({ state, problems }: { state: string; problems: { code: string }[] }) =>
      [state, ...problems.map(({ code }) => code)].join(' '),
  );
  expect(codes).toEqual([
    'ACTIVE checkpoint-incomplete',
    'ACTIVE checkpoint-incomplete',
    'ACTIVE checkpoint-damaged',
    'ACTIVE checkpoint-damaged',
    'ACTIVE checkpoint-damaged',
    'ACTIVE checkpoint-sparse',
  ]);
});

test('what one task records harms no other: paths and names of megabytes', () => {
  const long = (header: object) => ({ runner: new Records().status('ACTIVE').header(header) });
  writeTask(root, 'path', long({ sandbox: '/a'.repeat(1_000_000), log_dir: '/b'.repeat(1_000_000) }));
  writeTask(root, 'user', long({ user: 'u'.repeat(20_000_000) }));
  writeTask(
    root,
    'wide',
    long({ user: '\u{1f600}'.repeat(1_000_000), hostname: '\u{1f600}'.repeat(1_000_000) }),
  );
  for (let i = 0; i < 30; i++) writeTask(root, `other-${i}`);
  const { status, stdout, stderr } = thermos(['status', '--root', root]);
  expect([status, stderr]).toEqual([0, '']);
  // Padded to the longest, the table would be longer than any string can be.
  expect(stdout.length).toBeLessThan(22_100_000);
  expect(stdout).toMatch(/^other-29 +active/m);
  expect(json('status', ['--root', root]).json.tasks).toHaveLength(33);
});

test('names that hold anything', () => {
  const names = [
    'new\nline',
    'esc\u001b[31m',
    '%s%d%n',
    '[z-a]',
    '世界-\u{1f600}',
    'x'.repeat(255),
    '-rf',
    '--json',
    '__proto__',
    'constructor',
    'quote\'"`$(x)',
    ' ',
    'tab\t',
    '\u202eltr',
  ];
  for (const name of names) {
    const runner = new Records()
      .status('ACTIVE')
      .header({ user: name, sandbox: `/${name}` })
      .process(name, ...RAN);
    writeTask(root, name, { runner, task: { name, processes: [{ name, cmdline: name }] } });
  }
  const answer = json('status', ['--root', root]);
  const listed = answer.json.tasks.map(({ task_id }: { task_id: string }) => task_id);
  expect([answer.status, [...listed].sort()]).toEqual([0, [...names].sort()]);
  for (const verbosity of ['0', '1', '2', '3']) {
    const { stdout, stderr, status } = thermos(['status', '--root', root, '--verbosity', verbosity]);
    expect([status, stdout.match(CONTROL), stderr]).toEqual([0, null, '']);
  }
  for (const name of names) {
    const inspected = json('inspect', ['--root', root, '--', name]);
    expect([name, inspected.json.task_id, inspected.status]).toEqual([name, name, 0]);
  }
  expect(thermos(['inspect', '--root', root, '--', names[1] as string]).stdout).not.toMatch(CONTROL);
});

test('thousands of things that are no tasks', () => {
  writeTask(root, 'sound', { phase: 'finished', runner: new Records().status('SUCCESS') });
  for (let i = 0; i < 2500; i++) {
    writeFileSync(join(root, 'checkpoints', `file-${i}`), '');
    writeFileSync(join(root, 'checkpoints', `.hidden-${i}`), '');
  }
  for (let i = 0; i < 500; i++) mkdirSync(join(root, 'checkpoints', `empty-${i}`));
  const answer = json('status', ['--root', root]);
  // A directory without anything in it is what a runner leaves that died at once: no damage.
  expect(answer.status).toBe(0);
  expect(answer.json.tasks).toHaveLength(501);
  expect(
    answer.json.problems.concat(...answer.json.tasks.map((task: { problems: object[] }) => task.problems)),
  ).not.toEqual([]);
  expect(states(answer)).toContain('sound SUCCESS ok');
  expect(states(json('status', ['--root', root, '--only', 'finished']))).toEqual(['sound SUCCESS ok']);
});

describe('while it changes', () => {
  /** Runs JavaScript in a process of its own until the test is over. */
  function meanwhile(code: string): void {
    children.push(spawn(process.execPath, ['-e', code], { stdio: 'inherit' }));
  }

  test('tasks that come and go while they are read', () => {
    for (let i = 0; i < 20; i++) writeTask(root, `steady-${i}`);
    const runner = new Records()
      .status('ACTIVE')
      .process('p', ...RAN)
      .bytes()
      .toString('base64');
    meanwhile(`
      const fs = require('node:fs');
      const runner = Buffer.from('${runner}', 'base64');
      const root = ${JSON.stringify(root)};
      for (let n = 0; ; n++) {
        const id = 'moving-' + (n % 5);
        fs.mkdirSync(root + '/checkpoints/' + id, { recursive: true });
        fs.writeFileSync(root + '/checkpoints/' + id + '/runner', runner);
        fs.writeFileSync(root + '/tasks/active/' + id, '{"processes":[]}');
        fs.renameSync(root + '/tasks/active/' + id, root + '/tasks/finished/' + id);
        fs.rmSync(root + '/checkpoints/' + id, { recursive: true });
        fs.rmSync(root + '/tasks/finished/' + id);
      }`);
    for (let times = 0; times < 12; times++) {
      const answer = json('status', ['--root', root]);
      expect([0, 1, 5]).toContain(answer.status);
      expect(states(answer).filter((line) => line.startsWith('steady-'))).toHaveLength(20);
      if (times % 4 > 0) continue;
      const one = json('inspect', ['--root', root, 'moving-1']);
      expect([0, 1, 5]).toContain(one.status);
      expect([0, 5]).toContain(thermos(['status', '--root', root, '--verbosity', '3']).status);
    }
  });

  test('tasks that end while they are listed: never twice, never died', () => {
    const base = new Records().status('ACTIVE').process('p', 'WAITING', 'FORKED', 'RUNNING');
    const begin = base.bytes().toString('base64');
    const length = base.bytes().length;
    const end = base.process('p', 'SUCCESS').status('SUCCESS').bytes().subarray(length).toString('base64');
    mkdirSync(join(root, 'tasks/active'), { recursive: true });
    mkdirSync(join(root, 'tasks/finished'));
    mkdirSync(join(root, 'checkpoints'));
    const script = `
      cd "$0" || exit 1
      for n in $(seq 1 400); do
        mkdir checkpoints/t$n
        exec 9>>checkpoints/t$n/runner; flock 9
        echo '${begin}' | base64 -d >&9; echo '{"processes":[]}' >tasks/active/t$n
        echo '${end}' | base64 -d >&9; mv tasks/active/t$n tasks/finished/; exec 9>&-
      done`;
    children.push(spawn('bash', ['-c', script, root], { stdio: 'inherit' }));
    let most = 0;
    for (let times = 0; times < 15 || most === 0; times++) {
      const { tasks } = json('status', ['--root', root]).json;
      most = tasks.length;
      // Between making the directory and taking the lock nothing can be known.
      const begun = tasks.filter(({ state }: { state: string }) => state !== 'UNKNOWN');
      // Where a lock can't be seen, a task of 2014 has no runner any more.
      const right = seesAllLocks() ? ['ok'] : ['ok', 'host-rebooted'];
      const odd = begun.filter(({ verdict }: { verdict: string }) => !right.includes(verdict));
      expect(odd).toEqual([]);
      const codes = tasks.flatMap(({ problems }: { problems: { code: string }[] }) =>
        problems.map(({ code }) => code),
      );
      expect(codes).not.toContain('task-file-twice');
    }
  });

  test('a stream that grows in odd pieces is at most incomplete, never damaged', () => {
    const directory = writeTask(root, 't', { runner: new Records().status('ACTIVE') });
    const records = new Records();
    for (let i = 0; i < 20_000; i++) records.process(`p${i % 7}`, ...RAN);
    const stream = join(temp.path, 'stream');
    writeFileSync(stream, records.bytes());
    meanwhile(`
      const fs = require('node:fs');
      const bytes = fs.readFileSync(${JSON.stringify(stream)});
      const fd = fs.openSync(${JSON.stringify(join(directory, 'runner'))}, 'a');
      for (let at = 0, n = 1; at < bytes.length; n++) {
        const length = 1 + ((n * 7919) % 613);
        fs.writeSync(fd, bytes, at, Math.min(length, bytes.length - at));
        at += length;
        for (const until = performance.now() + 0.2; performance.now() < until; );
      }`);
    let most = 0;
    for (let times = 0; times < 12 || most === 0; times++) {
      const { json: document, status } = json('status', ['--root', root]);
      const [task] = document.tasks;
      expect([
        status,
        task.problems.filter(({ code }: { code: string }) => code !== 'checkpoint-incomplete'),
      ]).toEqual([0, []]);
      const runs = task.processes.reduce((sum: number, process: { runs: number }) => sum + process.runs, 0);
      expect(runs).toBeGreaterThanOrEqual(most);
      most = runs;
    }
  });
});

describe('where it is written to', () => {
  test.each(['status', 'status --json', 'status -q', 'inspect t', 'inspect t --json'])('%s', (command) => {
    writeTask(root, 't', { runner: new Records().status('ACTIVE').process('p', ...RAN) });
    const { stdout, stderr } = shell(`
      thermos ${command} --root '${root}' | true; echo "\${PIPESTATUS[0]}"
      thermos ${command} --root '${root}' | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"
      thermos ${command} --root '${root}' >/dev/full; echo "$?"`);
    const [closed, cut, full] = stdout.trimEnd().split('\n');
    expect([closed, cut]).toEqual(['0', '0']);
    expect(full).not.toBe('0');
    expect(stderr).toMatch(/^error: cannot write to stdout: no space left on device\n/);
  });

  test('a pipe that is closed in the midst of much', () => {
    for (let i = 0; i < 400; i++)
      writeTask(root, `task-${i}`, { task: { processes: [{ name: 'p', cmdline: 'x'.repeat(2000) }] } });
    const { stdout, stderr } = shell(
      `thermos status --json --root '${root}' | head -c 100 >/dev/null; echo "\${PIPESTATUS[0]}"`,
    );
    expect([stdout, stderr]).toEqual(['0\n', '']);
  });
});
