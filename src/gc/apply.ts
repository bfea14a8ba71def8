import { fstatSync, type Stats } from 'node:fs';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { type FileIdentity, isSame, keyOf } from '../host/file-identity.js';
import { tryLock } from '../host/flock.js';
import type { Host } from '../host/host.js';
import { SANDBOX_MARK } from '../layout/sandbox-mark.js';
import { pathsOf, RUNNER } from '../layout/task-paths.js';
import { endByRunner, endOrphan, type Finalized } from '../lifecycle/end-orphan.js';
import { currentUser } from '../lifecycle/keep-reason.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { writeMarkIn } from '../lifecycle/sandbox-mark.js';
import { Directories } from '../store/directories.js';
import { writeNewFile } from '../store/new-file.js';
import { openFile } from '../store/open-file.js';
import { bytesOf, ChangedError } from '../store/walk.js';
import { type Action, itemOf, questionOf, type Target } from './actions.js';
import { canonical } from './canonical.js';
import type { Finalization } from './disposition.js';
import type { ShownEvidence } from './evidence.js';
import { type GuardContext, objection } from './guards.js';
import { EvidenceOnDisk, guardContext } from './inspector.js';
import { lookAgain } from './machine.js';
import type { GcPlan, PlannedTask } from './plan.js';
import { type RemoveEffects, type RemoveOptions, remove } from './remove.js';
import { lstat, MARK, type Subject } from './subject.js';

export type Result = 'deleted' | 'would-delete' | 'kept' | 'refused' | 'failed';

export interface ActionOutcome {
  kind: Action['kind'];
  path: string;
  bytes: number;
  result: Result;
  why?: string;
  hint?: string;
}

export interface TaskOutcome {
  task: PlannedTask;
  actions: ActionOutcome[];
  finalization?: Omit<Finalized, 'result'> & { result: Finalized['result'] | 'would-do' };
}

/** The expected outcome of a task in a plan that is only shown. */
export function preview(task: PlannedTask): TaskOutcome {
  return {
    task,
    actions: task.actions.map(({ kind, path, bytes, verdict, why, hint }) => ({
      kind,
      path,
      bytes,
      result: verdict === 'delete' ? 'would-delete' : verdict,
      why,
      hint,
    })),
    finalization: task.finalization && { result: 'would-do', killed: [], problems: [] },
  };
}

/** How old the list of held locks may be when the removal of a task begins, in milliseconds. */
const LOCKS_MS = 10;

export interface ApplyEffects extends RemoveEffects {
  /** Milliseconds since the epoch. */
  clock: () => number;
}

/**
 * Carries out a plan task by task and yields the outcome of each. All guards are asked again right before a removal. If
 * something cannot be removed, this is reported and the task's metadata, which names it, stays; the rest continues. May
 * be interrupted anywhere: the next gc plans and removes the remains.
 */
export function* apply(
  plan: GcPlan,
  effects: ApplyEffects,
  confirmed: ReadonlySet<string>,
): Generator<TaskOutcome> {
  const applier = new PlanApplier(plan, effects, confirmed);
  try {
    for (const task of plan.tasks) yield applier.of(task);
  } finally {
    applier.close();
  }
}

class PlanApplier {
  readonly #effects: ApplyEffects;
  readonly #directories = new Directories();
  readonly #touched: RemoveOptions['touched'] = new Map();
  readonly #context: GuardContext;
  readonly #evidence: EvidenceOnDisk;

  #host: Host;
  /** When the locks of the host were read. */
  #lockedAt: number | undefined;
  /** The last directory that was checked for the current task. */
  #checked: string | undefined;

  constructor({ machine }: GcPlan, effects: ApplyEffects, confirmed: ReadonlySet<string>) {
    this.#effects = effects;
    this.#host = machine.host;
    this.#context = guardContext(lookAgain(machine, effects.clock));
    this.#evidence = new EvidenceOnDisk(machine.host.euid, confirmed);
  }

  close(): void {
    this.#directories.close();
  }

