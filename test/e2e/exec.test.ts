import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAS_NATIVE } from '../runner/harness.js';
import { CAN_CONTAIN, CONTAINER } from './containers.js';
import {
  cleanEnv,
  PROGRAM,
  placeForEach,
  REPOSITORY,
  runToEnd,
  shell,
  startThermos,
  thermos,
} from './harness.js';
import { RunPlace } from './run-task.js';

const AS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
/** Who owns nothing here. */
const STRANGER = 4711;
const PATIENCE_MS = 60_000;

/** As what the tests run a task: root for another user, anybody else for himself. */
const FOR_USER = AS_ROOT ? ['--user', 'nobody'] : [];
/** Root cannot run a command without the program in C. */
const CAN_EXEC = HAS_NATIVE || !AS_ROOT;

/** Something of each of what a process has: not what it would have anyway. */
const PLAIN = `umask 027; ulimit -n 300; ulimit -c 0; echo 250 >/proc/$$/oom_score_adj
mkdir -p sub; cd sub; OWN='of it' exec nice -n 3 sleep 100000`;

let place: RunPlace;
let task: Task;
beforeAll(async () => {
  place = new RunPlace();
  task = await start('t', [
    { name: 'plain', cmdline: PLAIN },
    { name: 'other', cmdline: 'echo {{thermos.ports[http]}}; exec sleep 100000' },
    { name: 'over', cmdline: 'exit 1' },
  ]);
});
afterAll(() => place.remove());

interface Task {
  readonly id: string;
  pid(process: string): number;
}

/** Runs a task until its processes are what they become: `sleep`. */
async function start(id: string, processes: { name: string; cmdline: string }[]): Promise<Task> {
  const config = place.config(processes, { max_failures: 9 }, id);
  const words = ['--task-id', id, '-P', 'http:8080', ...FOR_USER, '--daemon', config];
  const { status, stderr } = place.thermos('run', ...words);
  expect([status, stderr]).toEqual([0, stderr]);
  const pid = (process: string): number => place.inspect(id).history[process]?.at(-1)?.pid ?? 0;
  for (const { name, cmdline } of processes) {
    await until(() => (cmdline.includes('sleep') ? commandOf(pid(name)) === 'sleep' : pid(name) > 0));
  }
  return { id, pid };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !isTrue(); await sleep(20)) {
    if (Date.now() > end) throw new Error('it never came');
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

const exec = (...words: string[]) => thermos(['exec', '--root', place.root, ...words]);

/** What a process is, for /proc. */
interface Likeness {
  status: Record<string, string>;
  limits: string;
  oom: string;
  nice: string;
  environment: string[];
  cwd: string;
  root: string;
  namespaces: string[];
}

/** Lines of /proc/PID/status that say who it is and what it may do. */
const STATUS = [
  ...['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs'],
  ...['Umask', 'SigBlk', 'SigIgn'],
];

const NAMESPACES = readdirSync('/proc/self/ns').sort();

function likenessOf(proc: { read(name: string): string; link(name: string): string }): Likeness {
  const lines = proc
    .read('status')
    .split('\n')
    .map((line) => line.split(':\t') as [string, string]);
  return {
    status: Object.fromEntries(lines.filter(([name]) => STATUS.includes(name))),
    limits: proc.read('limits'),
    oom: proc.read('oom_score_adj'),
    nice: proc.read('stat').replace(/.*\) /s, '').split(' ')[16] as string,
    environment: proc
      .read('environ')
      .split('\0')
      .filter((entry) => entry !== ''),
    cwd: proc.link('cwd'),
    root: proc.link('root'),
    namespaces: NAMESPACES.map((kind) => proc.link(`ns/${kind}`)),
  };
}

