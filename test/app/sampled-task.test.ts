import { writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { localTasks } from '../../src/app/local-tasks.js';
import { SampledTasks } from '../../src/app/sampled-task.js';
import { Host } from '../../src/host/host.js';
import { eachView } from '../../src/task/gatherer.js';
import type { TaskView } from '../../src/task/view.js';
import { tempDir } from '../e2e/harness.js';
import { makeProc, Records, writeTask } from '../task/trees.js';

test('the container of an executor is shared if several of its tasks are active, whichever are sampled', async () => {
  const temp = tempDir();
  onTestFinished(() => temp.remove());
  const host = () => Host.local({ proc: makeProc(`${temp.path}/proc`, { locks: '' }) });
  const mesos = `${temp.path}/mesos`;
  const runner = new Records().header({ launch_time_ms: 1_700_000_000_000 }).status('ACTIVE');
  const rootOf = (executor: string) =>
    `${mesos}/slaves/S0/frameworks/F/executors/${executor}/runs/c-${executor}/checkpoints`;
  for (const id of ['a', 'b']) writeTask(rootOf('two'), id, { runner });
  writeTask(rootOf('one'), 'c', { runner });
  writeTask(rootOf('one'), 'over', { runner, phase: 'finished' });
  // Whoever may write in the sandbox can make this.
  writeFileSync(`${rootOf('one')}/tasks/active/no-task`, '');
  for (const id of ['d', 'e']) writeTask(`${temp.path}/root`, id, { runner });
  const sampled = async (...words: string[]) => {
    const tasks = localTasks({ 'mesos-root': [mesos], root: [`${temp.path}/root`] }, host);
    const { selected } = await tasks.find(words, 'look');
    const views: TaskView[] = [];
    await eachView(
      tasks.views(selected.filter(({ phase }) => phase === 'active')),
      (view) => void views.push(view),
    );
    return new SampledTasks()
      .of(views, host())
      .map(({ task_id, container_id, isShared }) => [task_id, container_id, isShared].join(' '));
  };
  expect(await sampled('a')).toEqual(['a c-two true']);
  const all = ['a c-two true', 'b c-two true', 'c c-one false', 'd  false', 'e  false'];
  expect((await sampled()).filter((line) => !line.startsWith('no-task'))).toEqual(all);
});
