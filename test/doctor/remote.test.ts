import { expect, test } from 'vitest';
import { type Belief, scheduleStatusOf } from '../../src/doctor/check-belief.js';
import { type MemoryEnd, outOfMemoryIn } from '../../src/doctor/check-ending.js';
import { RemoteDiagnosis } from '../../src/doctor/remote.js';
import type { Problem } from '../../src/errors/problem.js';
import type { TaskView } from '../../src/task/view.js';
import { START, taskView } from '../views/task-views.js';

const AGENT = { id: 'S0', url: 'http://agent-1:5051', hostname: 'agent-1' };

function remote(task_id: string, parts: Partial<TaskView> = {}): TaskView {
  const view = taskView({ task_id, ...parts });
  return { ...view, root: { ...view.root, agent: AGENT } };
}

function diagnose(
  views: readonly TaskView[],
  {
    problems = [] as Problem[],
    retained,
    knowsAll = true,
    remembered = [],
    told,
    ...given
  }: {
    problems?: Problem[];
    retained?: Record<string, string>;
    knowsAll?: boolean;
    remembered?: string[];
    told?: ReadonlyMap<string, MemoryEnd>;
  } & Partial<Belief> = {},
) {
  const source = retained === undefined ? ('agents' as const) : ('file' as const);
  const belief = { source, statuses: new Map(Object.entries(retained ?? {})), ...given };
  const selected = views.map(({ found }) => found);
  const diagnosis = new RemoteDiagnosis({ problems, selected }, remembered, belief, START);
  for (const view of views) diagnosis.add(view);
  const findings = diagnosis.end(knowsAll, told);
  const ended = diagnosis.ended.map(({ task_id }) => task_id);
  return { findings, ended, codes: findings.map(({ code }) => code), rows: diagnosis.rows };
}

const FINISHED: Partial<TaskView> = { phase: 'finished', state: 'SUCCESS' };

test('what agents do not do is one finding each, with all of these agents as evidence', () => {
  const problem = (code: Problem['code'], agent: string, severity: Problem['severity'] = 'error') => ({
    ...{ code, severity, agent, message: `cannot read the agent ${agent}`, hint: 'see' },
  });
  const { findings } = diagnose([], {
    problems: [
      problem('agent-unreachable', 'a'),
      problem('agent-unreachable', 'b'),
      problem('agent-unauthorized', 'c'),
      problem('agent-clock-skew', 'd', 'warning'),
    ],
  });
  expect(
    findings.map(({ what, severity, evidence }) => [what, severity, evidence.map(({ agent }) => agent)]),
  ).toEqual([
    ['2 agents cannot be reached: what runs there is not known', 'error', ['a', 'b']],
    ['1 agent refused to answer', 'error', ['c']],
    ['1 agent with a clock that differs from that of this host', 'warning', ['d']],
  ]);
  expect(findings[0]?.advice).toEqual(['see']);
});

test('a task whose executor is gone is a finding, with what its host can do', () => {
  const { findings } = diagnose([
    remote('web', { verdict: 'runner-gone' }),
    remote('done', { verdict: 'runner-gone', state: 'SUCCESS' }),
    remote('well'),
  ]);
  expect(findings.map(({ code, task_ids }) => [code, task_ids])).toEqual([
    ['runner-dead', ['web']],
    ['task-not-moved', ['done']],
  ]);
  expect(findings[0]?.advice.at(-1)).toContain("ssh -- agent-1 'thermos gc --include-mesos web'");
  expect(findings[0]?.evidence[0]?.agent).toBe(AGENT.url);
});

test('the streams against what the scheduler believes', () => {
  const views = [remote('a'), remote('b'), remote('c', FINISHED), remote('d', FINISHED), remote('e')];
  const retained = {
    a: 'RUNNING',
    b: 'FINISHED',
    c: 'RUNNING',
    d: 'FINISHED',
    gone: 'RUNNING',
    new: 'ASSIGNED',
  };
  const { rows, findings } = diagnose(views, { retained });
  expect(
    rows.map(({ task_id, local, expected, action }) => [task_id, local, expected, action].join(' ')),
  ).toEqual([
    'a active RUNNING none',
    'b active FINISHED kill',
    'c finished RUNNING send-final-state',
    'd finished FINISHED none',
    'e active unknown kill',
    'gone absent RUNNING send-lost',
    'new absent ASSIGNED none',
  ]);
  expect(findings.map(({ what, task_ids }) => [what, task_ids])).toEqual([
    ['2 tasks recorded as running, but over or unknown to the scheduler', ['b', 'e']],
    ['1 task over, but running as the scheduler believes', ['c']],
    ['1 task running as the scheduler believes, without a trace on these agents', ['gone']],
  ]);
  expect(findings[0]?.advice).toEqual(["end it on its host: ssh -- agent-1 'thermos kill b e'"]);
});

