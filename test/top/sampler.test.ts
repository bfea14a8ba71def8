import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CgroupReading, Sample, TaskSample } from '../../src/top/model.js';
import { Sampler } from '../../src/top/sampler.js';
import { COORDINATOR, Machine, RUNNER, taskOf } from './machine.js';

/** More than anything here uses. */
const CORES = 1e6;
/** A second. */
const INTERVAL = 1000;

/** A machine, and a sampler that looks at its task. */
class Watched {
  readonly machine = new Machine();
  readonly sampler = new Sampler(CORES);
  tasks = [this.machine.task()];

  look(): TaskSample {
    return this.sample().tasks[0] as TaskSample;
  }

  sample(): Sample {
    this.machine.now += INTERVAL;
    return this.sampler.sample(this.machine.moment(this.sampler, this.tasks));
  }
}

describe('processor time', () => {
  test('is in cores over the interval; the first look has none', () => {
    const watch = new Watched();
    const pid = watch.machine.fork(COORDINATOR);
    watch.machine.burn(pid, 5000);
    const first = watch.look();
    expect(first).toMatchObject({ pids: 1, threads: 1, rssBytes: 1000, fds: 3 });
    expect([first.cpu, first.writtenBytes]).toEqual([undefined, undefined]);
    watch.machine.burn(pid, 150);
    const sample = watch.look();
    expect(sample.cpu).toBeCloseTo(1.5);
    expect(sample.processes).toMatchObject([{ process: 'main', run: 0, cpu: sample.cpu, pids: 1 }]);
    expect(watch.look().cpu).toBe(0);
  });

  test('of children that have ended is counted once, however many there were', () => {
    const { machine, sampler, tasks } = new Watched();
    const look = () => {
      machine.now += INTERVAL;
      return sampler.sample(machine.moment(sampler, tasks)).tasks[0]?.cpu;
    };
    const shell = machine.fork(COORDINATOR);
    const lasting = machine.fork(shell);
    machine.burn(lasting, 3600);
    look();
    for (let i = 0; i < 10; i++) {
      const child = machine.fork(shell);
      machine.burn(child, 10);
      machine.exit(child);
      machine.reap(child);
    }
    expect(look()).toBeCloseTo(1 / 1.1);
    machine.burn(lasting, 50);
    machine.exit(lasting);
    machine.reap(lasting);
    // The hour that it had used before is not in it.
    expect(look()).toBeCloseTo(0.5);
  });

  test('of a child that nobody waits for is neither counted twice nor taken from the others', () => {
    const watch = new Watched();
    const { machine } = watch;
    const shell = machine.fork(COORDINATOR);
    const child = machine.fork(shell);
    machine.burn(child, 500);
    watch.look();
    machine.exit(child);
    machine.reap(child, true);
    machine.burn(shell, 40);
    expect(watch.look().cpu).toBeCloseTo(0.4);
    machine.burn(shell, 40);
    expect(watch.look().cpu).toBeCloseTo(0.4);
  });

  test('of runs that are over is in that of the task, when the runner has waited for their coordinators', () => {
    const watch = new Watched();
    const { machine } = watch;
    watch.look();
    // Both begin and end between two looks.
    for (let i = 0; i < 2; i++) {
      const coordinator = machine.fork(RUNNER);
      machine.setsid(coordinator);
      const command = machine.fork(coordinator);
      machine.burn(command, 30);
      for (const pid of [command, coordinator]) {
        machine.exit(pid);
        machine.reap(pid);
      }
    }
    const sample = watch.look();
    expect(sample.cpu).toBeCloseTo(0.6 / (1 + 0.04));
    expect(sample.processes[0]?.cpu).toBe(0);
  });

  test('of a task whose first run is over is what was used since the look before', () => {
    const watch = new Watched();
    const { machine } = watch;
    const command = machine.fork(COORDINATOR);
    machine.burn(command, 7000);
    watch.look();
    machine.burn(command, 20);
    for (const pid of [command, COORDINATOR]) {
      machine.exit(pid);
      machine.reap(pid);
    }
    watch.tasks = [taskOf([], { runner: machine.identity(RUNNER) })];
    const sample = watch.look();
    expect(sample.cpu).toBeCloseTo(0.2);
    expect(sample).toMatchObject({ processes: [], pids: 0 });
  });

  test('that no machine has is not shown', () => {
    const machine = new Machine();
    const sampler = new Sampler(2);
    const tasks = [machine.task()];
    const pid = machine.fork(COORDINATOR);
    const cpu = () => {
      machine.now += INTERVAL;
      return sampler.sample(machine.moment(sampler, tasks)).tasks[0]?.cpu;
    };
    cpu();
    machine.burn(pid, 200);
    expect(cpu()).toBeCloseTo(2);
    machine.burn(pid, 5000);
    expect(cpu()).toBeUndefined();
  });

  test('of a process that could not be seen before begins when it is seen', () => {
    const watch = new Watched();
    const { machine, sampler } = watch;
    const hidden = machine.fork(COORDINATOR);
    machine.burn(hidden, 500);
    machine.fork(COORDINATOR);
    machine.now += INTERVAL;
    const reading = machine.read();
    (reading.processes as Map<number, unknown>).delete(hidden);
    sampler.sample(machine.moment(sampler, watch.tasks, reading));
    expect(watch.look().cpu).toBe(0);
    machine.burn(hidden, 25);
    expect(watch.look().cpu).toBeCloseTo(0.25);
  });
});

