import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processTable } from '../../src/host/process-table.js';
import { DEFAULT_ROOTS, shell, startThermos, thermos } from './harness.js';
import { isAlive, OnTerminal, RunPlace } from './run-task.js';
import { expectContract, unprivileged } from './tasks.js';

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const NEVER = { name: 'never', cmdline: 'echo $$ > pid; exec sleep 1000' };

describe('a task', () => {
  test('runs to its end; output on stdout, changes on stderr', () => {
    const config = place.config(
      [
        { name: 'a', cmdline: 'echo one; echo two >&2; pwd' },
        { name: 'b', cmdline: 'printf "no newline"' },
      ],
      { constraints: [{ order: ['a', 'b'] }] },
    );
    const { stdout, stderr, status } = place.thermos('run', '--task-id', 'web-1', config);
    const lines = stdout.split('\n');
    expect(lines).toContain('a 0 stdout | one');
    expect(lines).toContain('a 0 stderr | two');
    expect(lines).toContain(`a 0 stdout | ${place.sandbox('web-1')}`);
    expect(lines).toContain('b 0 stdout | no newline');
    expect(stdout).toMatch(/^web-1: SUCCESS after /m);
    expect(stderr).toMatch(/^==> a, run 0: SUCCESS \(after [\d.]+s\) <==$/m);
    const states = stderr.match(/^==> web-1: .*$/gm);
    expect(states).toEqual(
      ['ACTIVE', 'CLEANING', 'FINALIZING', 'SUCCESS'].map((state) => `==> web-1: ${state} <==`),
    );
    expect(status).toBe(0);
    expect(existsSync(join(place.root, 'tasks', 'finished', 'web-1'))).toBe(true);
  });

  test('that fails says why, with the last lines of stderr', () => {
    const config = place.config([
      { name: 'bad', cmdline: 'seq 20 >&2; exit 7' },
      { name: 'ok', cmdline: 'true' },
    ]);
    const { stdout, status } = place.thermos('run', '--task-id', 'web-1', config);
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/^web-1: FAILED after [\d.]+s: process bad, run 0, exit code 7$/),
      `see thermos tail --stderr --root ${place.root} web-1 bad`,
    ]);
    expect(stdout).toContain('Process bad failed first: run 0, exit code 7');
    expect(stdout).toContain('  | 11\n');
    expect(stdout).toContain('  | 20\n');
    expect(status).toBe(1);
  });

  test('with --json is the document of inspect, and nothing else', () => {
    const config = place.config([{ name: 'a', cmdline: 'echo one' }]);
    const { stdout, status } = place.thermos('run', '--json', '--task-id', 'web-1', config);
    const document = JSON.parse(stdout);
    expectContract('inspect', document);
    expect(document).toMatchObject({ task_id: 'web-1', state: 'SUCCESS', phase: 'finished', verdict: 'ok' });
    expect(document.logs.map(({ stream }: { stream: string }) => stream)).toEqual(['stdout', 'stderr']);
    expect(status).toBe(0);
  });

  test('tells a warning of the config before it runs, and in the document with what happened', () => {
    const name = 'n'.repeat(250);
    const config = place.config([
      { name, cmdline: 'true' },
      { name, cmdline: 'true' },
    ]);
    const { stdout, stderr, status } = place.thermos('run', '--json', '--task-id', 'web-1', config);
    const document = JSON.parse(stdout);
    expectContract('inspect', document);
    const codes = ['process-duplicate', 'process-not-started'];
    expect(document.problems.map(({ code }: { code: string }) => code)).toEqual(codes);
    expect(document.problems[1].message).toMatch(/cannot be started: file name too long$/);
    expect(stderr.split('\n').map((line) => line.split(':')[0])).toEqual(['warning', 'error', '']);
    expect([document.state, status]).toEqual(['FAILED', 1]);
    const daemon = place.thermos('run', '--json', '--daemon', '--task-id', 'web-2', config);
    expect(JSON.parse(daemon.stdout).problems).toMatchObject([{ code: 'process-duplicate' }]);
    expect(place.thermos('wait', 'web-2', '--timeout', '30s').status).toBe(1);
  });

  test('fails and is run again until it succeeds; what each run writes is shown', () => {
    const cmdline = 'echo x >> tries; wc -l < tries; test $(wc -l < tries) -ge 3';
    const config = place.config([{ name: 'flaky', cmdline, max_failures: 5 }]);
    const { stdout, stderr, status } = place.thermos('run', '--task-id', 'web-1', config);
    expect(stdout.split('\n').slice(0, 3)).toEqual(
      [0, 1, 2].map((run) => `flaky ${run} stdout | ${run + 1}`),
    );
    expect(stderr).toContain('==> flaky, run 1: FAILED');
    expect(stderr).toContain('==> flaky, run 2: SUCCESS');
    expect(status).toBe(0);
    expect(place.file('web-1', 'tries')).toBe('x\nx\nx\n');
  });

  test('with --max-runs is not run more often', () => {
    const config = place.config([{ name: 'bad', cmdline: 'echo x >> tries; false', max_failures: 0 }]);
    const { stderr, status } = place.thermos('run', '--task-id', 'web-1', '--max-runs', '4', config);
    expect(stderr).toContain('warning: process "bad" is not run again: it ran 4 times\nhint: ');
    expect(status).toBe(1);
    expect(place.file('web-1', 'tries')).toBe('x\nx\nx\nx\n');
    const good = place.config([{ name: 'good', cmdline: 'true' }]);
    expect(place.thermos('run', '--task-id', 'web-2', '--max-runs', '1', good).status).toBe(0);
  });

  test('gets ports, bindings, and an environment of its own', () => {
    const cmdline = 'echo {{thermos.ports[http]}} {{profile.name}}; env | cut -d= -f1 | sort | tr "\\n" " "';
    const config = place.config([{ name: 'a', cmdline }]);
    const args = ['-P', 'http:8080', '-E', 'profile.name=a=b', '--task-id', 'web-1'];
    const { stdout } = place.thermos('run', ...args, config);
    expect(stdout).toContain('a 0 stdout | 8080 a=b\n');
    expect(stdout).toMatch(/^a 0 stdout \| HOME LOGNAME (OLDPWD )?PATH PWD SHLVL USER _ $/m);
    expect(place.inspect('web-1').ports).toEqual({ http: 8080 });
  });

  test('with --preserve-env gets ours', () => {
    const config = place.config([{ name: 'a', cmdline: 'echo $MINE' }]);
    const env = { MINE: 'kept' };
    const run = (...args: string[]) => thermos(['run', '--root', place.root, ...args, config], { env });
    expect(run('--preserve-env').stdout).toContain('a 0 stdout | kept\n');
    expect(run().stdout).toContain('a 0 stdout | \n');
  });

  test('writes to the console if it is to', () => {
    const logger = { destination: 'console' };
    const config = place.config([{ name: 'a', cmdline: 'echo out; echo err >&2', logger }]);
    const { stdout, stderr } = place.thermos('run', '--task-id', 'web-1', config);
    expect(stdout).toMatch(/^out$/m);
    expect(stderr).toMatch(/^err$/m);
  });

  test('writes to both, and what is shown is shown once', () => {
    const config = place.config([{ name: 'a', cmdline: 'echo out; echo err >&2' }]);
    const args = ['--task-id', 'web-1', '--process-logger-destination', 'both'];
    const { stdout, stderr } = place.thermos('run', ...args, config);
    expect(stdout.match(/out$/gm)).toEqual(['out']);
    expect(stderr.match(/err$/gm)).toEqual(['err']);
    expect(place.file('web-1', '.logs/a/0/stdout')).toBe('out\n');
  });

  test('records the host name that is given', () => {
    const config = place.config([{ name: 'a', cmdline: 'true' }]);
    place.thermos('run', '--task_id', 'web-1', '--hostname', 'other', config);
    expect(place.inspect('web-1')).toMatchObject({ hostname: 'other' });
  });

  test('of 100 processes with max_concurrency 20 loses no line and no record', () => {
    const processes = Array.from({ length: 100 }, (_, i) => ({ name: `p${i}`, cmdline: `echo line-${i}` }));
    const config = place.config(processes, { max_concurrency: 20 });
    const { stdout, status } = place.thermos('run', '--task-id', 'web-1', config);
    expect(status).toBe(0);
    const found = stdout.match(/line-\d+$/gm) ?? [];
    expect(new Set(found).size).toBe(100);
    const { history } = place.inspect('web-1');
    expect(
      Object.values(history).map((runs) => (runs as { state: string }[]).map(({ state }) => state)),
    ).toEqual(Array.from({ length: 100 }, () => ['SUCCESS']));
  });
});

