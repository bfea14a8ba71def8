import { Parser } from '@oclif/core';
import type { ArgInput } from '@oclif/core/interfaces';
import { describe, expect, test } from 'vitest';
import { type CommandClass, commandPage, flagsOf } from '../../src/cli/page.js';
import { COMMANDS } from '../../src/commands/index.js';

const all: [string, CommandClass][] = [];
for (const [id, load] of Object.entries(COMMANDS)) all.push([id, await load()]);
const visible = all.filter(([id]) => !id.startsWith('_'));

describe.each(all)('%s', (_id, command) => {
  test('no argument is read from stdin: a loop over `read` would lose its lines', () => {
    for (const arg of Object.values((command.args ?? {}) as ArgInput)) expect(arg.ignoreStdin).toBe(true);
  });

  test('no flag swallows the arguments behind it', () => {
    for (const [name, flag] of Object.entries(flagsOf(command))) {
      const { multiple, multipleNonGreedy, delimiter } = flag;
      expect({ name, greedy: multiple === true && multipleNonGreedy !== true }).toEqual({
        name,
        greedy: false,
      });
      expect(delimiter === undefined || delimiter === ',').toBe(true);
    }
  });

  test('takes no more words than it declares', () => {
    // oclif has no `multiple` behind an argument that may be left out; what is not strict says so itself.
    const repeats = Object.values((command.args ?? {}) as object).some(
      (arg) => 'repeats' in arg && arg.repeats,
    );
    expect(command.strict).toBe(!repeats);
  });

  test('flags are spelled with dashes, and none hides a global one', () => {
    for (const name of Object.keys(flagsOf(command))) expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
    const own = Object.keys(command.flags ?? {});
    expect(own.filter((name) => Object.hasOwn(command.baseFlags, name))).toEqual([]);
  });
});

describe.each(visible)('help of %s', (id, command) => {
  const page = commandPage(id, command);

  test('has one line, examples, and a text for every flag and argument', () => {
    expect(page.summary).toMatch(/^[A-Z].{5,90}\.$/);
    expect(page.examples.length).toBeGreaterThan(0);
    for (const { label, text } of page.args) expect(`${label} ${text}`).toMatch(/ [A-Z0-9].*\.$/s);
    for (const { flags } of page.flagGroups) {
      for (const { name, text } of flags) expect(`${name} ${text}`).toMatch(/ [A-Z0-9].*[.\])]$/s);
    }
  });

  test('names only commands that there are', () => {
    for (const other of page.seeAlso) expect(Object.keys(COMMANDS)).toContain(other);
    expect(page.seeAlso).not.toContain(id);
  });

  test.each(page.examples)(
    'its example $command is a command line that it takes',
    async ({ command: line }) => {
      // What the shell would take away: what stands round it, pipes, redirections, quotes.
      const own = line.replace(/^(sudo |.*\$\()/, '').replace(/( [|>] |\)).*/, '');
      const [program, word, ...words] = own.split(/\s+/).map((each) => each.replaceAll(/['"]/g, ''));
      expect([program, word]).toEqual(['thermos', id]);
      await Parser.parse(words, {
        args: command.args,
        flags: flagsOf(command) as never,
        strict: command.strict,
      });
    },
  );
});

test('a letter means one thing in the whole program', () => {
  const meaning = new Map<string, string>([['h', 'help']]);
  for (const [id, command] of all) {
    for (const [name, { char }] of Object.entries(flagsOf(command))) {
      // How many of what the command prints: lines for tail, and samples for top, as of its namesake.
      if (char === undefined || (id === 'top' && char === 'n')) continue;
      expect(`-${char}: ${meaning.get(char) ?? name}`).toBe(`-${char}: ${name}`);
      meaning.set(char, name);
    }
  }
});
