import { expect, test } from 'vitest';
import { RunChanges } from '../../src/app/run-changes.js';
import { Host } from '../../src/host/host.js';
import { TaskReader } from '../../src/task/reader.js';
import { tempDir } from '../e2e/harness.js';
import { foundTask, makeProc, Records, writeTask } from '../task/trees.js';

/** What is new at each look, a look after each of these additions to a stream. */
function told(isKnown: boolean, ...additions: ((records: Records) => void)[]): string[][] {
  const { path, remove } = tempDir();
  try {
    const host = Host.local({ proc: makeProc(`${path}/proc`, { locks: '' }) });
    const reader = new TaskReader(foundTask(`${path}/root`, 't'), { history: true });
    const changes = new RunChanges(isKnown);
    const records = new Records();
    return additions.map((add) => {
      add(records);
      writeTask(`${path}/root`, 't', { runner: records });
      return changes
        .of(reader.read(host))
        .map((change) =>
          change.kind === 'task'
            ? String(change.state)
            : `${change.process}/${change.run} ${change.status.state}`,
        );
    });
  } finally {
    remove();
  }
}

const begin = (records: Records) => records.status('ACTIVE').header({ task_id: 't', uid: 0 });

test('each change is told once, in the order in which they came', () => {
  expect(
    told(
      false,
      begin,
      (records) => records.process('a', 'WAITING', 'FORKED'),
      (records) => records.process('a', 'RUNNING'),
      () => {},
      (records) => records.process('a', 'FAILED').process('a', 'WAITING', 'FORKED', 'RUNNING'),
      (records) => records.process('a', 'SUCCESS').status('CLEANING').status('FINALIZING').status('SUCCESS'),
      () => {},
    ),
  ).toEqual([
    ['ACTIVE'],
    [],
    ['a/0 RUNNING'],
    [],
    ['a/0 FAILED', 'a/1 RUNNING'],
    ['a/1 SUCCESS', 'CLEANING', 'FINALIZING', 'SUCCESS'],
    [],
  ]);
});

test('of a task that is over at the first look it is told how it went', () => {
  const all = (records: Records) =>
    begin(records).process('a', 'WAITING', 'FORKED', 'RUNNING', 'SUCCESS').status('SUCCESS');
  expect(told(false, all)).toEqual([['ACTIVE', 'a/0 SUCCESS', 'SUCCESS']]);
});

test('what is known is no news, and what comes after is', () => {
  expect(
    told(
      true,
      (records) => begin(records).process('a', 'WAITING', 'FORKED', 'RUNNING'),
      (records) => records.process('a', 'KILLED').status('KILLED'),
    ),
  ).toEqual([[], ['a/0 KILLED', 'KILLED']]);
});

test('a runner that goes on with the task says again that it is ACTIVE, and that is no news', () => {
  expect(told(false, begin, (records) => records.status('ACTIVE'))).toEqual([['ACTIVE'], []]);
});
