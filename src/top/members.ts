import type { ProcessIdentity, ProcessReading, Reading, RunAnchor, SampledTask } from './model.js';

/** The run that a process belongs to; without a `run`, only the task is known. */
export interface Group {
  /** `SampledTask.key` */
  readonly task: string;
  readonly run?: Pick<RunAnchor, 'process' | 'run'>;
}

export interface Member extends ProcessIdentity {
  readonly group: Group;
}

/** The processes of tasks, by pid; without runners and coordinators, with zombies. */
export type Members = ReadonlyMap<number, Member>;

/** Identifies a group. */
export function groupKey({ task, run }: Group): string {
  return run === undefined ? task : `${task}\n${run.run} ${run.process}`;
}

/** The process of the reading that is the same one; a pid alone may be another's by now. */
export function sameIn(reading: Reading, identity: ProcessIdentity | undefined): ProcessReading | undefined {
  const found = identity && reading.processes.get(identity.pid);
  return found?.startTimeTicks === identity?.startTimeTicks ? found : undefined;
}

/**
 * Finds the processes of the tasks. To a run belong the session of its coordinator, its command, their descendants, and
 * those that belonged to it when it was looked at before: what leaves its session and its parent is not lost. Pure.
 * `known`: those of before, and those that something else shows to be a task's.
 */
export function membersOf(reading: Reading, tasks: readonly SampledTask[], known: Iterable<Member>): Members {
  const overhead = new Set<number>();
  const sessions = new Map<number, Group>();
  const members = new Map<number, Member>();
  const pending: Member[] = [];
  const add = ({ pid, startTimeTicks }: ProcessIdentity, group: Group) => {
    if (overhead.has(pid) || members.has(pid)) return;
    const member = { pid, startTimeTicks, group };
    members.set(pid, member);
    pending.push(member);
  };

  const groups: { run: RunAnchor; group: Group }[] = [];
  for (const task of tasks) {
    const runner = sameIn(reading, task.runner);
    if (runner !== undefined) overhead.add(runner.pid);
    for (const run of task.runs) {
      const group = { task: task.key, run: { process: run.process, run: run.run } };
      groups.push({ run, group });
      const coordinator = sameIn(reading, run.coordinator);
      if (coordinator !== undefined) overhead.add(coordinator.pid);
      // No other process has the number of a session as long as that has members.
      const session = coordinator?.pid ?? leaderlessSession(reading, run.command);
      if (session !== undefined) sessions.set(session, group);
    }
  }
  const children = new Map<number, ProcessReading[]>();
  for (const row of reading.processes.values()) {
    const siblings = children.get(row.parent);
    if (siblings === undefined) children.set(row.parent, [row]);
    else siblings.push(row);
    const group = sessions.get(row.session);
    if (group !== undefined) add(row, group);
  }
  const addChildren = ({ pid, startTimeTicks }: ProcessIdentity, group: Group) => {
    for (const child of children.get(pid) ?? []) {
      if (child.startTimeTicks >= startTimeTicks) add(child, group);
    }
  };
  const addDescendants = () => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) addChildren(next, next.group);
  };

  for (const { run, group } of groups) {
    const coordinator = sameIn(reading, run.coordinator);
    if (coordinator !== undefined) addChildren(coordinator, group);
    const command = sameIn(reading, run.command);
    if (command !== undefined) add(command, group);
  }
  addDescendants();
  const isSampled = new Set(tasks.map(({ key }) => key));
  for (const member of known) {
    if (isSampled.has(member.group.task) && sameIn(reading, member) !== undefined) add(member, member.group);
  }
  addDescendants();
  return members;
}

/** The session of the process, if its leader has ended. */
function leaderlessSession(reading: Reading, identity: ProcessIdentity | undefined): number | undefined {
  const session = sameIn(reading, identity)?.session;
  return session === undefined || reading.processes.has(session) ? undefined : session;
}
