import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { tempDir } from '../e2e/harness.js';
import { lockLine, Records, writeTask } from '../task/trees.js';
import { HOSTNAME, MadeUpHost } from './hosts.js';
import { MESOS_1_5 } from './logs.js';
import { executorInfo } from './protobuf.js';

let temp: { path: string; remove: () => void };
let host: MadeUpHost;
beforeEach(() => {
  temp = tempDir();
  host = new MadeUpHost(temp.path);
});
afterEach(() => temp.remove());

/** The one finding that the host has. */
function only(diagnosis = host.diagnose()): Finding {
  expect(diagnosis.findings.map(({ code }) => code)).toHaveLength(1);
  const [finding] = diagnosis.findings as [Finding];
  expect(finding.what).not.toBe('');
  if (finding.severity !== 'note') {
    expect(finding.evidence.length).toBeGreaterThan(0);
    expect(finding.advice.length).toBeGreaterThan(0);
  }
  return finding;
}

const ACTIVE = (id = 't') => new Records().status('ACTIVE').header(host.header(id));

describe('a healthy host', () => {
  test('has no findings, and everything was checked', () => {
    host.finishedTask('done');
    host.agent();
    const run = host.run('web', { stderr: 'Registered executor\n', stdout: '' });
    host.finishedTask('web', join(run, 'checkpoints'));
    const live = writeTask(host.root, 'live', { runner: ACTIVE('live') });
    host.proc({
      locks: lockLine(statSync(join(live, 'runner')), 4_194_000),
      processes: { 4194000: {} },
    });
    expect(host.diagnose()).toEqual({
      findings: [],
      problems: [],
      checked: { roots: 2, tasks: 3, agents: 1 },
      running: [expect.objectContaining({ task_id: 'live' })],
    });
  });

  test('so has one whose runner is just writing a record, or has not written the task file yet', () => {
    const half = new Records().status('SUCCESS').bytes().subarray(0, 9);
    const header = { ...host.header('t'), launch_time_ms: host.now - 1000 };
    const live = writeTask(host.root, 't', {
      task: null,
      runner: Buffer.concat([
        new Records()
          .status('ACTIVE', host.now - 1000)
          .header(header)
          .bytes(),
        half,
      ]),
    });
    host.proc({ locks: lockLine(statSync(join(live, 'runner')), 4_194_000) });
    mkdirSync(host.workDir);
    mkdirSync(join(host.workDir, 'slaves'));
    expect(host.diagnose().findings).toEqual([]);
  });

  test('so has a copied tree without meta, and one of another framework', () => {
    host.finishedTask('done');
    const run = host.run('x', {}).replace('thermos-x', 'marathon-x');
    mkdirSync(run, { recursive: true });
    rmSync(join(host.workDir, 'slaves/S0/frameworks/F0/executors/thermos-x'), { recursive: true });
    expect(host.diagnose().findings).toEqual([]);
  });
});

