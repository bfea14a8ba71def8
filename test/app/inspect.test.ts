import { afterAll, describe, expect, test } from 'vitest';
import { inspectNamed } from '../../src/app/inspect.js';
import { encodeInspect } from '../../src/contracts/encode-task.js';
import { tempDir } from '../e2e/harness.js';
import { type Gathering, gatheredHere, gatheredLate, TREES, treeOf } from './gatherers.js';

const temp = tempDir();
afterAll(temp.remove);

const NOW = 1_500_000_000_000;

async function inspect({ gatherer, logsOf }: Gathering, word: string | undefined) {
  const answer = await inspectNamed(word, { gatherer, logsOf, now: NOW });
  const [{ view, logs, why }] = answer.inspections;
  return { ...answer, document: encodeInspect(view, [...logs], [...why]) };
}

describe.each(TREES)('%s', (name) => {
  test('is known alike, with its logs and why, from here and from elsewhere', async () => {
    const here = gatheredHere(treeOf(name), temp.path);
    const late = gatheredLate(treeOf(name));
    for (const { task_id } of await here.gatherer.all()) {
      expect(await inspect(late, task_id)).toEqual(await inspect(here, task_id));
    }
  });
});

test('the end of what a failed process wrote is read from elsewhere, too', async () => {
  const { document } = await inspect(gatheredLate(treeOf('host')), 'host-bad');
  expect(document.logs.map(({ process, run, stream }) => `${process} ${run} ${stream}`)).toEqual([
    'a 0 stdout',
    'a 0 stderr',
    'a 1 stdout',
    'a 1 stderr',
  ]);
  expect(document.why.join('\n')).toContain('Process a failed first: run 1');
  expect(document.history.a).toHaveLength(2);
});

test.each<[string, (tree: string) => Gathering]>([
  ['this host', (tree) => gatheredHere(tree, temp.path)],
  ['one that is late', (tree) => gatheredLate(tree)],
])('%s: a word that means no task, or several', async (_, make) => {
  const gathering = make(treeOf('host'));
  await expect(inspect(gathering, 'no-such')).rejects.toMatchObject({ code: 'task-not-found' });
  await expect(inspect(gathering, 'host-ok')).rejects.toMatchObject({ code: 'ambiguous-task' });
  await expect(inspect(gathering, undefined)).rejects.toMatchObject({
    code: 'task-missing',
    message: 'no task is named',
  });
  const alone = make(treeOf('checkpoints/chain-5'));
  expect((await inspect(alone, undefined)).document.state).toBe('SUCCESS');
});
