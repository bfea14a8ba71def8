import { execFileSync } from 'node:child_process';
import { cpSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  configProcessesToName,
  idsToName,
  processesToName,
  runningToName,
  tasksToDescribe,
} from '../../src/app/complete.js';
import { tempDir } from '../e2e/harness.js';
import { gatheredHere, gatheredLate, TREES, treeOf } from './gatherers.js';

const temp = tempDir();
afterAll(temp.remove);

test.each(TREES)('the names in %s are the same from here and from elsewhere', async (name) => {
  const here = gatheredHere(treeOf(name), temp.path).gatherer;
  const late = gatheredLate(treeOf(name)).gatherer;
  const ids = await idsToName(here);
  expect(ids).not.toEqual([]);
  expect(await idsToName(late)).toEqual(ids);
  for (const id of ids) {
    const names = await processesToName(id, here);
    expect((await processesToName(id, late)).sort()).toEqual(names.sort());
  }
});

test('processes are those of the task file, and those that began', async () => {
  const { gatherer } = gatheredLate(treeOf('host'));
  expect(new Set(await processesToName('host-live', gatherer))).toEqual(new Set(['m', 'l']));
  expect(await processesToName('no-such', gatherer)).toEqual([]);
});

test('active tasks are those that are not over, and running processes are theirs', async () => {
  const { gatherer } = gatheredHere(treeOf('host'), temp.path);
  expect(await idsToName(gatherer, 'active')).toEqual(['host-dead', 'host-live']);
  const running = await runningToName('host-live', gatherer);
  expect(running.map(({ process }) => process)).toEqual(['l']);
  expect(await runningToName('host-ok-1', gatherer)).toEqual([]);
});

test('tasks are described once each, and not those with a long stream', async () => {
  const tree = join(temp.path, 'described');
  cpSync(treeOf('host'), tree, { recursive: true });
  truncateSync(join(tree, 'root/checkpoints/host-ok-2/runner'), 256 * 1024 + 1);
  const { gatherer } = gatheredHere(tree, temp.path);
  const views = await tasksToDescribe(['host-ok-1', 'host-ok-2', 'host-bad', 'no-such'], gatherer);
  expect(views.map(({ task_id, state }) => [task_id, state]).sort()).toEqual([
    ['host-bad', 'FAILED'],
    ['host-ok-1', 'SUCCESS'],
  ]);
});

test('the processes of a config are named if it is a file that is not too long', () => {
  const config = join(temp.path, 'web.json');
  writeFileSync(config, '{"processes":[{"name":"web"}]}');
  symlinkSync(config, join(temp.path, 'link.json'));
  expect(configProcessesToName(config)).toEqual(['web']);
  expect(configProcessesToName(join(temp.path, 'link.json'))).toEqual(['web']);
  truncateSync(config, 1024 * 1024 + 1);
  execFileSync('mkfifo', [join(temp.path, 'pipe')]);
  for (const name of ['web.json', 'pipe', '.', 'none']) {
    expect(configProcessesToName(join(temp.path, name))).toEqual([]);
  }
});
