import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellArguments } from '../../src/text/shell.js';
import { CONTROL } from '../views/task-views.js';

test.each([
  [['www-data-prod-web-0', 'web'], 'www-data-prod-web-0 web'],
  [['/var/run/thermos/checkpoints/a/runner'], '/var/run/thermos/checkpoints/a/runner'],
  [['my task'], "'my task'"],
  [['x; rm -rf ~'], "'x; rm -rf ~'"],
  [["it's"], "'it'\\''s'"],
  [['~root'], "'~root'"],
  [['=ls'], "'=ls'"],
  [['web', '--yes'], '-- web --yes'],
  [['-n o'], "-- '-n o'"],
  [['web\u200b'], "$'web\\u200b'"],
  [["'\\\n\u{e0041}"], "$'\\'\\\\\\u000a\\U000e0041'"],
  [[''], "''"],
])('%j are written %s', (words, written) => {
  expect(shellArguments(...words)).toBe(written);
});

test('bash reads them as they were, and what is written can be seen', () => {
  const cases: string[][] = [];
  const word = fc.string({
    unit: fc.constantFrom(
      ...'ab-~=#!$`"\'\\*?[]{}()<>|&; :é日',
      '\n',
      '\u001b',
      '\u200b',
      '\u{e0041}',
      '\u00a0',
    ),
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), (words) => {
      expect(shellArguments(...words)).not.toMatch(CONTROL);
      expect(shellArguments(...words)).not.toContain('\n');
      cases.push(words);
    }),
    { numRuns: 300 },
  );
  const script = cases.map((words) => `printf '%s\\0' end ${shellArguments(...words).replace(/^-- /, '')}`);
  const { stdout, stderr } = spawnSync('bash', ['--norc'], {
    input: script.join('\n'),
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
  });
  expect(stderr).toBe('');
  expect(stdout.split('\0').slice(0, -1)).toEqual(cases.flatMap((words) => ['end', ...words]));
});
