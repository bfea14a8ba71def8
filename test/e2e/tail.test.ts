import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { DEFAULT_ROOTS, FIXTURES, REPOSITORY, shell, thermos } from './harness.js';
import { type LoggedTask, LoggedTasks, type Running } from './logged-task.js';
import { unprivileged } from './tasks.js';

const tasks = new LoggedTasks();

/** A finished task whose one process wrote this. */
function finished(stdout: string | Buffer, stderr = ''): LoggedTask {
  const task = tasks.task();
  task.write('web', 0, stdout, stderr);
  task.start('web').update('web', 'SUCCESS').end('SUCCESS');
  return task;
}

function tail(task: LoggedTask, ...args: string[]) {
  return thermos(['tail', '--root', task.root, task.id, ...args]);
}

function follow(task: LoggedTask, ...args: string[]): Running {
  return tasks.start(['tail', '--root', task.root, task.id, ...args]);
}

/** A task whose runner lives and whose process wrote `one`, and the program that follows it and has shown that. */
async function followed(): Promise<{ task: LoggedTask; thermos: Running }> {
  const task = tasks.task();
  await task.run();
  task.write('web', 0, 'one\n');
  task.start('web');
  const thermos = follow(task, '--stdout');
  await thermos.until(({ stdout }) => stdout === 'one\n');
  return { task, thermos };
}

const fixture = (name: string) => join(FIXTURES, 'checkpoints', name);
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join('');

describe('the last lines', () => {
  test('ten of each log by default, the last one included', () => {
    const task = finished(numbers(1, 15));
    expect(tail(task, '--stdout')).toMatchObject({ stdout: numbers(6, 15), stderr: '', status: 0 });
  });

  test.each([
    ['0', ''],
    ['1', 'line 15\n'],
    ['15', numbers(1, 15)],
    ['16', numbers(1, 15)],
    ['all', numbers(1, 15)],
  ])('-n %s', (n, expected) => {
    const task = finished(numbers(1, 15));
    expect(tail(task, '--stdout', '-n', n)).toMatchObject({ stdout: expected, stderr: '', status: 0 });
  });

  test('a last line without a newline is a line, and stays without', () => {
    const task = finished(`${numbers(1, 3)}the error`);
    expect(tail(task, '--stdout', '-n', '2').stdout).toBe('line 3\nthe error');
  });

  test('bytes pass through a log that is alone', () => {
    const bytes = Buffer.from([0, 255, 27, 91, 10, 13, 10, 128]);
    const task = finished(bytes);
    const result = spawnSync(process.execPath, [
      join(REPOSITORY, 'bin/run.js'),
      'tail',
      '--root',
      task.root,
      task.id,
      '--stdout',
    ]);
    expect(result.stdout).toEqual(bytes);
  });

  test('a log written by the original, as tail(1) has it', () => {
    const log = join(fixture('large-stdout'), 'sandbox/.logs/loud/0/stdout');
    const args = ['--root', join(fixture('large-stdout'), 'root'), 'loud-1', 'loud', '--stdout'];
    for (const n of ['1', '10', '777']) {
      const expected = execFileSync('tail', ['-n', n, log], { encoding: 'utf8' });
      expect(thermos(['tail', ...args, '-n', n])).toMatchObject({ stdout: expected, status: 0 });
    }
    expect(thermos(['tail', ...args, '--lines=all']).stdout).toBe(readFileSync(log, 'utf8'));
  });

  test('go on into the rotated backups', () => {
    const root = join(fixture('rotate'), 'root');
    const { stdout } = thermos(['tail', '--root', root, 'rot-1', 'chatty', '--stdout', '-n', '100']);
    const expected = Array.from({ length: 100 }, (_, i) => `line ${String(101 + i).padStart(43, '0')}\n`);
    expect(stdout).toBe(expected.join(''));
  });

  test.each(['-1', '1.5', 'x', '', '+3', '99999999999999999999'])('--lines=%s is a mistake', (n) => {
    const { stderr, stdout, status } = tail(finished(''), `--lines=${n}`);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain(`--lines takes a number of lines or all, not `);
  });
});

