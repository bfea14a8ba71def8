import { describe, expect, test } from 'vitest';
import type { CgroupReading, SampledTask } from '../../src/top/model.js';
import { Sampler } from '../../src/top/sampler.js';
import { usesAt } from '../../src/top/task-use.js';
import { COORDINATOR, Machine, taskOf } from './machine.js';

function use(machine: Machine, task: SampledTask, more: { cgroup?: Partial<CgroupReading> } = {}) {
  const moment = machine.moment(new Sampler(1), [task]);
  const members = new Map(moment.members);
  const cgroups = new Map<string, CgroupReading>();
  if (more.cgroup !== undefined) {
    const cgroup = { path: '/c', identity: '1', isWhole: true, pids: [], limits: {}, ...more.cgroup };
    cgroups.set(task.key, cgroup);
    for (const pid of cgroup.pids) {
      members.set(pid, { ...machine.identity(pid), group: { task: task.key } });
    }
  }
  return usesAt({ ...moment, members, cgroups }, machine.now).get(task.key);
}

/** A command of the coordinator, and the task with it. */
function running() {
  const machine = new Machine();
  const pid = machine.fork(COORDINATOR);
  const run = { ...machine.task().runs[0], process: 'main', run: 0, command: machine.identity(pid) };
  return { machine, pid, task: taskOf([run], { asked: { cpu: 1, ram: 5, disk: 7 } }) };
}

describe('what one look says', () => {
  test('processor time on average since the command started, and what there is now', () => {
    const { machine, pid, task } = running();
    machine.burn(pid, 100);
    machine.now += 4000;
    expect(use(machine, task)).toMatchObject({
      asked: { cpu: 1, ram: 5, disk: 7 },
      cpuAverage: 0.25,
      rssBytes: 1000,
      threads: 1,
      pids: 1,
    });
  });

  test('with children that ended, whoever waited for them', () => {
    const { machine, pid, task } = running();
    const children = [machine.fork(pid), machine.fork(pid)];
    for (const child of children) machine.burn(child, 50);
    machine.now += 4000 - 2 * 10;
    for (const child of children) machine.exit(child);
    // One is a zombie still.
    machine.reap(children[0] as number);
    expect(use(machine, task)?.cpuAverage).toBe(0.25);
    const double = machine.fork(pid);
    const orphan = machine.fork(double);
    machine.burn(orphan, 100);
    machine.exit(double);
    machine.reap(double);
    machine.exit(orphan);
    // By the coordinator.
    machine.reap(orphan);
    machine.now += 4000 - 2 * 10;
    expect(use(machine, task)?.cpuAverage).toBe(0.25);
  });

  test('no average of a process that has just started', () => {
    const { machine, pid, task } = running();
    machine.burn(pid, 10);
    machine.now += 500;
    expect(use(machine, task)?.cpuAverage).toBeUndefined();
    expect(use(machine, task)?.rssBytes).toBe(1000);
  });

  test('nothing of a task whose processes are hidden', () => {
    const { machine, pid, task } = running();
    machine.burn(pid, 100);
    machine.now += 4000;
    const hidden = use(machine, { ...task, isHidden: true });
    expect(hidden).toMatchObject({ cpuAverage: undefined, rssBytes: undefined });
  });

  test('of a task in another pid namespace, what its cgroup counted since its oldest process started', () => {
    const { machine, pid } = running();
    machine.now += 4000;
    const task = taskOf([{ process: 'main', run: 0, pid: 7 }], { isForeign: true });
    const cgroup = { pids: [pid], cpuMs: 1000, limits: { cpu: 2 } };
    expect(use(machine, task, { cgroup })).toMatchObject({ cpuAverage: 0.25, pids: 1, limits: { cpu: 2 } });
    expect(use(machine, task, { cgroup: { ...cgroup, isWhole: false } })?.cpuAverage).toBeUndefined();
    expect(use(machine, task)).toMatchObject({ cpuAverage: undefined, pids: undefined });
  });

  test('throttling and kills since its cgroup was made, unless others may have been in it', () => {
    const { machine, task } = running();
    const counts = { periods: 40, throttledPeriods: 10, oomKills: 2 };
    expect(use(machine, task, { cgroup: counts })).toMatchObject({ throttledShare: 0.25, oomKills: 2 });
    expect(use(machine, task, { cgroup: { ...counts, isWhole: false } })).toMatchObject({
      throttledShare: undefined,
      oomKills: undefined,
    });
  });
});