describe('tasks', () => {
  beforeEach(() => mkdirSync(join(host.workDir, 'slaves'), { recursive: true }));

  test('a dead runner', () => {
    host.write('etc/nothing', '');
    const directory = writeTask(host.root, 't', { runner: ACTIVE() });
    host.age(join(directory, 'runner'), 7_200_000);
    const finding = only();
    expect(finding).toMatchObject({
      code: 'runner-dead',
      severity: 'error',
      what: '1 task recorded as running, but no runner is alive',
      task_ids: ['t'],
      evidence: [
        {
          path: join(directory, 'runner'),
          text: 'ACTIVE by runner 4194000 since 2014-05-13T16:53:20Z; nobody holds the lock on the stream, last written 2h ago',
          task_id: 't',
        },
      ],
    });
    expect(finding.advice[1]).toContain('thermos gc');
  });

  test('a host that was rebooted: many tasks are one finding', () => {
    for (const id of ['a', 'b', 'c']) writeTask(host.root, id, { runner: ACTIVE(id) });
    host.proc({ bootTime: 1_500_000_000 });
    const finding = only();
    expect(finding.what).toBe('3 tasks recorded as running, but the host was rebooted since');
    expect(finding.task_ids).toEqual(['a', 'b', 'c']);
    expect(finding.evidence[0]?.text).toContain('host started at 2017-07-14T02:40:00Z');
    const flags = `--root ${host.root}`;
    expect(finding.advice).toEqual([
      `to resume it (the first of 3): thermos run --task-id a ${flags} ${host.root}/tasks/active/a`,
      `to give it up, once it has been silent for --orphan-age (1h): thermos gc ${flags} a b c`,
    ]);
  });

  test('a runner that is stopped', () => {
    const live = writeTask(host.root, 't', { runner: ACTIVE() });
    host.proc({
      locks: lockLine(statSync(join(live, 'runner')), 4_194_000),
      processes: { 4194000: { state: 'T' } },
    });
    expect(only()).toMatchObject({ code: 'runner-stopped', advice: ['resume it: kill -CONT 4194000'] });
  });

  test('leftovers', () => {
    writeTask(host.root, 't', {
      phase: 'finished',
      runner: ACTIVE().process('p', 'WAITING', 'FORKED', 'RUNNING', 'SUCCESS').status('SUCCESS'),
    });
    host.proc({ processes: { 4194002: { startTicks: 100_000_200, uid: 33 } } });
    expect(only()).toMatchObject({
      code: 'leftovers',
      evidence: [{ path: '/proc/4194002', text: 'pid 4194002 (sleep) of a task that is SUCCESS' }],
    });
  });

  test('foreign pids are good to know, and nothing is wrong', () => {
    const live = writeTask(host.root, 't', { runner: new Records().status('ACTIVE', undefined, 7) });
    host.proc({
      locks: lockLine(statSync(join(live, 'runner')), 4_194_000),
      processes: { 4194000: { nsPid: [4_194_000, 7] } },
    });
    expect(only()).toMatchObject({ code: 'foreign-pids', severity: 'note' });
  });

  test('a task that ended, but was never moved', () => {
    writeTask(host.root, 't', { runner: ACTIVE().status('SUCCESS') });
    expect(only()).toMatchObject({ code: 'task-not-moved', severity: 'warning' });
  });

  test('a task whose user the runner did not know', () => {
    const { uid, ...header } = host.header('t');
    expect(uid).toBe(33);
    const records = new Records().status('ACTIVE').header({ ...header, user: 'nobody-here' });
    writeTask(host.root, 't', { runner: records });
    const { findings } = host.diagnose();
    expect(findings.map(({ code }) => code)).toEqual(['runner-dead', 'user-unknown']);
    expect(findings[1]?.what).toContain('there is no user nobody-here');
  });

  test('a sandbox that was removed under its task', () => {
    const live = writeTask(host.root, 't', { runner: ACTIVE() });
    host.proc({ locks: lockLine(statSync(join(live, 'runner')), 4_194_000) });
    rmSync(join(host.path, 'sandboxes/t'), { recursive: true });
    expect(only()).toMatchObject({
      code: 'sandbox-gone',
      evidence: [{ path: join(host.path, 'sandboxes/t') }],
    });
  });

  test.each(['launch', 'stream', 'mtime'])('a clock that was ahead: %s', (where) => {
    const ahead = host.now + 3_600_000;
    const directory = writeTask(host.root, 't', {
      phase: 'finished',
      runner: new Records()
        .status('ACTIVE')
        .header({ ...host.header('t'), launch_time_ms: where === 'launch' ? ahead : 1 })
        .status('SUCCESS', where === 'stream' ? ahead : 2),
    });
    if (where === 'mtime') host.age(join(directory, 'runner'), -3_600_000);
    const finding = only();
    expect(finding).toMatchObject({ code: 'clock-skew', severity: 'warning' });
    expect(finding.evidence[0]?.text).toMatch(/in (1h|59m)/);
    expect(finding.what).toContain('the clock of this host');
  });

  test('a time that no clock shows', () => {
    const header = { ...host.header('t'), launch_time_ms: 2n ** 62n };
    const runner = new Records().status('ACTIVE').header(header).status('SUCCESS');
    writeTask(host.root, 't', { phase: 'finished', runner });
    expect(only()).toMatchObject({ code: 'checkpoint-times-odd', severity: 'warning' });
  });

  test('in a container, where locks are hidden: what is not certain is not an error', () => {
    const directory = writeTask(host.root, 't', { runner: ACTIVE() });
    host.proc({ namespace: 'other' });
    expect(only()).toMatchObject({
      code: 'runner-dead',
      severity: 'warning',
      evidence: [{ path: join(directory, 'runner'), text: expect.stringContaining('locks of other pid') }],
      advice: ['run it on the host itself, outside containers', expect.any(String), expect.any(String)],
    });
  });

  test('in a container, a stream without a pid is reported as not checked', () => {
    const runner = new Records();
    runner.records.push({ type: 'task_status', value: { state: 'ACTIVE', timestamp_ms: host.now } });
    writeTask(host.root, 't', { runner });
    host.proc({ namespace: 'other' });
    const { findings, problems } = host.diagnose();
    expect(findings).toEqual([]);
    expect(problems).toMatchObject([
      { code: 'not-checked', message: expect.stringContaining('1 active task') },
    ]);
  });

  test('a clock of another host', () => {
    const header = { ...host.header('t'), hostname: 'node-2', launch_time_ms: host.now + 3_600_000 };
    writeTask(host.root, 't', {
      phase: 'finished',
      runner: new Records().status('ACTIVE').header(header).status('SUCCESS'),
    });
    expect(only().what).toContain('of node-2');
  });
});