describe('--daemon', () => {
  test('returns when the task has started, prints its id, and keeps nothing of ours open', () => {
    const config = place.config([NEVER]);
    const run = `thermos run --daemon --root '${place.root}' --task-id web-1 '${config}'`;
    // Node takes no care of a descriptor of such a number; 200 is the one that flock(1) is shown with.
    const lock = join(place.path, 'lock');
    const { stdout } = shell(`exec 200>'${lock}'; flock 200; id=$(${run}); echo "<$id>"`);
    expect(stdout).toBe('<web-1>\n');
    expect(spawnSync('flock', ['--nonblock', lock, 'true']).status).toBe(0);
    const wait = place.thermos('wait', 'web-1', '--for', 'process=never:RUNNING', '--timeout', '30s');
    expect(wait.status).toBe(0);
    const { state, verdict, runner, processes } = place.inspect('web-1');
    expect({ state, verdict }).toEqual({ state: 'ACTIVE', verdict: 'ok' });
    for (const fd of [0, 1, 2]) {
      const { stdout: target } = spawnSync('readlink', [`/proc/${runner.pid}/fd/${fd}`], {
        encoding: 'utf8',
      });
      expect(target).not.toMatch(/pipe|socket|pts/);
    }
    for (const pid of [runner.pid, processes[0].coordinator_pid, processes[0].pid]) {
      expect(readdirSync(`/proc/${pid}/fd`)).toContain('1');
      expect(existsSync(`/proc/${pid}/fd/200`)).toBe(false);
    }
  });

  test('as a document', () => {
    const config = place.config([{ name: 'a', cmdline: 'true' }]);
    const { stdout, status } = place.thermos('run', '--daemon', '--json', '--task-id', 'web-1', config);
    const document = JSON.parse(stdout);
    expectContract('run-daemon', document);
    expect(document).toMatchObject({ task_id: 'web-1', root: place.root, sandbox: place.sandbox('web-1') });
    expect(status).toBe(0);
    expect(place.thermos('wait', 'web-1', '--timeout', '30s').status).toBe(0);
  });

  test('what is wrong is told before it returns', () => {
    const config = place.config([{ name: 'a', cmdline: 'true' }]);
    place.thermos('run', '--task-id', 'web-1', config);
    const { stdout, stderr, status } = place.thermos('run', '--daemon', '--task-id', 'web-1', config);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain('web-1');
  });
});