  of(task: PlannedTask): TaskOutcome {
    const { subject, finalization } = task;
    this.#checked = undefined;
    if (finalization !== undefined)
      return { task, actions: [], finalization: this.#finalize(subject, finalization) };
    if (!task.actions.some(({ verdict }) => verdict === 'delete')) return preview(task);
    const guard = guardStream(task, this.#hostNow());
    try {
      return { task, actions: this.#carryOut(task, guard.why) };
    } finally {
      guard.release();
    }
  }

  /** Reading /proc/locks may wait for everybody who takes a lock, so tasks that are removed within an instant share it. */
  #hostNow(): Host {
    const now = this.#effects.clock();
    if (this.#lockedAt === undefined || Math.abs(now - this.#lockedAt) >= LOCKS_MS) {
      this.#host = this.#host.again();
      this.#host.lookAtLocks();
      this.#lockedAt = now;
    }
    return this.#host;
  }

  #finalize(subject: Subject, { becomes, signal }: Finalization): Finalized {
    const place = { root: subject.root, taskId: subject.task_id };
    if (signal !== undefined) return endByRunner(place, LOCAL_PROCESSES);
    const places = { sandbox: subject.sandbox?.path, logDir: subject.logDir?.path };
    const planned = subject.stream;
    const isPlanned = ({ dev, ino, size }: Stats) =>
      typeof planned !== 'string' && dev === planned.dev && ino === planned.ino && size === planned.size;
    // Nothing is recorded for a task that is over.
    const state = becomes === 'KILLED' ? 'KILLED' : 'LOST';
    const reason = {
      code: state === 'LOST' ? 'task-lost' : 'task-killed',
      message: 'thermos gc (it had no runner any more)',
      by: currentUser(process.env),
    };
    return endOrphan(place, places, state, this.#effects.clock, LOCAL_PROCESSES, isPlanned, reason);
  }

  #carryOut(task: PlannedTask, changed: string | undefined): ActionOutcome[] {
    const outcomes: ActionOutcome[] = [];
    let left: string | undefined;
    let evidence: ReadonlyMap<Target, ShownEvidence> = new Map();
    if (changed === undefined) {
      if (task.marked) this.#markCollected(task);
      evidence = this.#lookAtEvidence(task);
      this.#markBegun(task, evidence);
    }
    for (const { kind, path, verdict, why, hint, target } of task.actions) {
      const record = (result: Result, why?: string, bytes = 0): void => {
        outcomes.push({ kind, path, bytes, result, why, hint });
      };
      if (verdict !== 'delete' || target === undefined) record(verdict as Result, why);
      else if (changed !== undefined) record('failed', changed);
      else if (kind === 'metadata' && left !== undefined)
        record('kept', `it names ${left}, which could not be removed`);
      else {
        const { result, why, bytes } = this.#remove(target, kind, task.subject, evidence.get(target));
        if (result === 'failed') left = path;
        record(result, why, bytes);
      }
    }
    return outcomes;
  }

  #remove(
    target: Target,
    kind: Action['kind'],
    subject: Subject,
    shown: ShownEvidence | undefined,
  ): Pick<ActionOutcome, 'bytes' | 'result' | 'why'> {
    const { directory, name, measure, except } = target;
    try {
      const guarded = kind !== 'metadata' && shown !== undefined;
      const fd = kind === 'metadata' ? this.#directories.fdWithoutLinks(directory) : this.#fd(directory);
      const why = guarded ? this.#objection(target, kind, subject, shown) : undefined;
      if (why !== undefined) return { bytes: 0, result: 'failed', why };
      const { bytes, failure } = remove(fd, bytesOf(name), {
        effects: this.#effects,
        planned: measure,
        touched: this.#touched,
        except,
        last: kind === 'metadata' ? target.last : BEGUN_LAST,
      });
      this.#wrote(fstatSync(fd));
      if (failure === undefined) return { bytes, result: 'deleted' };
      const where = failure.names === '' ? '' : `${failure.names}: `;
      const more = failure.count === 1 ? '' : `, and ${failure.count - 1} more`;
      return { bytes, result: 'failed', why: `${where}${describeErrno(failure.error)}${more}` };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return { bytes: 0, result: 'deleted' };
      return { bytes: 0, result: 'failed', why: describeErrno(error) };
    }
  }

  /** Opens the directory of a path without links, often common to many tasks, if it is still there. */
  #fd(path: string): number {
    const fd = this.#directories.fdWithoutLinks(path);
    if (path === this.#checked) return fd;
    const now = lstat(path);
    if (now === undefined || !isSame(now, fstatSync(fd))) throw new ChangedError(`${path} was moved`);
    this.#checked = path;
    return fd;
  }

