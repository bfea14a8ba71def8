import { expect, test } from 'vitest';
import { membersOf } from '../../src/top/members.js';
import { COORDINATOR, INIT, Machine, RUNNER, taskOf } from './machine.js';

const machineWithCommand = () => {
  const machine = new Machine();
  const command = machine.fork(COORDINATOR);
  return { machine, command, tasks: [machine.task()] };
};

const pidsOf = (...args: Parameters<typeof membersOf>) =>
  [...membersOf(...args).keys()].sort((a, b) => a - b);

test('the session of a coordinator and all descendants belong to its run; coordinators and runners do not', () => {
  const { machine, command, tasks } = machineWithCommand();
  const child = machine.fork(command);
  const daemon = machine.fork(child);
  machine.setsid(daemon);
  const grandchild = machine.fork(daemon);
  machine.fork(INIT);
  const members = membersOf(machine.read(), tasks, []);
  expect([...members.keys()].sort((a, b) => a - b)).toEqual([command, child, daemon, grandchild]);
  expect(members.get(grandchild)?.group.run).toEqual({ process: 'main', run: 0 });
});

test('a process whose parents have ended stays in its session, and so in its run', () => {
  const { machine, command, tasks } = machineWithCommand();
  const child = machine.fork(command);
  machine.exit(command);
  machine.reap(command);
  (machine.processes.get(child) as { parent: number }).parent = INIT;
  expect(pidsOf(machine.read(), tasks, [])).toEqual([child]);
});

test('a daemon that has left its session and lost its parents belongs to the run if it did before', () => {
  const { machine, command, tasks } = machineWithCommand();
  const daemon = machine.fork(command);
  const before = membersOf(machine.read(), tasks, []);
  machine.setsid(daemon);
  (machine.processes.get(daemon) as { parent: number }).parent = INIT;
  expect(pidsOf(machine.read(), tasks, [])).toEqual([command]);
  expect(pidsOf(machine.read(), tasks, before.values())).toEqual([command, daemon]);
  // Its child, too; but not another process that has got its pid.
  const child = machine.fork(daemon);
  expect(pidsOf(machine.read(), tasks, before.values())).toEqual([command, daemon, child]);
  (machine.processes.get(daemon) as { startTimeTicks: number }).startTimeTicks += 1;
  expect(pidsOf(machine.read(), tasks, before.values())).toEqual([command]);
});

test('a process that only has the pid of a coordinator or command is not one', () => {
  const { machine, command } = machineWithCommand();
  const other = (pid: number) => ({ pid, startTimeTicks: machine.identity(pid).startTimeTicks - 1 });
  const run = { process: 'p', run: 0, coordinator: other(COORDINATOR), command: other(command) };
  expect(pidsOf(machine.read(), [taskOf([run])], [])).toEqual([]);
});

test('without its coordinator, a command and its session belong to the run', () => {
  const { machine, command } = machineWithCommand();
  const sibling = machine.fork(COORDINATOR);
  machine.exit(COORDINATOR);
  machine.reap(COORDINATOR);
  const run = { process: 'p', run: 0, command: machine.identity(command) };
  expect(pidsOf(machine.read(), [taskOf([run])], [])).toEqual([command, sibling]);
});

test('what a task starts as a task of its own belongs to that', () => {
  const { machine, command } = machineWithCommand();
  const runner = machine.fork(command);
  machine.setsid(runner);
  const coordinator = machine.fork(runner);
  machine.setsid(coordinator);
  const inner = machine.fork(coordinator);
  const task = taskOf([{ process: 'inner', run: 0, coordinator: machine.identity(coordinator) }], {
    key: '/root/checkpoints/u',
    runner: machine.identity(runner),
  });
  const members = membersOf(machine.read(), [machine.task(), task], []);
  expect([...members.values()].map(({ pid, group }) => [pid, group.task])).toEqual([
    [command, '/root/checkpoints/t'],
    [inner, task.key],
  ]);
});

test('what was known of a task that is not sampled any more is forgotten', () => {
  const { machine, command } = machineWithCommand();
  const before = membersOf(machine.read(), [machine.task()], []);
  expect(before.has(command)).toBe(true);
  expect(before.has(RUNNER)).toBe(false);
  expect(pidsOf(machine.read(), [], before.values())).toEqual([]);
});
