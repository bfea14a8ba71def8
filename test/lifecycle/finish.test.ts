import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { moveTaskFile } from '../../src/lifecycle/finish.js';
import { tempDir } from '../e2e/harness.js';

const ENDED = 1_700_000_000_000;
let temp: ReturnType<typeof tempDir>;
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  mkdirSync(`${root}/tasks/active`, { recursive: true });
});
afterEach(() => temp.remove());

test('the task file moves, dated when the task ended; the finished ones are made if need be', () => {
  writeFileSync(`${root}/tasks/active/t`, '{}');
  moveTaskFile({ root, taskId: 't' }, ENDED);
  expect(lstatSync(`${root}/tasks/finished/t`).mtimeMs).toBe(ENDED);
  expect(readdirSync(`${root}/tasks/active`)).toEqual([]);
});

test('without a task file, or without active ones, nothing happens', () => {
  moveTaskFile({ root, taskId: 't' }, ENDED);
  rmSync(`${root}/tasks`, { recursive: true });
  moveTaskFile({ root, taskId: 't' }, ENDED);
  expect(existsSync(`${root}/tasks`)).toBe(false);
});

test('a link that has its name is moved, not what it leads to', () => {
  writeFileSync(`${temp.path}/precious`, 'x');
  const { mtimeMs } = lstatSync(`${temp.path}/precious`);
  symlinkSync(`${temp.path}/precious`, `${root}/tasks/active/t`);
  moveTaskFile({ root, taskId: 't' }, ENDED);
  expect(lstatSync(`${root}/tasks/finished/t`).isSymbolicLink()).toBe(true);
  expect(lstatSync(`${temp.path}/precious`).mtimeMs).toBe(mtimeMs);
});

test.each(['tasks', 'tasks/active', 'tasks/finished'])('%s that is a link leads nowhere', (directory) => {
  const elsewhere = `${temp.path}/elsewhere`;
  mkdirSync(`${elsewhere}/active`, { recursive: true });
  writeFileSync(`${elsewhere}/t`, 'x');
  writeFileSync(`${elsewhere}/active/t`, 'x');
  writeFileSync(`${root}/tasks/active/t`, '{}');
  rmSync(`${root}/${directory}`, { recursive: true, force: true });
  symlinkSync(elsewhere, `${root}/${directory}`);
  expect(() => moveTaskFile({ root, taskId: 't' }, ENDED)).toThrow('symbolic link');
  expect(readdirSync(elsewhere).sort()).toEqual(['active', 't']);
  expect(readdirSync(`${elsewhere}/active`)).toEqual(['t']);
});