describe('streams and task files', () => {
  beforeEach(() => mkdirSync(join(host.workDir, 'slaves'), { recursive: true }));

  const codes = () => host.diagnose().findings.map(({ code }) => code);

  test('damaged', () => {
    const directory = host.finishedTask('t');
    appendFileSync(join(directory, 'runner'), 'garbage that is no record');
    expect(only()).toMatchObject({
      code: 'checkpoint-damaged',
      evidence: [{ path: join(directory, 'runner'), offset: expect.any(Number) }],
    });
  });

  test('torn, without a runner that would write the rest', () => {
    const directory = writeTask(host.root, 't', { runner: ACTIVE() });
    appendFileSync(join(directory, 'runner'), new Records().status('LOST').bytes().subarray(0, 9));
    expect(codes()).toEqual(['runner-dead', 'checkpoint-torn']);
  });

  test('cut between two records, after the task was moved', () => {
    writeTask(host.root, 't', { phase: 'finished', runner: ACTIVE() });
    writeTask(host.root, 'u', { phase: 'finished', runner: Buffer.alloc(0) });
    expect(only()).toMatchObject({
      code: 'end-not-recorded',
      evidence: [{ text: 'it ends with ACTIVE' }, { text: 'no state is recorded' }],
    });
  });

  test('without a header', () => {
    writeTask(host.root, 't', {
      phase: 'finished',
      runner: new Records().status('ACTIVE').status('SUCCESS'),
    });
    expect(only()).toMatchObject({ code: 'checkpoint-headless', severity: 'warning' });
  });

  test('of another task', () => {
    writeTask(host.root, 'u', { phase: 'finished', runner: ACTIVE().status('SUCCESS') });
    expect(only()).toMatchObject({
      code: 'checkpoint-of-another-task',
      evidence: [{ text: 'its header is that of task t' }],
    });
  });

  test('a checkpoint that is gone', () => {
    rmSync(host.finishedTask('t'), { recursive: true });
    expect(only()).toMatchObject({ code: 'checkpoint-missing', severity: 'error' });
  });

  test('a task that never started, unless it may be about to', () => {
    const directory = join(host.root, 'checkpoints/t');
    mkdirSync(directory, { recursive: true });
    const at = (ageMs: number) => utimesSync(directory, (host.now - ageMs) / 1000, (host.now - ageMs) / 1000);
    at(59_000);
    expect(codes()).toEqual([]);
    at(61_000);
    expect(codes()).toEqual(['task-file-missing', 'task-not-started']);
  });

  test('a stream without a record, unless its task may be about to start', () => {
    const directory = writeTask(host.root, 't', { runner: Buffer.alloc(0) });
    const at = (ageMs: number) =>
      utimesSync(join(directory, 'runner'), (host.now - ageMs) / 1000, (host.now - ageMs) / 1000);
    at(59_000);
    expect(codes()).toEqual([]);
    at(61_000);
    expect(codes()).toEqual(['checkpoint-headless']);
  });

  test('a task file that is gone', () => {
    host.finishedTask('t');
    unlinkSync(join(host.root, 'tasks/finished/t'));
    expect(codes()).toContain('task-file-missing');
  });

  test('a task file in both places', () => {
    host.finishedTask('t');
    host.write('root/tasks/active/t', '{"processes":[]}');
    expect(only()).toMatchObject({ code: 'task-file-twice' });
  });

  test('a task file that is cut off', () => {
    host.finishedTask('t');
    host.write('root/tasks/finished/t', '{"processes":[');
    expect(only()).toMatchObject({
      code: 'task-file-damaged',
      evidence: [{ path: join(host.root, 'tasks/finished/t') }],
    });
  });
});

