import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodeOfError, NotFoundError, SystemError, UsageError } from '../../src/errors/errors.js';
import { EXIT } from '../../src/errors/exit-codes.js';
import { REPOSITORY } from '../e2e/harness.js';
import { fieldsOf, nodesOf, SOURCES } from '../sources.js';

const VALUES: readonly number[] = Object.values(EXIT);

test('no exit code is used twice, and help lists them by number', () => {
  expect(VALUES).toEqual([...new Set(VALUES)].sort((a, b) => a - b));
});

test.each([
  [new UsageError('usage', 'x'), 2],
  [new NotFoundError('task-not-found', 'x'), 1],
  [new SystemError('log-unreadable', 'x'), 5],
  [new TypeError('x'), 10],
  ['a string', 10],
  [undefined, 10],
])('%s ends a command with %i', (error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});

/** The numbers that a program gives as an exit code: to `exit`, to `exitCode`, or as what a command returns. */
function* numbersIn(source: string, isCommand: boolean): Generator<number> {
  const numbers = (node: unknown): number[] =>
    [...nodesIn(node)].flatMap(({ type, value }) =>
      type === 'Literal' && typeof value === 'number' ? [value] : [],
    );
  for (const node of nodesOf(source)) {
    const { callee, left } = node as { callee?: Named; left?: Named };
    if (node.type === 'CallExpression' && nameOf(callee) === 'exit') yield* numbers(node.arguments);
    if (node.type === 'AssignmentExpression' && nameOf(left) === 'exitCode') yield* numbers(node.right);
    if (node.type === 'ReturnStatement' && isCommand) yield* numbers(node.argument);
    if (node.type === 'ObjectExpression') yield* numbers(fieldsOf(node).exitCode);
  }
}

interface Named {
  name?: string;
  property?: Named;
}

const nameOf = (node: Named | undefined) => node?.property?.name ?? node?.name;

function nodesIn(node: unknown): Iterable<{ type: string; value?: unknown }> {
  if (Array.isArray(node)) return node.flatMap((each) => [...nodesIn(each)]);
  if (typeof node !== 'object' || node === null) return [];
  const own = 'type' in node ? [node as { type: string }] : [];
  return [...own, ...Object.values(node).flatMap((each) => [...nodesIn(each)])];
}

describe('an exit code', () => {
  const users = SOURCES.filter(({ path }) => path !== 'errors/exit-codes.ts');

  test.each(users)('is never a number in src/$path', ({ path, source }) => {
    expect([...numbersIn(source, path.startsWith('commands/'))]).toEqual([]);
  });

  // They are not part of the bundle, so they cannot import the table.
  const others = ['bin', 'scripts'].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.m?js$/.test(path))
      .map((path) => ({ path: `${folder}/${path}` })),
  );

  test.each(others)('is one of the table in $path', ({ path }) => {
    const source = readFileSync(join(REPOSITORY, path), 'utf8');
    for (const number of numbersIn(source, false)) expect(VALUES).toContain(number);
  });
});