/** What happens to the processes of a task, with numbers that choose whose. */
const events = fc.array(
  fc.record({
    what: fc.constantFrom('fork', 'fork', 'burn', 'burn', 'exit', 'reap', 'setsid', 'look', 'torn look'),
    who: fc.nat(),
    ticks: fc.nat(300),
  }),
  { minLength: 1, maxLength: 60 },
);

test('whatever happens, no rate is negative, the parts make the whole, and in the end all was counted once', () => {
  fc.assert(
    fc.property(events, (happened) => {
      const machine = new Machine();
      const sampler = new Sampler(CORES);
      const tasks = [machine.task()];
      let counted = 0;
      let written = 0;
      const take = (sample: Sample) => {
        const [task] = sample.tasks as [TaskSample];
        const { cpu = 0, writtenBytes = 0, processes } = task;
        expect(cpu).toBeGreaterThanOrEqual(0);
        expect(writtenBytes).toBeGreaterThanOrEqual(0);
        const sum = processes.reduce((all, process) => all + (process.cpu ?? 0), 0);
        expect(sum).toBeLessThanOrEqual(cpu + 1e-9);
        expect(processes.reduce((all, { pids = 0 }) => all + pids, 0)).toBe(task.pids);
        counted += (cpu * sample.intervalMs) / 10;
        written += writtenBytes;
        expect(counted).toBeLessThanOrEqual(machine.used + 1e-6);
      };
      const look = (torn?: { after: number; happens: () => void }) => {
        machine.now += INTERVAL;
        const reading = machine.read(sampler.last?.reading, torn);
        take(sampler.sample(machine.moment(sampler, tasks, reading)));
      };
      machine.fork(COORDINATOR);
      look();
      for (const { what, who, ticks } of happened) {
        const own = [...machine.processes.keys()].filter((pid) => pid > COORDINATOR);
        const pid = own[who % Math.max(1, own.length)];
        if (pid === undefined) {
          machine.fork(COORDINATOR);
          continue;
        }
        const isAlive = machine.processes.get(pid)?.state === 'S';
        if (what === 'fork' && isAlive) machine.fork(pid);
        if (what === 'burn') machine.burn(pid, ticks);
        if (what === 'exit') machine.exit(pid);
        if (what === 'reap') machine.reap(pid);
        if (what === 'setsid') machine.setsid(pid);
        if (what === 'look') look();
        if (what === 'torn look') {
          look({
            after: who % machine.processes.size,
            happens: () => {
              machine.exit(pid);
              machine.reap(pid);
            },
          });
        }
      }
      look();
      look();
      expect(counted).toBeCloseTo(machine.used, 5);
      expect(written).toBe(machine.used);
    }),
    { numRuns: 300 },
  );
});