describe('nothing is started, exit 2, if', () => {
  let config: string;
  beforeEach(() => {
    config = place.config([{ name: 'a', cmdline: 'touch started' }]);
  });

  function refused(...args: string[]) {
    const { stdout, stderr, status } = place.refused('run', ...args);
    expect({ stdout, status, stderr }).toEqual({ stdout: '', status: 2, stderr });
    expect(existsSync(join(place.root, 'tasks', 'active', 'web-1'))).toBe(false);
    return stderr;
  }

  test('there is no config', () => {
    expect(refused('--task-id', 'web-1', join(place.path, 'nope.json'))).toContain('nope.json');
  });

  test.each(['{', '[]', '1', '{}', '{"name":"x","processes":[]}', '{"processes":[{"name":"a"}]}'])(
    'the config is %s',
    (text) => {
      writeFileSync(config, text);
      refused('--task-id', 'web-1', config);
    },
  );

  test('the order is a circle', () => {
    const processes = ['a', 'b'].map((name) => ({ name, cmdline: 'true' }));
    const constraints = [{ order: ['a', 'b'] }, { order: ['b', 'a'] }];
    refused('--task-id', 'web-1', place.config(processes, { constraints }));
  });

  test('a port is not bound', () => {
    const cmdline = 'serve {{thermos.ports[http]}}';
    expect(refused('--task-id', 'web-1', place.config([{ name: 'a', cmdline }]))).toContain('-P http:PORT');
  });

  /** A link of that name in the checkpoint directory; returns what it leads to. */
  function linkedAs(name: string): string {
    const directory = join(place.root, 'checkpoints', 'web-1');
    const victim = join(place.path, 'victim');
    mkdirSync(directory, { recursive: true });
    writeFileSync(victim, '');
    symlinkSync(victim, join(directory, name));
    return victim;
  }

  test('a draft of a task file that is a link goes, and what it leads to is not written', () => {
    const victim = linkedAs('.task');
    const { status } = place.thermos('run', '--task-id', 'web-1', config);
    expect([status, readFileSync(victim, 'utf8')]).toEqual([0, '']);
  });

  test.each(['a/b', '..', '.', ''])('the task id is %j', (id) => {
    refused('--task-id', id, config);
  });

  test('runner is a link: what it leads to is not written', () => {
    const victim = linkedAs('runner');
    const { stderr, status } = place.thermos('run', '--task-id', 'web-1', config);
    expect([status, readFileSync(victim, 'utf8')]).toEqual([2, '']);
    expect(stderr).toContain('/runner is a symbolic link, and it is not followed here');
    expect(existsSync(join(place.sandbox('web-1'), 'started'))).toBe(false);
  });

  test('the sandbox is a file', () => {
    expect(refused('--task-id', 'web-1', '--sandbox', config, config)).toContain(config);
  });

  test('the user is unknown', () => {
    expect(refused('--task-id', 'web-1', '--user', 'no-such-user', config)).toContain('no-such-user');
  });

  test('the task is over: a finished id is not run again', () => {
    place.thermos('run', '--task-id', 'web-1', config);
    const { stderr, status } = place.thermos('run', '--task-id', 'web-1', config);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: .*web-1/m);
    expect(stderr).toMatch(/^hint: /m);
  });

  test('it is being run already, or the task of this id is another one', async () => {
    const never = place.config([NEVER], {}, 'never');
    const run = place.start('run', '--task-id', 'web-1', never);
    await run.until(({ stderr }) => stderr.includes('RUNNING') && place.file('web-1', 'pid').endsWith('\n'));
    expect(place.thermos('run', '--task-id', 'web-1', never).status).toBe(2);
    await run.kill('SIGKILL');
    expect(place.thermos('run', '--task-id', 'web-1', config).status).toBe(2);
    expect(isAlive(Number(place.file('web-1', 'pid')))).toBe(true);
  });

  test('the root cannot be written', () => {
    const root = join(place.path, 'closed');
    mkdirSync(root, { mode: 0o555 });
    chmodSync(root, 0o555);
    const { status, stderr } = thermos(['run', '--root', root, '--task-id', 'web-1', config], unprivileged());
    expect({ status, stderr }).toEqual({ status: 2, stderr });
    // Root may write everywhere, but not into a file.
    expect(thermos(['run', '--root', config, '--task-id', 'web-1', config]).status).toBe(2);
  });

  test('who is not root wants to be another', () => {
    const { status, stderr } = thermos(
      ['run', '--root', place.root, '--task-id', 'web-1', '--user', 'root', config],
      unprivileged(),
    );
    expect({ status, stderr }).toEqual({ status: 2, stderr });
  });

  test.each([
    ['-E', 'x'],
    ['-E', '=x'],
    ['-P', 'http'],
    ['-P', 'http:0'],
    ['-P', 'http:65536'],
    ['--max-runs', '0'],
    ['--process-logger-mode', 'round'],
  ])('%s %s', (flag, value) => {
    refused('--task-id', 'web-1', flag, value, config);
  });
});

