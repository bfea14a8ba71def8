import { isTerminalTaskState } from '../checkpoint/records.js';
import type { FoundTask } from '../discovery/found.js';
import { realPathsOfOneMoment } from '../discovery/real-paths.js';
import type { RealPath } from '../discovery/relocate.js';
import { describeErrno } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import type { LayoutName } from '../layout/layouts.js';
import { nameOf, parentOf } from '../store/paths.js';
import { readTasks } from '../task/board.js';
import { canonical, Known } from './canonical.js';
import { Claims, isLogPath, mounted, refusal, type Surroundings } from './guards.js';
import { executorAlive, type Forecast, isPulled, runDirAround } from './mesos.js';
import { type Choice, choose, type Limits, type Wording } from './policy.js';
import type { Expected, Local, ReconcileAction } from './reconcile.js';
import { expectedOf, mesosStateOf, reconcileAction } from './reconcile.js';
import {
  lookAtStream,
  lstat,
  MARK,
  type Silence,
  type Subject,
  silenceOf,
  streamFlaw,
  subjectOf,
} from './subject.js';
import { bytesOf, Directories, type LinkCounts, type Measure, type MeasureOptions, measure } from './tree.js';
import type { Usage } from './usage.js';

export type Kind = 'metadata' | 'logs' | 'data';

/** Undefined for data: only that in a sandbox that `run` made. */
export interface Kinds {
  metadata: boolean;
  logs: boolean;
  data: boolean | undefined;
}

export interface PlanOptions {
  kinds: Kinds;
  limits: Limits;
  /** What is done about tasks whose runner died; not at all if undefined. Milliseconds. */
  orphanAge: number | undefined;
  includeMesos: boolean;
  /** What the scheduler believes, by task id; the policy then has no say. */
  retained?: ReadonlyMap<string, string>;
  words: Wording;
  /** How a moment is written. */
  timestamp: (milliseconds: number) => string;
}

/** The machine, as planning has to know it. */
export interface Machine {
  host: Host;
  usage: Usage;
  now: number;
  /** Users' homes, mounts, and the Mesos work directories. Roots are added. */
  surroundings: Surroundings;
  bootId: string | undefined;
  forecast: (runDir: string) => Forecast | undefined;
}

/** What is to be removed, found again by its directory and its name. */
export interface Target {
  directory: string;
  name: string;
  measure: Measure;
  /** Stays although it is in it. */
  except?: readonly Measure[];
  last?: readonly string[];
}

export interface Action {
  kind: Kind;
  /** As people know it. */
  path: string;
  bytes: number;
  /** Undefined for what is not deleted. */
  target?: Target;
  verdict: 'delete' | 'kept' | 'refused';
  why?: string;
  /** Refused for what may be over the next time: what tells of it stays. */
  passing?: boolean;
}

/** A task whose runner died: what becomes of it. */
export interface Settlement {
  was: string;
  becomes: string;
  /** False: it is over, and only its task file was not moved. */
  record: boolean;
  /** Its runner lives and is told to end it; only for the scheduler. */
  signal?: number;
}

export interface PlannedTask {
  task_id: string;
  root: string;
  layout: LayoutName;
  state: string;
  finishedAt?: number;
  reason: string;
  actions: Action[];
  settlement?: Settlement;
  /** Collected for its space: half of it gone, it would not look so big any more. */
  marked: boolean;
  subject: Subject;
}

export interface Reconciled {
  task_id: string;
  root?: string;
  local: Local;
  local_state?: string;
  expected: string;
  action: ReconcileAction;
  /** What to tell the scheduler. */
  send?: { state: string; message: string };
}

export interface Plan {
  tasks: PlannedTask[];
  reconciled: Reconciled[] | undefined;
  problems: Problem[];
}

/** A runner that was started less than this ago may not have told the scheduler yet (gc_executor.py). */
export const LEAST_KILL_AGE_MS = 10 * 60_000;

/**
 * What gc would do to the chosen ones of these tasks, and why. Only looks; nothing is thrown. `all` are the
 * tasks of the same roots: what they use is nobody else's.
 */
