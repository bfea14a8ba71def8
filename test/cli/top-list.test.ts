import { describe, expect, test } from 'vitest';
import type { TaskActions } from '../../src/cli/task-actions.js';
import type { TopSession } from '../../src/cli/top.js';
import { TopList } from '../../src/cli/top-list.js';
import type { TaskView } from '../../src/task/view.js';
import type { TaskSample } from '../../src/top/model.js';
import { PLAIN } from '../../src/views/parts/paint.js';

const STYLE = { width: 80, tty: true, colour: 0, unicode: true, now: 0, paint: PLAIN } as const;
const ASKED = { filter: '', order: 0, reverse: false, style: STYLE };

/** A task with these processes, whose path is the same on each agent. */
function taskOn(agentId: string | undefined, task_id: string, ...processes: [name: string, run: number][]) {
  const agent =
    agentId === undefined ? undefined : { id: agentId, url: `http://${agentId}`, hostname: agentId };
  const view = {
    task_id,
    state: 'ACTIVE',
    root: { path: '/r', agent },
    found: { checkpoint_dir: `/r/checkpoints/${task_id}` },
  } as unknown as TaskView;
  const sample = {
    task: { key: view.found.checkpoint_dir, task_id, root: '/r', agent, asked: {}, runs: [] },
    processes: processes.map(([process, run]) => ({ process, run })),
  } as unknown as TaskSample;
  return { view, sample };
}

type Task = ReturnType<typeof taskOn>;

/** What keys did, and a list of what `tasks` gives. */
function listOf(
  tasks: () => readonly Task[],
  { processes = false, only }: { processes?: boolean; only?: TaskView } = {},
) {
  const did: string[] = [];
  const actions = {
    news: [],
    kill: ({ root, task_id }: TaskView) => void did.push(`kill ${task_id} on ${root.agent?.id}`),
    log: ({ root }: TaskView, of?: { process: string }) =>
      void did.push(`log ${of?.process} on ${root.agent?.id}`),
    inspect: ({ task_id }: TaskView) => void did.push(`inspect ${task_id}`),
  } as unknown as TaskActions;
  const look = async () => ({
    sample: { timeMs: 0, intervalMs: 2000, tasks: tasks().map(({ sample }) => sample) },
    views: tasks().map(({ view }) => view),
    problems: [],
    exitCode: 0,
  });
  const flags = { sort: 'task', reverse: false, processes, pss: false };
  const session = { top: { look }, flags, intervalMs: 2000 } as unknown as TopSession;
  const list = new TopList(session, actions, only);
  const press = (letter: string, selected?: string) =>
    list.keys.find((key) => key.letter === letter)?.press(selected);
  const shown = async () => {
    await list.look();
    return list.content(ASKED);
  };
  return { list, press, shown, did };
}

describe('the lines of a list', () => {
  test('of tasks with the same path on two agents are two, and a key acts on the one that is selected', async () => {
    const { shown, press, did } = listOf(() => [taskOn('S0', 'web'), taskOn('S1', 'web')]);
    const { ids = [], lines } = await shown();
    expect([new Set(ids).size, lines.length]).toEqual([2, 2]);
    for (const id of ids) press('k', id);
    expect(did).toEqual(['kill web on S0', 'kill web on S1']);
  });

  test('stay the same whatever is beside them, in whichever order', async () => {
    let tasks = [taskOn('S0', 'a'), taskOn('S1', 'web'), taskOn(undefined, 'web')];
    const { shown, list } = listOf(() => tasks);
    const before = (await shown()).ids ?? [];
    tasks = [taskOn('S1', 'web'), taskOn('S0', 'other')];
    const after = (await shown()).ids ?? [];
    expect(after.filter((id) => before.includes(id))).toEqual([before[1]]);
    expect(list.content({ ...ASKED, reverse: true }).ids).toEqual(after.toReversed());
    expect(list.content({ ...ASKED, filter: 'oth' }).ids).toEqual([after[0]]);
  });

  test('of processes are one for each run, and a log is that of the selected process', async () => {
    const { shown, press, did } = listOf(
      () => [taskOn('S0', 'web', ['p', 0], ['p', 1], ['q', 0]), taskOn('S1', 'web', ['p', 0])],
      {
        processes: true,
      },
    );
    const { ids = [] } = await shown();
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) press('l', id);
    expect(did).toEqual(['log p on S0', 'log p on S0', 'log p on S1', 'log q on S0']);
  });

  test('are others when tasks become processes; a line that is not there any more does nothing', async () => {
    const { shown, press, list, did } = listOf(() => [taskOn('S0', 'web', ['p', 0])]);
    const [id = ''] = (await shown()).ids ?? [];
    expect(press('p')).toBe('relist');
    const [process = ''] = list.content(ASKED).ids ?? [];
    expect(process).not.toBe(id);
    for (const selected of [id, undefined]) expect(press('k', selected)).toBe('redraw');
    expect(did).toEqual([]);
  });

  test('of one task are not those of the task with its path on another agent', async () => {
    const { view } = taskOn('S1', 'web');
    const { shown, press, did } = listOf(
      () => [taskOn('S0', 'web'), taskOn('S1', 'web'), taskOn('S1', 'b')],
      { only: view },
    );
    const { ids = [] } = await shown();
    for (const id of ids) press('k', id);
    expect(did).toEqual(['kill web on S1']);
  });
});
