import { afterAll, expect, test } from 'vitest';
import { idsToName, processesToName } from '../../src/app/complete.js';
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