describe('several logs', () => {
  function two(): LoggedTask {
    const task = tasks.task(['web', 'db']);
    task.write('web', 0, 'w1\nw2', 'e1\n');
    task.write('db', 0, 'd1\n');
    task.start('web', 1_400_000_020).update('web', 'SUCCESS');
    task.start('db', 1_400_000_010).update('db', 'SUCCESS').end('SUCCESS');
    return task;
  }

  test('have their names in front, those of the run that began first first', () => {
    const { stdout, stderr, status } = tail(two());
    expect(stdout).toBe('db 0 stdout | d1\nweb 0 stdout | w1\nweb 0 stdout | w2\nweb 0 stderr | e1\n');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });

  test('of one stream do not name it', () => {
    const task = two();
    expect(tail(task, '--stdout').stdout).toBe('db 0 | d1\nweb 0 | w1\nweb 0 | w2\n');
    expect(tail(task, '--stderr', 'web').stdout).toBe('e1\n');
    expect(tail(task, '--stdout', '--stderr', 'web', '-n1').stdout).toBe(
      'web 0 stdout | w2\nweb 0 stderr | e1\n',
    );
  });

  test('without prefix are whole lines', () => {
    expect(tail(two(), '--no-prefix').stdout).toBe('d1\nw1\nw2\ne1\n');
  });

  test('of processes by name and by glob', () => {
    const task = two();
    expect(tail(task, 'db', 'web', '--stdout').stdout).toBe('db 0 | d1\nweb 0 | w1\nweb 0 | w2\n');
    expect(tail(task, 'w*', '--stdout').stdout).toBe('w1\nw2');
    const { stderr, status } = tail(task, 'api');
    expect({ stderr, status }).toEqual({
      stderr: "error: no process 'api' in task task-1: its processes are web, db\n",
      status: 1,
    });
  });

  test('of several runs', () => {
    const task = tasks.task([{ name: 'web', max_failures: 3 }]);
    for (const run of [0, 1, 2]) {
      task.write('web', run, `run ${run}\n`);
      task.start('web', 1_400_000_000 + run).update('web', 'FAILED');
    }
    task.end('FAILED');
    const runs = (...words: string[]) => tail(task, '--stdout', ...words);
    expect(runs().stdout).toBe('run 2\n');
    expect(runs('--run', '0').stdout).toBe('run 0\n');
    expect(runs('--run', '-2').stdout).toBe('run 1\n');
    expect(runs('--run=-1,0').stdout).toBe('web 0 | run 0\nweb 2 | run 2\n');
    expect(runs('--run', 'all').stdout).toBe('web 0 | run 0\nweb 1 | run 1\nweb 2 | run 2\n');
    expect(runs('--run', '3')).toMatchObject({ status: 1, stderr: 'error: no run 3: web has runs 0 to 2\n' });
    expect(runs('--run', 'first')).toMatchObject({ status: 2 });
  });

  test('a run that only waits for its turn is none', () => {
    const task = tasks.task([{ name: 'web', max_failures: 3 }]);
    task.write('web', 0, 'run 0\n');
    task.start('web').update('web', 'FAILED', 'WAITING');
    expect(tail(task, '--stdout').stdout).toBe('run 0\n');
  });

  test('of several tasks name the task, and of several roots the root', () => {
    const first = tasks.task(['web'], 'job-0');
    const second = tasks.task(['web'], 'job-1');
    for (const task of [first, second]) {
      task.write('web', 0, `${task.id}\n`);
      task.start('web').update('web', 'SUCCESS').end('SUCCESS');
    }
    const all = ['tail', '--root', first.root, '--stdout'];
    expect(thermos([...all, 'job-.*']).stdout).toBe('job-0 web 0 | job-0\njob-1 web 0 | job-1\n');
    const copy = join(tasks.path, 'copy');
    cpSync(first.root, copy, { recursive: true });
    const { stdout } = thermos([...all, '--root', copy, 'job-0']);
    expect(stdout.split('\n').sort()).toEqual(
      ['', `${copy} web 0 | job-0`, `${first.root} web 0 | job-0`].sort(),
    );
  });

  test('--json: one object a line, by the schema, and the problems of it', () => {
    const task = two();
    writeFileSync(task.log('web', 0, 'stderr'), Buffer.from([0x65, 0xff, 10]));
    rmSync(task.log('db', 0));
    symlinkSync('/etc/passwd', task.log('db', 0));
    const { stdout, stderr, status } = tail(task, '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const line of lines) expect(violations('tail', line)).toEqual([]);
    const web = { task_id: 'task-1', process: 'web', run: 0 };
    expect(lines).toMatchObject([
      { problem: { code: 'log-link-refused', path: task.log('db', 0), process: 'db' } },
      { ...web, stream: 'stdout', line: 'w1' },
      { ...web, stream: 'stdout', line: 'w2' },
      { ...web, stream: 'stderr', line: 'e\ufffd', encoding: 'base64', bytes: 'Zf8=' },
    ]);
    expect(stderr).toContain('is a symbolic link, and it is not followed here');
    expect(status).toBe(5);
  });

  test('--path: the files, by age, as text and as JSON', () => {
    const root = join(fixture('rotate'), 'root');
    const directory = join(fixture('rotate'), 'sandbox/.logs/chatty/0');
    const { stdout } = thermos(['tail', '--root', root, 'rot-1', '--path']);
    const names = ['stdout.3', 'stdout.2', 'stdout.1', 'stdout', 'stderr'];
    expect(stdout).toBe(names.map((name) => `${join(directory, name)}\n`).join(''));
    const json = thermos(['tail', '--root', root, 'rot-1', '--path', '--json', '--stderr']).stdout;
    expect(violations('tail-path', JSON.parse(json))).toEqual([]);
    expect(JSON.parse(json)).toMatchObject({ path: join(directory, 'stderr'), bytes: 5, run: 0 });
  });

  test('on a terminal the prefix has a colour, unless it may not', () => {
    const task = two();
    const line = `"${process.execPath}" bin/run.js tail --root ${task.root} task-1 db`;
    const onTerminal = (words: string, env: Record<string, string> = {}) =>
      shell(`SHELL=$(command -v bash) script -qec '${line} ${words}' /dev/null </dev/null`, {
        cwd: REPOSITORY,
        env: { TERM: 'xterm', ...env },
      }).stdout;
    expect(onTerminal('')).toBe('\u001b[36mdb 0 stdout |\u001b[39m d1\r\n');
    expect(onTerminal('--no-color')).toBe('db 0 stdout | d1\r\n');
    expect(onTerminal('', { NO_COLOR: '1' })).toBe('db 0 stdout | d1\r\n');
  });
});

describe('where tasks live', () => {
  test('a Mesos tree that was moved', () => {
    const root = join(fixture('mesos-relocated'), 'mesos');
    const { stdout, status } = thermos([
      'tail',
      '--mesos-root',
      root,
      'www-data-prod-moved',
      'm1',
      '--stdout',
    ]);
    expect({ stdout, status }).toEqual({ stdout: 'm1\n', status: 0 });
  });

  test('no word is needed inside a sandbox, and a path does for one', () => {
    const [run] = execFileSync('find', [fixture('mesos-relocated'), '-name', 'sandbox'], { encoding: 'utf8' })
      .trim()
      .split('\n') as [string];
    expect(thermos(['tail', '--stderr'], { cwd: run, env: DEFAULT_ROOTS })).toMatchObject({ status: 0 });
    expect(thermos(['tail', run, 'm2', '--stderr']).stdout).toBe('m2\n');
    const { status, stderr } = thermos(['tail', '--root', tasks.path]);
    expect(status).toBe(2);
    expect(stderr).toContain('no task is named');
  });

  test('names of processes that mean something elsewhere', () => {
    const root = join(fixture('odd-names'), 'root');
    const of = (...words: string[]) => thermos(['tail', '--root', root, '.*', '--stdout', ...words]).stdout;
    expect(of('a.b.c')).toBe('0\n');
    expect(of('with space')).toBe('1\n');
    expect(of('--', '-dash')).toBe('3\n');
    expect(of('br[0]acket')).toBe('4\n');
    expect(of('star*')).toBe('5\n');
  });

  test('a process that has the name of a value of a flag', () => {
    const task = tasks.task(['5', '1']);
    for (const name of ['5', '1']) {
      task.write(name, 0, `${name}\n`);
      task.start(name).update(name, 'SUCCESS');
    }
    task.end('SUCCESS');
    const words = ['--lines', '1', '--root', task.root, task.id, '1', '--stdout'];
    expect(thermos(['tail', ...words])).toMatchObject({ stdout: '1\n', status: 0 });
  });
});

describe('why there is no log', () => {
  test.each([
    ['to-none', "keeps no log: its logger's destination is none"],
    ['to-console', "has no log file: its logger's destination is console"],
  ])('%s', (process, why) => {
    const root = join(fixture('logger-destinations'), 'root');
    const { stdout, stderr, status } = thermos(['tail', '--root', root, 'dest-1', process]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toContain(`error: ${process} of dest-1 ${why}`);
    const json = thermos(['tail', '--root', root, 'dest-1', process, '--json']);
    expect(violations('error', JSON.parse(json.stdout))).toEqual([]);
    expect(json.status).toBe(1);
  });

  test('of those that have none beside others, a warning', () => {
    const root = join(fixture('logger-destinations'), 'root');
    const { stdout, stderr, status } = thermos(['tail', '--root', root, 'dest-1', '--stdout']);
    expect(stdout).toBe('to-file 0 | out file\nto-both 0 | out both\n');
    expect(stderr).toContain('warning: to-none of dest-1 keeps no log');
    expect(status).toBe(0);
  });

  test('not started', () => {
    const task = tasks.task(['web', 'late']);
    task.write('web', 0, 'x\n');
    task.start('web');
    expect(tail(task, 'late')).toMatchObject({
      status: 1,
      stderr: 'error: late of task-1 never started: it has no log\n',
    });
    expect(tail(task, '--stdout')).toMatchObject({
      status: 0,
      stdout: 'x\n',
      stderr: 'never started: late\n',
    });
  });

  test('collected', () => {
    const task = finished('x\n');
    rmSync(task.sandbox, { recursive: true });
    const { stderr, status } = tail(task);
    expect(status).toBe(1);
    expect(stderr).toContain('is gone: the sandbox was collected');
  });

  test('only the logs collected', () => {
    const task = finished('x\n');
    rmSync(task.logDir, { recursive: true });
    expect(tail(task).stderr).toContain('is gone: the logs were collected, but the sandbox was not');
  });

  test('a sandbox that may not be entered: told once, by inspect too', () => {
    const task = tasks.task(['web', 'db']).start('web').start('db');
    for (const name of ['web', 'db']) task.write(name, 0, 'x\n');
    task.end('SUCCESS');
    const who = unprivileged();
    const closed = who.uid === undefined ? 0o000 : 0o700;
    for (const directory of [task.sandbox, task.logDir]) {
      chmodSync(directory, closed);
      const error = `error: cannot read the logs of task-1 in ${task.logDir}: permission denied\n`;
      const hint = "hint: read them as root or as the task's user, for example with sudo\n";
      for (const args of [[], ['--follow'], ['--path'], ['web', 'db']]) {
        const command = ['tail', '--root', task.root, 'task-1', ...args];
        expect(thermos(command, who)).toMatchObject({ status: 5, stdout: '', stderr: error + hint });
      }
      const inspected = thermos(['inspect', '--root', task.root, 'task-1'], who);
      expect(inspected).toMatchObject({ status: 5, stderr: error + hint });
      chmodSync(directory, 0o755);
    }
    chmodSync(join(task.logDir, 'db'), closed);
    const { status, stdout, stderr } = thermos(['tail', '--root', task.root, 'task-1', '--stdout'], who);
    expect([status, stdout]).toEqual([5, 'x\n']);
    expect(stderr).toContain(`cannot read the logs of task-1 in ${task.logDir}/db: permission denied`);
    chmodSync(join(task.logDir, 'db'), 0o755);
  });

  test('deleted', () => {
    const task = finished('x\n');
    rmSync(join(task.logDir, 'web'), { recursive: true });
    expect(tail(task)).toMatchObject({
      status: 1,
      stderr: `error: there is no log ${task.log('web', 0)}\n`,
    });
  });

  test('empty', () => {
    expect(tail(finished(''))).toMatchObject({ status: 0, stdout: '', stderr: '0 lines\n' });
  });

  test('no such task', () => {
    const task = finished('x\n');
    const { stderr, status } = thermos(['tail', '--root', task.root, 'task-2']);
    expect(status).toBe(1);
    expect(stderr).toContain("no task matches 'task-2'");
    expect(stderr).toContain('task-1');
  });

  test('the stream is damaged: what lies on disk is read', () => {
    const task = finished('x\n');
    writeFileSync(task.stream, readFileSync(task.stream).subarray(0, 20));
    const { stdout, stderr, status } = tail(task, '--stdout');
    expect({ stdout, status }).toEqual({ stdout: 'x\n', status: 0 });
    expect(stderr).toContain('warning: the checkpoint');
  });

  test('may not be read', () => {
    const task = finished('x\n', 'secret\n');
    chmodSync(task.log('web', 0, 'stderr'), 0o600);
    // Root may read everything; then somebody else looks.
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    if (uid === undefined) chmodSync(task.log('web', 0, 'stderr'), 0);
    const { stdout, stderr, status } = thermos(['tail', '--root', task.root, 'task-1', '--no-prefix'], {
      uid,
    });
    expect({ stdout, status }).toEqual({ stdout: 'x\n', status: 5 });
    expect(stderr).toContain(`cannot read ${task.log('web', 0, 'stderr')}: permission denied`);
    expect(stderr).toContain('sudo');
  });
});

describe('a hostile sandbox', () => {
  test.each<[string, (path: string) => void, string]>([
    [
      'a link to a file of somebody else',
      (path) => symlinkSync('/etc/passwd', path),
      'is a symbolic link, and it is not followed here',
    ],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'is a FIFO, not a regular file'],
    ['a device', (path) => symlinkSync('/dev/zero', path), 'is a symbolic link, and it is not followed here'],
    ['a directory', (path) => mkdirSync(path), 'is a directory, not a regular file'],
  ])('%s in the place of a log', (_, put, why) => {
    const task = finished('x\n', 'y\n');
    rmSync(task.log('web', 0));
    put(task.log('web', 0));
    for (const args of [[], ['-f'], ['-n', 'all', '--no-prefix']]) {
      const { stdout, stderr, status } = tail(task, ...args);
      expect(stdout).toContain('y\n');
      expect(stdout).not.toContain('root:');
      expect(stderr).toContain(why);
      expect(status).toBe(5);
    }
  });

  test('a link in the place of the directory of a run', () => {
    const task = finished('x\n');
    renameSync(join(task.logDir, 'web', '0'), join(tasks.path, 'elsewhere'));
    symlinkSync(join(tasks.path, 'elsewhere'), join(task.logDir, 'web', '0'));
    expect(tail(task)).toMatchObject({ stdout: '', status: 5 });
  });

  test('a name that leads out of the log directory', () => {
    const task = tasks.task(['../../../out', 'web']);
    task.write('web', 0, 'x\n');
    mkdirSync(join(tasks.path, 'out', '0'), { recursive: true });
    writeFileSync(join(tasks.path, 'out', '0', 'stdout'), 'secret\n');
    task.start('web').start('../../../out').end('SUCCESS');
    const { stdout, stderr, status } = tail(task, '--stdout');
    expect({ stdout, status }).toEqual({ stdout: 'x\n', status: 5 });
    expect(stderr).toContain('leads out of the log directory');
    expect(tail(task, '../../../out')).toMatchObject({ stdout: '', status: 5 });
  });

  test('control characters in names are shown escaped, those in lines are left alone', () => {
    const name = 'w\u001b[31m\n';
    const task = tasks.task([name, 'b']);
    task.write(name, 0, '\u001b[1mbold\n');
    task.start(name).update(name, 'SUCCESS').end('SUCCESS');
    const { stdout, stderr } = tail(task);
    expect(stdout).toBe('w\\e[31m\\n 0 stdout | \u001b[1mbold\n');
    expect(stderr).toBe('never started: b\n');
  });
});

describe('outputs', () => {
  test('a closed pipe ends it quietly', () => {
    const task = finished(numbers(1, 200_000));
    const line = `thermos tail --root ${task.root} task-1 -n all --stdout | head -1; echo "\${PIPESTATUS[0]}"`;
    expect(shell(line)).toMatchObject({ stdout: 'line 1\n0\n', stderr: '' });
  });

  test('a full device is an error', () => {
    const task = finished(numbers(1, 5));
    const { stderr } = shell(
      `thermos tail --root ${task.root} task-1 --stdout >/dev/full; echo "status $?" >&2`,
    );
    expect(stderr).toBe('error: cannot write to stdout: no space left on device\nstatus 5\n');
  });
});

describe('following', () => {
  test('is what it does by itself if the task runs, and only then', async () => {
    const task = tasks.task();
    task.write('web', 0, 'one\n');
    task.start('web');
    expect(tail(task, '--stdout')).toMatchObject({ stdout: 'one\n', status: 0 });
    await task.run();
    expect(tail(task, '--stdout', '--no-follow')).toMatchObject({ stdout: 'one\n', stderr: '', status: 0 });
    const thermos = follow(task, '--stdout');
    await thermos.until(({ stdout }) => stdout === 'one\n');
    appendFileSync(task.log('web', 0), 'two\nthr');
    await thermos.until(({ stdout }) => stdout === 'one\ntwo\nthr');
    appendFileSync(task.log('web', 0), 'ee');
    task.update('web', 'SUCCESS').end('SUCCESS');
    expect(await thermos.ended).toBe(0);
    expect(thermos.stdout).toBe('one\ntwo\nthree');
    expect(thermos.stderr).toBe('==> task-1: SUCCESS <==\n');
  });

  test('of a task that does not run says so and ends', () => {
    const { stdout, stderr, status } = tail(finished('x\n'), '-f', '--stdout');
    expect({ stdout, status }).toEqual({ stdout: 'x\n', status: 0 });
    expect(stderr).toBe('==> nothing of task-1 is running, so there is nothing to follow <==\n');
  });

  test('ends when the process that was named has ended, while the task goes on', async () => {
    const task = tasks.task(['web', 'db']);
    await task.run();
    for (const name of ['web', 'db']) {
      task.write(name, 0, `${name}\n`);
      task.start(name);
    }
    const thermos = follow(task, 'web', '--stdout');
    await thermos.until(({ stdout }) => stdout === 'web\n');
    appendFileSync(task.log('web', 0), 'last\n');
    task.update('web', 'SUCCESS');
    expect(await thermos.ended).toBe(0);
    expect(thermos.stdout).toBe('web\nlast\n');
    expect(thermos.stderr).toBe('==> web: SUCCESS <==\n');
  });

  test('ends when the runner dies', async () => {
    const { task, thermos } = await followed();
    await task.killRunner();
    expect(await thermos.ended).toBe(0);
  });

  test('goes on into the next run, with a mark on stderr', async () => {
    const task = tasks.task([{ name: 'web', max_failures: 3 }]);
    await task.run();
    task.write('web', 0, 'zero');
    task.start('web');
    const thermos = follow(task, '--stdout');
    await thermos.until(({ stdout }) => stdout === 'zero');
    appendFileSync(task.log('web', 0), ', the end');
    task.update('web', 'FAILED');
    task.write('web', 1, 'one\n');
    task.start('web');
    await thermos.until(({ stdout, stderr }) => stdout === 'zero, the end\none\n' && stderr !== '');
    expect(thermos.stderr).toBe('==> web: run 0 FAILED (exit code 7), continuing with run 1 <==\n');
    appendFileSync(task.log('web', 1), 'two\n');
    await thermos.until(({ stdout }) => stdout.endsWith('one\ntwo\n'));
    task.update('web', 'SUCCESS').end('SUCCESS');
    expect(await thermos.ended).toBe(0);
  });

  test('picks up processes that start later, and holds half a line back', async () => {
    const task = tasks.task(['web', 'db']);
    await task.run();
    task.write('web', 0, 'half');
    task.start('web');
    const thermos = follow(task, '--stdout');
    await thermos.until(({ stderr }) => stderr.includes('not started yet: db'));
    task.write('db', 0, 'd\n');
    task.start('db');
    await thermos.until(({ stdout }) => stdout === 'db 0 | d\n');
    appendFileSync(task.log('web', 0), ' a line\nrest');
    await thermos.until(({ stdout }) => stdout === 'db 0 | d\nweb 0 | half a line\n');
    task.update('web', 'SUCCESS').update('db', 'SUCCESS').end('SUCCESS');
    expect(await thermos.ended).toBe(0);
    expect(thermos.stdout).toBe('db 0 | d\nweb 0 | half a line\nweb 0 | rest\n');
  });

  test('waits for a process that was named and has not started', async () => {
    const task = tasks.task();
    await task.run();
    expect(tail(task, 'web')).toMatchObject({ status: 1 });
    const thermos = follow(task, 'web', '-f', '--json');
    await thermos.until(({ stderr }) => stderr.includes('no log so far; waiting for one'));
    task.write('web', 0, 'x\n');
    task.start('web');
    await thermos.until(({ stdout }) => stdout.includes('"line":"x"'));
    task.update('web', 'SUCCESS');
    expect(await thermos.ended).toBe(0);
    for (const line of thermos.stdout.trimEnd().split('\n')) {
      expect(violations('tail', JSON.parse(line))).toEqual([]);
    }
  });

  test('loses nothing when a writer rotates by renaming or somebody copies and truncates', async () => {
    const task = tasks.task();
    await task.run();
    task.write('web', 0, '');
    task.start('web');
    const thermos = follow(task, '--stdout', '-n', 'all');
    await thermos.until(({ stderr }) => stderr.includes('0 lines so far'));
    const count = 3000;
    const script = `
      log=$1; i=$2
      while [ $i -lt $3 ]; do
        i=$((i+1)); echo "line $i" >>"$log"
        case $i in
          *[05]00) mv "$log.2" "$log.3"; mv "$log.1" "$log.2"; mv "$log" "$log.1"; : >>"$log" ;;
          *250) mv "$log.2" "$log.3"; mv "$log.1" "$log.2"; cp "$log" "$log.1"; : >"$log" ;;
        esac 2>/dev/null
      done`;
    // Two rotations and a bit: then the reader may catch up, for with three backups it can't be overtaken.
    for (let from = 0; from < count; from += 600) {
      const words = [task.log('web', 0), String(from), String(from + 600)];
      const writer = spawn('sh', ['-c', script, 'sh', ...words], { stdio: 'ignore' });
      await once(writer, 'exit');
      await thermos.until(({ stdout }) => stdout.endsWith(`line ${from + 600}\n`));
    }
    task.update('web', 'SUCCESS').end('SUCCESS');
    expect(await thermos.ended).toBe(0);
    expect(thermos.stdout).toBe(numbers(1, count));
    expect(thermos.stderr).not.toContain('missing');
  });

  test('is no worse for a log that is away for a moment', async () => {
    const { task, thermos } = await followed();
    renameSync(task.log('web', 0), `${task.log('web', 0)}.1`);
    task.write('web', 0, '', 'noise\n');
    appendFileSync(`${task.log('web', 0)}.1`, 'two\n');
    appendFileSync(task.log('web', 0), 'three\n');
    await thermos.until(({ stdout }) => stdout.split('\n').length === 4);
    expect(thermos.stdout).toBe('one\ntwo\nthree\n');
    truncateSync(task.log('web', 0));
    await thermos.until(({ stderr }) => stderr.includes('stdout of web, run 0, was truncated'));
    appendFileSync(task.log('web', 0), 'four\n');
    await thermos.until(({ stdout }) => stdout === 'one\ntwo\nthree\nfour\n');
    expect(await thermos.kill('SIGINT')).toBe(130);
  });

  test.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends by %s with %d', async (signal, status) => {
    const task = tasks.task();
    await task.run();
    task.write('web', 0, 'one\n');
    task.start('web');
    const thermos = follow(task);
    await thermos.until(({ stdout }) => stdout === 'web 0 stdout | one\n');
    // Now it follows, and has nothing else to do than to wait for a signal.
    appendFileSync(task.log('web', 0), 'two\n');
    await thermos.until(({ stdout }) => stdout.endsWith('two\n'));
    expect(await thermos.kill(signal)).toBe(status);
  });

  test('ends when nobody reads any more, though nothing is written', async () => {
    const { thermos } = await followed();
    thermos.child.stdout?.destroy();
    expect(await thermos.ended).toBe(0);
  });

  test('ends when it writes into a pipe that nobody reads any more', async () => {
    const task = tasks.task();
    await task.run();
    task.write('web', 0, 'one\n');
    task.start('web');
    const writer = `while :; do echo more >>'${task.log('web', 0)}'; sleep 0.05; done & writer=$!;`;
    const reader = `thermos tail --root '${task.root}' task-1 --stdout --lines=all | head -1; echo "\${PIPESTATUS[0]}";`;
    expect(shell(`${writer} ${reader} kill $writer`)).toMatchObject({ stdout: 'one\n0\n', stderr: '' });
  });

  test('gives back the files of runs that are over', async () => {
    const task = tasks.task([{ name: 'web', daemon: true }]);
    await task.run();
    const thermos = follow(task, '-f', '--stdout');
    for (let run = 0; run < 5; run++) {
      task.write('web', run, `${run}\n`);
      task.start('web');
      await thermos.until(({ stdout }) => stdout.endsWith(`${run}\n`));
      task.update('web', 'SUCCESS');
    }
    const open = openFiles(thermos.child.pid as number).filter((path) => path.startsWith(task.logDir));
    expect(open).toEqual([task.log('web', 4)]);
  });
});

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed in between.
      return [];
    }
  });
}
