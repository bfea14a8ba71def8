import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runDirectory, runOfName } from '../../src/layout/log-paths.js';
import { isName } from '../../src/layout/names.js';
import { coordinatorName, pathsOf } from '../../src/layout/task-paths.js';

test('a name leads to one file of a directory', () => {
  for (const name of ['a', '...', '.a', '~', '-', ' ', 'a\nb', 'é', 'x'.repeat(255), 'é'.repeat(127)]) {
    expect([name, isName(name)]).toEqual([name, true]);
  }
  for (const name of ['', '.', '..', '/', 'a/b', '../a', 'a\0', 'x'.repeat(256), 'é'.repeat(128)]) {
    expect([name, isName(name)]).toEqual([name, false]);
  }
});

test('no name leads out of the directories of a task', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const path = runDirectory('/logs', name, 0);
      if (path !== undefined) expect(path.split('/')).toEqual(['', 'logs', name, '0']);
      const coordinator = coordinatorName(name);
      if (coordinator !== undefined) expect(coordinator.split('/')).toEqual([`coordinator.${name}`]);
      if (isName(name)) {
        const { directory, stream } = pathsOf({ root: '/root', taskId: name });
        expect(directory.split('/')).toEqual(['', 'root', 'checkpoints', name]);
        expect(stream).toBe(`${directory}/runner`);
      } else expect(() => pathsOf({ root: '/root', taskId: name })).toThrow('cannot be a task id');
    }),
  );
});

test('runs are numbers as they are written', () => {
  expect(['0', '7', '10', '07', '-1', '1.0', '', '1e3', '9999999999'].map(runOfName)).toEqual([
    0,
    7,
    10,
    ...Array(6).fill(undefined),
  ]);
});
