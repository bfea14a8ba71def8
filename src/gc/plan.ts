import type { FoundTask } from '../discovery/found.js';
import { realPathsOfOneMoment } from '../discovery/real-paths.js';
import type { RealPath } from '../discovery/relocate.js';
import type { Problem } from '../errors/problem.js';
import { LAYOUTS, type LayoutName } from '../layout/layouts.js';
import { readTasks } from '../task/board.js';
import { type Action, actionsOf, type KindsToDelete, ownSandbox } from './actions.js';
import { Claims } from './claims.js';
import {
  type Disposition,
  dispositionForScheduler,
  dispositionOf,
  type Finalization,
} from './disposition.js';
import { HostInspector } from './inspector.js';
import { type Machine, newcomers } from './machine.js';
import { isPulled } from './mesos.js';
import { choose, type GcCandidate, type GcChoice, type GcLimits, type GcReason } from './policy.js';
import { absentHere, type Reconciled, reconciled } from './reconcile.js';
import { DirectoryOwners, type Finish, lookAtStream, type Subject, silenceOf, subjectOf } from './subject.js';
import { finishWords, type Wording } from './words.js';

export interface PlanOptions {
  kinds: KindsToDelete;
  limits: GcLimits;
  /** Finalize tasks whose runner has been dead for this long, in milliseconds; none if undefined. */
  orphanAge: number | undefined;
  includeMesos: boolean;
  /** Sandboxes that the user named as the task's own, without links. */
  confirmed: ReadonlySet<string>;
  /** The scheduler's status of each task, by task id; replaces the policy. */
  retained?: ReadonlyMap<string, string>;
  words: Wording;
  /** Called with the progress of planning. */
  advance?: (done: number, total: number, what: string) => void;
}

export interface PlannedTask {
  task_id: string;
  root: string;
  layout: LayoutName;
  state: string;
  finish?: Finish;
  reason: string;
  /** The reason without what differs from task to task. */
  rule: string;
  actions: Action[];
  finalization?: Finalization;
  /** Collected for its space: must be marked, because after a partial removal it would be smaller. */
  marked: boolean;
  subject: Subject;
}

export interface GcPlan {
  tasks: PlannedTask[];
  reconciled: Reconciled[] | undefined;
  problems: Problem[];
  /** The machine with the claims of all tasks, for the checks before a removal. */
  machine: Machine;
}

/**
 * Plans what gc would do to the chosen tasks, and why. Changes nothing and does not throw. `all` are the tasks of the
 * same roots: what they use is protected.
 */
export function makePlan(
  all: readonly FoundTask[],
  chosen: ReadonlySet<FoundTask>,
  machine: Machine,
  options: PlanOptions,
): GcPlan {
  return new GcPlanner(machine, options).plan(all, chosen);
}

interface Over {
  subject: Subject;
  always?: GcReason;
}

class GcPlanner {
  readonly #machine: Machine;
  readonly #options: PlanOptions;
  readonly #claims = new Claims();
  readonly #over: Over[] = [];
  readonly #finalized: PlannedTask[] = [];
  readonly #problems: Problem[] = [];

