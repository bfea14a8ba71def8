import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { AgentTasks } from '../../src/agent/gatherer.js';
import { askForUses } from '../../src/agent/uses.js';
import { eachView } from '../../src/task/gatherer.js';
import type { TaskView } from '../../src/task/view.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';
import { launchTask } from './launch.js';
import { startAgent } from './serve.js';

test('what a container with several active tasks uses is not known of any of them, whichever are asked about', async () => {
  const temp = tempDir();
  const { agent, url, close } = await startAgent({ id: 'S0', workDir: temp.path });
  const http = httpClient({});
  onTestFinished(async () => {
    http.close();
    await close();
    temp.remove();
  });
  const runner = new Records().header({ launch_time_ms: 1_700_000_000_000 }).status('ACTIVE');
  const root = launchTask(agent, 'a', { runner });
  writeTask(root, 'b', { runner });
  launchTask(agent, 'c', { runner });
  const used = async (...words: string[]) => {
    const agents = new AgentTasks([new AgentClient(url, http, Date.now)], Date.now);
    const { selected } = await agents.find(words, 'look');
    const views: TaskView[] = [];
    await eachView(agents.views(selected), (view) => views.push(view));
    const { readings, problems } = await askForUses(
      agents,
      views.filter(({ phase }) => phase === 'active'),
    );
    const ids = [...readings.keys()].map((path) => path.replace(/^.*\//, ''));
    return [ids, problems.map(({ code, message }) => `${code}: ${message}`)];
  };
  const unknown =
    'use-unknown: an executor has 2 active tasks, and the agent does not know which of them uses what';
  expect(await used()).toEqual([['c'], [unknown]]);
  expect(await used('a')).toEqual([[], [unknown]]);
  expect(await used('b')).toEqual([[], [unknown]]);
  expect(await used('c')).toEqual([['c'], []]);
  renameSync(join(root, 'tasks/active/b'), join(root, 'tasks/finished/b'));
  expect(await used('a')).toEqual([['a'], []]);
});
