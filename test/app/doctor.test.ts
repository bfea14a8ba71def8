import { existsSync, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { examine } from '../../src/app/doctor.js';
import { Host } from '../../src/host/host.js';
import { tempDir } from '../e2e/harness.js';
import { FAILED, makeProc, RAN, Records, writeTask } from '../task/trees.js';

const LAUNCHED_MS = 1_400_000_000_000;

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const root = (name: string) => `${temp.path}/${name}`;
const header = (launch_time_ms = LAUNCHED_MS) => ({
  task_id: 't',
  uid: process.getuid?.() ?? 0,
  launch_time_ms,
});
const over = (launched?: number) =>
  new Records()
    .status('ACTIVE')
    .header(header(launched))
    .process('p', ...RAN)
    .status('SUCCESS');

function doctor(word: string | undefined, ...roots: string[]) {
  const host = Host.local({ proc: makeProc(`${temp.path}/proc`, { locks: '' }) });
  const now = LAUNCHED_MS + 60_000;
  const use = {
    hosts: () => host.again(),
    clocks: { now: () => now, monotonic: () => performance.now() },
    uptime: () => 0,
    cores: 1,
    wait: async () => {},
  };
  // The default places of this machine are none of ours.
  const defaultRoots = { root: [], mesosRoot: [], source: 'a file of defaults' };
  const flags = roots.length === 0 ? { defaultRoots } : { root: roots.map(root) };
  return examine(word, flags, { now, host, use });
}

test('a host without a root: that is said', async () => {
  vi.stubEnv('THERMOS_ROOT', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { document, exitCode, notice } = await doctor(undefined);
  expect(document).toMatchObject({ findings: [], checked: { roots: 0, tasks: 0, agents: 0 } });
  expect([exitCode, notice]).toEqual([0, "No task root was found; see 'thermos roots' and --root."]);
  mkdirSync(root('a/tasks/active'), { recursive: true });
  expect(await doctor(undefined, 'a')).not.toHaveProperty('notice', expect.anything());
});

const codes = (found: readonly { code: string }[]) => found.map(({ code }) => code);

describe('one task', () => {
  test('with which nothing is wrong', async () => {
    writeTask(root('a'), 't', { runner: over(), phase: 'finished' });
    const then = LAUNCHED_MS / 1000 + 3;
    for (const path of ['checkpoints/t/runner', 'tasks/finished/t'])
      utimesSync(`${root('a')}/${path}`, then, then);
    const { document, exitCode } = await doctor('t', 'a');
    expect([codes(document.findings), exitCode]).toEqual([[], 0]);
    expect(document.task).toMatchObject({
      task_id: 't',
      root: root('a'),
      phase: 'finished',
      state: 'SUCCESS',
    });
    expect(document.story?.length).toBeGreaterThan(0);
  });

  test('whose runner has gone', async () => {
    writeTask(root('a'), 't', {
      runner: new Records()
        .status('ACTIVE')
        .header(header())
        .process('p', ...FAILED),
    });
    const { document, exitCode } = await doctor('t', 'a');
    expect(codes(document.findings)).toContain('runner-dead');
    expect(exitCode).toBe(1);
  });

  test('that is in several roots: the one that was launched last', async () => {
    writeTask(root('a'), 't', { runner: over(), phase: 'finished' });
    writeTask(root('b'), 't', { runner: over(LAUNCHED_MS + 1000), phase: 'finished' });
    const { document } = await doctor('t', 'a', 'b');
    expect(document.task?.root).toBe(root('b'));
    expect(document.problems).toMatchObject([{ code: 'task-in-several-roots', path: root('a') }]);
  });

  test('that there is not', async () => {
    writeTask(root('a'), 't', { runner: over(), phase: 'finished' });
    await expect(doctor('other', 'a')).rejects.toMatchObject({ code: 'task-not-found', exitCode: 1 });
  });

  test('is meant by a word, not several', async () => {
    for (const id of ['web-1', 'web-2']) writeTask(root('a'), id, { runner: over(), phase: 'finished' });
    await expect(doctor('web', 'a')).rejects.toMatchObject({ code: 'ambiguous-task', exitCode: 2 });
  });
});

test('a host: a root that is not there is a finding', async () => {
  writeTask(root('a'), 't', { runner: over(), phase: 'finished' });
  const { document } = await doctor(undefined, 'a');
  expect(document.checked).toMatchObject({ roots: 1, tasks: 1 });
  rmSync(root('a'), { recursive: true });
  expect(existsSync(root('a'))).toBe(false);
  const { exitCode, document: missing } = await doctor(undefined, 'a');
  expect([exitCode, missing.checked.tasks]).toEqual([1, 0]);
});
