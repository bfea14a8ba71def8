import { symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostInspector } from '../../src/gc/inspector.js';
import { put } from '../e2e/gc-trees.js';
import { tempDir } from '../e2e/harness.js';
import { machineIn, OPTIONS } from './machines.js';
import { subject } from './subjects.js';

let dir: string;
let remove: () => void;
const inspectors: HostInspector[] = [];
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => {
  for (const inspector of inspectors.splice(0)) inspector.close();
  remove();
});

function inspectorOf(made: Parameters<typeof machineIn>[1] = {}, options: Partial<typeof OPTIONS> = {}) {
  const inspector = new HostInspector(machineIn(dir, made), { ...OPTIONS, ...options });
  inspectors.push(inspector);
  return inspector;
}

describe('a place', () => {
  test('is the path without links, absent, or refused', () => {
    put(`${dir}/base/t/f`, 'x');
    symlinkSync('t', `${dir}/base/link`);
    const task = subject({ bases: [`${dir}/base`] });
    const inspector = inspectorOf();
    expect(inspector.place(`${dir}/base/t`, task)).toEqual({ path: `${dir}/base/t` });
    expect(inspector.place(`${dir}/base/none`, task)).toBeUndefined();
    expect(inspector.place(`${dir}/base/link`, task)).toEqual({ refused: `${dir}/base/link is a link` });
  });

  test('of a Mesos task lies in its run directory', () => {
    put(`${dir}/run/sandbox/f`, 'x');
    put(`${dir}/running/f`, 'x');
    const task = subject({ layout: 'mesos', bases: [dir], runDirPath: `${dir}/run` });
    const inspector = inspectorOf();
    expect(inspector.place(`${dir}/run/sandbox`, task)).toEqual({ path: `${dir}/run/sandbox` });
    for (const path of [`${dir}/run`, `${dir}/running`]) {
      expect(inspector.place(path, task)).toEqual({ refused: "it is not in its executor's run directory" });
    }
  });

  test('what is there is told, of a link itself', () => {
    put(`${dir}/f`, 'x');
    symlinkSync(dir, `${dir}/link`);
    const inspector = inspectorOf();
    expect(inspector.top(dir)?.isDirectory).toBe(true);
    expect([inspector.top(`${dir}/f`)?.isDirectory, inspector.top(`${dir}/link`)?.isDirectory]).toEqual([
      false,
      false,
    ]);
    expect(inspector.top(`${dir}/none`)).toBeUndefined();
  });
});

describe('nothing of a task may be touched', () => {
  test.each([
    ['whose runner lives', { locked: true }, 'its runner is alive'],
    ['of which processes live', { leftovers: [7, 8] }, 'its processes are still alive: 7, 8'],
  ])('%s', (_, given, why) => {
    expect(inspectorOf().keptWhole(subject(given))).toEqual({ verdict: 'kept', why });
  });

  const MESOS = 'slaves/S0/frameworks/F0/executors/thermos-t/runs/C0';

  /** A task in a run directory with the agent's notes about its executor. */
  function mesosTask(notes: Record<string, string> = {}) {
    put(`${dir}/work/${MESOS}/sandbox/f`, 'x');
    put(`${dir}/work/meta/boot_id`, 'boot');
    for (const [name, text] of Object.entries(notes)) put(`${dir}/work/meta/${MESOS}/${name}`, text);
    return subject({ layout: 'mesos', runDir: `${dir}/work/${MESOS}`, runDirPath: `${dir}/work/${MESOS}` });
  }

  const forecast = (pressed: boolean) => () => ({ at: 99, pressed });

  test('that the agent removes, with when', () => {
    const task = mesosTask({ 'executor.sentinel': '' });
    const why = (made: Parameters<typeof machineIn>[1]) => inspectorOf(made).keptWhole(task)?.why;
    expect(why({})).toBe('the Mesos agent removes it');
    expect(why({ forecast: forecast(false) })).toBe('the Mesos agent removes it at @99');
    expect(why({ forecast: forecast(true) })).toBe(
      'the Mesos agent removes it within a minute, because its disk is full',
    );
    expect(inspectorOf({}, { includeMesos: true }).keptWhole(task)).toBeUndefined();
  });

  test('whose executor lives, or may live, not even with --include-mesos', () => {
    const task = mesosTask();
    const users = () => [{ pid: 7, path: `${dir}/work/${MESOS}`, how: 'works in it' }];
    expect(inspectorOf({ users }).keptWhole(task)?.why).toBe(
      'the Mesos agent removes it after its executor has ended',
    );
    expect(inspectorOf({ users }, { includeMesos: true }).keptWhole(task)?.why).toBe('its executor is alive');
    const noted = mesosTask({ 'pids/forked.pid': 'no number' });
    expect(inspectorOf({}, { includeMesos: true }).keptWhole(noted)?.why).toBe(
      'cannot determine whether its executor is alive',
    );
  });

  test('logs of a bare root’s task in an agent’s tree stay while its executor may live', () => {
    mesosTask({ 'executor.sentinel': '' });
    const path = `${dir}/work/${MESOS}/sandbox`;
    const bare = subject();
    expect(inspectorOf().isAgents(path, bare)).toBe(true);
    expect(inspectorOf().isAgents(`${dir}/elsewhere`, bare)).toBe(false);
    expect(inspectorOf().keptInTree(path, bare)?.why).toBe('it belongs to the Mesos agent');
    expect(inspectorOf({}, { includeMesos: true }).keptInTree(path, bare)).toBeUndefined();
    const users = () => [{ pid: 7, path, how: 'works in it' }];
    expect(inspectorOf({ users }, { includeMesos: true }).keptInTree(path, bare)?.why).toBe(
      'its executor may be alive',
    );
  });
});

test('a plan measures a file of several names once', () => {
  put(`${dir}/t/f`, 'x'.repeat(5000));
  put(`${dir}/u/g`, 'x'.repeat(5000));
  const inspector = inspectorOf();
  expect(inspector.measure(dir, 't', {})?.bytes).toBe(inspector.measure(dir, 'u', {})?.bytes);
  expect(inspector.measure(dir, 'none', {})).toBeUndefined();
});