  constructor(machine: Machine, options: PlanOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  plan(all: readonly FoundTask[], chosen: ReadonlySet<FoundTask>): GcPlan {
    const { host, now } = this.#machine;
    const { orphanAge, retained } = this.#options;
    const real = realPathsOfOneMoment();
    const owners = new DirectoryOwners();
    const rows: Reconciled[] = [];
    const idsByRoot = new Map<string, Set<string>>();
    let read = 0;
    for (const view of readTasks(all, host, real)) {
      read += 1;
      this.#options.advance?.(read, all.length, 'tasks read');
      const subject = subjectOf(view, real);
      if (LAYOUTS[subject.layout].holdsSandboxes && subject.rootPath !== undefined) {
        const ids = idsByRoot.get(subject.rootPath);
        if (ids === undefined) idsByRoot.set(subject.rootPath, new Set([subject.task_id]));
        else ids.add(subject.task_id);
      }
      this.#claim(subject, real);
      if (!chosen.has(view.found) || view.found.unreadable || !view.root.readable) continue;
      lookAtStream(subject, host, owners);
      const silence = silenceOf(subject, view.runner?.alive, now, orphanAge);
      const pulled = isPulled(subject.recordedSandbox, subject.task_id);
      if (retained === undefined) {
        if (pulled && subject.phase !== 'finished') this.#problems.push(pulledProblem(subject));
        this.#sort(
          subject,
          dispositionOf(subject, silence, pulled, (since) => this.#ago(since)),
        );
        continue;
      }
      const row = reconciled(subject, retained.get(subject.task_id));
      rows.push(row);
      const disposition = dispositionForScheduler(subject, silence, row.action, row.expected, now);
      if (row.action === 'kill' && disposition.kind === 'left') row.action = 'none';
      this.#sort(subject, disposition);
    }
    for (const [task_id, status] of retained ?? []) {
      if (!all.some((task) => task.task_id === task_id)) rows.push(absentHere(task_id, status));
    }
    const machine: Machine = {
      ...this.#machine,
      protectedPaths: {
        ...this.#machine.protectedPaths,
        roots: [...new Set([...idsByRoot.keys(), ...this.#machine.protectedPaths.roots])],
      },
      knownRoots: [...new Set([...idsByRoot.keys(), ...this.#machine.knownRoots])],
      claims: this.#claims,
      newcomer: newcomers(idsByRoot),
    };
    const tasks = [...this.#finalized, ...this.#collect(machine)];
    return { tasks, reconciled: retained && rows, problems: this.#problems, machine };
  }

  #sort(subject: Subject, disposition: Disposition): void {
    if (disposition.kind === 'over') this.#over.push({ subject, always: disposition.always });
    if (disposition.kind !== 'finalize') return;
    this.#finalized.push({ ...planned(subject, disposition), finalization: disposition.finalization });
  }

  #collect(machine: Machine): PlannedTask[] {
    const inspector = new HostInspector(machine, this.#options);
    try {
      const { limits, words } = this.#options;
      let looked = 0;
      const actions = ({ subject }: Over) => {
        looked += 1;
        this.#options.advance?.(looked, this.#over.length, 'tasks measured');
        return actionsOf(subject, this.#options, inspector);
      };
      // Sizes are needed for choosing only if space is limited.
      const measured = limits.maxSpace === undefined ? undefined : this.#over.map(actions);
      const candidates = this.#over.map(({ subject, always }, i): GcCandidate => {
        const since = finishWords(machine.now - subject.finish.at, subject.finish.by, words);
        return { finishedAt: subject.finish.at, since, bytes: sumOf(measured?.[i] ?? []), always };
      });
      const tasks: PlannedTask[] = [];
      for (const [i, choice] of choose(candidates, limits, machine.now, words).entries()) {
        const over = this.#over[i] as Over;
        if (choice === undefined) continue;
        const planned = measured?.[i] ?? actions(over);
        if (planned.length > 0) tasks.push(collected(over.subject, choice, planned));
      }
      return tasks;
    } finally {
      inspector.close();
    }
  }

  #claim(subject: Subject, real: RealPath): void {
    const by = `task ${subject.task_id}`;
    for (const place of [subject.sandbox, subject.logDir]) {
      const path = place?.found ? real(place.path) : undefined;
      if (path !== undefined) this.#claims.add(path, subject.key, by);
    }
    if (LAYOUTS[subject.layout].holdsSandboxes && subject.rootPath !== undefined) {
      this.#claims.add(ownSandbox(subject.rootPath, subject.task_id), subject.key, by);
    }
  }

  #ago(since: number): string {
    return this.#options.words.duration(Math.max(0, this.#machine.now - since));
  }
}

function pulledProblem({ task_id, recordedSandbox }: Subject): Problem {
  const message = `active task ${task_id} had its executor's sandbox pulled`;
  return { code: 'sandbox-pulled', severity: 'warning', message, path: recordedSandbox, task_id };
}

function planned(subject: Subject, { reason, rule }: GcReason): PlannedTask {
  const { task_id, root, layout, state } = subject;
  return { task_id, root, layout, state, reason, rule, actions: [], marked: false, subject };
}

function collected(subject: Subject, choice: GcChoice, actions: Action[]): PlannedTask {
  const goes = ({ path, verdict }: Action) => path === subject.checkpointDir && verdict === 'delete';
  const task = planned(subject, choice);
  task.finish = subject.finish;
  task.actions = actions;
  task.marked = choice.limit === 'space' && actions.some(goes);
  return task;
}

function sumOf(actions: readonly Action[]): number {
  return actions.reduce((sum, { bytes }) => sum + bytes, 0);
}
