import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MadeUpHost } from '../doctor/hosts.js';
import { taskUpdates } from '../doctor/protobuf.js';
import { Records, writeTask } from '../task/trees.js';
import { FIXTURES, PROGRAM, type RunOptions, runToEnd, tempDir, thermos } from './harness.js';
import { expectContract, unprivileged } from './tasks.js';

let temp: { path: string; remove: () => void };
let host: MadeUpHost;
beforeEach(() => {
  temp = tempDir();
  host = new MadeUpHost(temp.path);
});
afterEach(() => temp.remove());

function doctor(args: readonly string[], options: RunOptions = {}) {
  const text = thermos(['doctor', ...args], options);
  const { stdout, status } = thermos(['doctor', '--json', ...args], options);
  const document = JSON.parse(stdout);
  expectContract('error' in document ? 'error' : 'doctor', document);
  expect(text.status).toBe(status);
  return { ...text, json: document, codes: document.findings?.map(({ code }: { code: string }) => code) };
}

describe('a healthy host', () => {
  test('says nothing, exit 0', async () => {
    host.finishedTask('done');
    const run = host.run('web', { stderr: 'Registered executor\n' });
    host.finishedTask('web', join(run, 'checkpoints'));
    const live = writeTask(host.root, 'live', {
      runner: new Records().status('ACTIVE', Date.now()).header(host.header('live')),
    });
    const child = spawn('flock', [join(live, 'runner'), 'sh', '-c', 'echo held; read x'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const { stdout, stderr, status, json } = doctor(['--root', host.root, '--mesos-root', host.workDir]);
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
    expect(json).toMatchObject({ findings: [], checked: { roots: 2, tasks: 3, agents: 1 } });
    child.stdin.end();
    await once(child, 'exit');
    expect(doctor(['--root', host.root]).codes).toEqual(['runner-dead']);
  });

  test('so does an empty one', () => {
    mkdirSync(join(host.workDir, 'slaves'), { recursive: true });
    expect(doctor(['--mesos-root', host.workDir])).toMatchObject({ stdout: '', stderr: '', status: 0 });
  });
});

test('the fixtures: dead runners, and an executor that never started', () => {
  const { status, codes } = doctor([
    '--root',
    join(FIXTURES, 'host/root'),
    '--mesos-root',
    join(FIXTURES, 'mesos'),
  ]);
  expect(status).toBe(1);
  expect(codes).toContain('runner-dead');
});

describe('one task', () => {
  const HOST = join(FIXTURES, 'host/root');

  test('that failed: its story in order of time, and why', () => {
    const { json, stdout, status } = doctor(['--root', HOST, 'host-bad']);
    expect(status).toBe(1);
    expect(json.task).toMatchObject({ task_id: 'host-bad', state: 'FAILED' });
    const times = json.story.map(({ time_ms }: { time_ms: number }) => time_ms);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(stdout).toContain('a[1]     fails: exit code 2');
    expect(json.findings).toMatchObject([{ code: 'task-failed', task_ids: ['host-bad'] }]);
  });

  test('that ended well: nothing is wrong', () => {
    const { json, status } = doctor(['--root', HOST, 'host-ok-1']);
    expect([status, json.findings]).toEqual([0, []]);
    expect(json.story.length).toBeGreaterThan(5);
  });

  test('of Mesos: with what the agent reported to the scheduler', () => {
    const run = host.run('web', {});
    host.finishedTask('web', join(run, 'checkpoints'));
    const meta = `mesos/meta/${run.slice(host.workDir.length + 1)}`;
    host.write(`${meta}/tasks/web/task.updates`, taskUpdates([2, 1_400_000_100, 'Task finished.']));
    host.write(`${meta}/executor.sentinel`, '');
    const { stdout, status } = doctor(['--mesos-root', host.workDir, 'web']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/2014-05-13T16:55:00Z .* the agent reports TASK_FINISHED: Task finished\./);
    expect(stdout).toContain('the agent has seen the end of the executor');
  });

  test('that never was: its executor says why', () => {
    host.run('web', { stderr: '/usr/bin/env: python2.7: No such file or directory\n' });
    const { json, status, codes } = doctor(['--mesos-root', host.workDir, 'web']);
    expect([status, codes, json.task]).toEqual([1, ['executor-never-started'], undefined]);
    expect(json.findings[0].advice[0]).toContain('python2.7');
  });

  test('that does not exist, or is several', () => {
    expect(doctor(['--root', HOST, 'nothing']).json.error.code).toBe('task-not-found');
    const several = doctor(['--root', HOST, 'host']);
    expect([several.status, several.json.error.code]).toEqual([2, 'ambiguous-task']);
  });
});

test('what may not be read, and who may', () => {
  const who = unprivileged();
  const run = host.run('web', { stderr: 'hello\n' });
  host.finishedTask('web', join(run, 'checkpoints'));
  host.agent();
  chmodSync(join(host.workDir, 'meta/boot_id'), 0);
  chmodSync(run, 0o000);
  const { json, status, stderr, codes } = doctor(['--mesos-root', host.workDir], who);
  const task = doctor(['--mesos-root', host.workDir, 'web'], who);
  chmodSync(run, 0o755);
  expect([task.status, task.codes]).toEqual([1, ['sandbox-unreadable']]);
  expect([status, codes]).toEqual([1, ['sandbox-unreadable']]);
  expect(json.findings[0].evidence).toEqual([{ path: run, text: expect.stringMatching(/^d--------- /) }]);
  expect(json.findings[0].advice[0]).toBe('run it again with sudo');
  expect(stderr).toContain(`cannot read ${host.workDir}/meta/boot_id`);
});

test('a root that may not be read', () => {
  writeTask(host.root, 'secret');
  chmodSync(host.root, 0o000);
  const { json, status } = doctor(['--root', host.root], unprivileged());
  chmodSync(host.root, 0o755);
  expect(status).toBe(1);
  expect(json.findings).toMatchObject([{ code: 'root-unreadable', evidence: [{ path: host.root }] }]);
});

test('a full disk, and one that is mounted read-only', () => {
  host.finishedTask('done');
  // A disk of its own, in a mount namespace of its own; where that may not be made, the disk is as it is.
  const mounts = spawnSync('unshare', ['-m', 'true']).status === 0;
  const script = `set -e
    mkdir -p "$1/small"
    ${mounts ? 'mount -t tmpfs -o size=1m,mode=755 tmpfs "$1/small"' : ''}
    cp -r "$1/root" "$1/small/root"
    ${mounts ? 'head -c 2M /dev/zero > "$1/small/fill" 2>/dev/null || true' : ''}
    "$2" "$3" doctor --json --root "$1/small/root" || true
    ${mounts ? 'mount -o remount,ro "$1/small"' : ''}
    "$2" "$3" doctor --json --root "$1/small/root" || true`;
  const argv = ['sh', '-c', script, 'sh', host.path, process.execPath, PROGRAM];
  const [program, ...args] = mounts ? ['unshare', '-m', ...argv] : argv;
  const { stdout } = runToEnd(program as string, args);
  const found = stdout
    .trim()
    .split('\n')
    .map((line) =>
      JSON.parse(line).findings.map(({ code, severity }: Record<string, string>) => `${code} ${severity}`),
    );
  expect(found).toEqual(mounts ? [['disk-full error'], ['disk-read-only note']] : [[], []]);
});

test('hostile names and output reach the terminal escaped', () => {
  const id = 'x\u001b[31m\ny';
  writeTask(host.root, id, { runner: new Records().status('ACTIVE').header(host.header('safe')) });
  host.run('web', { stderr: 'ImportError: lib\u001b]0;x.so.1: cannot open shared object file\n' });
  const args = ['--root', host.root, '--mesos-root', host.workDir];
  const { stdout, codes } = doctor(args);
  expect(codes).toEqual(['runner-dead', 'executor-never-started', 'checkpoint-of-another-task']);
  expect(stdout).not.toContain('\u001b');
  rmSync(join(host.root, 'checkpoints', id), { recursive: true });
});
