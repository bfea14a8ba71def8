import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isTooDeep, parseTaskConfig, readTaskFile } from '../../src/task/task-file.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';

let temp: { path: string; remove: () => void };
let file: string;
beforeEach(() => {
  temp = tempDir();
  file = join(temp.path, 'a task');
});
afterEach(() => temp.remove());

const REAL = join(FIXTURES, 'checkpoints/fail-retries-3/root/tasks/finished/retry-3');

test('a task file that the original wrote', () => {
  const { config, problem } = readTaskFile(REAL);
  expect(problem).toBeUndefined();
  expect(config).toMatchObject({
    name: 'retry',
    orders: [],
    max_failures: 1,
    max_concurrency: 0,
    finalization_wait: 30,
    processes: [
      { name: 'flaky', max_failures: 3, daemon: false, ephemeral: false, final: false, min_duration: 0 },
    ],
  });
  expect(config?.raw).toEqual(JSON.parse(readFileSync(REAL, 'utf8')));
});

const NOT_FOLLOWED = 'a symbolic link, and it is not followed here';

describe('what is not a task file', () => {
  test('a file that vanished is neither a task nor a problem', () => {
    expect(readTaskFile(file)).toEqual({});
  });

  test('every truncation of a real one is reported as damage, and where it helps, as a truncation', () => {
    const text = readFileSync(REAL);
    for (const length of [0, 1, 2, 100, text.length - 1]) {
      writeFileSync(file, text);
      truncateSync(file, length);
      const cut = text.subarray(0, length).toString().endsWith('}') ? '' : ', it looks cut off';
      expect(readTaskFile(file)).toEqual({
        problem: {
          code: 'task-file-damaged',
          severity: 'error',
          path: file,
          message: `the task file ${file} is not valid JSON${cut}`,
        },
      });
    }
  });

  test.each(['null', '[]', '"x"', '1', '{}', '{"processes":{}}', '{"processes":null}'])('%s', (text) => {
    writeFileSync(file, text);
    expect(readTaskFile(file)).toEqual({
      problem: {
        code: 'task-file-damaged',
        severity: 'error',
        path: file,
        message: `the task file ${file} does not describe a task`,
      },
    });
  });

  test.each<[string, (path: string) => void, string]>([
    ['a directory', (path) => mkdirSync(path), 'a directory, not a regular file'],
    ['a FIFO that nobody writes to', (path) => spawnSync('mkfifo', [path]), 'a FIFO, not a regular file'],
    ['a link to an endless device', (path) => symlinkSync('/dev/zero', path), NOT_FOLLOWED],
    ['a link to itself', (path) => symlinkSync(path, path), NOT_FOLLOWED],
    ['a link to nothing', (path) => symlinkSync('nowhere', path), NOT_FOLLOWED],
  ])('%s', (_what, make, why) => {
    make(file);
    expect(readTaskFile(file).problem).toEqual({
      code: 'task-file-unreadable',
      severity: 'error',
      path: file,
      message: `the task file is not read: ${file} is ${why}`,
    });
  });

  test('a sparse file of 64 GiB is not read', () => {
    writeFileSync(file, '{}');
    truncateSync(file, 2 ** 36);
    expect(readTaskFile(file).problem?.message).toContain(
      'has 68719476736 bytes, more than the 16777216 that are read',
    );
  });

  test('one that may not be read, unless we are root', () => {
    writeFileSync(file, '{"processes":[]}');
    chmodSync(file, 0);
    const { config, problem } = readTaskFile(file);
    if (process.geteuid?.() === 0) expect(config).toBeDefined();
    else expect(problem?.message).toContain('permission denied');
  });
});

describe('nothing in it is trusted', () => {
  test('a big one is read whole', () => {
    const processes = Array.from({ length: 5000 }, (_, i) => ({ name: `p${i}`, cmdline: 'x'.repeat(100) }));
    writeFileSync(file, JSON.stringify({ processes }));
    expect(readTaskFile(file).config?.processes).toHaveLength(5000);
    writeFileSync(file, '{"processes":[]}');
    expect(readTaskFile(file).config?.processes).toEqual([]);
  });

  test('parts of a wrong type are left out', () => {
    const config = parseTaskConfig({
      name: 7,
      processes: [null, 'x', [], { name: 3 }, { name: '', cmdline: {}, daemon: 'yes', logger: 'none' }],
      constraints: [null, {}, { order: 'ab' }, { order: [1, 'a', null, 'b'] }],
      resources: { cpu: '1', ram: null, disk: [], gpu: 2 },
      max_failures: '1',
      max_concurrency: 1.5,
      finalization_wait: null,
    });
    expect(config).toEqual({
      name: undefined,
      processes: [
        {
          name: '',
          cmdline: undefined,
          max_failures: undefined,
          daemon: false,
          ephemeral: false,
          final: false,
          min_duration: undefined,
          log_destination: undefined,
        },
      ],
      orders: [['a', 'b']],
      max_failures: undefined,
      max_concurrency: undefined,
      finalization_wait: undefined,
      resources: { cpu: undefined, ram: undefined, disk: undefined, gpu: 2 },
      raw: expect.anything(),
    });
  });

  test('numbers that JSON can say but not print are left out', () => {
    writeFileSync(
      file,
      `{"max_failures":1e999,"processes":[{"name":"a","max_failures":-1e999,"min_duration":1e999},
        {"name":"b","max_failures":1e300}],"resources":{"cpu":1e999},"finalization_wait":1e999}`,
    );
    const { config } = readTaskFile(file);
    const { raw, ...known } = config ?? { raw: {} };
    expect(JSON.stringify(known)).not.toContain('null');
    expect(JSON.stringify(known)).not.toContain('1e+300');
  });

  test('__proto__ is a key like any other', () => {
    writeFileSync(
      file,
      '{"__proto__":{"name":"x"},"processes":[{"__proto__":{"name":"y"}},{"name":"__proto__"}]}',
    );
    const { config } = readTaskFile(file);
    expect(config?.name).toBeUndefined();
    expect(config?.processes.map(({ name }) => name)).toEqual(['__proto__']);
  });

  test('any JSON is a task or none, without an error', () => {
    const part = fc.oneof(fc.jsonValue(), fc.constant([{ name: 'a' }]));
    const keys = ['name', 'processes', 'constraints', 'resources', 'max_failures'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), part), (json) => {
        const config = parseTaskConfig(json);
        expect(config !== undefined).toBe(Array.isArray(json.processes));
      }),
    );
  });
});

test('isTooDeep: what JSON.stringify could not print', () => {
  const nested = (depth: number) => JSON.parse(`${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`);
  expect(isTooDeep(nested(400))).toBe(false);
  expect(isTooDeep(nested(600))).toBe(true);
  expect(isTooDeep(nested(300_000))).toBe(true);
  expect(isTooDeep(Array(100_000).fill({ a: [1, 'x', null] }))).toBe(false);
  expect(isTooDeep(null)).toBe(false);
});