describe('roots', () => {
  test('one that is not there, while an agent works elsewhere', () => {
    host.write('etc/mesos-agent/work_dir', '/srv/mesos\n');
    const finding = only(host.diagnose(host.options({ flags: { mesosRoot: [`${host.path}/wrong`] } })));
    expect(finding).toMatchObject({ code: 'root-missing', severity: 'error' });
    expect(finding.advice.at(-1)).toContain('look there: thermos doctor --mesos-root /srv/mesos');
  });

  test('one without slaves', () => {
    mkdirSync(`${host.path}/empty`);
    expect(only(host.diagnose(host.options({ flags: { mesosRoot: [`${host.path}/empty`] } }))).code).toBe(
      'root-empty',
    );
  });
});

const LIBSASL = 'ImportError: libsasl2.so.3: cannot open shared object file: No such file or directory\n';

describe('executors', () => {
  beforeEach(() => {
    host.finishedTask('done');
    host.agent();
  });

  test('a library that is missing, with the line that says so', () => {
    const run = host.run('web', {
      stderr: `Fetched\n${LIBSASL}error: Could not load MesosExecutorDriver!\n`,
    });
    expect(only()).toMatchObject({
      code: 'executor-never-started',
      severity: 'error',
      what: '1 executor never started its task, because the library libsasl2.so.3 is missing on this host',
      evidence: [{ path: join(run, 'stderr'), line: 2, text: LIBSASL.trim(), task_id: 'web' }],
      advice: ['install libsasl2-2 (Debian), cyrus-sasl-lib (Red Hat) on this host'],
    });
  });

  test('in a Docker image', () => {
    host.run('web', { stderr: LIBSASL });
    host.write('mesos/meta/slaves/S0/frameworks/F0/executors/thermos-web/executor.info', executorInfo(1));
    expect(only().what).toContain('in the Docker image');
  });

  test('many of one reason are one finding, another reason is another', () => {
    for (let i = 0; i < 30; i++) host.run(`web-${i}`, { stderr: LIBSASL });
    host.run('db', { stderr: '/usr/bin/env: python2.7: No such file or directory\n' });
    const { findings } = host.diagnose();
    expect(findings.map(({ what }) => what)).toEqual([
      '1 executor never started its task, because there is no python2.7 on this host',
      '30 executors never started their tasks, because the library libsasl2.so.3 is missing on this host',
    ]);
  });

  test('the user that the role stands for, from the log of the executor', () => {
    const text = 'Failed to initialize sandbox: Could not create sandbox because user does not exist: web\n';
    const run = host.run('web', { stderr: '', '__main__.log': text });
    expect(only()).toMatchObject({ evidence: [{ path: join(run, '__main__.log'), line: 1 }] });
    expect(only().what).toContain('the user web does not exist');
  });

  test('with an empty checkpoints directory', () => {
    const run = host.run('web', { stderr: LIBSASL });
    mkdirSync(join(run, 'checkpoints/tasks/active'), { recursive: true });
    expect(only().code).toBe('executor-never-started');
  });

  test('an unknown reason: the last words', () => {
    const run = host.run('web', { stderr: 'hello\nbye\n\n' });
    rmSync(join(run, 'sandbox'), { recursive: true });
    host.age(run, 3_600_000);
    expect(only()).toMatchObject({
      severity: 'warning',
      evidence: [{ path: join(run, 'stderr'), line: 2, text: 'bye' }],
    });
  });

  test('no word of its own, but one of the agent', () => {
    const run = host.run('web', {});
    rmSync(join(run, 'sandbox'), { recursive: true });
    const log = host.write(
      'log/mesos-agent.INFO',
      "Container 'C0' for executor 'thermos-web' of framework F0 failed to start: Failed to pull image\n",
    );
    const finding = only();
    expect(finding).toMatchObject({ severity: 'error', evidence: [{ path: log, line: 1 }] });
    expect(finding.evidence[0]?.text).toContain('Failed to pull image');
  });

  test('one that may just be starting is left alone', () => {
    const run = host.run('web', { stderr: 'Fetching\n' });
    rmSync(join(run, 'sandbox'), { recursive: true });
    host.age(run, 1000);
    expect(host.diagnose().findings).toEqual([]);
  });

  test('so is one whose process is alive', () => {
    const run = host.run('web', { stderr: 'Fetching\n' });
    const meta = `mesos/meta/${run.slice(host.workDir.length + 1)}`;
    host.write(`${meta}/pids/forked.pid`, '4194007');
    host.proc({ processes: { 4194007: {} } });
    expect(host.diagnose().findings).toEqual([]);
  });

  test('a stderr without a line in its end', () => {
    const run = host.run('web', { stderr: 'x'.repeat(200_000) });
    rmSync(join(run, 'sandbox'), { recursive: true });
    host.age(run, 3_600_000);
    const evidence = [{ path: join(run, 'stderr'), text: 'it ends with part of one long line' }];
    expect(only()).toMatchObject({ code: 'executor-never-started', evidence });
  });

  test('a sandbox of which the agent removed a part', () => {
    const run = host.run('web', {});
    expect(only()).toMatchObject({ code: 'sandbox-partly-removed', evidence: [{ path: run }] });
  });

  test.each(['link', 'pipe', 'directory'])('a stderr that is a %s is not read', (what) => {
    const secret = host.write('secret', LIBSASL);
    const run = host.run('web', {});
    const stderr = join(run, 'stderr');
    if (what === 'link') symlinkSync(secret, stderr);
    else if (what === 'pipe') expect(spawnSync('mkfifo', [stderr]).status).toBe(0);
    else mkdirSync(stderr);
    host.age(run, 3_600_000);
    expect(JSON.stringify(host.diagnose())).not.toContain('libsasl');
  });

  test("a stderr that is another name of a file which the sandbox's owner may not read is not read", () => {
    const secret = host.write('secret', LIBSASL);
    const run = host.run('web', {});
    linkSync(secret, join(run, 'stderr'));
    host.age(run, 3_600_000);
    expect(only().what).toContain('libsasl');
    // Without root there is nobody else to whom the sandbox could belong.
    const isRoot = process.geteuid?.() === 0;
    chmodSync(secret, isRoot ? 0o600 : 0);
    if (isRoot) chownSync(run, 33, 33);
    expect(JSON.stringify(host.diagnose())).not.toContain('libsasl');
  });

  test('files of the agent are not read through a link, nor where only others may read', () => {
    const info = 'mesos/meta/slaves/S0/frameworks/F0/executors/thermos-web/executor.info';
    host.run('web', { stderr: 'sh: 1: python2.7: not found\n' });
    const elsewhere = host.write('elsewhere/executor.info', executorInfo(1));
    const path = host.write(info, '');
    unlinkSync(path);
    symlinkSync(elsewhere, path);
    expect(only().what).toContain('on this host');
    unlinkSync(path);
    host.write(info, executorInfo(1));
    expect(only().what).not.toContain('on this host');
  });
});

