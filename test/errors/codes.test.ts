import { describe, expect, test } from 'vitest';
import { TOPICS } from '../../src/cli/page.js';
import { COMMANDS } from '../../src/commands/index.js';
import { CODE_GROUPS, type CodeEntry } from '../../src/errors/codes.js';
import { EXIT } from '../../src/errors/exit-codes.js';
import { fieldsOf, importedFrom, nodesOf, SOURCES, textsOf } from '../sources.js';

const ENTRIES: readonly [code: string, entry: CodeEntry][] = Object.values(CODE_GROUPS).flatMap((group) =>
  Object.entries(group),
);
const CODES = new Map(ENTRIES);
const USERS = SOURCES.filter(({ path }) => path !== 'errors/codes.ts');

// That each code that is used is in the list, is checked by the compiler.
describe('the list of codes', () => {
  test('has each code once', () => {
    expect(CODES.size).toBe(ENTRIES.length);
  });

  test('has no code that is a command or a topic of help', () => {
    const words = [...Object.keys(COMMANDS), ...TOPICS.map(([topic]) => topic)];
    expect(words.filter((word) => CODES.has(word))).toEqual([]);
  });

  test('is loaded by what shows it, and only when it does', () => {
    const loading = SOURCES.filter(({ source }) => importedFrom(source, /\/codes\.js$/).length > 0);
    expect(loading.map(({ path }) => path)).toEqual([
      'cli/codes.ts',
      'cli/completion/complete.ts',
      'cli/help.ts',
    ]);
    for (const { path, source } of loading.slice(1)) {
      const modules = [...nodesOf(source)].filter(({ type }) => type === 'ImportDeclaration');
      for (const { source: from } of modules) expect(`${path}: ${literal(from)}`).not.toMatch(/\/codes\.js$/);
    }
  });

  test('has no code that nothing has', () => {
    const used = new Set(USERS.flatMap(({ source }) => textsOf(source)));
    expect([...CODES.keys()].filter((code) => !used.has(code))).toEqual([]);
  });

  test('is believed by the compiler without a cast', () => {
    const casts = USERS.filter(({ source }) => /\bas (?:\w+\.)?ProblemCode\b|<ProblemCode>/.test(source));
    expect(casts.map(({ path }) => path)).toEqual(['contracts/problem.ts']);
  });

  test.each(ENTRIES)('%s is said in one sentence', (code, { meaning, remedy = 'None.', severity, exit }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    for (const sentence of [meaning, remedy]) {
      expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
      expect(sentence.replace(/\.thermos_profile/, '')).not.toMatch(/[.!?]\s/);
    }
    expect([...(severity ?? []), ...(exit ?? [])]).not.toEqual([]);
  });
});

const literal = (node: unknown) => (node as { value?: unknown } | undefined)?.value;

/** With which exit status a class of errors ends a command. */
const ERRORS: Readonly<Record<string, keyof typeof EXIT>> = {
  UsageError: 'usage',
  ConfigError: 'usage',
  NotFoundError: 'no',
  SystemError: 'partial',
};

describe.each(USERS)('$path', ({ source }) => {
  const nodes = [...nodesOf(source)];

  test('ends a command by a code with the exit status that the list says', () => {
    for (const { type, callee, arguments: given } of nodes) {
      const exit = type === 'NewExpression' ? ERRORS[(callee as { name: string }).name] : undefined;
      const code = (given as unknown[] | undefined)?.map(literal).find((each) => CODES.has(each as string));
      if (exit === undefined || code === undefined) continue;
      expect(CODES.get(code as string)?.exit, `${code}`).toContain(exit);
    }
  });

  test('tells a problem by a code with the severity that the list says', () => {
    for (const node of nodes) {
      if (node.type !== 'ObjectExpression') continue;
      const { code, severity } = fieldsOf(node);
      const [said, worst] = [literal(code), literal(severity)];
      if (typeof said !== 'string' || typeof worst !== 'string') continue;
      expect(CODES.get(said)?.severity, said).toContain(worst);
    }
  });
});

test('every exit status that is named is one', () => {
  const named = ENTRIES.flatMap(([, { exit = [] }]) => exit);
  expect(Object.keys(EXIT)).toEqual(expect.arrayContaining(named));
});
