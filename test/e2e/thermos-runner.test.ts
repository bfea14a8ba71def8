import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Executor, type ExecutorOptions, RUNNER, until } from './executor.js';
import { runToEnd, tempDir, thermos } from './harness.js';
import { isAlive, type RunProcess } from './run-task.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
/** The role of the task, where the executor gives one. */
const role = isRoot ? 'nobody' : undefined;

let temp: ReturnType<typeof tempDir>;
const executors: Executor[] = [];
beforeEach(() => {
  temp = tempDir();
});
afterEach(async () => {
  for (const executor of executors.splice(0)) {
    if (executor.isLive) thermos(['kill', '--now', '--yes', '--root', executor.root, '.*']);
    executor.signal('SIGKILL');
    await executor.status();
  }
  temp.remove();
});

async function run(
  processes: readonly RunProcess[],
  options: Partial<ExecutorOptions> = {},
): Promise<Executor> {
  const executor = new Executor(processes, { directory: join(temp.path, 'run'), role, ...options });
  executors.push(executor);
  return await executor.start();
}

/** It says its pid in the sandbox, and does not end by itself. */
const SERVICE = { name: 'serve', cmdline: 'echo $$ > pid.new; mv pid.new pid; exec sleep 300' };
const FINAL = { name: 'last', cmdline: 'touch last', final: true };

describe('an executor that starts thermos-runner', () => {
  test('sees a task that succeeds', async () => {
    const executor = await run([{ name: 'a', cmdline: 'echo hello; echo oops >&2' }]);
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect([executor.output('a'), executor.output('a', 'stderr')]).toEqual(['hello\n', 'oops\n']);
    expect([executor.stdout, executor.stderr]).toEqual(['', '']);
    const { header } = JSON.parse(
      thermos(['inspect', '--json', '--root', executor.root, executor.taskId]).stdout,
    );
    expect(header).toMatchObject({ hostname: 'agent.example.com', sandbox: executor.sandbox });
  });

  test('sees a task that fails', async () => {
    const executor = await run([{ name: 'a', cmdline: 'exit 3' }]);
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
    expect([executor.stdout, executor.stderr]).toEqual(['', '']);
  });

  test.each(['SIGUSR1', 'SIGINT', 'SIGTERM'] as const)(
    'ends a task by %s: final processes run, and it is KILLED',
    async (signal) => {
      const executor = await run([SERVICE, FINAL]);
      await executor.seen('pid');
      const pid = Number(executor.file('pid'));
      executor.signal(signal);
      expect(await executor.status()).toBe('TASK_KILLED: Task killed.');
      await executor.seen('last');
      expect(isAlive(pid)).toBe(false);
      expect(executor.log).toMatch(new RegExp(`got ${signal}.*: the task is to end KILLED`));
    },
  );

  test('loses a task by SIGUSR2: nothing more runs, and it is LOST', async () => {
    const executor = await run([SERVICE, FINAL]);
    await executor.seen('pid');
    const pid = Number(executor.file('pid'));
    executor.lose();
    expect(await executor.status()).toBe('TASK_LOST: Task lost.');
    expect([executor.file('last'), isAlive(pid)]).toEqual(['', false]);
  });

  test('takes over a task whose runner it kills', async () => {
    const executor = await run([SERVICE]);
    await executor.seen('pid');
    executor.signal('SIGKILL');
    expect(await executor.status()).toBe('TASK_KILLED: Task killed by signal 9.');
    expect([executor.state, isAlive(Number(executor.file('pid')))]).toEqual(['ACTIVE', true]);
    // As the executor's `quitquitquit`, which is a runner itself.
    const words = role === undefined ? [] : ['--setuid=nobody'];
    const again = await run([SERVICE], { flags: words });
    await again.active(2);
    again.kill();
    expect(await again.status()).toBe('TASK_KILLED: Task killed.');
    expect(isAlive(Number(executor.file('pid')))).toBe(false);
  });

  test('cannot start a second runner of a task', async () => {
    const executor = await run([SERVICE]);
    await executor.seen('pid');
    const second = await run([SERVICE]);
    expect(await second.status()).toBe('TASK_LOST: Thermos failed with an unknown error.');
    expect(second.stderr).toMatch(/^E.* task web-1 has a runner already/);
    expect(executor.state).toBe('ACTIVE');
  });

  test('gives ports to a task', async () => {
    const cmdline = 'echo {{thermos.ports[http]}} {{thermos.ports[admin]}} {{thermos.task_id}}';
    const executor = await run([{ name: 'a', cmdline }], { ports: { http: 31000, admin: 31001 } });
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect(executor.output('a')).toBe('31000 31001 web-1\n');
  });

  test('without a port that the task needs has lost it', async () => {
    const executor = await run([{ name: 'a', cmdline: 'echo {{thermos.ports[http]}}' }]);
    expect(await executor.status()).toBe('TASK_LOST: Thermos failed with internal error.');
    expect(executor.stderr).toMatch(/^E.*the task needs the port 'http'/);
    expect(executor.state).toBe(undefined);
  });

  test.each([
    ['that is not JSON', 'x = Task()', /is not JSON|line 1/],
    ['without processes', '{"name": "web", "processes": []}', /no processes/],
    [
      'that waits for itself',
      JSON.stringify({
        name: 'web',
        processes: [
          { name: 'a', cmdline: 'true' },
          { name: 'b', cmdline: 'true' },
        ],
        constraints: [{ order: ['a', 'b'] }, { order: ['b', 'a'] }],
      }),
      /a before b before a/,
    ],
    [
      'that refers to nothing',
      '{"name": "web", "processes": [{"name": "a", "cmdline": "echo {{profile.x}}"}]}',
      /profile\.x/,
    ],
  ])('fails a task %s', async (_, text, why) => {
    const executor = await run([], { text });
    expect(await executor.status()).toBe('TASK_FAILED: Thermos received an invalid task.');
    expect(executor.stderr).toMatch(why);
    expect(executor.log).toMatch(why);
  });

  test('does not execute a task that is written in Python', async () => {
    const text = `open(${JSON.stringify(join(temp.path, 'touched'))}, 'w')\n`;
    const path = join(temp.path, 'task.thermos');
    writeFileSync(path, text);
    const executor = await run([], { flags: [`--thermos_json=${path}`] });
    expect(await executor.status()).toBe('TASK_FAILED: Thermos received an invalid task.');
    expect(executor.stderr).toMatch(/task\.thermos is not JSON/);
  });

  test('fails a task of an unknown user', async () => {
    const executor = await run([{ name: 'a', cmdline: 'true' }], { role: 'no-such-user' });
    expect(await executor.status()).toBe('TASK_FAILED: Task started with unknown user.');
    expect(executor.state).toBe(undefined);
  });

  test('sees how a task ended that is over, as often as it starts it', async () => {
    const first = await run([{ name: 'a', cmdline: 'exit 1' }]);
    expect(await first.status()).toBe('TASK_FAILED: Task failed.');
    const again = await run([{ name: 'a', cmdline: 'exit 1' }]);
    expect(await again.status()).toBe('TASK_FAILED: Task failed.');
    expect(again.stderr).toBe('');
  });

  test('fails a task with the id of another', async () => {
    const executor = await run([SERVICE]);
    await executor.seen('pid');
    executor.signal('SIGKILL');
    await executor.status();
    const other = await run([{ name: 'other', cmdline: 'true' }]);
    expect(await other.status()).toBe('TASK_FAILED: Thermos received an invalid task.');
  });
});

