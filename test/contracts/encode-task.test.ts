import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeInspect, encodeTask } from '../../src/contracts/encode-task.js';
import { CONTRACTS } from '../../src/contracts/index.js';
import { discover } from '../../src/discovery/discover.js';
import { Host } from '../../src/host/host.js';
import { TaskReader } from '../../src/task/reader.js';
import type { TaskView } from '../../src/task/view.js';
import { optionsIn } from '../discovery/trees.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { FAILED, foundTask, makeProc, RAN, Records, writeTask } from '../task/trees.js';
import { violations } from './validate.js';

let temp: { path: string; remove: () => void };
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = join(temp.path, 'root');
});
afterEach(() => temp.remove());

function host(): Host {
  const proc = makeProc(join(temp.path, 'proc'), { locks: '' });
  return Host.local({ proc, passwd: '/nonexistent' });
}

function view(id = 't'): TaskView {
  return new TaskReader(foundTask(root, id), { history: true }).read(host());
}

/** What a script sees. */
function printed(document: object) {
  return JSON.parse(JSON.stringify(document));
}

function expectValid(of: TaskView): void {
  const inspect = printed(encodeInspect(of, [], []));
  expect(violations('inspect', inspect)).toEqual([]);
  expect(CONTRACTS.inspect.safeParse(inspect).error).toBeUndefined();
  const status = { tasks: [printed(encodeTask(of))], roots: [], problems: [] };
  expect(violations('status', status)).toEqual([]);
  expect(CONTRACTS.status.safeParse(status).error).toBeUndefined();
}

test('what a task uses, field by field; what is not known is absent', () => {
  writeTask(root, 't', { runner: new Records().status('ACTIVE').header({ task_id: 't' }) });
  const use = {
    asked: { cpu: 1, ram: 2, disk: 3 },
    cpuAverage: 0.123456,
    rssBytes: 10,
    threads: 2,
    pids: 1,
    disk: { bytes: 512, atLeast: true } as const,
    throttledShare: 0.25,
    oomKills: 1,
    pidsCount: 4,
    limits: { cpu: 1.5, memoryBytes: 100, pids: 5 },
  };
  const document = printed(encodeInspect(view(), [], [], undefined, use));
  expect(document.usage).toEqual({
    cpu_average: 0.1235,
    cpu_asked: 1,
    rss_bytes: 10,
    ram_asked_bytes: 2,
    threads: 2,
    pids: 1,
    disk_bytes: 512,
    disk_at_least: true,
    disk_asked_bytes: 3,
    throttled_ratio: 0.25,
    oom_kills: 1,
    cpu_limit: 1.5,
    ram_limit_bytes: 100,
    pids_count: 4,
    pids_limit: 5,
  });
  const unknown = printed(encodeInspect(view(), [], [], undefined, { asked: {} }));
  expect(unknown.usage).toEqual({});
  for (const each of [document, unknown]) expect(violations('inspect', each)).toEqual([]);
});

