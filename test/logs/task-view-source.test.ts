import { describe, expect, it } from 'vitest';
import type { ProcessStatus } from '../../src/checkpoint/records.js';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import { taskLogs, withRunsOnDisk } from '../../src/logs/task-view-source.js';
import type { ProcessConfig, TaskConfig } from '../../src/task/task-file.js';
import type { TaskView } from '../../src/task/view.js';

const PID = 4242;

interface Situation {
  state?: TaskView['state'];
  alive?: boolean | null;
  leftovers?: number[];
  runs?: ProcessStatus['state'][];
  settings?: Partial<ProcessConfig>;
  problems?: TaskView['problems'];
}

function logsOf({
  state = 'ACTIVE',
  alive = true,
  leftovers = [],
  runs = [],
  settings,
  problems = [],
}: Situation) {
  const history = runs.map((state, seq) => ({ state, process: 'web', seq, start_time: seq + 0.5 }));
  const failures = runs.filter((state) => state === 'FAILED').length;
  const view = {
    task_id: 't',
    root: { path: '/r' },
    state,
    runner: { alive },
    leftovers,
    problems,
    log_dir: { path: '/here', recorded: '/there', found: true },
    processes: [{ process: 'web', state: runs.at(-1) ?? 'WAITING', runs: runs.length, failures, pid: PID }],
    history: new Map([['web', { process: 'web', runs: history, run_count: runs.length, failures }]]),
  } as unknown as TaskView;
  const process: ProcessConfig = { name: 'web', daemon: false, ephemeral: false, final: false, ...settings };
  return taskLogs(view, { processes: [process] } as unknown as TaskConfig, new LocalLogTree({}));
}

const web = (situation: Situation) => logsOf(situation).processes[0];

describe('taskLogs', () => {
  it('counts the runs that have begun', () => {
    expect(web({})).toMatchObject({ started: 0, runs: [] });
    expect(web({ runs: ['WAITING'] })).toMatchObject({ started: 0 });
    expect(web({ runs: ['FAILED', 'WAITING'] })).toMatchObject({ started: 1, runs: [{ state: 'FAILED' }] });
    expect(web({ runs: ['FAILED', 'FORKED'] })).toMatchObject({
      started: 2,
      runs: [{}, { start_time: 1.5 }],
    });
  });

  it.each<[string, Situation, boolean]>([
    ['a runner that lives', {}, false],
    ['one that is dead', { alive: false }, true],
    ['one of which nothing is known', { alive: null }, false],
    ['an end that is recorded', { state: 'FAILED', alive: null }, true],
    ['an end, though somebody has the lock', { state: 'SUCCESS', alive: true }, true],
    ['processes that outlive the runner', { alive: false, leftovers: [PID] }, false],
    ['processes that outlive the task', { state: 'KILLED', alive: false, leftovers: [PID] }, false],
    [
      'a stream that was collected',
      { alive: null, problems: [{ code: 'checkpoint-missing', severity: 'error', message: '' }] },
      true,
    ],
  ])('a task with %s is done: %#', (_, situation, done) => {
    expect(logsOf(situation).done).toBe(done);
  });

  it.each<[Situation, { running: boolean; done: boolean }]>([
    [{}, { running: false, done: false }],
    [{ runs: ['RUNNING'] }, { running: true, done: false }],
    [{ runs: ['FORKED'] }, { running: true, done: false }],
    [
      { runs: ['RUNNING'], alive: false },
      { running: false, done: true },
    ],
    [
      { runs: ['RUNNING'], alive: null },
      { running: false, done: false },
    ],
    [
      { runs: ['RUNNING'], alive: false, leftovers: [PID] },
      { running: true, done: false },
    ],
    [
      { runs: ['FAILED'], alive: false, leftovers: [1] },
      { running: false, done: true },
    ],
    [{ runs: ['SUCCESS'] }, { running: false, done: true }],
    [
      { runs: ['SUCCESS'], settings: { daemon: true } },
      { running: false, done: false },
    ],
    [{ runs: ['FAILED'] }, { running: false, done: true }],
    [
      { runs: ['FAILED'], settings: { max_failures: 2 } },
      { running: false, done: false },
    ],
    [
      { runs: ['FAILED', 'FAILED'], settings: { max_failures: 2 } },
      { running: false, done: true },
    ],
    [
      { runs: ['FAILED', 'FAILED'], settings: { max_failures: 0 } },
      { running: false, done: false },
    ],
    [{ runs: ['KILLED'] }, { running: false, done: false }],
    [{ runs: ['LOST'] }, { running: false, done: false }],
    [
      { runs: ['KILLED'], state: 'CLEANING' },
      { running: false, done: true },
    ],
    [
      { runs: ['WAITING'], state: 'FINALIZING' },
      { running: false, done: true },
    ],
    [
      { state: 'FINALIZING', settings: { final: true } },
      { running: false, done: false },
    ],
    [
      { runs: ['RUNNING'], state: 'SUCCESS' },
      { running: false, done: true },
    ],
  ])('a process %j', (situation, expected) => {
    expect(web(situation)).toMatchObject(expected);
  });
});

describe('withRunsOnDisk', () => {
  it('adds runs and processes that the stream does not hold', () => {
    const logs = logsOf({ runs: ['FAILED'], alive: false });
    const { processes } = withRunsOnDisk(
      logs,
      new Map([
        ['web', 3],
        ['db', 1],
      ]),
    );
    expect(processes).toMatchObject([
      { process: 'web', started: 3 },
      { process: 'db', started: 1, done: true },
    ]);
    expect(withRunsOnDisk(logs, new Map([['web', 0]])).processes).toMatchObject([{ started: 1 }]);
  });
});
