import { type RootFlagValues, rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { FoundTask } from '../discovery/found.js';
import { NotFoundError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { KindsToDelete } from '../gc/actions.js';
import { apply, preview, problemsOf, type TaskOutcome } from '../gc/apply.js';
import { lockRoots } from '../gc/exclusive.js';
import { gatherMachine } from '../gc/machine.js';
import { type GcPlan, makePlan, type PlannedTask } from '../gc/plan.js';
import type { GcLimits } from '../gc/policy.js';
import { EFFECTS } from '../gc/remove.js';
import { absolutePath, realPath } from '../store/look.js';
import { duration, timestamp } from '../text/age.js';
import { size } from '../text/size.js';
import type { Confirmation } from './confirmation.js';
import type { Progress } from './progress.js';
import { rootOptions } from './root-options.js';
import { missingTasks, noSuchTask, type RootFlags, tasksToChange } from './search.js';

export interface GcOptions {
  readonly roots: RootFlags;
  /** Ids, patterns for whole ids, paths; none means all tasks. */
  readonly words: readonly string[];
  readonly kinds: KindsToDelete;
  readonly limits: GcLimits;
  /** Tasks whose runner died end when their stream is this old, milliseconds; undefined: never. */
  readonly orphanAge: number | undefined;
  readonly includeMesos: boolean;
  /** Paths that the person states to be sandboxes of tasks. */
  readonly sandboxes: readonly string[];
  /** What the scheduler believes, by task id. */
  readonly retained: ReadonlyMap<string, string> | undefined;
  readonly dryRun: boolean;
  /** Don't ask. */
  readonly yes: boolean;
}

/** A plan and its outcomes, expected or real. */
export interface CollectedTasks {
  readonly plan: GcPlan;
  readonly outcomes: readonly TaskOutcome[];
}

export interface GcPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly confirmation: Confirmation<CollectedTasks>;
  readonly progress: Progress;
}

export interface GcResult extends CollectedTasks {
  /** `nothing`: there is nothing to collect; `declined`: the person said no. */
  readonly end: 'planned' | 'nothing' | 'declined' | 'done';
  /** True if nothing was touched. */
  readonly dryRun: boolean;
  /** The tasks that were considered. */
  readonly chosen: readonly FoundTask[];
  readonly problems: readonly Problem[];
  readonly exitCode: number;
}

/**
 * Plans, asks, and carries out exactly the plan. Throws UsageError `confirmation-needed` if nobody can be asked, before
 * anything is read; NotFoundError if no word matches a task, or if a named sandbox does not belong to a task that would
 * be collected; and SystemError `gc-running`. In all these cases nothing was touched.
 */
export function collectGarbage(options: GcOptions, ports: GcPorts): GcResult {
  const { dryRun, yes } = options;
  const { confirmation } = ports;
  const confirmed = new Set(options.sandboxes.map((path) => sandboxNamed(path, options.roots)));
  if (!dryRun && !yes && !confirmation.canAsk) throw nobodyToAsk();
  const { selection, plan } = ports.progress.during('planning', () => {
    const selection = tasksToChange(options.roots, options.words);
    if (selection.unmatched.length > 0 && selection.selected.length === 0) throw noSuchTask(selection);
    return { selection, plan: planFor(selection, options, confirmed, ports) };
  });
  const { selected: chosen, unmatched, roots } = selection;
  checkConfirmed(plan, confirmed, rootFlagsOf(...roots));
  const found = [...selection.problems, ...missingTasks(selection), ...plan.problems];
  const exitCode = unmatched.length > 0 || roots.length === 0 ? EXIT.no : EXIT.ok;
  const result = { plan, outcomes: plan.tasks.map(preview), chosen, problems: found, exitCode };
  if (!plan.tasks.some(isWork)) return { ...result, end: 'nothing', dryRun };
  if (dryRun) return { ...result, end: 'planned', dryRun };
  if (!yes && !confirmation.confirm('Carry this out?', result)) {
    return { ...result, end: 'declined', dryRun: true, exitCode: EXIT.no };
  }
  const outcomes = ports.progress.during('removing', () => carryOut(plan, confirmed, ports));
  const problems = [...found, ...outcomes.flatMap(problemsOf)];
  return { ...result, end: 'done', dryRun, outcomes, problems };
}

function planFor(
  { tasks, selected }: ReturnType<typeof tasksToChange>,
  { kinds, limits, orphanAge, includeMesos, retained }: GcOptions,
  confirmed: ReadonlySet<string>,
  { now, progress }: GcPorts,
): GcPlan {
  const words = { duration, size, timestamp };
  const machine = gatherMachine(now(), now, process.env);
  const advance = (done: number, total: number, what: string) => progress.update({ done, total, what });
  const options = { kinds, limits, orphanAge, includeMesos, confirmed, retained, words, advance };
  return makePlan(tasks, new Set(selected), machine, options);
}

function carryOut(
  plan: GcPlan,
  confirmed: ReadonlySet<string>,
  { now, progress }: GcPorts,
): readonly TaskOutcome[] {
  const total = plan.tasks.length;
  const outcomes: TaskOutcome[] = [];
  const release = lockRoots(plan.tasks);
  try {
    for (const outcome of apply(plan, { ...EFFECTS, clock: now }, confirmed)) {
      outcomes.push(outcome);
      progress.update({ done: outcomes.length, total, what: 'tasks' });
    }
  } finally {
    release();
  }
  return outcomes;
}

function isWork({ actions, finalization }: PlannedTask): boolean {
  return finalization !== undefined || actions.some(({ verdict }) => verdict === 'delete');
}

function nobodyToAsk(): UsageError {
  return new UsageError(
    'confirmation-needed',
    'this changes the host, and there is no terminal to ask for confirmation: give --yes',
    'see first what it would do, with --dry-run',
  );
}

/** The real path of a sandbox that the person names. */
function sandboxNamed(given: string, roots: RootFlags): string {
  const path = realPath(absolutePath(given, rootOptions(roots).cwd ?? '/'));
  if (path !== undefined) return path;
  throw new NotFoundError('sandbox-not-found', `there is no sandbox ${given}`, 'check the path');
}

/** Each named path must be exactly the sandbox of a task that would be collected. */
function checkConfirmed({ tasks }: GcPlan, confirmed: ReadonlySet<string>, flags: RootFlagValues): void {
  for (const path of confirmed) {
    const isSandbox = ({ subject: { sandbox }, finalization }: PlannedTask) =>
      finalization === undefined && sandbox?.found === true && realPath(sandbox.path) === path;
    if (tasks.some(isSandbox)) continue;
    const message = `no task that would be collected has the sandbox ${path}`;
    const hint = `see the sandboxes of tasks: ${thermosCommand(['status', '--verbosity', '2'], flags)}`;
    throw new NotFoundError('sandbox-not-found', message, hint);
  }
}