test('a task, field by field', () => {
  const records = new Records()
    .status('ACTIVE', 1_400_000_000_000, 77)
    .header({
      task_id: 't',
      launch_time_ms: 2n ** 60n,
      sandbox: '/no/where',
      hostname: 'h',
      user: 'u',
      uid: 5,
      ports: { http: 80, big: 2n ** 62n },
    })
    .process('a', ...RAN)
    .process('b', ...FAILED, 'WAITING', 'FORKED', { state: 'RUNNING', start_time: Number.NaN, pid: 9 });
  const task = {
    name: 'n',
    processes: [{ name: 'a', cmdline: 'echo', max_failures: 1 }, { name: 'b' }, { name: 'never' }],
    constraints: [{ order: ['a', 'never'] }],
    resources: { cpu: 0.5, ram: 1024 },
  };
  writeTask(root, 't', { task, runner: records });
  const reason = { time_ms: 7, code: 'process-not-started', message: 'm', process: 'b', run: 1, by: 'u' };
  writeFileSync(join(root, 'checkpoints/t/reasons'), JSON.stringify(reason));
  const document = printed(encodeInspect(view(), [], ['because']));
  const a = { process: 'a', state: 'SUCCESS', coordinator_pid: 4_194_001, pid: 4_194_002, return_code: 0 };
  const times = { start_time: 1_400_000_002, stop_time: 1_400_000_003 };
  expect(document).toEqual({
    task_id: 't',
    root,
    layout: 'host',
    phase: 'active',
    state: 'ACTIVE',
    verdict: 'runner-gone',
    state_timestamp_ms: 1_400_000_000_000,
    launch_time_ms: '1152921504606846976',
    name: 'n',
    user: 'u',
    uid: 5,
    hostname: 'h',
    owner: String(process.getuid?.()),
    sandbox: '/no/where',
    log_dir: '/no/where/.logs',
    ports: { http: 80, big: '4611686018427387904' },
    runner: { pid: 77, uid: 0, alive: false },
    processes: [
      { ...a, ...times, runs: 1, failures: 0, max_failures: 1, cmdline: 'echo' },
      {
        process: 'b',
        state: 'RUNNING',
        runs: 2,
        failures: 1,
        pid: 9,
        coordinator_pid: 4_194_001,
        start_time: 'nan',
      },
      { process: 'never', state: 'WAITING', runs: 0, failures: 0 },
    ],
    problems: [],
    header: {
      task_id: 't',
      launch_time_ms: '1152921504606846976',
      sandbox: '/no/where',
      hostname: 'h',
      user: 'u',
      uid: 5,
      ports: { http: 80, big: '4611686018427387904' },
    },
    statuses: [{ state: 'ACTIVE', timestamp_ms: 1_400_000_000_000, runner_pid: 77, runner_uid: 0 }],
    history: {
      a: [{ ...a, ...times, seq: 3, fork_time: 1_400_000_001 }],
      b: [
        { ...a, ...times, process: 'b', state: 'FAILED', return_code: 7, seq: 3, fork_time: 1_400_000_001 },
        {
          process: 'b',
          state: 'RUNNING',
          seq: 6,
          fork_time: 1_400_000_001,
          coordinator_pid: 4_194_001,
          pid: 9,
          start_time: 'nan',
        },
      ],
    },
    task,
    ordering: [
      { process: 'a', after: [] },
      { process: 'b', after: [] },
      { process: 'never', after: ['a'] },
    ],
    resources: { cpu: 0.5, ram: 1024 },
    logs: [],
    reasons: [reason],
    why: ['because'],
  });
  expectValid(view());
});

describe('what is hostile is still valid', () => {
  test.each<[string, string]>([
    [
      'numbers beyond JSON',
      '{"processes":[{"name":"a","max_failures":1e999}],"resources":{"cpu":-1e999,"ram":1e300}}',
    ],
    ['numbers that are not integers', '{"processes":[{"name":"a","max_failures":0.5}],"max_failures":1e30}'],
    [
      'names of the prototype',
      '{"__proto__":{"a":1},"processes":[{"name":"__proto__"},{"name":"constructor"}]}',
    ],
    ['too deep to print', `{"processes":[],"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['no task at all', 'null'],
  ])('a task file with %s', (_what, task) => {
    writeTask(root, 't', { task, runner: new Records().status('ACTIVE').process('__proto__', ...RAN) });
    expectValid(view());
  });

  test('a stream with times that are none, and names of the prototype', () => {
    const records = new Records()
      .status('ACTIVE')
      .header({ ports: JSON.parse('{"__proto__":1,"toString":2}') });
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e300, 1e300, -0]) {
      records.process('__proto__', 'WAITING', { state: 'FORKED', fork_time: time, coordinator_pid: -1 });
      records.process('__proto__', { state: 'RUNNING', start_time: time, pid: -1 });
      records.process('__proto__', { state: 'FAILED', stop_time: time, return_code: -(2 ** 31) });
    }
    writeTask(root, 't', { runner: records });
    expectValid(view());
    const document = printed(encodeInspect(view(), [], []));
    expect(
      Object.entries(document.history).map(([name, runs]) => [name, (runs as unknown[]).length]),
    ).toEqual([['__proto__', 6]]);
    expect(Object.entries(document.ports)).toEqual([
      ['__proto__', 1],
      ['toString', 2],
    ]);
  });

  test('every task of both fixtures', () => {
    const flags = { root: [join(FIXTURES, 'host/root')], mesosRoot: [join(FIXTURES, 'mesos')] };
    const { tasks } = discover(optionsIn(temp.path, { flags }));
    expect(tasks.length).toBeGreaterThan(10);
    for (const found of tasks) expectValid(new TaskReader(found, { history: true }).read(host()));
  });
});

test('the recorded path of a sandbox is reported only if it is elsewhere here', () => {
  writeTask(root, 't', { runner: new Records().status('ACTIVE').header({ sandbox: temp.path }) });
  const same = printed(encodeTask(view()));
  expect([same.sandbox, 'recorded_sandbox' in same]).toEqual([temp.path, false]);
  const moved = encodeTask({ ...view(), sandbox: { path: '/b', recorded: '/a', found: true } });
  expect([moved.sandbox, moved.recorded_sandbox]).toEqual(['/b', '/a']);
});
