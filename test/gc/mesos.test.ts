import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  executorAlive,
  forecast,
  forecaster,
  isPulled,
  runDirAround,
  workDirOf,
} from '../../src/gc/mesos.js';
import { DirectoryUsage } from '../../src/gc/usage.js';
import { directoryUsers } from '../../src/host/directory-users.js';
import { Host } from '../../src/host/host.js';
import { tempDir } from '../e2e/harness.js';
import { makeProc } from '../task/trees.js';

let dir: string;
let remove: () => void;
let runDir: string;
let meta: string;

beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  const run = 'slaves/S0/frameworks/F0/executors/thermos-t/runs/c-1';
  runDir = `${dir}/${run}`;
  meta = `${dir}/meta/${run}`;
  mkdirSync(runDir, { recursive: true });
});
afterEach(() => remove());

function put(path: string, text = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('when the agent removes a sandbox', () => {
  const day = 86_400_000;

  test('after its delay, counted from the end of the executor', () => {
    expect(forecast(1000, 2000, 7 * day, 0.1, 0.5)).toEqual({ at: 1000 + 7 * day, pressed: false });
  });

  test.each([
    [4 * day, 0.2, false],
    [4 * day, 0.6, true],
    [1, 0.95, true],
  ])('after %d ms on a disk that is %d full, at once: %s', (since, usage, pressed) => {
    expect(forecast(0, since, 7 * day, 0.1, usage).pressed).toBe(pressed);
  });

  test('by the configured delay', () => {
    put(`${dir}/etc/mesos-agent/gc_delay`, '2days\n');
    utimesSync(runDir, 1000, 1000);
    const forecastFor = forecaster(1_000_000, `${dir}/proc`, `${dir}/etc`);
    expect(forecastFor(runDir)?.at).toBe(1_000_000 + 2 * day);
    expect(forecastFor(`${dir}/none`)).toBeUndefined();
  });
});

test('the tree around a path', () => {
  expect(runDirAround(`${runDir}/sandbox/.logs`)).toBe(runDir);
  expect(runDirAround(`${dir}/slaves/S0/frameworks/F0`)).toBeUndefined();
  expect(workDirOf(runDir)).toBe(dir);
});

describe('does the executor live', () => {
  const alive = (proc: Parameters<typeof makeProc>[1] = {}, bootId = 'boot-1', euid = 0) =>
    executorAlive(
      runDir,
      Host.local({ proc: makeProc(`${dir}/proc`, proc), euid }),
      new DirectoryUsage(() => directoryUsers(`${dir}/proc`)),
      bootId,
    );

  test('not if there is a sentinel, or the agent has forgotten it', () => {
    put(`${meta}/pids/forked.pid`, '42');
    put(`${meta}/executor.sentinel`);
    expect(alive({ processes: { 42: {} } })).toBe(false);
    rmSync(meta, { recursive: true });
    expect(alive()).toBe(false);
  });

  test('by its pid, which must not be younger than the note of it', () => {
    put(`${meta}/pids/forked.pid`, '42\n');
    expect(alive({ processes: { 42: {} } })).toBe(true);
    expect(alive({ processes: { 42: { state: 'Z' } } })).toBe(false);
    utimesSync(`${meta}/pids/forked.pid`, 1_399_000_000, 1_399_000_000);
    expect(alive({ processes: { 42: { startTicks: 6000 } } })).toBe(false);
    rmSync(`${dir}/proc/42`, { recursive: true });
    expect(alive()).toBe(false);
  });

  test('not after a reboot', () => {
    put(`${meta}/pids/forked.pid`, '42');
    put(`${dir}/meta/boot_id`, 'boot-0\n');
    expect(alive({ processes: { 42: {} } })).toBe(false);
  });

  test('nobody knows, if nothing tells', () => {
    mkdirSync(meta, { recursive: true });
    expect(alive()).toBeUndefined();
  });

  test('without any meta: if a process works in its directory', () => {
    expect(alive()).toBe(false);
    expect(alive({}, 'boot-1', 1000)).toBeUndefined();
    mkdirSync(`${dir}/proc/43`, { recursive: true });
    symlinkSync(runDir, `${dir}/proc/43/cwd`);
    expect(alive()).toBe(true);
  });
});

describe('a bare root’s task whose sandbox was pulled', () => {
  const sandbox = () => join(runDir, 'sandbox');

  test('is one of which nothing but a dangling latest is left', () => {
    expect(isPulled(sandbox(), 't')).toBe(false);
    rmSync(runDir, { recursive: true });
    symlinkSync(runDir, join(dirname(runDir), 'latest'));
    expect(isPulled(sandbox(), 't')).toBe(true);
    rmSync(`${dir}/slaves/S0/frameworks`, { recursive: true });
    expect(isPulled(sandbox(), 't')).toBe(true);
  });

  test('is none of another machine, another executor, or without an agent', () => {
    rmSync(runDir, { recursive: true });
    expect(isPulled(sandbox(), 'u')).toBe(false);
    expect(isPulled('/srv/t', 't')).toBe(false);
    expect(isPulled(undefined, 't')).toBe(false);
    rmSync(`${dir}/slaves`, { recursive: true });
    expect(isPulled(sandbox(), 't')).toBe(false);
  });
});
