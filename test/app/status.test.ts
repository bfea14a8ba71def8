import { afterAll, describe, expect, test } from 'vitest';
import { lookAtTasks, type StatusQuery } from '../../src/app/status.js';
import type { TaskGatherer, TaskSearch } from '../../src/task/gatherer.js';
import type { TaskView } from '../../src/task/view.js';
import { tempDir } from '../e2e/harness.js';
import { gatheredHere, gatheredLate, TREES, treeOf } from './gatherers.js';

const temp = tempDir();
afterAll(temp.remove);

async function look(search: TaskSearch, query: Partial<StatusQuery> = {}) {
  const views: TaskView[] = [];
  const take = (view: TaskView) => void views.push(view);
  const answer = await lookAtTasks({ words: [], ...query }, search, take);
  return { answer, views };
}

const ids = ({ views }: { views: TaskView[] }) => views.map(({ task_id }) => task_id);

describe.each(TREES)('%s', (name) => {
  test('is seen alike by who answers at once and by who answers late', async () => {
    const here = await look(gatheredHere(treeOf(name), temp.path).gatherer);
    expect(here.views).not.toEqual([]);
    for (const seed of [1, 2, 3]) {
      const late = gatheredLate(treeOf(name), seed).gatherer;
      expect(await look(late)).toEqual(here);
      const board = late.board(() => 0);
      for (let again = 0; again < 2; again++) expect(await look(board)).toEqual(here);
    }
  });
});

describe('what is asked of either', () => {
  const gatherers: [string, () => TaskGatherer][] = [
    ['this host', () => gatheredHere(treeOf('host'), temp.path).gatherer],
    ['one that is late', () => gatheredLate(treeOf('host')).gatherer],
  ];

  test.each(gatherers)('%s: tasks by phase and state', async (_, make) => {
    const gatherer = make();
    expect(ids(await look(gatherer, { only: 'active' }))).toEqual(['host-dead', 'host-live']);
    expect(ids(await look(gatherer, { state: ['FAILED', 'KILLED'] }))).toEqual(['host-bad', 'host-kill']);
    const { answer, views } = await look(gatherer, { only: 'active', state: ['SUCCESS'] });
    expect([views, answer.exitCode, answer.notice]).toEqual([
      [],
      1,
      'None of the 7 tasks matches the filters.',
    ]);
  });

  test.each(gatherers)('%s: words', async (_, make) => {
    const gatherer = make();
    const some = await look(gatherer, { words: ['host-ok', 'no-such'] });
    expect(ids(some)).toEqual(['host-ok-1', 'host-ok-2']);
    expect([some.answer.exitCode, some.answer.roots.map(({ tasks }) => tasks)]).toEqual([1, [2]]);
    expect(some.answer.problems).toEqual(some.answer.problemsOfSearch);
    expect(some.answer.problems.map(({ code }) => code)).toEqual(['task-not-found']);
    await expect(look(gatherer, { words: ['no-such'] })).rejects.toThrow("no task matches 'no-such'");
  });

  test('tasks of one that is late are waited for together, and come in their order', async () => {
    const late = gatheredLate(treeOf('host'), 5).gatherer;
    expect(ids(await look(late))).toEqual(ids(await look(gatheredHere(treeOf('host'), temp.path).gatherer)));
    expect(late.most).toBe(7);
  });

  test('where there is nothing, that is said', async () => {
    const nowhere = gatheredLate(treeOf('host/sandboxes')).gatherer;
    const { answer } = await look(nowhere);
    expect(answer).toMatchObject({
      exitCode: 1,
      notice: `No tasks in ${treeOf('host/sandboxes')}/root.`,
      problems: [],
    });
  });
});