const ofProcess = (pid: number) =>
  likenessOf({
    read: (name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'),
    link: (name) => readlinkSync(`/proc/${pid}/${name}`),
  });

const FILES = ['status', 'limits', 'oom_score_adj', 'stat', 'environ'];
const LINKS = ['cwd', 'root', ...NAMESPACES.map((kind) => `ns/${kind}`)];

/**
 * A script that prints all that `likenessOf` reads of its shell, and which descriptors that has. While a shell starts another
 * program, it blocks signals.
 */
const SHOW = [
  'while IFS= read -r line; do printf "%s\\n" "$line"; done </proc/$$/status; echo; echo =====',
  ...FILES.slice(1).map((name) => `cat /proc/$$/${name}; echo; echo =====`),
  ...LINKS.map((name) => `readlink /proc/$$/${name}; echo =====`),
  'ls /proc/$$/fd',
].join('\n');

function ofCommand(stdout: string): Likeness & { descriptors: string } {
  const parts = stdout.split('=====\n');
  const names = [...FILES, ...LINKS];
  const part = (name: string) => (parts[names.indexOf(name)] as string).slice(0, -1);
  return { ...likenessOf({ read: part, link: part }), descriptors: parts.at(-1) as string };
}

describe.skipIf(!CAN_EXEC)('a command beside a process', () => {
  /** All but the ports, which are added. */
  function expectLike(stdout: string, pid: number): void {
    const { descriptors, environment, ...command } = ofCommand(stdout);
    const { environment: its, ...process } = ofProcess(pid);
    expect(command).toEqual(process);
    expect(its).toContain('OWN=of it');
    expect(environment).toEqual([...its, 'THERMOS_PORT_http=8080']);
    expect(descriptors).toBe('0\n1\n2\n');
  }

  test.skipIf(!HAS_NATIVE)('is like the process in all that /proc says of both', () => {
    const { stdout, stderr, status } = exec('t', 'plain', '--', 'sh', '-c', SHOW);
    expect([status, stderr]).toEqual([0, '']);
    expectLike(stdout, task.pid('plain'));
  });

  test.skipIf(!HAS_NATIVE)('has nothing of the caller', () => {
    const line = `trap '' TERM HUP INT USR1; umask 077; ulimit -S -s 4096; export SECRET=x
      exec 7</etc/passwd 8>&1; thermos exec --root ${place.root} t plain -- sh -c '${SHOW}'`;
    const { stdout, status } = shell(line, { cwd: '/' });
    expect(status).toBe(0);
    expectLike(stdout, task.pid('plain'));
  });

  test.skipIf(!HAS_NATIVE || !AS_ROOT)('is the same for the user of the task', () => {
    const words = ['exec', '--root', place.root, 't', 'plain', '--', 'sh', '-c', SHOW];
    const { stdout, status } = thermos(words, { uid: NOBODY, env: { HOME: '/' } });
    expect(status).toBe(0);
    const { descriptors: _, environment: __, ...command } = ofCommand(stdout);
    const { environment: ___, ...process } = ofProcess(task.pid('plain'));
    // A user cannot change groups: a caller has all that are his.
    expect({ ...command, status: { ...command.status, Groups: '' } }).toEqual({
      ...process,
      status: { ...process.status, Groups: '' },
    });
  });

  test.skipIf(!AS_ROOT)("does not have the keys of root's session", () => {
    // The numbers of keyctl(2) and add_key(2).
    const [keyctl, add] = { x64: [250, 248], arm64: [219, 217] }[process.arch as string] ?? [];
    const join =
      'syscall($ARGV[0], 1, my $name = "of-root"); syscall($ARGV[1], my $type = "user", my $key = "a-key", my $value = "x", 1, -3);';
    const withKeys = (...words: string[]) =>
      runToEnd('perl', ['-e', `${join} exec @ARGV[2 .. $#ARGV]`, String(keyctl), String(add), ...words])
        .stdout;
    if (keyctl === undefined || !withKeys('cat', '/proc/keys').includes('a-key')) return;
    const words = ['exec', '--root', place.root, 't', 'plain', '--', 'cat', '/proc/keys'];
    expect(withKeys(process.execPath, PROGRAM, ...words)).not.toMatch(/of-root|a-key/);
  });

  test('passes its exit code on, and 128 and the number of a signal that ended it', () => {
    expect(exec('t', 'plain', '--', 'sh', '-c', 'exit 7').status).toBe(7);
    expect(exec('t', 'plain', '--', 'sh', '-c', 'kill -KILL $$').status).toBe(137);
    expect(exec('t', 'plain', '--', 'sh', '-c', 'kill -TERM $$').status).toBe(143);
  });

  test('has our stdin, stdout and stderr', () => {
    const { stdout, stderr, status } = thermos(
      ['exec', '--root', place.root, 't', 'plain', '--', 'sh', '-c', 'cat; echo wrong >&2'],
      { input: 'what is typed\n' },
    );
    expect([stdout, stderr.split('\n').at(-2), status]).toEqual(['what is typed\n', 'wrong', 0]);
  });

  test('gets its words as they are', () => {
    const { stdout } = exec('t', 'plain', '--', 'printf', '%s|', '--json', '', 'a b', '--', '$HOME', '-h');
    expect(stdout).toBe('--json||a b|--|$HOME|-h|');
  });

  test('that is not there, or cannot be executed, is 127 or 126', () => {
    const missing = exec('t', 'plain', '--', 'no-such-command');
    expect([missing.status, missing.stderr.split('\n').at(-2)]).toEqual([
      127,
      expect.stringMatching(/^thermos: no-such-command: no such file or directory$/i),
    ]);
    const directory = exec('t', 'plain', '--', '/');
    expect([directory.status, directory.stderr.split('\n').at(-2)]).toEqual([
      126,
      expect.stringMatching(/^thermos: \/: permission denied$/i),
    ]);
  });

  test('gets the signal that asks thermos to end', async () => {
    const script = "trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    const child = startThermos(['exec', '--root', place.root, 't', 'plain', '--', 'sh', '-c', script]);
    let shown = '';
    child.stdout?.on('data', (bytes) => {
      shown += String(bytes);
    });
    await until(() => shown === 'ready\n');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([5, null]);
    expect(shown).toBe('ready\nasked\n');
  });

  test('is beside the first process that is running, and says so if there are several', () => {
    const { stdout, stderr } = exec('t', '--', 'pwd');
    expect([stdout, stderr]).toEqual([
      `${join(place.sandbox('t'), 'sub')}\n`,
      'beside process plain; plain, other are running\n',
    ]);
    expect(exec('t', 'other', '--', 'pwd')).toMatchObject({ stdout: `${place.sandbox('t')}\n`, stderr: '' });
  });

  test('without words is bash, or a shell', () => {
    const words = ['exec', '--root', place.root, 't', 'other'];
    const { stdout, status } = thermos(words, { input: 'echo $BASH $PWD; exit 3\n' });
    expect([stdout, status]).toEqual([expect.stringMatching(`/bash ${place.sandbox('t')}\n$`), 3]);
  });
});

describe('exec refuses', () => {
  const lastLines = ({ stderr }: { stderr: string }) => stderr.trimEnd().split('\n').slice(-2).join('\n');
  const root = () => `--root ${place.root}`;

  test('a process that is not running, with its state', () => {
    const refused = exec('t', 'over', '--', 'true');
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(lastLines(refused)).toBe(
      `error: process over of task t is not running: it is FAILED\nhint: plain, other are running`,
    );
  });

  test('a process that the task does not have, and says where a command goes', () => {
    expect(lastLines(exec('t', 'plian'))).toBe(
      `error: task t has no process 'plian'
hint: did you mean plain? a command comes after --: thermos exec ${root()} t -- plian`,
    );
    const refused = exec('t', 'ls');
    expect(refused.status).toBe(1);
    expect(lastLines(refused)).toContain(
      'hint: its processes are plain, other, over; a command comes after --',
    );
  });

  test('flags and words of a command that is not after --', () => {
    const flag = exec('t', 'ls', '-la');
    expect([flag.status, flag.stderr]).toEqual([
      2,
      expect.stringContaining(`hint: put -- before the command: thermos exec ${root()} t -- ls -la\n`),
    ]);
    const word = exec('t', 'ls', 'sub');
    expect([word.status, word.stderr]).toEqual([
      2,
      expect.stringContaining("error: unexpected argument 'sub'\n"),
    ]);
    const none = exec('t', '--');
    expect([none.status, none.stderr]).toEqual([
      2,
      expect.stringContaining('error: no command comes after --\n'),
    ]);
    const task = exec('--', 'ls');
    expect([task.status, task.stderr]).toEqual([
      2,
      expect.stringContaining('error: missing argument TASK\n'),
    ]);
  });

  test('--json, which the output of a command is not', () => {
    const { stdout, status } = exec('--json', 't', '--', 'true');
    expect([JSON.parse(stdout).error.message, status]).toEqual([
      '--json is not possible: the output is that of the command',
      2,
    ]);
  });

  test('a task that there is not, and one that is over', () => {
    expect(exec('nonsense').status).toBe(1);
    const config = place.config([{ name: 'p', cmdline: 'true' }], {}, 'short');
    expect(place.thermos('run', '--task-id', 'short', ...FOR_USER, config).status).toBe(0);
    const refused = exec('short', '--', 'true');
    expect(refused.status).toBe(1);
    expect(lastLines(refused)).toBe(
      `error: no command can run in task short: it is over: SUCCESS
hint: its files are there: thermos ls ${root()} short; its logs: thermos tail ${root()} short; to run it again: thermos run --again short ${root()}`,
    );
  });

  test.skipIf(!AS_ROOT)('a stranger, and says who may', () => {
    const words = ['exec', '--root', place.root, 't', 'plain', '--', 'true'];
    const refused = thermos(words, { uid: STRANGER, env: { HOME: '/' } });
    expect(refused.status).toBe(2);
    expect(lastLines(refused)).toBe(
      `error: task t belongs to user nobody (uid ${NOBODY}), and you are uid ${STRANGER}
hint: sudo -u nobody thermos exec ${root()} t, or as root: sudo thermos exec ${root()} t`,
    );
  });

  test.skipIf(!AS_ROOT)(
    'root without the program in C, from which the command could take the terminal',
    () => {
      const words = ['exec', '--root', place.root, 't', 'plain', '--', 'true'];
      const refused = thermos(words, { env: { THERMOS_COORDINATOR: 'js' } });
      expect(refused.status).toBe(5);
      expect(refused.stderr).toContain('error: root needs the program in C (dist/coordinator)');
    },
  );
});

describe('without the program in C', () => {
  const env = { THERMOS_COORDINATOR: 'js', HOME: '/' };
  const script = 'pwd; umask; echo $OWN $THERMOS_PORT_http $SECRET; id -u; exit 9';

  test('a user still runs commands, and is told what they lack', () => {
    const words = ['exec', '--root', place.root, 't', 'plain', '--', 'sh', '-c', script];
    const { stdout, stderr, status } = thermos(words, {
      uid: AS_ROOT ? NOBODY : undefined,
      env: { ...env, SECRET: 'x' },
    });
    expect([status, stdout]).toEqual([
      9,
      `${join(place.sandbox('t'), 'sub')}\n0027\nof it 8080\n${AS_ROOT ? NOBODY : process.getuid?.()}\n`,
    ]);
    expect(stderr).toContain('has the limits of thermos, not those of the process');
  });

  test('with the same exit codes, and the same shell', () => {
    const run = (input: string, ...words: string[]) =>
      thermos(['exec', '--root', place.root, 't', 'other', ...words], {
        uid: AS_ROOT ? NOBODY : undefined,
        env,
        input,
      });
    expect(run('', '--', 'no-such-command').status).toBe(127);
    expect(run('', '--', '/').status).toBe(126);
    expect(run('', '--', 'sh', '-c', 'kill -KILL $$').status).toBe(137);
    expect(run('echo $BASH; exit 3\n')).toMatchObject({ stdout: expect.stringMatching(/bash$/m), status: 3 });
  });
});

describe.skipIf(!CAN_CONTAIN)('a task in namespaces of its own', () => {
  const temp = placeForEach();

  /** Runs a task as in a container; resolves to a pid in it when its process runs. */
  async function contained(...words: string[]): Promise<number> {
    const config = place.config([{ name: 'p', cmdline: 'echo > up; exec sleep 100000' }], {}, 'inside');
    const run = ['run', '--root', place.root, '--task-id', 'inside', ...words, config];
    const child = spawn('unshare', [...CONTAINER, '-u', process.execPath, PROGRAM, ...run], {
      env: cleanEnv(),
      stdio: 'ignore',
      detached: true,
    });
    temp.children.push(child);
    await until(() => place.file('inside', 'up') !== '');
    const path = `/proc/${child.pid}/task/${child.pid}/children`;
    return Number(readFileSync(path, 'utf8'));
  }

  async function removed(): Promise<void> {
    for (const child of temp.children) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    runToEnd('rm', [
      '-rf',
      ...['checkpoints/inside', 'tasks/active/inside', 'sandboxes/inside'].map((path) =>
        join(place.root, path),
      ),
    ]);
  }

  const KINDS = ['mnt', 'pid', 'uts', 'user'];
  const SHOWN = KINDS.map((kind) => `readlink /proc/self/ns/${kind}`).join('; ');
  const namespacesOf = (pid: number | 'self') =>
    `${KINDS.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`)).join('\n')}\n`;

  test.skipIf(!AS_ROOT || !HAS_NATIVE)('root enters them, or stays outside', async () => {
    const pid = await contained(...FOR_USER);
    const { stdout, stderr, status } = exec('inside', 'p', '--', 'sh', '-c', `${SHOWN}; id -u; pwd`);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${namespacesOf(pid)}${NOBODY}\n${place.sandbox('inside')}\n`);
    const stay = exec('--no-namespaces', 'inside', 'p', '--', 'sh', '-c', `${SHOWN}; id -u`);
    expect(stay.stdout).toBe(`${namespacesOf('self')}${NOBODY}\n`);
    await removed();
  });

  test.skipIf(!AS_ROOT || !HAS_NATIVE)(
    'a command of root in them never has the file of the program',
    async () => {
      await contained();
      const init = ['/proc/self/exe', '--init', 'sh', '-c', 'readlink /proc/$PPID/exe'];
      const { stdout, stderr, status } = exec('inside', 'p', '--', ...init);
      expect([status, stderr, stdout]).toEqual([0, '', '/memfd:thermos-exec (deleted)\n']);
      await removed();
    },
  );

  test('its user cannot enter them, and is told who can', async () => {
    await contained(...FOR_USER);
    const refused = thermos(['exec', '--root', place.root, 'inside', 'p', '--', 'true'], {
      uid: AS_ROOT ? NOBODY : undefined,
      env: { HOME: '/' },
    });
    expect([1, 2]).toContain(refused.status);
    expect(refused.stderr).toContain(`sudo thermos exec --root ${place.root} inside`);
    await removed();
  });
});