describe('the agent', () => {
  const DAY = 86_400_000;
  beforeEach(() => host.finishedTask('done'));

  test('refuses to start', () => {
    host.agent();
    const path = host.write('log/mesos-slave.INFO', MESOS_1_5.replaceAll('/var/lib/mesos', host.workDir));
    host.write('log/mesos-slave.ERROR', MESOS_1_5.replaceAll('/var/lib/mesos', host.workDir));
    host.age(join(host.path, 'log/mesos-slave.ERROR'), 1000);
    const finding = only();
    expect(finding).toMatchObject({
      code: 'agent-refuses-to-start',
      evidence: [{ path, line: 2 }, {}, {}, {}],
    });
    expect(finding.advice).toContain(
      `or remove its identity, then start it as a new agent: rm -f ${host.workDir}/meta/slaves/latest`,
    );
  });

  test('refuses to start, and only the log of the system knows', () => {
    host.agent();
    host.write('etc/mesos-slave/work_dir', host.workDir);
    const prefix = 'Nov 21 10:00:01 node-1 mesos-slave[100]: ';
    const lines = MESOS_1_5.replaceAll('/var/lib/mesos', host.workDir).split('\n');
    const path = host.write('syslog', lines.map((line) => `${prefix}${line}\n`).join(''));
    const finding = only();
    expect(finding).toMatchObject({
      code: 'agent-refuses-to-start',
      evidence: [{ path, line: 2 }, {}, {}, {}],
    });
    expect(finding.evidence[1]?.text).toBe(
      'only in the old info: attributes { name: "rack" text { value: "a" } }',
    );
  });

  test('refused once, and runs since', () => {
    host.agent();
    const log = host.write('log/mesos-agent.INFO', MESOS_1_5.replaceAll('/var/lib/mesos', host.workDir));
    host.age(log, DAY);
    host.agentRuns(4_194_008, Math.floor(host.now / 1000) - 3600);
    expect(host.diagnose().findings).toEqual([]);
  });

  test('of another work directory refuses: not ours', () => {
    host.agent();
    host.write('log/mesos-agent.INFO', MESOS_1_5);
    expect(host.diagnose().findings).toEqual([]);
  });

  test('never registered', () => {
    host.agent();
    unlinkSync(join(host.workDir, 'meta/slaves/latest'));
    expect(only()).toMatchObject({ code: 'agent-never-registered', severity: 'warning' });
  });

  test('has lost what it knew', () => {
    host.agent();
    rmSync(join(host.workDir, 'meta/slaves/S0'), { recursive: true });
    expect(only()).toMatchObject({ code: 'agent-identity-dangling' });
  });

  test('has not recovered since the host was started', () => {
    host.agent();
    host.write('mesos/meta/boot_id', 'another-boot\n');
    expect(only()).toMatchObject({
      code: 'agent-not-recovered',
      evidence: [{ path: join(host.workDir, 'meta/boot_id') }],
    });
  });

  test.each([
    [[], 'host and rack', 'it places no task here'],
    [['rack'], 'host', 'it places no task here'],
    [['host', 'zone'], 'rack', 'it places no task of a job with production=True here'],
  ])('with attributes %j lacks %s', (attributes, missing, consequence) => {
    host.agent(attributes);
    const finding = only();
    expect(finding).toMatchObject({ code: 'agent-attributes-missing', severity: 'warning' });
    expect(finding.evidence[0]?.path).toBe(join(host.workDir, 'meta/slaves/S0/slave.info'));
    expect(finding.what).toContain(`has no attribute ${missing}:`);
    expect(finding.what).toContain(consequence);
    expect(finding.advice[0]).toContain(`--attributes='host:${HOSTNAME};rack:RACK'`);
  });

  test('keeps a former identity until gc_delay is over, and no longer', () => {
    host.agent();
    mkdirSync(join(host.workDir, 'slaves/S-old'));
    expect(only()).toMatchObject({ code: 'old-agent', severity: 'note' });
    host.age(join(host.workDir, 'slaves/S-old'), 10 * DAY);
    expect(only()).toMatchObject({ code: 'old-agent', severity: 'note' });
    host.agentRuns(4_194_008, 1_399_000_100);
    expect(only()).toMatchObject({ code: 'old-agent-not-removed', severity: 'warning' });
    host.write('etc/mesos-agent/gc_delay', '3weeks\n');
    expect(only()).toMatchObject({ code: 'old-agent', severity: 'note' });
  });
});