test('what is asked now differs only after a minute: either side may not have told the other yet', () => {
  const ago = (seconds: number) => START - seconds * 1000;
  const views = [
    remote('ends', { ...FINISHED, state_timestamp_ms: ago(5) }),
    remote('ended', { ...FINISHED, state_timestamp_ms: ago(600) }),
    remote('killed', { state_timestamp_ms: ago(900) }),
  ];
  const retained = { ends: 'RUNNING', ended: 'RUNNING', killed: 'KILLED', comes: 'RUNNING', lost: 'RUNNING' };
  const since = new Map([
    ['killed', ago(10)],
    ['comes', ago(1)],
    ['lost', ago(100)],
    ['ended', ago(700)],
  ]);
  const { rows, findings } = diagnose(views, { retained, source: 'scheduler', since });
  expect(rows.filter(({ recent }) => recent).map(({ task_id }) => task_id)).toEqual([
    ...['ends', 'killed', 'comes'],
  ]);
  expect(findings.map(({ task_ids }) => task_ids)).toEqual([['ended'], ['lost']]);
});

test('what a master does not know while its agent runs it may be hidden from us, and is no finding', () => {
  const ended = { verdict: 'runner-gone', state_timestamp_ms: START - 100_000 } as const;
  const views = [remote('hidden', { verdict: 'ok', state_timestamp_ms: 0 }), remote('gone', ended)];
  const { findings } = diagnose(views, { retained: {}, source: 'master' });
  const differs = findings.filter(({ code }) => code === 'scheduler-disagrees');
  expect(differs.map(({ what, task_ids }) => [what, task_ids])).toEqual([
    ['1 task recorded as running, but over or unknown to the master', ['gone']],
  ]);
});

test('tasks of agents that were not asked are not missing', () => {
  const retained = { there: 'RUNNING', here: 'RUNNING' };
  const elsewhere = new Set(['there']);
  expect(diagnose([], { retained, source: 'scheduler', elsewhere }).rows).toMatchObject([
    { task_id: 'here' },
  ]);
});

test('a task that ended for lack of memory is a finding for a day, as the scheduler tells it', () => {
  const text = 'Memory limit exceeded: Requested: 64MB Maximum Used: 64MB';
  expect(outOfMemoryIn(`${text}\n\nMEMORY STATISTICS: \ncache 794624`)).toBe(text);
  expect(outOfMemoryIn(`${text} MEMORY STATISTICS: cache 794624`)).toBe(text);
  // Aurora's own words.
  const own = 'Task used more memory than requested.';
  expect(outOfMemoryIn(own)).toBe(own);
  expect(outOfMemoryIn('Task failed.')).toBeUndefined();
  // By an executor: a search that looks at each blank again for each blank would take hours.
  expect(outOfMemoryIn(`${text}${' '.repeat(3_000_000)}x`)).toBe(text);
  const ended = (hours: number) => ({ ...FINISHED, state_timestamp_ms: START - hours * 3_600_000 });
  const { findings } = diagnose([remote('a', ended(1)), remote('b', ended(30)), remote('c', ended(1))], {
    outOfMemory: new Map([
      ['a', { text }],
      ['b', { text }],
    ]),
  });
  expect(findings).toMatchObject([{ code: 'oom-killed', task_ids: ['a'], evidence: [{ text }] }]);
});