describe.skipIf(!AS_ROOT || !HAS_NATIVE)('a process with another root directory', () => {
  test('root enters it, or stays outside', async () => {
    const cmdline = `mkdir -m 755 jail; cp '${REPOSITORY}/dist/coordinator' jail/c
      exec perl -e '$0 = "sleep"; chroot "jail" or die; chdir "/"; open(F, ">/up"); close F; sleep 100000'`;
    const config = place.config([{ name: 'p', cmdline }], {}, 'jailed');
    expect(place.thermos('run', '--task-id', 'jailed', '--daemon', config).status).toBe(0);
    await until(() => readdirSync(join(place.sandbox('jailed'))).includes('jail'));
    await until(() => readdirSync(join(place.sandbox('jailed'), 'jail')).includes('up'));
    // Only there is a program of that name; without a stream it ends with 64.
    expect(exec('jailed', 'p', '--', '/c').status).toBe(64);
    expect(exec('jailed', 'p', '--', '/bin/true').status).toBe(127);
    expect(exec('jailed', 'p').status).toBe(127);
    expect(exec('--no-namespaces', 'jailed', 'p', '--', '/bin/true').status).toBe(0);
  });
});

describe.skipIf(!AS_ROOT || !HAS_NATIVE)('a process that runs a set-user-ID program of root', () => {
  /** A set-user-ID copy of perl; undefined if the file system knows none. */
  function grownPerl(): string | undefined {
    const path = join(place.path, 'grown');
    if (runToEnd('sh', ['-c', 'cp "$(readlink -f "$(command -v perl)")" "$0"', path]).status !== 0)
      return undefined;
    chmodSync(place.path, 0o755);
    chmodSync(path, 0o4755);
    const { stdout } = runToEnd(path, ['-e', 'print $>'], { uid: NOBODY });
    return stdout === '0' ? path : undefined;
  }

  test("never gets root's command, which the environment of its user would lead astray", async () => {
    const perl = grownPerl();
    if (perl === undefined) return;
    // The user's own `id` tells that it was executed, and as whom.
    const bin = join(place.path, 'bin');
    const told = join(place.path, 'told');
    mkdirSync(bin);
    writeFileSync(join(bin, 'id'), `#!/bin/sh\nset >'${told}'\n`);
    chmodSync(join(bin, 'id'), 0o755);
    const grown = (id: string, become: string) =>
      start(id, [
        { name: 'p', cmdline: `PATH='${bin}' exec '${perl}' -e '${become} $0 = "sleep"; sleep 100000'` },
      ]);
    const uidsOf = (pid: number) =>
      /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split('\t');

    const whole = await grown('whole', '$< = $>;');
    expect(uidsOf(whole.pid('p'))).toEqual(['0', '0', '0', '0']);
    const refused = exec('whole', 'p', '--', 'id');
    expect([refused.status, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain(`belongs to uid 0, but the task to uid ${NOBODY}`);
    // Also if it belongs to a task of root.
    const ticks = readFileSync(`/proc/${whole.pid('p')}/stat`, 'utf8')
      .replace(/.*\) /s, '')
      .split(' ')[19];
    const words = ['--exec', String(whole.pid('p')), String(ticks), '0', 'enter', 'id'];
    expect(runToEnd(join(REPOSITORY, 'dist/coordinator'), words)).toMatchObject({ status: 125, stdout: '' });

    const half = await grown('half', '');
    expect(uidsOf(half.pid('p'))).toEqual([String(NOBODY), '0', '0', '0']);
    expect(exec('half', 'p', '--', 'id')).toMatchObject({
      status: 125,
      stdout: '',
      stderr: expect.stringContaining('runs a set-user-ID or set-group-ID program'),
    });
    expect(existsSync(told)).toBe(false);
  });
});
