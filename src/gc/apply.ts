import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { tryLock } from '../host/flock.js';
import { Host } from '../host/host.js';
import { endByRunner, endOrphan, type Settled } from '../lifecycle/end-orphan.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { canonical } from './canonical.js';
import type { Action, PlannedTask, Settlement, Target } from './plan.js';
import { lstat, MARK, type Subject } from './subject.js';
import { at, bytesOf, type Deeds, Directories, keyOf, remove } from './tree.js';
import { Usage } from './usage.js';

export type Result = 'deleted' | 'would-delete' | 'kept' | 'refused' | 'failed';

export interface ActionOutcome {
  kind: Action['kind'];
  path: string;
  bytes: number;
  result: Result;
  why?: string;
}

export interface TaskOutcome {
  task: PlannedTask;
  actions: ActionOutcome[];
  settlement?: Omit<Settled, 'result'> & { result: Settled['result'] | 'would-do' };
}

/** What would happen, of a plan that is only shown. */
export function foretell(task: PlannedTask): TaskOutcome {
  return {
    task,
    actions: task.actions.map(({ kind, path, bytes, verdict, why }) => ({
      kind,
      path,
      bytes,
      result: verdict === 'delete' ? 'would-delete' : verdict,
      why,
    })),
    settlement: task.settlement && { result: 'would-do', killed: [], problems: [] },
  };
}

export interface ApplyDeeds extends Deeds {
  /** Milliseconds since the epoch. */
  clock: () => number;
}

/**
 * Carries a plan out, a task after the other; yields each one's outcome. Every guard is asked again right
 * before. What can't be removed is told, and then what tells of it (the task's metadata) stays; the rest goes
 * on. May be interrupted anywhere: what is left is planned, and removed, the next time.
 */
export function* apply(tasks: Iterable<PlannedTask>, deeds: ApplyDeeds): Generator<TaskOutcome> {
  const directories = new Directories();
  const usage = new Usage();
  try {
    for (const task of tasks) yield applyTo(task, directories, usage, deeds);
  } finally {
    directories.close();
  }
}

function applyTo(task: PlannedTask, directories: Directories, usage: Usage, deeds: ApplyDeeds): TaskOutcome {
  const { subject, settlement } = task;
  if (settlement !== undefined) return { task, actions: [], settlement: settle(subject, settlement, deeds) };
  if (!task.actions.some(({ verdict }) => verdict === 'delete')) return { ...foretell(task), task };
  const guard = guardStream(task);
  try {
    return { task, actions: carryOut(task, guard.why, directories, usage, deeds) };
  } finally {
    guard.release();
  }
}

function settle(subject: Subject, { becomes, signal }: Settlement, { clock }: ApplyDeeds): Settled {
  const place = { root: subject.root, taskId: subject.task_id };
  if (signal !== undefined) return endByRunner(place, LOCAL_PROCESSES);
  const places = { sandbox: subject.sandbox?.path, logDir: subject.logDir?.path };
  const planned = subject.stream;
  const isPlanned = ({ dev, ino, size }: Stats) =>
    typeof planned !== 'string' && dev === planned.dev && ino === planned.ino && size === planned.size;
  // Of one that is over nothing is recorded.
  const state = becomes === 'KILLED' ? 'KILLED' : 'LOST';
  return endOrphan(place, places, state, clock, LOCAL_PROCESSES, isPlanned);
}

function carryOut(
  task: PlannedTask,
  changed: string | undefined,
  directories: Directories,
  usage: Usage,
  deeds: ApplyDeeds,
): ActionOutcome[] {
  const touched = new Set<string>();
  const outcomes: ActionOutcome[] = [];
  let left: string | undefined;
  if (changed === undefined && task.marked) mark(task, directories, touched);
  for (const action of task.actions) {
    const { kind, path, verdict, why, target } = action;
    const tell = (result: Result, why?: string, bytes = 0): void => {
      outcomes.push({ kind, path, bytes, result, why });
    };
    if (verdict !== 'delete' || target === undefined) tell(verdict as Result, why);
    else if (changed !== undefined) tell('failed', changed);
    else if (kind === 'metadata' && left !== undefined) tell('kept', `${left} could not be removed`);
    else {
      const { result, why, bytes } = removeTarget(target, kind, directories, usage, touched, deeds);
      if (result === 'failed') left = path;
      tell(result, why, bytes);
    }
  }
  return outcomes;
}

