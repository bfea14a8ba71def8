import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mayMeanConfig, meansConfig } from '../../src/cli/config-target.js';
import { parseBinding, parsePort } from '../../src/cli/config-words.js';
import { tempDir } from '../e2e/harness.js';

let dir: ReturnType<typeof tempDir>;
beforeAll(() => {
  dir = tempDir();
  for (const name of ['web.thermos', 'web.aurora', 'task.json', 'plain'])
    writeFileSync(join(dir.path, name), '');
  for (const name of ['folder', 'folder.thermos', 'root/tasks/active', 'root/checkpoints/t1']) {
    mkdirSync(join(dir.path, name), { recursive: true });
  }
  writeFileSync(join(dir.path, 'root/tasks/active/t1'), '{}');
});
afterAll(() => dir.remove());

describe('the word of inspect', () => {
  test.each([
    ['web.thermos', true, true],
    ['web.aurora', true, true],
    ['task.json', true, true],
    ['plain', true, true],
    ['folder.thermos', true, true],
    ['folder', false, true],
    ['missing.thermos', false, true],
    ['missing', false, false],
    ['root/tasks/active/t1', false, true],
    ['root/checkpoints/t1', false, true],
  ])('%s: a config at once %j, if no task is called so %j', (word, means, may) => {
    const path = join(dir.path, word);
    expect([meansConfig(path, {}), mayMeanConfig(path)]).toEqual([means, may]);
  });

  test('without a path is looked for among the tasks first', () => {
    expect([meansConfig('www-data-prod-web-0', {}), mayMeanConfig('www-data-prod-web-0')]).toEqual([
      false,
      false,
    ]);
    expect([meansConfig('.', {}), mayMeanConfig('.')]).toEqual([false, false]);
  });

  test('is a config if a flag is only for those', () => {
    expect(meansConfig('anything', { port: ['http:80'] })).toBe(true);
    expect(meansConfig('anything', { task: 'web' })).toBe(true);
  });
});

test.each([
  ['a=b', ['a', 'b']],
  ['a=b=c', ['a', 'b=c']],
  ['a=', ['a', '']],
  ['profile.x[0]= y', ['profile.x[0]', ' y']],
])('-E %s', (text, binding) => {
  expect(parseBinding(text)).toEqual(binding);
});

test.each(['a', '=b', ' a=b', '1=b', 'a-b=c', 'a b=c'])('-E %j is refused', (text) => {
  expect(() => parseBinding(text)).toThrow(/--environment takes NAME=VALUE/);
});

test('-P NAME:PORT', () => {
  expect(parsePort('http:8080')).toEqual(['http', 8080]);
  expect(parsePort('admin-ui:1')).toEqual(['admin-ui', 1]);
});

test.each(['http', 'http:', ':80', 'http:99999', 'http:0', 'http:-1', 'http:8o', 'a b:80', 'http:80:81'])(
  '-P %j is refused',
  (text) => {
    expect(() => parsePort(text)).toThrow(/--port takes NAME:PORT/);
  },
);