describe('the page of its task', () => {
  const FAILING = [{ name: 'a', cmdline: 'echo no space >&2; exit 3' }];
  /** In a sandbox of the executor, which is the user's of the task. */
  const runIn = (sandbox: string, flags: readonly string[] = []) => {
    if (isRoot) chownSync(sandbox, NOBODY, NOBODY);
    return run(FAILING, { env: { MESOS_SANDBOX: sandbox }, flags });
  };
  const inTemp = (name: string) => {
    const path = join(temp.path, name);
    mkdirSync(path);
    return path;
  };
  /** It may be written after the runner has ended. */
  const ended = (directory: string) => {
    const page = join(directory, 'index.html');
    const isEnded = () => existsSync(page) && readFileSync(page, 'utf8').includes('The task ended FAILED');
    return until(isEnded, `${page} says the end`);
  };

  test('is beside the sandbox that Mesos names, and its owner is that of the sandbox', async () => {
    const mesos = inTemp('mesos');
    const executor = await runIn(mesos);
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
    expect([executor.stdout, executor.stderr]).toEqual(['', '']);
    const directory = join(mesos, 'thermos-report');
    await ended(directory);
    const owner = isRoot ? NOBODY : process.getuid?.();
    for (const name of ['.', 'index.html', 'report.js', 'report.txt'])
      expect([name, statSync(join(directory, name)).uid]).toEqual([name, owner]);
  });

  test('is where --report-dir says, and nowhere with --no-report', async () => {
    const elsewhere = join(inTemp('out'), 'page');
    await (await runIn(inTemp('mesos'), [`--report-dir=${elsewhere}`])).status();
    await ended(elsewhere);
    const bare = inTemp('bare');
    const executor = await run(FAILING, {
      directory: join(temp.path, 'second'),
      env: { MESOS_SANDBOX: bare },
      flags: ['--no-report'],
    });
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
    expect(readdirSync(bare)).toEqual([]);
  });

  test('does not change how the task ends if it cannot be written; the log says why', async () => {
    const mesos = inTemp('mesos');
    const victim = inTemp('victim');
    symlinkSync(victim, join(mesos, 'thermos-report'));
    const executor = await runIn(mesos);
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
    expect([executor.stdout, executor.stderr]).toEqual(['', '']);
    expect(executor.log).toMatch(/W.* the page of web-1 is not written in .*thermos-report/);
    expect(readdirSync(victim)).toEqual([]);
  });
});

