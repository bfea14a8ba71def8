import { describe, expect, test } from 'vitest';
import { LastKnown } from '../../src/cli/last-known.js';
import type { Problem } from '../../src/errors/problem.js';
import type { TaskView } from '../../src/task/view.js';

const of = (agent: string, ...ids: string[]) =>
  ids.map((task_id) => ({
    task_id,
    root: { path: '/r', readable: true, agent: { id: 'S1', url: `http://${agent}`, hostname: agent } },
  })) as unknown as TaskView[];
const down = (agent: string): Problem => ({
  code: 'agent-unreachable',
  severity: 'error',
  message: 'cannot read it',
  agent: `http://${agent}`,
});
const look = (views: readonly TaskView[], problems: readonly Problem[] = [], ...agents: string[]) => ({
  views,
  problems,
  agents: agents.map((agent) => `http://${agent}`),
});
const ids = (views: readonly TaskView[]) => views.map(({ task_id }) => task_id).join(' ');

test('the tasks of an agent that does not answer stay as they were, until it answers', () => {
  const known = new LastKnown();
  expect(known.isAny).toBe(false);
  known.add(look([...of('a', 'a1', 'a2'), ...of('b', 'b1')]), 1000);
  expect(known.isAny).toBe(true);
  const first = known.add(look(of('b', 'b1'), [down('a')], 'a', 'b'), 2000);
  expect([ids(first.views), first.silent]).toEqual(['b1 a1 a2', [{ agent: 'a', timeMs: 1000 }]]);
  const all = known.add(look([], [down('a'), down('b')], 'a', 'b'), 3000);
  expect(ids(all.views)).toBe('a1 a2 b1');
  expect(all.silent.map(({ timeMs }) => timeMs)).toEqual([1000, 2000]);
  const again = known.add(look(of('a', 'a3'), [down('b')], 'a', 'b'), 4000);
  expect(ids(again.views)).toBe('a3 b1');
});

test('an agent that answers without tasks, and one that is not asked any more, have none', () => {
  const known = new LastKnown();
  known.add(look([...of('a', 'a1'), ...of('b', 'b1')]), 1000);
  expect(known.add(look(of('b', 'b1'), [], 'a', 'b'), 2000)).toEqual({ views: of('b', 'b1'), silent: [] });
  // It answers, but not for one of its sandboxes.
  const closed: Problem = { ...down('b'), code: 'sandbox-unreadable' };
  expect(known.add(look([], [closed], 'b'), 3000)).toEqual({ views: [], silent: [] });
});

describe.each(['master-unreachable', 'master-no-leader', 'scheduler-unreachable'] as const)('%s', (code) => {
  const blind: Problem = { code, severity: 'error', message: 'cannot ask' };

  test('leaves the tasks of agents that nobody lists any more', () => {
    const known = new LastKnown();
    known.add(look(of('a', 'a1')), 1000);
    expect(ids(known.add(look([], [blind]), 2000).views)).toBe('a1');
  });

  test('leaves no task of an agent that is still asked, and has none', () => {
    const known = new LastKnown();
    known.add(look([...of('a', 'a1'), ...of('b', 'b1'), ...of('c', 'c1')]), 1000);
    const { views, silent } = known.add(look([], [blind, down('b')], 'a', 'b'), 2000);
    expect([ids(views), silent.map(({ agent }) => agent)]).toEqual(['b1 c1', ['b', 'c']]);
  });

  test('that is only a warning hides no agent: those who know more have listed them', () => {
    const known = new LastKnown();
    known.add(look(of('a', 'a1')), 1000);
    expect(known.add(look([], [{ ...blind, severity: 'warning' }], 'b'), 2000).views).toEqual([]);
  });
});

test('tasks of this host are as they were seen', () => {
  const known = new LastKnown();
  const local = [{ task_id: 'x', root: { path: '/r', readable: true } }] as unknown as TaskView[];
  expect(known.add({ views: local, problems: [] }, 1000).views).toBe(local);
  expect(known.add({ views: [], problems: [] }, 2000)).toEqual({ views: [], silent: [] });
});
