import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { processTable } from '../../src/host/process-table.js';
import { CAN_CONTAIN, CONTAINER } from './containers.js';
import { cleanEnv, PROGRAM, placeForEach, REPOSITORY, runToEnd } from './harness.js';

const TEXT = readFileSync(join(REPOSITORY, 'docs/running.md'), 'utf8');
const place = placeForEach();

/** The default of `finalization_wait`: every supervisor has to wait longer. */
const FINALIZATION_WAIT = 30;

/** The sample in this language with these words in it. */
function sample(language: string, words = ''): string {
  const blocks = [...TEXT.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  const found = blocks.filter(([, name, text = '']) => name === language && text.includes(words));
  expect(found.length).toBe(1);
  return found[0]?.[2] as string;
}

/** The rest of the line after these words. */
function restAfter(words: string, text: string): string {
  const at = text.indexOf(words);
  expect(at).toBeGreaterThanOrEqual(0);
  return text
    .slice(at + words.length)
    .split('\n')[0]
    ?.trim() as string;
}

const list = (text: string): string[] => [...text.matchAll(/[^\s[\],"]+/g)].map(([word]) => word);

/** The paths of the samples, in the place of the test, where everything is installed. */
function placed(text: string): string {
  const [bin, etc] = ['bin', 'etc'].map((name) => join(place.path, name)) as [string, string];
  for (const path of [bin, etc, place.root]) mkdirSync(path, { recursive: true });
  if (!existsSync(join(bin, 'thermos'))) symlinkSync(PROGRAM, join(bin, 'thermos'));
  const main = `touch '${place.path}/up'; while :; do sleep 0.05; done`;
  const processes = [
    { name: 'main', cmdline: main },
    { name: 'end', cmdline: `touch '${place.path}/ended'`, final: true },
  ];
  for (const path of [join(etc, 'web.thermos'), join(place.path, 'web.thermos')]) {
    writeFileSync(path, JSON.stringify({ name: 'web', processes }));
  }
  return text.replaceAll('/usr/bin/thermos', `${bin}/thermos`).replaceAll('/etc/thermos', etc);
}

/** Starts a program as a supervisor does, and returns when the task runs. */
async function start(
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; stderr: () => string }> {
  const [program = '', ...rest] = words;
  const child = spawn(program, rest, {
    cwd: place.path,
    detached: true,
    env: cleanEnv({
      PATH: `${place.path}/bin:${process.env.PATH}`,
      THERMOS_ROOT: place.root,
      THERMOS_COORDINATOR: '',
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  place.children.push(child);
  let said = '';
  child.stdout?.resume();
  child.stderr?.on('data', (bytes) => {
    said += bytes;
  });
  while (!existsSync(join(place.path, 'up')) && child.exitCode === null) await sleep(20);
  expect({ exitCode: child.exitCode, said }).toMatchObject({ exitCode: null });
  return { child, stderr: () => said };
}

/** Starts it, ends it, and expects that the task has ended gracefully. */
async function stopped(
  words: readonly string[],
  env: Record<string, string> = {},
  stop: (pid: number) => void = (pid) => process.kill(pid, 'SIGTERM'),
): Promise<void> {
  const { child } = await start(words, env);
  const exited = once(child, 'exit');
  stop(child.pid as number);
  expect(await exited).toEqual([143, null]);
  expect(existsSync(join(place.path, 'ended'))).toBe(true);
}

/** All that systemd-analyze says; empty if there is none here. */
function analyze(...words: string[]): string {
  const { stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

describe('systemd', () => {
  const unit = () => placed(sample('systemd')).replaceAll('%i', 'web');

  test('accepts the unit', () => {
    const path = join(place.path, 'thermos@.service');
    writeFileSync(path, placed(sample('systemd')));
    for (const line of unit().split('\n')) expect(line).toMatch(/^(\[\w+\]|[A-Z]\w+=\S.*|#.*)?$/);
    // Not every machine has it, and those before 240 do not know Type=exec.
    const [, version] = /^systemd (\d+)/.exec(analyze('--version')) ?? [];
    if (Number(version ?? 0) < 240) return;
    const said = analyze('verify', '--man=no', join(place.path, 'thermos@web.service'));
    expect(said.split('\n').filter((line) => line.includes('thermos'))).toEqual([]);
  });

  test('stops the task gracefully, in time, and does not call that a failure', async () => {
    expect(Number(restAfter('TimeoutStopSec=', unit()))).toBeGreaterThan(FINALIZATION_WAIT);
    expect(restAfter('KillMode=', unit())).toBe('mixed');
    expect(list(restAfter('SuccessExitStatus=', unit()))).toContain('143');
    await stopped(list(restAfter('ExecStart=', unit())));
  });

  test('resumes a task that was interrupted, and starts one that is finished anew', async () => {
    const prepare = () => {
      const [program = '', ...words] = list(restAfter('ExecStartPre=-', unit()));
      return runToEnd(program, words, { env: { THERMOS_ROOT: place.root } });
    };
    const words = list(restAfter('ExecStart=', unit()));
    expect(prepare().status).toBe(1);
    const { child: killed } = await start(words);
    const gone = once(killed, 'exit');
    killed.kill('SIGKILL');
    await gone;
    expect(prepare().status).toBe(0);
    const { child, stderr } = await start(words);
    const exited = once(child, 'close');
    while (!stderr().includes('==> web: resumed <==') && child.exitCode === null) await sleep(20);
    child.kill('SIGTERM');
    expect(await exited).toEqual([143, null]);
    // It is still the first run.
    expect(stderr()).toContain('==> main, run 0: KILLED');
    expect(prepare()).toMatchObject({ status: 0, stdout: expect.stringContaining('1 task collected') });
  });
});

describe.skipIf(!CAN_CONTAIN)('a container', () => {
  /** The signal is for its first process, the child of unshare. */
  const toFirst = (pid: number) => {
    const first = processTable().find(({ parent }) => parent === pid);
    process.kill(first?.pid as number, 'SIGTERM');
  };

  test('of Docker ends its task gracefully', async () => {
    const [file, commands] = [placed(sample('dockerfile')), sample('sh', 'docker run')];
    expect(Number(list(restAfter('--stop-timeout', commands))[0])).toBeGreaterThan(FINALIZATION_WAIT);
    const words = [...list(restAfter('ENTRYPOINT', file)), ...list(restAfter('CMD', file))];
    await stopped(['unshare', ...CONTAINER, ...words], {}, toFirst);
  });

  test('of Kubernetes ends its task gracefully', async () => {
    const pod = placed(sample('yaml'));
    expect(Number(restAfter('terminationGracePeriodSeconds:', pod))).toBeGreaterThan(FINALIZATION_WAIT);
    const words = [...list(restAfter('command:', pod)), ...list(restAfter('args:', pod))];
    await stopped(['unshare', ...CONTAINER, ...words], {}, toFirst);
  });
});

test('Nomad ends the task gracefully', async () => {
  const job = placed(sample('hcl')).replaceAll(/\$\{NOMAD_TASK_DIR\}/g, place.path);
  expect(Number.parseInt(list(restAfter('kill_timeout =', job))[0] as string, 10)).toBeGreaterThan(
    FINALIZATION_WAIT,
  );
  expect(list(restAfter('kill_signal  =', job))).toEqual(['SIGTERM']);
  const [THERMOS_ROOT = ''] = list(restAfter('THERMOS_ROOT =', job));
  const words = [...list(restAfter('command =', job)), ...list(restAfter('args    =', job))];
  await stopped(words, { THERMOS_ROOT });
  expect(existsSync(join(THERMOS_ROOT, 'tasks/finished'))).toBe(true);
});

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

describe('the command executor of Mesos', () => {
  const app = () => JSON.parse(placed(sample('json', 'taskKillGracePeriodSeconds')));
  const task = () => JSON.parse(placed(sample('json', 'kill_policy')));

  /** It stops all processes of the tree, signals them, and continues them. */
  const toTree = (pid: number) => {
    const tree = [pid];
    for (const parent of tree) {
      send(parent, 'SIGSTOP');
      for (const row of processTable()) if (row.parent === parent) tree.push(row.pid);
    }
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) for (const each of tree) send(each, signal);
  };

  test.each([
    ['of Marathon', () => app().cmd as string],
    ['of mesos-execute', () => task().command.value as string],
  ])('ends a task %s gracefully, in its sandbox', async (_, command) => {
    const env = {
      THERMOS_ROOT: '',
      MESOS_SANDBOX: place.path,
      MESOS_DIRECTORY: place.path,
      MESOS_EXECUTOR_ID: 'web',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5secs',
    };
    await stopped(['/bin/sh', '-c', command()], env, toTree);
    expect(existsSync(join(place.path, 'checkpoints/tasks/finished/web'))).toBe(true);
    expect(existsSync(join(place.path, 'sandbox/.logs/main/0'))).toBe(true);
  });

  test('waits long enough', () => {
    expect(app().taskKillGracePeriodSeconds).toBeGreaterThan(FINALIZATION_WAIT);
    expect(task().kill_policy.grace_period.nanoseconds / 1e9).toBeGreaterThan(FINALIZATION_WAIT);
  });
});

test('supervisord ends the task gracefully', async () => {
  const program = placed(sample('ini'));
  expect(Number(restAfter('stopwaitsecs=', program))).toBeGreaterThan(FINALIZATION_WAIT);
  expect(restAfter('stopsignal=', program)).toBe('TERM');
  await stopped(list(restAfter('command=', program)));
});

test('runit ends the task gracefully', async () => {
  placed('');
  const path = join(place.path, 'run');
  writeFileSync(path, placed(sample('sh', '#!')));
  chmodSync(path, 0o755);
  expect(Number(list(restAfter('`sv -w', TEXT))[0])).toBeGreaterThan(FINALIZATION_WAIT);
  await stopped([path]);
});