test('--dry-run shows what would be run, and runs nothing', () => {
  const config = place.config([{ name: 'a', cmdline: 'echo {{X}}' }]);
  const args = ['--dry-run', '--task-id', 'web-1', '-E', 'X=1'];
  const { stdout, status } = place.thermos('run', ...args, config);
  expect(stdout).toContain('echo 1');
  expect(status).toBe(0);
  const document = JSON.parse(place.thermos('run', '--json', ...args, config).stdout);
  expectContract('dry-run', document);
  expect(document).toMatchObject({
    task_id: 'web-1',
    task: { processes: [{ name: 'a', cmdline: 'echo 1' }] },
  });
  expect(existsSync(join(place.root, 'tasks'))).toBe(false);
});

describe('signals', () => {
  const TRAP = {
    name: 'main',
    cmdline: "trap 'echo term >> order; exit' TERM; echo $$ > pid; while :; do sleep 0.05; done",
  };
  const FINAL = { name: 'clean', cmdline: 'echo final >> order', final: true };

  async function started(...args: string[]) {
    const run = place.start('run', '--task-id', 'web-1', ...args, place.config([TRAP, FINAL]));
    await run.until(
      ({ stderr }) => stderr.includes('main, run 0: RUNNING') && place.file('web-1', 'pid') !== '',
    );
    return run;
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGUSR1', 3],
  ] as const)('%s ends it gracefully: final processes run, exit %d', async (signal, status) => {
    const run = await started();
    expect(await run.kill(signal)).toBe(status);
    expect(place.file('web-1', 'order')).toBe('term\nfinal\n');
    expect(run.stdout).toMatch(/^web-1: KILLED after/m);
    expect(run.stderr).not.toContain('Debugger');
    expect(place.inspect('web-1')).toMatchObject({ state: 'KILLED', phase: 'finished', verdict: 'ok' });
  });

  test('SIGUSR2 loses it', async () => {
    const run = await started();
    expect(await run.kill('SIGUSR2')).toBe(4);
    expect(place.inspect('web-1')).toMatchObject({ state: 'LOST', phase: 'finished', verdict: 'ok' });
  });

  test('twice ends it at once, whatever does not listen', async () => {
    const deaf = { name: 'deaf', cmdline: "trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done" };
    const run = place.start('run', '--task-id', 'web-1', place.config([deaf, FINAL]));
    await run.until(
      ({ stderr }) => stderr.includes('deaf, run 0: RUNNING') && place.file('web-1', 'pid').endsWith('\n'),
    );
    run.child.kill('SIGINT');
    await run.until(({ stderr }) => stderr.includes('a second signal ends it at once'));
    expect(await run.kill('SIGINT')).toBe(130);
    expect(isAlive(Number(place.file('web-1', 'pid')))).toBe(false);
    expect(place.file('web-1', 'order')).toBe('');
    expect(place.inspect('web-1').state).toBe('KILLED');
  });

  test('a runner that is killed leaves its processes running, and another goes on with them', async () => {
    const config = place.config(
      [
        { name: 'first', cmdline: 'echo x >> first; while ! test -e go; do sleep 0.05; done' },
        { name: 'second', cmdline: 'echo x >> second' },
      ],
      { constraints: [{ order: ['first', 'second'] }] },
    );
    const run = place.start('run', '--task-id', 'web-1', config);
    await run.until(() => place.file('web-1', 'first') !== '');
    await run.until(({ stderr }) => stderr.includes('first, run 0: RUNNING'));
    await run.kill('SIGKILL');
    expect(place.inspect('web-1').verdict).toBe('runner-gone');
    writeFileSync(join(place.sandbox('web-1'), 'go'), '');
    expect(place.thermos('run', '--task-id', 'web-1', config).status).toBe(0);
    expect(place.file('web-1', 'first') + place.file('web-1', 'second')).toBe('x\nx\n');
  });
});

