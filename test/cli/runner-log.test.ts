import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { levelOf, logLine, RunnerLog, type RunnerLogOptions, recordText } from '../../src/cli/runner-log.js';
import { tempDir } from '../e2e/harness.js';

const AT = new Date(2026, 10, 27, 5, 7, 9, 42);

let temp: ReturnType<typeof tempDir>;
let said: string;
beforeEach(() => {
  temp = tempDir();
  said = '';
});
afterEach(() => temp.remove());

function logged(options: Partial<RunnerLogOptions>): { file: string[]; stderr: string[] } {
  const log = new RunnerLog({
    pid: 7,
    now: () => AT,
    writeError: (text) => {
      said += text;
    },
    ...options,
  });
  for (const level of ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const) log.write(level, 'text');
  const lines = (text: string) => text.split('\n').flatMap((line) => line[0] ?? []);
  let file = '';
  try {
    file = readFileSync(join(options.directory ?? '', 'thermos_runner.log'), 'utf8');
  } catch {
    // There is none.
  }
  return { file: lines(file), stderr: lines(said) };
}

const textsOf = (lines: string) => [...lines.matchAll(/\] (.*)$/gm)].map(([, text]) => text);

describe('the log of a runner', () => {
  test.each<[string, Partial<RunnerLogOptions>, string, string]>([
    ['is a file; errors are on stderr, too', {}, 'DIWE', 'E'],
    ['may be limited', { disk: 'WARN', stderr: 'NONE' }, 'WE', ''],
    ['may be off', { disk: 'NONE', stderr: 'DEBUG' }, '', 'DIWE'],
  ])('%s', (_, options, file, stderr) => {
    expect(logged({ directory: temp.path, ...options })).toEqual({ file: [...file], stderr: [...stderr] });
  });

  test('is on stderr without a directory', () => {
    expect(logged({})).toEqual({ file: [], stderr: ['I', 'W', 'E'] });
  });

  test('makes its directory', () => {
    expect(logged({ directory: join(temp.path, 'new', 'one') }).file).toEqual(['D', 'I', 'W', 'E']);
  });

  test('goes on on stderr after a warning, while it cannot be written', () => {
    const directory = join(temp.path, 'logs');
    expect(logged({ directory })).toEqual({ file: ['D', 'I', 'W', 'E'], stderr: ['E'] });
    said = '';
    rmSync(directory, { recursive: true });
    writeFileSync(directory, '');
    expect(logged({ directory })).toEqual({ file: [], stderr: ['W', 'I', 'W', 'E'] });
    expect(said).toMatch(
      /^W1127 05:07:09\.042000 7 thermos-runner:0\] cannot log in .*: file already exists/,
    );
  });

  test('goes on in the file when it can be written again', () => {
    const directory = join(temp.path, 'logs');
    mkdirSync(directory);
    const log = new RunnerLog({
      directory,
      pid: 7,
      now: () => AT,
      writeError: (text) => {
        said += text;
      },
    });
    log.write('INFO', 'one');
    rmSync(directory, { recursive: true });
    log.write('INFO', 'two');
    log.write('INFO', 'three');
    mkdirSync(directory);
    log.write('INFO', 'four');
    expect(textsOf(said)).toEqual([`cannot log in ${directory}: no such file or directory`, 'two', 'three']);
    expect(textsOf(readFileSync(join(directory, 'thermos_runner.log'), 'utf8'))).toEqual(['four']);
  });

  test.runIf(process.getuid?.() === 0)('may be in the directory of another user', () => {
    const directory = join(temp.path, 'users');
    mkdirSync(directory);
    chownSync(directory, 65534, 65534);
    expect(logged({ directory })).toEqual({ file: ['D', 'I', 'W', 'E'], stderr: ['E'] });
  });
});

test('a line has the form of the original, and nothing in it that cannot be seen', () => {
  expect(logLine('INFO', 'a\nb\u202e', AT, 12)).toMatch(
    /^I1127 05:07:09\.042000 12 thermos-runner:0\] a\\n?[^\n\u202e]*\n$/,
  );
});

test.each([
  ['INFO', 'INFO'],
  ['google:NONE', 'NONE'],
  ['plain:DEBUG', 'DEBUG'],
])('--log_to_disk=%s is the level %s', (value, level) => {
  expect(levelOf('--log-to-disk', value)).toBe(level);
});

test.each(['', 'info', 'mine:INFO', 'google:', 'INFO:google'])('%j is no level', (value) => {
  expect(() => levelOf('--log-to-disk', value)).toThrow('--log-to-disk takes DEBUG, INFO, WARN, ERROR');
});

test('records are told in one line', () => {
  expect(recordText({ type: 'task_status', value: { state: 'CLEANING' } })).toBe('the task is CLEANING');
  const value = { process: 'a b', state: 'RUNNING' as const, seq: 2, pid: 5, start_time: 1 };
  expect(recordText({ type: 'process_status', value })).toBe('process "a b" is RUNNING, pid 5');
  const header = { task_id: 'web-1', user: 'www', uid: 33, sandbox: '/s', log_dir: '/s/.logs' };
  expect(recordText({ type: 'runner_header', value: header })).toBe(
    'task web-1 of www (uid 33), sandbox /s, logs /s/.logs',
  );
});
