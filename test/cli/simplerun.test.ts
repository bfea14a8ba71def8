import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine, fillWord } from '../../src/cli/simplerun.js';

test('several words reach the command as they are', () => {
  const word = fc.string({ unit: fc.constantFrom(...'ab \'"\\$`*?!&|;<>(){}[]#~=\n\té') });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const line = commandLine(['printf', '%s\\0', ...words]);
      const { stdout } = spawnSync('/bin/bash', ['-c', line], { encoding: 'utf8' });
      expect(stdout.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 50 },
  );
});

test('an assignment is no word of a command', () => {
  expect(commandLine(['A=1', 'x'])).toBe("'A=1' x");
});

test('one word is a line for bash', () => {
  expect(commandLine(['echo a | wc'])).toBe('echo a | wc');
});

test('values are put in for their names, and other braces stay', () => {
  const values = new Map([
    ['WHO', "it's {{WHO}}"],
    ['thermos.ports[http]', '80'],
  ]);
  expect(fillWord('{{WHO}}:{{thermos.ports[http]}} {{.Names}} {x}', values)).toBe(
    "it's {{WHO}}:80 {{.Names}} {x}",
  );
  expect(() => fillWord('{{thermos.ports[admin]}}', values)).toThrow("needs the port 'admin'");
});