describe('a process that exits with 143 on SIGTERM, as a JVM does, did not fail', () => {
  const JVM = { name: 'jvm', cmdline: "trap 'exit 143' TERM; touch up; while :; do sleep 0.05; done" };
  const WITH_TASK = 'Process jvm was ended with the task: exit code 143.';
  const isUp = () => existsSync(join(place.sandbox('web-1'), 'up'));

  /** What is said afterwards; nothing in it blames the process. */
  function why(): string[] {
    const document = place.inspect('web-1');
    expectContract('inspect', document);
    const lines = document.why as string[];
    expect(lines).toContain(WITH_TASK);
    expect(lines.join('\n')).not.toMatch(/jvm.*(failed|failures used)/);
    const { findings } = JSON.parse(place.thermos('doctor', '--json', 'web-1').stdout);
    expect(JSON.stringify(findings)).not.toMatch(/jvm failed|thermos tail[^"]* jvm/);
    return lines;
  }

  test('when thermos kill ends the task, and it is said who did', async () => {
    place.thermos('run', '--daemon', '--task-id', 'web-1', place.config([JVM]));
    while (!isUp()) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(place.thermos('kill', 'web-1').status).toBe(0);
    expect(why()[1]).toMatch(/^It was asked to end at \S+Z, by thermos kill, user \S/);
    expect(place.inspect('web-1').reasons).toContainEqual(
      expect.objectContaining({ code: 'task-killed', message: 'thermos kill', by: expect.any(String) }),
    );
    const checkpoint = join(place.root, 'checkpoints', 'web-1');
    expect(readdirSync(checkpoint).sort()).toEqual(['coordinator.jvm', 'reasons', 'runner', 'starts']);
    expect(place.thermos('gc', '--yes', 'web-1').status).toBe(0);
    expect(existsSync(checkpoint)).toBe(false);
  });

  test('when Ctrl-C does', async () => {
    const run = place.start('run', '--task-id', 'web-1', place.config([JVM]));
    await run.until(isUp);
    expect(await run.kill('SIGINT')).toBe(130);
    expect(run.stdout.trimEnd().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/^web-1: KILLED after [\d.]+s: SIGINT \(Ctrl-C\)$/),
      `see thermos inspect --root ${place.root} web-1`,
    ]);
    why();
  });

  test('when another one failed, which is named as the cause with its stdout', () => {
    const bad = { name: 'bad', cmdline: 'while ! test -e up; do sleep 0.05; done; echo no table; exit 3' };
    const { stdout } = place.thermos('run', '--task-id', 'web-1', place.config([JVM, bad]));
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/^web-1: FAILED after [\d.]+s: process bad, run 0, exit code 3$/),
      `see thermos tail --stdout --root ${place.root} web-1 bad`,
    ]);
    expect(why().slice(1, 4)).toEqual([
      expect.stringContaining('Process bad failed first: run 0, exit code 3'),
      'Its stderr is empty; its stdout ends with:',
      '  | no table',
    ]);
  });

  test('when it is ephemeral, and the others are done', () => {
    const main = { name: 'main', cmdline: 'while ! test -e up; do sleep 0.05; done' };
    const config = place.config([{ ...JVM, ephemeral: true }, main]);
    expect(place.thermos('run', '--task-id', 'web-1', config).status).toBe(0);
    why();
  });
});

