import { expect, test } from 'vitest';
import { scheduleStatusOf } from '../../src/doctor/check-belief.js';
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
  }: {
    problems?: Problem[];
    retained?: Record<string, string>;
    knowsAll?: boolean;
  } = {},
) {
  const source = retained === undefined ? ('agents' as const) : ('scheduler' as const);
  const belief = { source, statuses: new Map(Object.entries(retained ?? {})) };
  const diagnosis = new RemoteDiagnosis({ problems }, belief, START);
  for (const view of views) diagnosis.add(view);
  const findings = diagnosis.end(knowsAll);
  return { findings, codes: findings.map(({ code }) => code), rows: diagnosis.rows };
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
  expect(
    diagnose([remote('a', { state: 'UNKNOWN' })], { retained: { a: 'RUNNING' }, knowsAll: false }).rows,
  ).toEqual([]);
});

test('each state of Mesos stands for a schedule status, and what is none for nothing', () => {
  expect(scheduleStatusOf('TASK_RUNNING')).toBe('RUNNING');
  expect(scheduleStatusOf('TASK_ERROR')).toBe('FAILED');
  expect(scheduleStatusOf('\x1b[31m')).toBeUndefined();
  expect(scheduleStatusOf(undefined)).toBeUndefined();
});