export function makePlan(
  all: readonly FoundTask[],
  chosen: ReadonlySet<FoundTask>,
  machine: Machine,
  options: PlanOptions,
): Plan {
  const planner = new Planner(machine, options);
  try {
    return planner.plan(all, chosen);
  } finally {
    planner.close();
  }
}

class Planner {
  readonly #machine: Machine;
  readonly #options: PlanOptions;
  readonly #directories = new Directories();
  readonly #links: LinkCounts = new Map();
  readonly #known = new Known();
  readonly #claims = new Claims();
  #surroundings: Surroundings;
  readonly #problems: Problem[] = [];

  constructor(machine: Machine, options: PlanOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#surroundings = machine.surroundings;
  }

  close(): void {
    this.#directories.close();
  }

  plan(all: readonly FoundTask[], chosen: ReadonlySet<FoundTask>): Plan {
    const { host, now } = this.#machine;
    const { orphanAge, retained } = this.#options;
    const real = realPathsOfOneMoment();
    const finished: { subject: Subject; always?: string }[] = [];
    const tasks: PlannedTask[] = [];
    const reconciled: Reconciled[] = [];
    const roots = new Set<string>();
    for (const view of readTasks(all, host, real)) {
      const subject = subjectOf(view, real);
      if (subject.layout === 'host' && subject.rootPath !== undefined) roots.add(subject.rootPath);
      this.#claim(subject, real);
      if (!chosen.has(view.found) || view.found.unreadable || !view.root.readable) continue;
      lookAtStream(subject, host);
      const silence = silenceOf(subject, view.runner?.alive, now, orphanAge);
      if (retained !== undefined) {
        const row = this.#reconcile(subject, retained.get(subject.task_id));
        reconciled.push(row);
        if (row.action === 'collect') finished.push({ subject, always: 'the scheduler does not know it' });
        if (row.action === 'kill') this.#end(subject, silence, row, tasks, finished);
        continue;
      }
      this.#sort(subject, silence, finished, tasks);
    }
    for (const [task_id, status] of retained ?? []) {
      if (!all.some((task) => task.task_id === task_id)) reconciled.push(absent(task_id, status));
    }
    this.#surroundings = {
      ...this.#surroundings,
      roots: [...new Set([...roots, ...this.#surroundings.roots])],
    };
    tasks.push(...this.#collect(finished));
    return { tasks, reconciled: retained && reconciled, problems: this.#problems };
  }

  /** Which way a task goes: collected, settled, or left alone. */
  #sort(
    subject: Subject,
    silence: Silence,
    finished: { subject: Subject; always?: string }[],
    tasks: PlannedTask[],
  ): void {
    if (subject.phase === 'finished') {
      finished.push({ subject, always: this.#always(subject) });
      return;
    }
    if (isPulled(subject.recordedSandbox, subject.task_id)) {
      this.#problems.push({
        code: 'sandbox-pulled',
        severity: 'warning',
        message: `active task ${subject.task_id} had its executor's sandbox pulled`,
        path: subject.recordedSandbox,
        task_id: subject.task_id,
      });
    }
    if (silence.state !== 'silent') return;
    const flaw = streamFlaw(subject);
    if (flaw !== undefined) {
      finished.push({ subject, always: `${flaw}, silent for ${this.#ago(silence.since)}` });
    } else
      tasks.push(this.#orphan(subject, 'LOST', `its runner is gone, silent for ${this.#ago(silence.since)}`));
  }

  /** Why a finished task goes whatever the limits say, if it does. */
  #always(subject: Subject): string | undefined {
    if (subject.marked) return 'an earlier gc of it was interrupted';
    if (subject.stream === 'absent' && subject.taskFile !== undefined)
      return 'its checkpoint is gone already';
    const { recordedSandbox, task_id } = subject;
    if (subject.layout === 'host' && isPulled(recordedSandbox, task_id)) {
      return "its executor's directory is gone";
    }
    return undefined;
  }

  #orphan(subject: Subject, becomes: string, reason: string): PlannedTask {
    const over = isTerminalTaskState(subject.state);
    return {
      ...planned(subject, over ? `it is over (${subject.state}), but ${reason}` : reason),
      settlement: { was: subject.state, becomes: over ? subject.state : becomes, record: !over },
    };
  }

  /** What the scheduler wants to be ended. */
  #end(
    subject: Subject,
    silence: Silence,
    row: Reconciled,
    tasks: PlannedTask[],
    finished: { subject: Subject; always?: string }[],
  ): void {
    const { now } = this.#machine;
    const reason = `the scheduler has it as ${row.expected}`;
    const began = subject.launchedAt ?? silence.since;
    if (now - began < LEAST_KILL_AGE_MS) {
      row.action = 'none';
      return;
    }
    const flaw = streamFlaw(subject);
    if (silence.state === 'alive') {
      const task = { ...planned(subject, reason), settlement: killed(subject) };
      if (subject.runnerPid !== undefined) task.settlement.signal = subject.runnerPid;
      tasks.push(task);
    } else if (flaw === undefined) tasks.push(this.#orphan(subject, 'KILLED', reason));
    else if (now - silence.since >= LEAST_KILL_AGE_MS)
      finished.push({ subject, always: `${reason}; ${flaw}` });
    else row.action = 'none';
  }

  #reconcile(subject: Subject, status: string | undefined): Reconciled {
    const expected: Expected = expectedOf(status);
    const local = subject.phase;
    const action = reconcileAction(local, expected);
    return {
      task_id: subject.task_id,
      root: subject.root,
      local,
      local_state: subject.state,
      expected: status ?? 'unknown',
      action,
      send:
        action === 'send-final-state'
          ? { state: mesosStateOf(subject.state), message: 'Task finish detected by GC executor.' }
          : undefined,
    };
  }

  #collect(finished: readonly { subject: Subject; always?: string }[]): PlannedTask[] {
    const { limits, words } = this.#options;
    const { now } = this.#machine;
    // The sizes are needed to choose only if space is limited.
    const measured =
      limits.maxSpace === undefined ? undefined : finished.map(({ subject }) => this.#actions(subject));
    const choices = choose(
      finished.map(({ subject, always }, i) => ({
        finishedAt: subject.finishedAt,
        bytes: sumOf(measured?.[i] ?? []),
        always,
      })),
      limits,
      now,
      words,
    );
    const tasks: PlannedTask[] = [];
    for (const [i, choice] of choices.entries()) {
      if (choice === undefined) continue;
      const { subject } = finished[i] as { subject: Subject };
      const actions = measured?.[i] ?? this.#actions(subject);
      if (actions.length > 0) tasks.push(collected(subject, choice, actions));
    }
    return tasks;
  }

  /** In the order in which they are carried out: what tells of the rest goes last. */
  #actions(subject: Subject): Action[] {
    const kept = this.#keptWhole(subject);
    const actions: Action[] = [];
    const { kinds } = this.#options;
    const sandbox = this.#sandbox(subject);
    const logs = this.#logs(subject, sandbox, kept ?? this.#keptInTree(subject, sandbox));
    if (logs !== undefined && (kinds.logs || sandbox?.agents)) actions.push(logs);
    const data = this.#data(subject, sandbox, logs, kept);
    if (data !== undefined) actions.push(data);
    const left = actions.find(({ passing }) => passing);
    const waits: Kept | undefined = left && { verdict: 'kept', why: `${left.path} can't be removed now` };
    if (kinds.metadata) actions.push(...this.#metadata(subject, kept ?? waits));
    return actions;
  }

  /** Why nothing of the task may be touched, if so. */
  #keptWhole(subject: Subject): Kept | undefined {
    const { includeMesos, timestamp } = this.#options;
    const { host, usage, bootId, forecast } = this.#machine;
    if (subject.locked === true) return { verdict: 'kept', why: 'its runner lives' };
    if (subject.leftovers.length > 0) {
      return { verdict: 'kept', why: `processes of it live on: ${subject.leftovers.join(', ')}` };
    }
    if (subject.layout !== 'mesos' || subject.runDir === undefined) return undefined;
    const alive = executorAlive(subject.runDir, host, usage, bootId);
    if (includeMesos) {
      if (alive === false) return undefined;
      const why = alive ? 'its executor lives' : "it can't be known whether its executor lives";
      return { verdict: 'kept', why };
    }
    if (alive !== false)
      return { verdict: 'kept', why: 'the Mesos agent removes it after its executor ended' };
    const expected = forecast(subject.runDir);
    if (expected === undefined) return { verdict: 'kept', why: 'the Mesos agent removes it' };
    const when = expected.pressed ? 'within a minute, for its disk is full' : `at ${timestamp(expected.at)}`;
    return { verdict: 'kept', why: `the Mesos agent removes it ${when}` };
  }