  #wrote(...files: FileIdentity[]): void {
    for (const file of files) this.#touched.set(keyOf(file), 'written');
  }

  /** The reason against the removal now, by the same guards as in the plan. */
  #objection(
    target: Target,
    kind: 'logs' | 'data',
    subject: Subject,
    shown: ShownEvidence,
  ): string | undefined {
    const { home, measure } = target;
    if (home === undefined) return undefined;
    // The removal itself checks device, inode and times (so the owner, too) against the measured ones.
    return objection('again', itemOf(kind, subject, pathOf(target), home, measure, shown), this.#context)
      ?.why;
  }

  /** The current evidence for logs and data. Read before any are removed, because the logs are evidence for the data. */
  #lookAtEvidence({ actions, subject }: PlannedTask): Map<Target, ShownEvidence> {
    const shown = new Map<Target, ShownEvidence>();
    let byLogs: Target | undefined;
    for (const { verdict, target } of actions) {
      if (verdict !== 'delete' || target?.home === undefined) continue;
      const question = questionOf(subject, pathOf(target), target.home, target.logDir);
      // The logs show the same of the sandbox that they lie in.
      const known = byLogs?.home === target.home && byLogs.logDir === target.logDir;
      const found: ShownEvidence = known ? { by: 'logs' } : this.#evidence.shown(question, subject);
      if ('by' in found && found.by === 'logs') byLogs = target;
      shown.set(target, found);
    }
    return shown;
  }

  /**
   * Marks a directory whose only evidence is its logs as the task's sandbox. The mark goes last, so that an interrupted
   * removal can be finished. If the whole sandbox goes, one mark covers the logs in it, too.
   */
  #markBegun({ actions, subject }: PlannedTask, evidence: ReadonlyMap<Target, ShownEvidence>): void {
    const doomed = actions.filter(({ target }) => target !== undefined && evidence.has(target));
    const target = (doomed.find(({ kind }) => kind === 'data') ?? doomed[0])?.target;
    const shown = target && evidence.get(target);
    if (target === undefined || shown === undefined || !('by' in shown) || shown.by !== 'logs') return;
    const mark = this.#evidence.ownMark(subject.root, subject.task_id);
    if (mark === undefined) return;
    try {
      const fd = this.#fd(pathOf(target));
      const top = fstatSync(fd);
      // A directory that changed since the plan was made is not removed, so it gets no mark either.
      if (!isSame(top, target.measure) || top.ctimeMs > target.measure.newest) return;
      writeMarkIn(fd, mark, (file) => this.#wrote(file, top));
    } catch {
      // A full disk, or not ours to write to: the mark only helps to finish what is interrupted.
    }
  }

  /** So that an interrupted gc of a task collected for its space is finished, whatever its remaining size. */
  #markCollected({ subject }: PlannedTask): void {
    try {
      const place = canonical(subject.checkpointDir, this.#host.euid, subject.bases);
      if (!('path' in place)) return;
      const directory = this.#directories.fdWithoutLinks(place.path);
      writeNewFile(directory, MARK, '', { mode: 0o600, made: (file) => this.#wrote(file) });
      this.#wrote(fstatSync(directory));
    } catch {
      // There already, or a full disk: the mark only helps to finish what is interrupted.
    }
  }
}

const BEGUN_LAST = [SANDBOX_MARK];

function pathOf({ directory, name }: Target): string {
  return `${directory === '/' ? '' : directory}/${name}`;
}

/**
 * Returns why nothing of the task may be removed now: its stream differs from the planned one, its lock is held, or it
 * has become active. Where /proc/locks does not show the lock, takes it until `release`.
 */
function guardStream({ subject }: PlannedTask, host: Host): { why?: string; release: () => void } {
  const nothing = () => {};
  const why = activeAgain(subject);
  if (why !== undefined) return { why, release: nothing };
  const path = `${subject.checkpointDir}/${RUNNER}`;
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
  const locked = host.isLocked(stat);
  if (locked === true) return { why: 'its runner is alive', release: nothing };
  if (locked === false) return { release: nothing };
  try {
    const file = openFile(path);
    const release = () => file.close();
    try {
      return tryLock(file.fd) ? { release } : { why: 'its runner is alive', release };
    } catch (error) {
      return { why: (error as Error).message, release };
    }
  } catch (error) {
    return { why: describeErrno(error), release: nothing };
  }
}

/** A finished task must have no active task file, unless the plan already knew it. */
function activeAgain({ root, task_id, taskFiles }: Subject): string | undefined {
  const { active } = pathsOf({ root, taskId: task_id });
  if (taskFiles.includes(active)) return undefined;
  const found = lstat(active);
  return found === undefined ? undefined : 'it is active again';
}

/** A problem for each failed or refused action, so that stderr reports it, too. */
export function problemsOf({ task, actions, finalization }: TaskOutcome): Problem[] {
  const problems: Problem[] = [];
  for (const { kind, path, result, why, hint } of actions) {
    if (result !== 'failed' && result !== 'refused') continue;
    problems.push({
      code: result === 'failed' ? 'gc-failed' : 'gc-refused',
      severity: 'error',
      message: `${result === 'failed' ? 'cannot remove' : 'will not remove'} ${path} (${kind}): ${why}`,
      path,
      task_id: task.task_id,
      hint,
    });
  }
  if (finalization?.result === 'failed' || finalization?.result === 'refused') {
    const becomes = task.finalization?.becomes;
    problems.push({
      code: finalization.result === 'failed' ? 'gc-failed' : 'gc-refused',
      severity: 'error',
      message: `task ${task.task_id} does not become ${becomes}: ${finalization.why}`,
      task_id: task.task_id,
    });
  }
  return problems;
}