test('why a process could not be started is known later, and no advice leads to logs that are not there', () => {
  const config = place.config([{ name: 'a', cmdline: 'true' }]);
  mkdirSync(join(place.sandbox('web-1'), '.logs'), { recursive: true });
  writeFileSync(join(place.sandbox('web-1'), '.logs', 'a'), 'in the way');
  const { stdout, stderr, status } = place.thermos('run', '--task-id', 'web-1', config);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^==> a, run 1: FAILED \(E.*\.logs\/a.*\) <==$/m);
  expect(stdout).toMatch(/^web-1: FAILED after .*: process a, run 1, it could not be started: E.*\.logs\/a/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`see thermos inspect --root ${place.root} web-1`);
  expect(place.thermos('inspect', 'web-1').stdout).toMatch(/it could not be started: E.*\.logs\/a/);
  const doctor = place.thermos('doctor', 'web-1').stdout;
  expect(doctor).toMatch(/cannot be started: E.*\.logs\/a/);
  expect(doctor).not.toContain('thermos tail');
});

describe('whoever reads the output', () => {
  test('may stop reading: the task goes on', () => {
    const config = place.config([{ name: 'loud', cmdline: 'seq 100000; echo done > end' }]);
    const line = `thermos run --root '${place.root}' --task-id web-1 '${config}' | head -1; thermos wait --root '${place.root}' --timeout 30s web-1`;
    expect(shell(line).stdout).toMatch(/\nweb-1: SUCCESS\n$/);
    expect(place.file('web-1', 'end')).toBe('done\n');
  });

  test('may never read: the task goes on', () => {
    const config = place.config(
      [
        { name: 'loud', cmdline: 'seq 100000' },
        { name: 'next', cmdline: 'true' },
      ],
      {
        constraints: [{ order: ['loud', 'next'] }],
      },
    );
    const stuck = startThermos(['run', '--root', place.root, '--task-id', 'web-1', config]);
    let state = '';
    for (let i = 0; i < 100 && state !== 'SUCCESS'; i++) {
      spawnSync('sleep', ['0.1']);
      const { stdout } = place.thermos('wait', 'web-1', '--timeout', '10s');
      state = /SUCCESS/.exec(stdout)?.[0] ?? '';
    }
    stuck.kill('SIGKILL');
    expect(state).toBe('SUCCESS');
  });
});