  /** Why the logs of a bare root's task may not be touched, if its sandbox stands in an agent's tree. */
  #keptInTree({ layout }: Subject, sandbox: Sandbox | undefined): Kept | undefined {
    if (layout === 'mesos' || !sandbox?.agents) return undefined;
    const { host, usage, bootId } = this.#machine;
    if (!this.#options.includeMesos) return { verdict: 'kept', why: 'it belongs to the Mesos agent' };
    const alive = executorAlive(runDirAround(sandbox.path as string) as string, host, usage, bootId);
    return alive === false ? undefined : { verdict: 'kept', why: 'its executor may live' };
  }

  #metadata(subject: Subject, kept: Kept | undefined): Action[] {
    const actions: Action[] = [];
    const last = ['runner', MARK];
    for (const path of [subject.checkpointDir, ...subject.taskFiles]) {
      const named = { kind: 'metadata' as const, path };
      if (kept !== undefined) {
        if (lstat(path) !== undefined) actions.push(actionOf(named, 'kept', kept.why));
        continue;
      }
      const place = this.#place(parentOf(path), subject);
      if (place === undefined) continue;
      if ('refused' in place) {
        actions.push(actionOf(named, 'refused', place.refused));
        continue;
      }
      const action = this.#measured(named, place.path, nameOf(path), {}, last);
      if (action === undefined) continue;
      if (path === subject.checkpointDir && action.target?.measure.isDirectory === false) {
        actions.push(actionOf(named, 'refused', 'it is no directory'));
      } else actions.push(action);
    }
    return actions;
  }

  /** Where the task worked, if its header can be trusted to tell. */
  #sandbox(subject: Subject): Sandbox | undefined {
    const { sandbox } = subject;
    if (sandbox === undefined || !sandbox.found) return undefined;
    const shown = sandbox.path;
    const flaw = subject.headerFlaw;
    if (flaw !== undefined) return { shown, refused: flaw };
    if (subject.recordedSandbox?.split('/').includes('..'))
      return { shown, refused: 'there is .. in its path' };
    const place = this.#place(shown, subject);
    if (place === undefined) return undefined;
    if ('refused' in place) return { shown, ...place };
    const agents = subject.layout === 'mesos' || runDirAround(place.path) !== undefined;
    const made = place.path === `${subject.rootPath}/sandboxes/${subject.task_id}`;
    return { shown, path: place.path, agents, made };
  }

  #logs(subject: Subject, sandbox: Sandbox | undefined, kept: Kept | undefined): Action | undefined {
    const { logDir } = subject;
    if (logDir === undefined || !logDir.found) return undefined;
    const named = { kind: 'logs' as const, path: logDir.path };
    const refused = (why: string): Action => actionOf(named, 'refused', why);
    if (kept !== undefined) return actionOf(named, 'kept', kept.why);
    // Of a Mesos task all of the run directory is its own.
    const home = sandbox?.path ?? subject.runDirPath;
    if (home === undefined) return refused(sandbox?.refused ?? 'it is not in the sandbox of the task');
    if (sandbox?.refused !== undefined) return refused(sandbox.refused);
    if (logDir.recorded.split('/').includes('..')) return refused('there is .. in its path');
    const place = this.#place(logDir.path, subject);
    if (place === undefined) return undefined;
    if ('refused' in place) return refused(place.refused);
    const { path } = place;
    if (!path.startsWith(home === '/' ? '/' : `${home}/`))
      return refused('it is not in the sandbox of the task');
    const refusal = this.#refusal(path, subject);
    if (refusal !== undefined) return refusedFor(named, refusal);
    const fits = sandbox?.made ? undefined : isLogPath;
    const action = this.#measured(named, parentOf(path), nameOf(path), { fits });
    const found = action?.target?.measure;
    if (action === undefined || found === undefined) return action;
    if (!found.isDirectory) return refused('it is no directory');
    if (found.unfit !== undefined) return refused(`${found.unfit} in it is no log`);
    const foreign = this.#foreign(found, path, subject);
    return foreign === undefined ? action : refusedFor(named, foreign);
  }

  #data(
    subject: Subject,
    sandbox: Sandbox | undefined,
    logs: Action | undefined,
    kept: Kept | undefined,
  ): Action | undefined {
    if (sandbox === undefined) return undefined;
    const { kinds } = this.#options;
    const named = { kind: 'data' as const, path: sandbox.shown };
    if (sandbox.agents) {
      return actionOf(named, 'kept', kept?.why ?? 'it belongs to the Mesos agent');
    }
    if (kinds.data === false || (kinds.data === undefined && !sandbox.made)) return undefined;
    const refused = (why: string): Action => actionOf(named, 'refused', why);
    if (kept !== undefined) return actionOf(named, 'kept', kept.why);
    if (sandbox.refused !== undefined) return refused(sandbox.refused);
    const path = sandbox.path as string;
    const refusal = this.#refusal(path, subject);
    if (refusal !== undefined) return refusedFor(named, refusal);
    if (!kinds.logs && logs?.verdict === 'refused') {
      return refused(`the logs are to stay, and can't be told from it: ${logs.why}`);
    }
    const inner = logs?.target === undefined ? undefined : [logs.target.measure];
    const action = this.#measured(named, parentOf(path), nameOf(path), { except: inner });
    const found = action?.target?.measure;
    if (action === undefined || found === undefined) return action;
    if (!found.isDirectory) return refused('it is no directory');
    const foreign = this.#foreign(found, path, subject);
    if (foreign !== undefined) return refusedFor(named, foreign);
    if (!kinds.logs && inner !== undefined) (action.target as Target).except = inner;
    // Logs that could not be removed are in the way as they were, not changed.
    for (const { newest } of inner ?? []) found.newest = Math.max(found.newest, newest);
    return action;
  }

  /** The path without links, told from the places that the caller of gc named; undefined if nothing is there. */
  #place(path: string, subject: Subject): { path: string } | { refused: string } | undefined {
    const { host } = this.#machine;
    const found = canonical(path, host.euid, subject.bases, this.#known);
    if ('absent' in found) return undefined;
    const { runDirPath } = subject;
    if ('path' in found && runDirPath !== undefined && !found.path.startsWith(`${runDirPath}/`)) {
      return { refused: "it is not in its executor's run directory" };
    }
    return found;
  }

  #refusal(path: string, subject: Subject): Refusal | undefined {
    const named = { path, task_id: subject.task_id, root: subject.rootPath ?? subject.root };
    const around = this.#surroundings;
    // In the Mesos layout the root stands in the run directory, beside what is removed.
    const why = refusal(named, subject.layout === 'mesos' ? { ...around, roots: [named.root] } : around);
    if (why !== undefined) return { why, passing: why === mounted(path, around.mountPoints) };
    const claim = this.#claims.on(path, subject.key);
    return claim && { why: `${claim.by} uses ${claim.path}` };
  }

  /** Why a tree is not the task's, or not to be removed now, by its owner and its users. */
  #foreign(found: Measure, path: string, subject: Subject): Refusal | undefined {
    const { authors, layout } = subject;
    // Of a Mesos task all that is in its run directory is its own.
    const asked = layout === 'host' && this.#machine.host.euid === 0 && authors.length > 0;
    if (asked && !authors.includes(found.uid)) {
      const why = `it belongs to uid ${found.uid}, and its checkpoint may be written by uid ${authors.join(', ')}`;
      return { why };
    }
    const user = this.#machine.usage.of(path, found);
    return user && { why: `process ${user.pid} ${user.how}`, passing: true };
  }

  /** Undefined if there is nothing. */
  #measured(
    named: Pick<Action, 'kind' | 'path'>,
    directory: string,
    name: string,
    options: Omit<MeasureOptions, 'links'>,
    last?: readonly string[],
  ): Action | undefined {
    try {
      const fd = this.#directories.fd(directory);
      const found = measure(fd, bytesOf(name), { ...options, links: this.#links });
      if (found === undefined) return undefined;
      const target: Target = { directory, name, measure: found, except: undefined, last };
      return actionOf(named, 'delete', undefined, found.bytes, target);
    } catch (error) {
      return refusedFor(named, { why: describeErrno(error), passing: true });
    }
  }

  #claim(subject: Subject, real: RealPath): void {
    const by = `task ${subject.task_id}`;
    for (const place of [subject.sandbox, subject.logDir]) {
      const path = place?.found ? real(place.path) : undefined;
      if (path !== undefined) this.#claims.add(path, subject.key, by);
    }
    if (subject.layout === 'host' && subject.rootPath !== undefined) {
      this.#claims.add(`${subject.rootPath}/sandboxes/${subject.task_id}`, subject.key, by);
    }
  }

  #ago(since: number): string {
    return this.#options.words.duration(Math.max(0, this.#machine.now - since));
  }
}