describe('what is not seen', () => {
  test('is unknown, and not nothing', () => {
    const watch = new Watched();
    watch.tasks = [taskOf([{ process: 'p', run: 0 }], { isHidden: true })];
    watch.look();
    const { cpu, rssBytes, pids, processes } = watch.look();
    expect([cpu, rssBytes, pids]).toEqual([undefined, undefined, undefined]);
    expect(processes).toEqual([{ process: 'p', run: 0, pid: undefined }]);
  });

  test('reads and writes of a process that may not be looked at are unknown, and its time is not', () => {
    const watch = new Watched();
    const { machine, sampler } = watch;
    const pid = machine.fork(COORDINATOR);
    watch.look();
    machine.burn(pid, 10);
    machine.now += INTERVAL;
    const moment = machine.moment(sampler, watch.tasks);
    (moment.details as Map<number, object>).set(pid, { rssBytes: 5 });
    const [task] = sampler.sample(moment).tasks as [TaskSample];
    expect(task).toMatchObject({
      rssBytes: 5,
      fds: undefined,
      writtenBytes: undefined,
      readBytes: undefined,
    });
    expect(task.cpu).toBeCloseTo(0.1);
  });

  test('a process that ended while it was looked at is not counted', () => {
    const watch = new Watched();
    const { machine, sampler } = watch;
    const pid = machine.fork(COORDINATOR);
    machine.fork(COORDINATOR);
    const moment = machine.moment(sampler, watch.tasks);
    (moment.details as Map<number, object>).delete(pid);
    expect(sampler.sample(moment).tasks[0]).toMatchObject({ pids: 1, threads: 1, rssBytes: 1000 });
  });

  test('a task of another pid namespace uses what the cgroup of its container says', () => {
    const watch = new Watched();
    const { machine, sampler } = watch;
    const pid = machine.fork(RUNNER);
    const tasks = [taskOf([{ process: 'p', run: 0, pid: 7 }], { isForeign: true })];
    const look = (cgroup: Partial<CgroupReading> | undefined) => {
      machine.now += INTERVAL;
      const { key } = tasks[0] as (typeof tasks)[0];
      const member = { ...machine.identity(pid), group: { task: key } };
      const moment = {
        ...machine.moment(sampler, tasks),
        members: new Map([[pid, member]]),
        cgroups: new Map(
          cgroup && [[key, { path: '/c', identity: '1', isWhole: true, pids: [pid], limits: {}, ...cgroup }]],
        ),
      };
      return sampler.sample(moment).tasks[0] as TaskSample;
    };
    look({ cpuMs: 10_000, throttledMs: 100, oomKills: 1 });
    const sample = look({ cpuMs: 10_700, throttledMs: 160, oomKills: 1, limits: { cpu: 2 } });
    expect(sample.cpu).toBeCloseTo(0.7);
    expect(sample).toMatchObject({ throttledMs: 60, oomKills: 1, rssBytes: 1000, pids: 1 });
    expect(sample.limits).toEqual({ cpu: 2 });
    // Another one of the same name, one whose counters went back, and none at all.
    expect(look({ identity: '2', cpuMs: 20_000 }).cpu).toBeUndefined();
    expect(look({ identity: '2', cpuMs: 3 }).cpu).toBeUndefined();
    expect(look({ identity: '2', cpuMs: 3 }).cpu).toBe(0);
    expect(look({ identity: '2', isWhole: false, oomKills: 3 }).oomKills).toBeUndefined();
    const { cpu, pids, rssBytes } = look(undefined);
    expect([cpu, pids, rssBytes]).toEqual([undefined, undefined, undefined]);
  });

  test('a monotonic clock that stands still gives no rates', () => {
    const watch = new Watched();
    const { machine, sampler, tasks } = watch;
    watch.look();
    const { cpu, pids } = sampler.sample(machine.moment(sampler, tasks)).tasks[0] as TaskSample;
    expect([cpu, pids]).toEqual([undefined, 0]);
  });
});