describe('who is not root', () => {
  test('runs tasks in a root of their own without any setup', () => {
    const home = join(place.path, 'home');
    mkdirSync(home);
    const options = {
      ...unprivileged(),
      env: { ...DEFAULT_ROOTS, HOME: home, XDG_STATE_HOME: join(home, 'state') },
    };
    if (options.uid !== undefined) chownSync(home, options.uid, options.uid);
    const config = place.config([{ name: 'a', cmdline: 'id -u; echo $HOME' }]);
    const { stdout, stderr, status } = thermos(['run', '--task-id', 'web-1', config], options);
    const root = join(home, 'state', 'thermos');
    expect({ status, stderr }).toEqual({ status: 0, stderr });
    expect(stdout).toContain(`a 0 stdout | ${options.uid ?? process.getuid?.()}\n`);
    expect(stdout).toContain(`a 0 stdout | ${root}/sandboxes/web-1\n`);
    expect(thermos(['status', '-q'], options).stdout).toContain('web-1\n');
  });

  test('needs no home and no entry in passwd if the root is named, and else is told so', () => {
    const uid = process.getuid?.() === 0 ? 4242 : undefined;
    if (uid !== undefined) chownSync(place.root, uid, uid);
    const config = place.config([{ name: 'a', cmdline: 'id -u' }]);
    const homeless = (...args: string[]) =>
      shell(`unset HOME XDG_STATE_HOME THERMOS_ROOT; thermos ${args.map((arg) => `'${arg}'`).join(' ')}`, {
        uid,
      });
    const run = homeless('run', '--root', place.root, '--task-id', 'web-1', config);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('web-1: SUCCESS') });
    expect(homeless('status', '-q', '--root', place.root).stdout).toBe('web-1\n');
    expect(homeless('run', '--help').status).toBe(0);
    if (uid === undefined) return;
    const { status, stderr } = homeless('run', '--task-id', 'web-2', config);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'error: you may not write to /var/run/thermos, and have no home directory\nhint: use --root\n',
    });
  });

  test('is told of the root, not of the sandbox in it, if it cannot be written', () => {
    const home = join(place.path, 'closed');
    mkdirSync(home, { mode: 0o555 });
    const env = { ...DEFAULT_ROOTS, HOME: home, XDG_STATE_HOME: '' };
    const config = place.config([{ name: 'a', cmdline: 'true' }]);
    const { status, stderr } = thermos(['run', '--task-id', 'web-1', config], { ...unprivileged(), env });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `error: cannot write to the root ${home}/.local/state/thermos: permission denied\nhint: choose another with --root\n`,
    });
  });
});

describe('on a terminal', () => {
  test('the processes are shown with their output, and how it ended', async () => {
    const config = place.config(
      [
        { name: 'one', cmdline: 'echo first-line; until [ -e seen ]; do sleep 0.05; done' },
        { name: 'two', cmdline: 'echo second-line' },
      ],
      { constraints: [{ order: ['one', 'two'] }] },
    );
    const run = new OnTerminal(['run', '--root', place.root, '--task-id', 'web-1', config]);
    await run.until((output) => /PROCESS[\s\S]* of 2 done/.test(output));
    writeFileSync(join(place.sandbox('web-1'), 'seen'), '');
    expect(await run.ended).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    const text = run.output.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '');
    expect(text).toMatch(/PROCESS +STATE +RUNS[\s\S]* of 2 done/);
    expect(text).toContain('one 0 stdout | first-line');
    expect(text).toContain('two 0 stdout | second-line');
    expect(text.trimEnd()).toMatch(/\r\n +PROCESS[\s\S]*two +SUCCESS[^\n]*\nweb-1: SUCCESS after [\d.]+s$/);
  });

  test('Ctrl-C ends it gracefully, and the cursor is shown again', async () => {
    const config = place.config([NEVER, { name: 'clean', cmdline: 'echo x > final', final: true }]);
    const run = new OnTerminal(['run', '--root', place.root, '--task-id', 'web-1', config]);
    await run.until((output) => output.includes('RUNNING') && place.file('web-1', 'pid') !== '');
    run.type('\u0003');
    expect(await run.ended).toBe(130);
    expect(place.file('web-1', 'final')).toBe('x\n');
    expect(run.output.lastIndexOf('\u001b[?25h')).toBeGreaterThan(run.output.lastIndexOf('\u001b[?25l'));
    expect(run.output).toContain('KILLED');
  });
});