/** Nothing of a task may be touched now. */
type Kept = Pick<Action, 'verdict' | 'why'>;

/** Why something is not removed; `passing`: that may be over the next time. */
interface Refusal {
  why: string;
  passing?: boolean;
}

interface Sandbox {
  shown: string;
  /** Without links; undefined if it is refused. */
  path?: string;
  refused?: string;
  /** It stands in an agent's tree. */
  agents?: boolean;
  /** `run` made it. */
  made?: boolean;
}

/** Written out: an object made with `...` has a shape of its own in V8, larger than itself, and a plan has many. */
function actionOf(
  { kind, path }: Pick<Action, 'kind' | 'path'>,
  verdict: Action['verdict'],
  why?: string,
  bytes = 0,
  target?: Target,
): Action {
  return { kind, path, bytes, verdict, why, target };
}

function refusedFor(named: Pick<Action, 'kind' | 'path'>, { why, passing }: Refusal): Action {
  const action = actionOf(named, 'refused', why);
  action.passing = passing;
  return action;
}

function planned(subject: Subject, reason: string): PlannedTask {
  const { task_id, root, layout, state } = subject;
  return { task_id, root, layout, state, reason, actions: [], marked: false, subject };
}

function collected(subject: Subject, choice: Choice, actions: Action[]): PlannedTask {
  const goes = ({ path, verdict }: Action) => path === subject.checkpointDir && verdict === 'delete';
  const task = planned(subject, choice.reason);
  task.finishedAt = subject.finishedAt;
  task.actions = actions;
  task.marked = choice.limit === 'space' && actions.some(goes);
  return task;
}

function killed(subject: Subject): Settlement {
  return { was: subject.state, becomes: 'KILLED', record: false };
}

function sumOf(actions: readonly Action[]): number {
  return actions.reduce((sum, { bytes }) => sum + bytes, 0);
}

function absent(task_id: string, status: string): Reconciled {
  const action = reconcileAction('absent', expectedOf(status));
  return {
    task_id,
    local: 'absent',
    expected: status,
    action,
    send:
      action === 'send-lost'
        ? { state: 'TASK_LOST', message: 'GC executor found no trace of task.' }
        : undefined,
  };
}
