import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine, fillWord, prepareCommand } from '../../src/app/prepare-command.js';

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

test('a command is a task of one process', () => {
  const options = {
    name: 'greet',
    user: 'web',
    bindings: [
      ['WHO', 'world'],
      ['a.b', '1'],
    ],
    ports: new Map([['http', 80]]),
  } as const;
  const now = new Date(2014, 4, 3, 16, 5, 7, 42).getTime();
  expect(prepareCommand(['echo', '{{WHO}} {{thermos.user}}'], options, now)).toEqual({
    path: 'greet',
    taskId: 'greet-20140503-160507.042000',
    user: 'web',
    ports: { http: 80 },
    document: {
      name: 'greet',
      resources: { cpu: 1, ram: 268_435_456, disk: 0 },
      processes: [{ name: 'greet', cmdline: "export WHO=world; echo 'world web'" }],
    },
    settings: [],
    problems: [],
  });
  expect(prepareCommand(['{{thermos.task_id}}'], { ...options, taskId: 'mine' }, now)).toMatchObject({
    taskId: 'mine',
    document: { processes: [{ cmdline: 'export WHO=world; mine' }] },
  });
});