describe('simplerun', () => {
  test('keeps the words apart, and passes the output on as it is', () => {
    const { stdout, stderr, status } = place.thermos(
      'simplerun',
      '--task-id',
      's-1',
      '--',
      'sh',
      '-c',
      'echo "one  two"; echo err >&2',
    );
    expect(stdout).toBe('one  two\n');
    expect(stderr).toMatch(/^err$/m);
    expect(stderr).toContain(`task s-1, sandbox ${place.sandbox('s-1')}\n`);
    expect(stderr).toMatch(/^s-1: SUCCESS after/m);
    expect(status).toBe(0);
  });

  test('one word is a command line', () => {
    expect(place.thermos('simplerun', 'echo a | tr a b').stdout).toBe('b\n');
  });

  test('flags behind -- are those of the command', () => {
    expect(place.thermos('simplerun', '--', 'echo', '--daemon', '-n', '--help').stdout).toBe(
      '--daemon -n --help\n',
    );
  });

  test('-E is put in for its name, and is a variable', () => {
    const { stdout } = place.thermos(
      'simplerun',
      '-E',
      "WHO=it's=you",
      '--',
      'sh',
      '-c',
      'echo "{{WHO}}" "$WHO"',
    );
    expect(stdout).toBe("it's=you it's=you\n");
  });

  test('fails as the command', () => {
    const { stderr, status } = place.thermos('simplerun', '--', 'sh', '-c', 'echo why >&2; exit 3');
    expect(stderr).toContain('exit code 3');
    expect(status).toBe(1);
  });

  test('as a document', () => {
    const { stdout } = place.thermos('simplerun', '--json', '--name', 'job', '--', 'true');
    const document = JSON.parse(stdout);
    expectContract('inspect', document);
    expect(document).toMatchObject({ name: 'job', state: 'SUCCESS', processes: [{ process: 'job' }] });
  });

  test('no command is a mistake', () => {
    expect(place.thermos('simplerun').status).toBe(2);
  });
});

test('a debugger is never opened by SIGUSR1, not even while the program starts', async () => {
  const run = place.start('run', '--task-id', 'web-1', place.config([NEVER]));
  await run.until(({ stderr }) => stderr.includes('RUNNING'));
  const inodes = new Set(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .slice(1)
      .filter((line) => / 0A /.test(line) && / 0100007F:240D /.test(line))
      .map((line) => line.trim().split(/\s+/)[9]),
  );
  const { runner } = place.inspect('web-1');
  run.child.kill('SIGUSR1');
  await run.ended;
  const { stdout } = spawnSync('sh', ['-c', `ls -l /proc/${runner.pid}/fd 2>/dev/null || true`], {
    encoding: 'utf8',
  });
  for (const inode of inodes) expect(stdout).not.toContain(`socket:[${inode}]`);
  expect(run.stderr).not.toMatch(/debugger/i);
});

test('nor in the process that shows a task', async () => {
  const run = place.start('run', '--task-id', 'web-1', place.config([NEVER]));
  const shows = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('__show-run');
    } catch {
      return false;
    }
  };
  let viewer: number | undefined;
  while (viewer === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    viewer = processTable().find(({ pid, parent }) => parent === run.child.pid && shows(pid))?.pid;
  }
  // Node would open it from here on; before, the signal just ends it.
  while (!catches(viewer, 10)) await new Promise((resolve) => setTimeout(resolve, 1));
  process.kill(viewer, 'SIGUSR1');
  await run.until(({ stderr }) => stderr.includes('RUNNING'));
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(143);
  expect(run.stderr).not.toMatch(/debugger/i);
});

function catches(pid: number, signal: number): boolean {
  const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n;
}