function removeTarget(
  target: Target,
  kind: Action['kind'],
  directories: Directories,
  usage: Usage,
  touched: Set<string>,
  deeds: ApplyDeeds,
): Pick<ActionOutcome, 'bytes' | 'result' | 'why'> {
  const { directory, name, measure, except, last } = target;
  try {
    const user = kind === 'metadata' ? undefined : usage.of(`${directory}/${name}`, measure);
    if (user !== undefined) return { bytes: 0, result: 'failed', why: `process ${user.pid} ${user.how}` };
    const fd = directories.fd(directory);
    const { bytes, failure } = remove(fd, bytesOf(name), {
      deeds,
      planned: measure,
      touched,
      except,
      last,
    });
    touched.add(keyOf(fstatSync(fd)));
    if (failure === undefined) return { bytes, result: 'deleted' };
    const where = failure.names === '' ? '' : `${failure.names}: `;
    const more = failure.count === 1 ? '' : `, and ${failure.count - 1} more`;
    return { bytes, result: 'failed', why: `${where}${describeErrno(failure.error)}${more}` };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { bytes: 0, result: 'deleted' };
    return { bytes: 0, result: 'failed', why: describeErrno(error) };
  }
}

/**
 * Why nothing of the task may be removed now: its stream is another than when the plan was made, somebody has
 * its lock, or it has become active. Where /proc/locks can't tell, the lock is taken until `release`.
 */
function guardStream({ subject }: PlannedTask): { why?: string; release: () => void } {
  const nothing = () => {};
  const why = activeAgain(subject);
  if (why !== undefined) return { why, release: nothing };
  const path = `${subject.checkpointDir}/runner`;
  const stat = lstat(path);
  const planned = subject.stream;
  if (stat === undefined) return { release: nothing };
  if (typeof planned === 'string') {
    const why = planned === 'absent' ? 'it has a stream again' : undefined;
    return { why, release: nothing };
  }
  const same = stat.ino === planned.ino && stat.dev === planned.dev && stat.size === planned.size;
  if (!same || stat.mtimeMs !== planned.mtimeMs) {
    return { why: 'its stream changed since the plan was made', release: nothing };
  }
  const locked = Host.local().isLocked(stat);
  if (locked === true) return { why: 'its runner lives', release: nothing };
  if (locked === false) return { release: nothing };
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const release = () => closeSync(fd);
  try {
    return tryLock(fd) ? { release } : { why: 'its runner lives', release };
  } catch (error) {
    return { why: (error as Error).message, release };
  }
}

/** A finished task has no task file among the active ones, unless it had one already. */
function activeAgain({ root, task_id, taskFiles }: Subject): string | undefined {
  const active = `${root}/tasks/active/${task_id}`;
  if (taskFiles.includes(active)) return undefined;
  const found = lstat(active);
  return found === undefined ? undefined : 'it is active again';
}

function mark({ subject }: PlannedTask, directories: Directories, touched: Set<string>): void {
  try {
    const place = canonical(subject.checkpointDir, Host.local().euid, subject.bases);
    if (!('path' in place)) return;
    const directory = directories.fd(place.path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const fd = openSync(at(directory, MARK), flags, 0o600);
    touched.add(keyOf(fstatSync(fd)));
    touched.add(keyOf(fstatSync(directory)));
    closeSync(fd);
  } catch {
    // There already, or a full disk: the mark only helps to finish what is interrupted.
  }
}

/** A problem for each thing that could not be done, so that it is said on stderr too. */
export function problemsOf({ task, actions, settlement }: TaskOutcome): Problem[] {
  const problems: Problem[] = [...(settlement?.problems ?? [])];
  for (const { kind, path, result, why } of actions) {
    if (result !== 'failed' && result !== 'refused') continue;
    problems.push({
      code: result === 'failed' ? 'gc-failed' : 'gc-refused',
      severity: 'error',
      message: `${result === 'failed' ? 'cannot remove' : 'does not remove'} ${path} (${kind}): ${why}`,
      path,
      task_id: task.task_id,
    });
  }
  if (settlement?.result === 'failed' || settlement?.result === 'refused') {
    const becomes = task.settlement?.becomes;
    problems.push({
      code: settlement.result === 'failed' ? 'gc-failed' : 'gc-refused',
      severity: 'error',
      message: `task ${task.task_id} does not become ${becomes}: ${settlement.why}`,
      task_id: task.task_id,
    });
  }
  return problems;
}