test('when it ended counts, where that is told: a stream that nobody could write any more has an old time', () => {
  const text = 'Memory limit exceeded';
  const cut = (id: string) =>
    remote(id, { verdict: 'runner-gone', state_timestamp_ms: START - 40 * 86_400_000 });
  const hoursAgo = (hours: number) => ({ text, timeMs: START - hours * 3_600_000 });
  const told = new Map([
    ['now', hoursAgo(1)],
    ['then', hoursAgo(25)],
  ]);
  for (const by of [{ told }, { outOfMemory: told }]) {
    const { findings } = diagnose([cut('now'), cut('then')], by);
    expect(findings.filter(({ code }) => code === 'oom-killed').map(({ task_ids }) => task_ids)).toEqual([
      ['now'],
    ]);
  }
});

test('agents are asked about the tasks that somebody else than their runner may have ended within a day', () => {
  const at = (hours: number) => START - hours * 3_600_000;
  const { ended } = diagnose([
    remote('cut', { verdict: 'runner-gone', state_timestamp_ms: at(1000) }),
    remote('failed', { phase: 'finished', state: 'FAILED', state_timestamp_ms: at(1) }),
    remote('lost', { phase: 'finished', state: 'LOST', state_timestamp_ms: at(1) }),
    remote('failed-once', { phase: 'finished', state: 'FAILED', state_timestamp_ms: at(25) }),
    remote('done', { ...FINISHED, state_timestamp_ms: at(1) }),
    remote('runs'),
    remote('closed', { state: 'UNKNOWN', verdict: 'unknown' }),
  ]);
  expect(ended).toEqual(['cut', 'failed', 'lost']);
});

test('while an agent does not answer, no task counts as gone', () => {
  const { rows, codes } = diagnose([remote('a')], {
    retained: { a: 'RUNNING', b: 'RUNNING' },
    knowsAll: false,
  });
  expect([rows.map(({ task_id }) => task_id), codes]).toEqual([['a'], []]);
});

test('what agents tell of their executors is no finding: they learn of an end a moment later', () => {
  const { rows, codes } = diagnose([remote('a', FINISHED)]);
  expect([rows.map(({ action }) => action), codes]).toEqual([['collect'], []]);
});

test('what cannot be read is not compared', () => {
  expect(diagnose([remote('a', { state: 'UNKNOWN' })], { retained: { a: 'RUNNING' } })).toMatchObject({
    rows: [],
    codes: [],
  });
});

test('each state of Mesos stands for a schedule status, and what is none for nothing', () => {
  expect(scheduleStatusOf('TASK_RUNNING')).toBe('RUNNING');
  expect(scheduleStatusOf('TASK_ERROR')).toBe('FAILED');
  expect(scheduleStatusOf('\x1b[31m')).toBeUndefined();
  expect(scheduleStatusOf(undefined)).toBeUndefined();
});

test('a task that an agent has or remembers is not gone, and neither is one on an agent that its master cannot reach', () => {
  const retained = { has: 'RUNNING', other: 'RUNNING', cut: 'PARTITIONED', gone: 'RUNNING' };
  const { rows, findings } = diagnose([remote('has', { state: 'UNKNOWN' })], {
    retained,
    source: 'master',
    remembered: ['other'],
  });
  expect(rows.map(({ task_id, action }) => `${task_id} ${action}`)).toEqual(['cut none', 'gone send-lost']);
  expect(findings.map(({ task_ids }) => task_ids)).toEqual([['gone']]);
});

test('a task that is over and was not moved is not running', () => {
  const over = { phase: 'active', state: 'SUCCESS', state_timestamp_ms: START - 100_000 } as const;
  const { rows } = diagnose([remote('a', over), remote('b', over)], {
    retained: { a: 'FINISHED', b: 'RUNNING' },
    source: 'scheduler',
  });
  expect(rows.map(({ action }) => action)).toEqual(['none', 'send-final-state']);
});

test('nothing follows for tasks of a framework of which the scheduler has none', () => {
  const run = (id: string, framework_id: string) => {
    const view = remote(id, { state_timestamp_ms: START - 100_000 });
    const mesos = { agent_id: 'S0', framework_id, executor_id: `thermos-${id}`, container_id: 'c' };
    return { ...view, root: { ...view.root, mesos } };
  };
  const { findings } = diagnose([run('known', 'F1'), run('orphan', 'F1'), run('foreign', 'F2')], {
    retained: { known: 'RUNNING' },
    source: 'scheduler',
  });
  const differs = findings.filter(({ code }) => code === 'scheduler-disagrees');
  expect(differs.map(({ task_ids }) => task_ids)).toEqual([['orphan']]);
});
