import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { placeForEach, thermos } from './harness.js';

const place = placeForEach();

/** As on a host, where the path shows that it belongs to Mesos, and as in a container with an image. */
describe.each(['slaves/S0/frameworks/F/executors/E/runs/C', 'mnt/mesos/sandbox'])('in %s', (path) => {
  let sandbox: string;
  beforeEach(() => {
    sandbox = join(place.path, path);
    mkdirSync(sandbox, { recursive: true });
  });

  const run = (...words: string[]) =>
    thermos(words, { cwd: place.path, env: { THERMOS_ROOT: '', MESOS_SANDBOX: sandbox } });

  test('a task runs where the executor of Aurora would run it, and commands find it', () => {
    expect(run('simplerun', '--task-id', 'web-1', '--', 'pwd')).toMatchObject({
      status: 0,
      stdout: `${sandbox}/sandbox\n`,
    });
    expect(readdirSync(sandbox).sort()).toEqual(['checkpoints', 'sandbox', 'thermos-report']);
    expect(readdirSync(join(sandbox, 'checkpoints')).sort()).toEqual(['checkpoints', 'tasks']);
    const { stdout } = run('inspect', '--json', 'web-1');
    expect(JSON.parse(stdout)).toMatchObject({
      root: `${sandbox}/checkpoints`,
      state: 'SUCCESS',
      layout: 'mesos',
    });
    expect(JSON.parse(run('roots', '--json').stdout).roots).toContainEqual({
      path: `${sandbox}/checkpoints`,
      layout: 'mesos',
      source: 'MESOS_SANDBOX',
      tasks: 1,
      readable: true,
    });
  });

  test('flags and THERMOS_ROOT win', () => {
    const elsewhere = join(sandbox, 'elsewhere');
    expect(run('simplerun', '--sandbox', elsewhere, '--', 'pwd').stdout).toBe(`${elsewhere}\n`);
    expect(run('simplerun', '--root', place.root, '--task-id', 'web-1', '--', 'pwd').stdout).toBe(
      `${place.root}/sandboxes/web-1\n`,
    );
    const env = { THERMOS_ROOT: place.root, MESOS_SANDBOX: sandbox };
    expect(thermos(['simplerun', '--task-id', 'web-2', '--', 'pwd'], { env }).stdout).toBe(
      `${place.root}/sandboxes/web-2\n`,
    );
  });
});