describe('thermos-runner', () => {
  test('gives processes an environment of their own', async () => {
    const executor = await run([{ name: 'a', cmdline: 'env' }], { env: { SECRET: 'x' } });
    await executor.status();
    const names = [...executor.output('a').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual(['HOME', 'LOGNAME', 'PATH', 'PWD', 'SHLVL', 'USER', '_']);
    expect(executor.output('a')).toContain(`HOME=${executor.sandbox}\n`);
  });

  test('gives them its own by --preserve_env', async () => {
    const flags = ['--preserve_env'];
    const executor = await run([{ name: 'a', cmdline: 'env' }], { env: { SHARED: 'x' }, flags });
    await executor.status();
    expect(executor.output('a')).toContain('SHARED=x\n');
    expect(executor.output('a')).toContain(`HOME=${executor.sandbox}\n`);
    expect(executor.output('a')).toContain(`MESOS_DIRECTORY=${executor.directory}\n`);
  });

  test('logs as the flags say; the output on the console is the only one', async () => {
    const flags = [
      '--process_logger_destination=both',
      '--process_logger_mode=rotate',
      '--rotate_log_size_mb=1',
    ];
    const cmdline = 'echo out; echo err >&2; head -c 1500000 /dev/zero | tr "\\0" x';
    const executor = await run([{ name: 'a', cmdline }], { flags: [...flags, '--rotate_log_backups=0'] });
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect(executor.stdout).toBe(`out\n${'x'.repeat(1_500_000)}`);
    expect(executor.stderr).toBe('err\n');
    // No backups means the default, as in the original.
    const sizes = ['stdout', 'stdout.1'].map(
      (name) => statSync(join(executor.sandbox, '.logs/a/0', name)).size,
    );
    expect(sizes).toEqual([1_500_004 - 2 ** 20, 2 ** 20]);
  });

  test.runIf(isRoot)('gives only the directory of a run to the user of the task', async () => {
    const executor = await run([{ name: 'a', cmdline: 'id -un' }]);
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect(executor.output('a')).toBe('nobody\n');
    const owners = ['.', '.logs', '.logs/a', '.logs/a/0', '.logs/a/0/stdout'].map(
      (name) => statSync(join(executor.sandbox, name)).uid,
    );
    expect(owners).toEqual([NOBODY, 0, 0, NOBODY, NOBODY]);
  });

  test('changes the root directory only as root', async () => {
    mkdirSync(join(temp.path, 'run'));
    if (isRoot) chownSync(join(temp.path, 'run'), NOBODY, NOBODY);
    const uid = isRoot ? NOBODY : undefined;
    const options = { flags: ['--enable_chroot'], uid, role: undefined };
    const executor = await run([{ name: 'a', cmdline: 'true' }], options);
    expect(await executor.status()).toBe('TASK_LOST: Thermos failed with internal error.');
    expect(executor.stderr).toMatch(/only root can change the root directory/);
  });

  test('runs for an executor that is not root', async () => {
    mkdirSync(join(temp.path, 'run'));
    if (isRoot) chownSync(join(temp.path, 'run'), NOBODY, NOBODY);
    const executor = await run([SERVICE], { uid: isRoot ? NOBODY : undefined, role: undefined });
    await executor.seen('pid');
    executor.kill();
    expect(await executor.status()).toBe('TASK_KILLED: Task killed.');
  });

  /** Sends a signal as soon as the program has begun. */
  function signalled(signal: string): Pick<ExecutorOptions, 'node'> {
    const preload = join(temp.path, 'preload.cjs');
    const code = `
      const { on } = process;
      process.on = function (name, listener) {
        process.on = on;
        process.on(name, listener);
        process.kill(process.pid, '${signal}');
        return process;
      };
    `;
    writeFileSync(preload, code);
    return { node: ['-r', preload] };
  }

  test.each([
    ['SIGUSR1', 10],
    ['SIGUSR2', 12],
    ['SIGTERM', 15],
    ['SIGINT', 2],
  ])('is ended by %s itself before the task is open', async (signal, number) => {
    const executor = await run([SERVICE], signalled(signal));
    expect(await executor.status()).toBe(`TASK_KILLED: Task killed by signal ${number}.`);
    expect([executor.state, executor.stdout, executor.stderr]).toEqual([undefined, '', '']);
  });

  test('keeps ignoring SIGHUP if its executor does', async () => {
    const program = ['sh', '-c', 'trap "" HUP; exec "$0" "$@"', RUNNER];
    const executor = await run([SERVICE], { program });
    await executor.seen('pid');
    executor.signal('SIGHUP');
    executor.kill();
    expect(await executor.status()).toBe('TASK_KILLED: Task killed.');
    expect(executor.log).toContain('got SIGUSR1');
    expect(executor.log).not.toContain('SIGHUP');
  });

  test('ends with an unknown error after a bug, and its processes go on', async () => {
    const preload = join(temp.path, 'bug.cjs');
    writeFileSync(preload, "process.on('SIGWINCH', () => { throw new Error('boom'); });");
    const executor = await run([SERVICE], { node: ['-r', preload] });
    await executor.seen('pid');
    executor.signal('SIGWINCH');
    expect(await executor.status()).toBe('TASK_LOST: Thermos failed with an unknown error.');
    expect(executor.log).toMatch(/^E.* this is a bug in thermos: Error: boom\n/m);
    expect([executor.state, isAlive(Number(executor.file('pid')))]).toEqual(['ACTIVE', true]);
  });

  test('logs what it does, in the form of the original', async () => {
    const executor = await run([{ name: 'a', cmdline: 'exit 3' }]);
    await executor.status();
    const lines = executor.log.trimEnd().split('\n');
    const form = /^[DIWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ thermos-runner:0\] (.*)$/;
    const texts = lines.map((line) => form.exec(line)?.[1]);
    expect(texts[0]).toMatch(/^thermos-runner --log.dir=/);
    expect(texts).toContain('the task is ACTIVE');
    expect(texts).toContain('process "a" is FAILED, return_code 3');
    expect(texts.at(-1)).toBe('the task has ended FAILED');
  });

  test('moves a log aside that is full', async () => {
    mkdirSync(join(temp.path, 'run'));
    const log = join(temp.path, 'run', 'thermos_runner.log');
    writeFileSync(log, '');
    truncateSync(log, 10 * 1024 * 1024);
    const executor = await run([{ name: 'a', cmdline: 'true' }]);
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect(statSync(`${log}.1`).size).toBe(10 * 1024 * 1024);
    expect(executor.log).toContain('the task is SUCCESS');
    expect(executor.stderr).toBe('');
  });

  test.each([
    ['that is a file', () => join(temp.path, 'run', 'task.json')],
    ['with a link in the place of the log', () => linked()],
  ])('logs on stderr for a --log_dir %s', async (_, directory) => {
    const executor = await run([{ name: 'a', cmdline: 'true' }], { flags: [`--log_dir=${directory()}`] });
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect(executor.stderr).toMatch(/^W.* cannot log in \S+: .*\nI/);
    expect(executor.stderr).toContain('the task is SUCCESS');
    expect(executor.stdout).toBe('');
  });

  function linked(): string {
    const directory = join(temp.path, 'linked');
    mkdirSync(directory);
    writeFileSync(join(temp.path, 'precious'), 'precious');
    runToEnd('ln', ['-s', join(temp.path, 'precious'), join(directory, 'thermos_runner.log')]);
    return directory;
  }

  test('logs as much as it is asked to', async () => {
    const flags = ['--log_to_disk=NONE', '--log_to_stderr=google:INFO'];
    const executor = await run([{ name: 'a', cmdline: 'true' }], { flags });
    await executor.status();
    expect(executor.log).toBe('');
    expect(executor.stderr).toContain('the task is SUCCESS');
  });

  test('accepts the flags that the original had from its libraries', async () => {
    const flags = ['--log_simple', '--log_to_scribe=NONE', '--app_debug', '--scribe_port=1463'];
    const executor = await run([{ name: 'a', cmdline: 'true' }], { flags });
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
  });

  test.each([
    [['--bogus'], /unknown flag '--bogus'/],
    [[], /--thermos-json is needed/],
    [['--port=http'], /--port takes NAME:PORT/],
    [['--log_to_disk=loud'], /--log-to-disk takes DEBUG, INFO/],
    [['--mesos_containerizer_path=/bin/true'], /--mesos-containerizer-path needs --container-sandbox/],
  ])('refuses %j as a wrong command line', (words, why) => {
    const needed = ['thermos_json', 'sandbox', 'checkpoint_root'].map((name) => `--${name}=${temp.path}/x`);
    const { status, stdout, stderr } = runToEnd(RUNNER, words.length === 0 ? [] : [...needed, ...words]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(why);
    if (!/takes (NAME|DEBUG)/.test(stderr)) expect(stderr).toMatch(/usage: thermos-runner \[FLAGS\]/);
  });

  test('has help and a man page', () => {
    const { status, stdout } = runToEnd(RUNNER, ['--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^USAGE\n {2}thermos-runner \[FLAGS\]$/m);
    expect(stdout).toMatch(/^ {2}102 {2}/m);
  });
});
