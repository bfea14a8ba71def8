import { expect, test } from 'vitest';
import { LAYOUT_NAMES, LAYOUTS } from '../../src/layout/layouts.js';
import {
  agentPaths,
  mesosIdsOf,
  notePaths,
  placeInRun,
  rootInRun,
  runAroundRoot,
  splitAtLatest,
  workDirAround,
} from '../../src/layout/mesos.js';

const WORK_DIR = '/var/lib/mesos';
const EXECUTOR = '/slaves/S0/frameworks/F0/executors/thermos-web';
const RUN = `${WORK_DIR}${EXECUTOR}/runs/C0`;

test('a run directory tells its work directory, its ids and its checkpoint root', () => {
  expect(workDirAround(RUN)).toBe(WORK_DIR);
  expect(workDirAround('/slaves/S0')).toBe(undefined);
  expect(workDirAround('/var/run/thermos')).toBe(undefined);
  expect(mesosIdsOf(RUN)).toEqual({
    agent_id: 'S0',
    framework_id: 'F0',
    executor_id: 'thermos-web',
    container_id: 'C0',
  });
  expect(runAroundRoot(rootInRun(RUN))).toBe(RUN);
  expect(runAroundRoot(RUN)).toBe(undefined);
});

test("the agent's notes stand below meta, in the same tree", () => {
  const paths = agentPaths(WORK_DIR);
  expect(paths).toMatchObject({
    slaves: '/var/lib/mesos/slaves',
    meta: '/var/lib/mesos/meta',
    identities: '/var/lib/mesos/meta/slaves',
    latest: '/var/lib/mesos/meta/slaves/latest',
    bootId: '/var/lib/mesos/meta/boot_id',
  });
  expect(paths.slaveInfo('S0')).toBe('/var/lib/mesos/meta/slaves/S0/slave.info');
  const notes = notePaths(WORK_DIR, RUN);
  expect(notes).toMatchObject({
    info: `/var/lib/mesos/meta${EXECUTOR}/executor.info`,
    pid: `/var/lib/mesos/meta${EXECUTOR}/runs/C0/pids/forked.pid`,
    sentinel: `/var/lib/mesos/meta${EXECUTOR}/runs/C0/executor.sentinel`,
  });
  expect(notes.updates('web')).toBe(`/var/lib/mesos/meta${EXECUTOR}/runs/C0/tasks/web/task.updates`);
});

test.each([
  ['/m/runs/latest', { runs: '/m/runs', rest: '' }],
  ['/m/runs/latest/sandbox/a', { runs: '/m/runs', rest: '/sandbox/a' }],
  ['/m/runs/latest.old', undefined],
  ['/m/runs/C0', undefined],
])('the link latest in %s', (path, split) => {
  expect(splitAtLatest(path)).toEqual(split);
});

test.each([
  [`/old${EXECUTOR}/runs/C0/sandbox`, `${RUN}/sandbox`],
  [`/old${EXECUTOR}/runs/C1/sandbox`, undefined],
  ['/mnt/mesos/sandbox/sandbox/.logs', `${RUN}/sandbox/.logs`],
  ['/home/web', undefined],
])('what %s means in a run directory', (recorded, place) => {
  expect(placeInRun(recorded, RUN)).toBe(place);
});

test('every layout is known by its name', () => {
  for (const name of LAYOUT_NAMES) expect(LAYOUTS[name].name).toBe(name);
});

test('where a sandbox is by its name', () => {
  const { host, mesos } = LAYOUTS;
  expect(host.sandboxes({ path: '/var/thermos' }, 'a')).toEqual([
    '/var/thermos/sandboxes/a',
    '/var/sandboxes/a',
  ]);
  // Nothing lies beside a root right below `/` that is only its.
  expect(host.sandboxes({ path: '/thermos' }, 'a')).toEqual(['/thermos/sandboxes/a']);
  expect(mesos.sandboxes({ path: rootInRun(RUN), run_dir: RUN }, 'a')).toEqual([`${RUN}/sandbox`]);
  expect(mesos.logDirs({ path: rootInRun(RUN) })).toEqual([`${RUN}/sandbox/.logs`, `${RUN}/.logs`]);
});
