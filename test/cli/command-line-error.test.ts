import { Config } from '@oclif/core/config';
import { describe, expect, test } from 'vitest';
import type { RunnableClass } from '../../src/cli/base-command.js';
import { unknownCommand } from '../../src/cli/command-line-error.js';
import { commandPage, flagsOf, visibleIds } from '../../src/cli/page.js';
import { COMMANDS } from '../../src/commands/index.js';
import { UsageError } from '../../src/errors/errors.js';
import { REPOSITORY } from '../e2e/harness.js';

const config = Object.assign(new Config({ root: REPOSITORY }), {
  bin: 'thermos',
  rootPlugin: { name: 'thermos', root: REPOSITORY, hooks: {} },
});

async function refusal(id: string, Class: RunnableClass, argv: readonly string[]): Promise<UsageError> {
  const command = new Class([...argv], config);
  command.id = id;
  const error = await command.invoke().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  for (const signal of ['SIGUSR1', 'SIGUSR2']) process.removeAllListeners(signal);
  expect(error, argv.join(' ')).toBeInstanceOf(UsageError);
  return error as UsageError;
}

/** Names of values that are not free text, each with a value that is not one. */
const NOT_FREE: readonly [name: RegExp, wrong: string][] = [
  [/^(DURATION|TIME)$/, 'soon'],
  [/^N$|^N\||^N,|^MIB$/, 'many'],
  [/^\d+G$/, 'much'],
  [/^NAME=VALUE$/, 'x'],
  [/^NAME:PORT$/, 'x'],
  [/^process=/, 'x'],
];

/** The forms of all errors of usage. */
const FORMS = [
  /^unknown flags? '.+'$/,
  /^(missing|unexpected) arguments? .+$/,
  /^(--[\w-]+|[A-Z]+) takes .+, (not '.*'|and no value is given)$/,
  /^--[\w-]+ takes no value$/,
  /^--[\w-]+ may be given only once$/,
  /^--[\w-]+ needs --[\w-]+( and --[\w-]+)*(; .*)?$/,
  /^--[\w-]+ and --[\w-]+ cannot be used together(; .*)?$/,
];

const classes: [string, RunnableClass][] = [];
for (const id of visibleIds(COMMANDS)) {
  classes.push([id, (await COMMANDS[id as keyof typeof COMMANDS]()) as RunnableClass]);
}

describe.each(classes)('%s', (id, Class) => {
  const { args, usage } = commandPage(id, Class);
  const flags = Object.entries(flagsOf(Class));
  const entries = commandPage(id, Class).flagGroups.flatMap((group) => group.flags);
  const given = args.filter(({ label }) => !label.startsWith('[')).map(({ options }) => options[0] ?? 'x');
  const all = args.map(({ options }) => options[0] ?? 'x');
  /** What the flag cannot do without. */
  const needs = (name: string) => (flagsOf(Class)[name] as { dependsOn?: string[] }).dependsOn ?? [];
  /** The flag, with a value if it takes one. */
  const alone = (name: string): string[] => {
    const { type, options } = flagsOf(Class)[name] ?? {};
    const value = entries.find((entry) => entry.name === name)?.value ?? 'x';
    const right = options?.[0] ?? (value === 'DURATION' ? '1h' : '1');
    return [`--${name}`, ...(type === 'option' ? [right] : [])];
  };
  const needed = (name: string) => needs(name).flatMap(alone);

  const lines: [string[], RegExp][] = [
    [[...given, '--no-such-flag'], /^unknown flag '--no-such-flag'$/],
    [[...given, '--json=yes'], /^--json takes no value$/],
  ];
  if (given.length > 0) lines.push([[], /^missing arguments? /]);
  if (args.every(({ label }) => !label.includes('...'))) {
    lines.push([[...all, 'y'], /^unexpected argument 'y'$/]);
  }
  for (const { name, options } of args) {
    if (options.length > 0) lines.push([['nonsense'], new RegExp(`^${name.toUpperCase()} takes `)]);
  }
  for (const [name, flag] of flags) {
    const { exclusive = [], relationships } = flag as { exclusive?: string[]; relationships?: unknown };
    expect(relationships).toBeUndefined();
    const value = entries.find((entry) => entry.name === name)?.value;
    const start = [...all, ...needed(name)];
    if (flag.type === 'option') {
      lines.push([[...start, `--${name}`], new RegExp(`^--${name} takes .*, and no value is given$`)]);
      const isNot = new RegExp(`^--${name} takes .*, not '`);
      const wrong = flag.options ? 'nonsense' : NOT_FREE.find(([kind]) => kind.test(value ?? ''))?.[1];
      if (wrong !== undefined) lines.push([[...start, `--${name}`, wrong], isNot]);
      if (!flag.multiple) lines.push([[...start, ...alone(name), ...alone(name)], / only once$/]);
    }
    if (needs(name).length > 0) {
      lines.push([[...given, ...alone(name)], new RegExp(`^--${name} needs `)]);
    }
    for (const other of exclusive) {
      lines.push([
        [...given, ...[name, other].flatMap((each) => [...needed(each), ...alone(each)])],
        / cannot be used together/,
      ]);
    }
  }

  test.each(lines)('%j is refused in the words of all commands, with the usage', async (argv, form) => {
    const error = await refusal(id, Class, argv);
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(usage|bad-age|bad-size|bad-count)$/),
      exitCode: 2,
    });
    expect(error.message).toMatch(form);
    expect(FORMS.filter((each) => each.test(error.message))).toHaveLength(1);
    expect(usage.map((form) => `${form}; see 'thermos ${id} --help'`)).toContain(error.usage);
  });
});

describe('a command line after simplerun', () => {
  const simplerun = classes.find(([id]) => id === 'simplerun')?.[1] as RunnableClass;
  test.each([
    [['echo', 'hi', '--foo'], 'thermos simplerun -- echo hi --foo'],
    [['--name', 'a b', 'echo', "it's", '-x'], "thermos simplerun --name 'a b' -- echo 'it'\\''s' -x"],
    [
      ['--task_id=x', '-E', 'A=b', 'head', '-P', '3'],
      "thermos simplerun '--task-id=x' -E 'A=b' -- head -P 3",
    ],
    [['grep', '-E'], 'thermos simplerun -- grep -E'],
    [['echo', '-n', '--', 'x'], 'thermos simplerun -- echo -n -- x'],
    [['true', '--name', 'x', '--name', 'y'], 'thermos simplerun -- true --name x --name y'],
  ])('%j is told to put -- first', async (argv, line) => {
    const { hint } = await refusal('simplerun', simplerun, argv);
    expect(hint).toBe(`put -- before the command: ${line}`);
  });

  test('a wrong flag of its own gets no such advice', async () => {
    expect((await refusal('simplerun', simplerun, ['--dameon', 'x'])).hint).toBe("did you mean '--daemon'?");
    expect((await refusal('simplerun', simplerun, ['--foo', '--', 'x', '-y'])).hint).toBeUndefined();
  });
});

test.each([
  ['ps', 'status'],
  ['ls', 'status'],
  ['list', 'status'],
  ['logs', 'tail'],
  ['stop', 'kill'],
  ['rm', 'gc'],
  ['describe', 'inspect'],
  ['stauts', 'status'],
])('%s, which other programs have, is %s here', (word, id) => {
  const known = visibleIds(COMMANDS);
  expect(unknownCommand(word, known).hint).toBe(`did you mean 'thermos ${id}'?`);
  expect(known).toContain(id);
});
