import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Executor, type ExecutorOptions, RUNNER } from './executor.js';
import { cleanEnv, PROGRAM, REPOSITORY, runToEnd, tempDir } from './harness.js';

/** Those of this machine that work. */
const PYTHONS = ['python3', 'python2.7'].filter(
  (name) => spawnSync(name, ['-c', 'import zipfile']).status === 0,
);
const EMBED = join(REPOSITORY, 'bin', 'embed_runner.py');
const LAUNCHER = join(REPOSITORY, 'bin', 'thermos_runner.py');
const PEX_NAME = 'apache/aurora/executor/resources/thermos_runner.pex';

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const PEX_INFO = '{"code_hash": "aa5c", "zip_safe": true}';

/** A pex with what matters of Aurora's executor: what it is started by, and its runner as a resource, embedded twice. */
function executorPex(python: string): string {
  const path = join(temp.path, 'thermos_executor.pex');
  const main = `import pkgutil, sys
sys.stdout.write(pkgutil.get_data('apache.aurora.executor.resources', 'thermos_runner.pex').decode('ascii'))
`;
  const files = [
    ['__main__.py', main],
    ['PEX-INFO', PEX_INFO],
    ...['apache', 'apache/aurora', 'apache/aurora/executor', 'apache/aurora/executor/resources'].map(
      (folder) => [`${folder}/__init__.py`, ''],
    ),
    [PEX_NAME, 'an older one'],
    [PEX_NAME, 'the original'],
  ];
  const make = `import json, sys, zipfile
path, files = sys.argv[1], json.loads(sys.argv[2])
open(path, 'wb').write(b'#!/usr/bin/env ${python}\\n')
with zipfile.ZipFile(path, 'a') as pex:
    for name, text in files:
        pex.writestr(name, text)
`;
  const made = runToEnd(python, ['-W', 'ignore', '-c', make, path, JSON.stringify(files)]);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  return path;
}

describe.each(PYTHONS)('%s', (python) => {
  async function end(options: Partial<ExecutorOptions> = {}): Promise<Executor> {
    const executor = new Executor([{ name: 'a', cmdline: 'echo hello; exit 3' }], {
      directory: join(temp.path, 'run'),
      program: [python, LAUNCHER],
      env: { THERMOS_RUNNER: RUNNER },
      ...options,
    });
    await executor.start();
    await executor.status();
    return executor;
  }

  test('becomes the program that THERMOS_RUNNER names', async () => {
    const executor = await end();
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
    expect(executor.output('a')).toBe('hello\n');
    // The process that the executor started is the runner itself.
    expect(executor.log).toContain(` ${executor.pid} thermos-runner:0] the task is ACTIVE`);
    expect([executor.stdout, executor.stderr]).toEqual(['', '']);
  });

  test('becomes thermos-runner of the PATH', async () => {
    const bin = join(temp.path, 'bin');
    mkdirSync(bin);
    runToEnd('ln', ['-s', RUNNER, join(bin, 'thermos-runner')]);
    const executor = await end({ env: { PATH: `${bin}:${process.env.PATH}` } });
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
  });

  test('without the program has an internal error', async () => {
    const executor = await end({ env: { THERMOS_RUNNER: join(temp.path, 'missing') } });
    expect(await executor.status()).toBe('TASK_LOST: Thermos failed with internal error.');
    expect(executor.stderr).toBe(`cannot execute ${temp.path}/missing: No such file or directory\n`);
  });

  test('puts the launcher into a copy of an executor, which is otherwise the same', () => {
    const pex = executorPex(python);
    const copy = join(temp.path, 'copy.pex');
    expect(runToEnd(python, [EMBED, pex, copy])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(runToEnd(copy, []).stdout).toBe(readFileSync(LAUNCHER, 'utf8'));
    expect(runToEnd(python, [pex]).stdout).toBe('the original');
    expect(statSync(copy).mode & 0o777).toBe(0o755);
    const read =
      'import sys, zipfile; sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read("PEX-INFO").decode())';
    const { code_hash, ...info } = JSON.parse(runToEnd(python, ['-c', read, copy]).stdout);
    expect(info).toEqual({ zip_safe: true });
    expect(code_hash).toMatch(/^[0-9a-f]{40}$/);
  });

  test('refuses what is not an executor', () => {
    const other = join(temp.path, 'other.pex');
    runToEnd(python, [
      '-c',
      'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("a", "b")',
      other,
    ]);
    const { status, stderr } = runToEnd(python, [EMBED, other, join(temp.path, 'copy.pex')]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `${other} is not an executor: it has no ${PEX_NAME}\n`,
    });
    expect(runToEnd(python, [EMBED]).stderr).toMatch(/^usage: embed_runner\.py/);
  });
});

test('the commands of docs/aurora.md do what it says', () => {
  const page = readFileSync(join(REPOSITORY, 'docs', 'aurora.md'), 'utf8');
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  const [embed, list, tried, ...others] = blocks as [string, string, string];
  expect(others).toEqual([]);
  const [python] = PYTHONS;
  // As installed for all users: npm links the programs into a directory of the PATH.
  const bin = join(temp.path, 'bin');
  const packages = join(temp.path, 'packages');
  mkdirSync(bin);
  mkdirSync(packages);
  runToEnd('ln', ['-s', REPOSITORY, join(packages, 'thermos')]);
  runToEnd('ln', ['-s', PROGRAM, join(bin, 'thermos')]);
  runToEnd('ln', ['-s', RUNNER, join(bin, 'thermos-runner')]);
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n[ "$*" = 'root --global' ] && echo '${packages}'\n`, {
    mode: 0o755,
  });
  const shell = (lines: string) =>
    spawnSync('bash', ['-ec', lines], {
      cwd: temp.path,
      env: cleanEnv({ PATH: `${bin}:${process.env.PATH}` }),
      encoding: 'utf8',
    });
  if (python === 'python3') {
    executorPex(python);
    expect(shell(embed)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(shell(list)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(`^${PEX_NAME} `),
      stderr: '',
    });
  }
  const { status, stdout, stderr } = shell(tried);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^hello-1 +finished +SUCCESS/m);
  expect(stdout).toMatch(/^hello: port 31000$|port 31000/m);
  expect(stdout).toMatch(/the task has ended SUCCESS\n$/);
});
