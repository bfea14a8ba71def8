import { describe, expect, test } from 'vitest';
import { CgroupMeter, type CgroupTask, type KinTable } from '../../src/top/cgroup-meter.js';
import type { Kin } from '../../src/top/cgroup-scope.js';
import { DOCKER, MESOS, recorded, recordedFiles, type Version } from './recorded-cgroups.js';

const table = (rows: Record<number, Kin & { command?: string }>): KinTable => ({
  kinOf: (pid) => rows[pid],
  pids: () => Object.keys(rows).map(Number),
  commandOf: (pid) => rows[pid]?.command,
});

const TABLE = table({
  76: { parent: 75, session: 76, command: 'sh' },
  77: { parent: 76, session: 77, command: 'thermos-runner' },
  500: { parent: 400, session: 400 },
  600: { parent: 1, session: 600 },
  601: { parent: 600, session: 601 },
  700: { parent: 400, session: 400 },
  10250: { parent: 1, session: 10250 },
  10263: { parent: 10250, session: 10263 },
});

function read(
  version: Version,
  task: Partial<CgroupTask>,
  pids: readonly number[] = [],
  all: CgroupTask[] = [],
) {
  const whole = { key: 'a', ...task };
  return new CgroupMeter(recordedFiles(version), TABLE, [whole, ...all]).read(whole, pids);
}

const NUMBERS = {
  cpuMs: expect.closeTo(534.265, 3),
  throttledMs: expect.closeTo(2018.1, 1),
  periods: 29,
  throttledPeriods: 26,
  oomKills: 3,
  memoryBytes: 299008,
  memoryLimitBytes: 67108864,
  cpuLimit: 0.2,
  kind: 'container',
  pids: [10250, 10263],
};

describe.each(['v1', 'v2'] as const)('cgroups of %s', (version) => {
  test('a container of Mesos is found by a process of its task', () => {
    const found = read(version, { container_id: MESOS, runner: { pid: 10250 } });
    expect(found).toMatchObject(NUMBERS);
    expect(found?.path.startsWith(`${recorded(version)}/cgroup/`)).toBe(true);
  });

  test('a container of Mesos is found by its id alone, as that of a task in a foreign pid namespace', () => {
    expect(read(version, { container_id: MESOS })).toMatchObject(NUMBERS);
    expect(read(version, { container_id: `${MESOS}-not-here` })).toBeUndefined();
  });

  test('a container of Docker is found by the runner in it; without limits there are none', () => {
    const found = read(version, { runner: { pid: 77 }, container_id: 'an-id-that-docker-does-not-use' });
    expect(found).toMatchObject({ kind: 'container', cpuMs: 7, memoryBytes: 4096, pids: [76, 77] });
    expect(found?.cpuLimit).toBeUndefined();
    expect(found?.memoryLimitBytes).toBeUndefined();
    expect(found?.path).toContain(DOCKER);
  });

  test('two tasks in one container have no cgroup of their own', () => {
    expect(read(version, { runner: { pid: 77 } }, [], [{ key: 'b', runner: { pid: 77 } }])).toBeUndefined();
  });

  test('a container with other active tasks is nobody’s, however it is found', () => {
    for (const task of [
      { container_id: MESOS, runner: { pid: 10250 } },
      { container_id: MESOS },
      { runner: { pid: 77 }, container_id: 'an-id-that-docker-does-not-use' },
    ]) {
      expect(read(version, task)).toBeDefined();
      expect(read(version, { ...task, isShared: true })).toBeUndefined();
    }
  });

  test('a container with an agent in it is not that of a task', () => {
    const task = { key: 'a', runner: { pid: 77 } };
    const withAgent = table({
      76: { parent: 75, session: 76, command: 'mesos-agent' },
      77: { parent: 76, session: 77, command: 'thermos-runner' },
    });
    expect(new CgroupMeter(recordedFiles(version), withAgent, [task]).read(task, [])).toBeUndefined();
    expect(new CgroupMeter(recordedFiles(version), TABLE, [task]).read(task, [])).toBeDefined();
  });

  test('the session of a user is nobody’s', () => {
    const pid = version === 'v1' ? 500 : 700;
    expect(read(version, { runner: { pid: pid } }, [pid])).toBeUndefined();
  });

  test('a process that is gone has no cgroup', () => {
    expect(read(version, { runner: { pid: 4242 } })).toBeUndefined();
    expect(read(version, {})).toBeUndefined();
  });
});

describe('cgroups of version 2', () => {
  test('a service that only runs the task is the task’s', () => {
    expect(read('v2', { runner: { pid: 600 } }, [601])).toMatchObject({
      kind: 'service',
      cpuMs: 7,
      pids: [600, 601],
    });
  });

  test('a service in which something else runs is not', () => {
    expect(read('v2', {}, [601])).toBeUndefined();
  });

  test('a cgroup with only the task’s processes in it has no history that is known to be the task’s', () => {
    expect(read('v2', {}, [800])).toMatchObject({ kind: 'members', pids: [800] });
  });

  test('a cgroup that was removed, or is outside of our namespace, is not read', () => {
    expect(read('v2', {}, [900])).toBeUndefined();
    expect(read('v2', {}, [901])).toBeUndefined();
  });

  test('pressure is read', () => {
    expect(read('v2', { container_id: MESOS, runner: { pid: 10250 } })).toMatchObject({
      cpuPressure: 15.55,
      memoryPressure: 0.9,
      ioPressure: 0,
    });
  });
});

test('of version 1, the root of a hierarchy is nobody’s', () => {
  expect(read('v1', { runner: { pid: 501 } }, [501])).toBeUndefined();
});
