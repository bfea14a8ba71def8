import { rootOptions } from '../app/root-options.js';
import { missingTasks, noSuchTask, type RootFlags, tasksToChange } from '../app/search.js';
import { encodeGc } from '../contracts/encode-gc.js';
import type { GcDocument } from '../contracts/gc.js';
import type { FoundTask } from '../discovery/found.js';
import { describeErrno, NotFoundError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { apply, foretell, problemsOf, type TaskOutcome } from '../gc/apply.js';
import { lockRoots } from '../gc/exclusive.js';
import { gatherMachine } from '../gc/machine.js';
import { makePlan, type Plan, type PlanOptions } from '../gc/plan.js';
import { parseAge, parseCount, parseSize } from '../gc/quantities.js';
import { parseRetained } from '../gc/reconcile.js';
import { DEEDS } from '../gc/remove.js';
import { readInput } from '../store/input.js';
import { absolutePath, realPath } from '../store/look.js';
import { duration, timestamp } from '../text/age.js';
import { size } from '../text/size.js';
import { gcText } from '../views/gc.js';
import { confirmed, needConfirmation } from './confirm.js';
import type { Terminal } from './terminal.js';

export interface GcFlags extends RootFlags {
  'max-age'?: string;
  'max-tasks'?: string;
  'max-space'?: string;
  'keep-metadata'?: boolean;
  'keep-logs'?: boolean;
  'keep-data'?: boolean;
  'delete-data'?: boolean;
  sandbox?: string[];
  orphans: boolean;
  'orphan-age': string;
  'include-mesos'?: boolean;
  retained?: string;
  'dry-run'?: boolean;
  yes?: boolean;
  json: boolean;
}

export interface GcAnswer {
  document: GcDocument;
  text: (style: ReturnType<Terminal['style']>) => string;
  problems: Problem[];
  exitCode: number;
  notice?: string;
}

/**
 * Plans, asks, and carries out the plan. Throws UsageError for bad limits and if nobody can be asked, before
 * anything is looked at, and NotFoundError if no word means a task.
 */
export function collectGarbage(words: readonly string[], flags: GcFlags, terminal: Terminal): GcAnswer {
  const options = planOptions(flags);
  if (!flags['dry-run']) needConfirmation(flags.yes === true, terminal, '--yes');
  const selection = tasksToChange(flags, words);
  if (selection.unmatched.length > 0 && selection.selected.length === 0) throw noSuchTask(selection);
  const now = terminal.now();
  const machine = gatherMachine(now, () => terminal.now(), process.env);
  const plan = makePlan(selection.tasks, new Set(selection.selected), machine, options);
  checkConfirmed(plan, options.confirmed);
  const found = [...selection.problems, ...missingTasks(selection), ...plan.problems];
  const notFound = selection.unmatched.length > 0 || selection.roots.length === 0;
  const exitCode = notFound ? EXIT.no : EXIT.ok;
  const answer = (outcomes: TaskOutcome[], dryRun: boolean, notice?: string): GcAnswer => {
    const problems = [...found, ...(dryRun ? [] : outcomes.flatMap(problemsOf))];
    const document = encodeGc(dryRun, outcomes, plan, problems);
    return { document, text: (style) => gcText(document, { ...style, now }), problems, exitCode, notice };
  };
  const idle = !plan.tasks.some(isWork);
  if (flags['dry-run'] || idle) {
    const notice = idle ? nothingToCollect(selection.selected) : undefined;
    return answer(plan.tasks.map(foretell), flags['dry-run'] === true, notice);
  }
  if (!flags.yes) {
    const foretold = plan.tasks.map(foretell);
    const shown = encodeGc(true, foretold, plan, []);
    terminal.writeError(gcText(shown, { ...terminal.style(2), now }));
    if (!confirmed('Carry this out?', terminal)) {
      return { ...answer(foretold, true, 'Nothing was done.'), text: () => '', exitCode: EXIT.no };
    }
  }
  return answer(carryOut(plan, options.confirmed, terminal), false);
}

/** With what was looked at, lest nobody knows whether a pattern matched. */
function nothingToCollect(tasks: readonly FoundTask[]): string {
  if (tasks.length === 0) return 'There is nothing to collect.';
  const active = tasks.filter(({ phase }) => phase === 'active').length;
  const counts = [active && `${active} active`, tasks.length - active && `${tasks.length - active} finished`];
  const of = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} (${counts.filter(Boolean).join(', ')})`;
  return `There is nothing to collect of ${of}.`;
}

function isWork({ actions, settlement }: Plan['tasks'][number]): boolean {
  return settlement !== undefined || actions.some(({ verdict }) => verdict === 'delete');
}

/** How often progress is shown. */
const PROGRESS_MS = 100;

function carryOut(plan: Plan, confirmed: ReadonlySet<string>, terminal: Terminal): TaskOutcome[] {
  const { tasks } = plan;
  const release = lockRoots(tasks);
  const outcomes: TaskOutcome[] = [];
  let shown = terminal.now();
  const live = terminal.stderrIsTerminal;
  let drawn = false;
  const deeds = { ...DEEDS, clock: () => terminal.now() };
  for (const outcome of apply(plan, deeds, confirmed)) {
    outcomes.push(outcome);
    if (!live || terminal.now() - shown < PROGRESS_MS) continue;
    shown = terminal.now();
    drawn = true;
    terminal.writeError(`\r${outcomes.length} of ${tasks.length} tasks`);
  }
  release();
  if (drawn) terminal.writeError('\r\x1b[K');
  return outcomes;
}

function planOptions(flags: GcFlags): PlanOptions {
  const limit = (name: 'max-age' | 'max-tasks' | 'max-space', parse: typeof parseAge) => {
    const text = flags[name];
    return text === undefined ? undefined : parse(text, name);
  };
  const orphanAge = parseAge(flags['orphan-age'], 'orphan-age');
  return {
    kinds: {
      metadata: !flags['keep-metadata'],
      logs: !flags['keep-logs'],
      data: flags['keep-data'] ? false : flags['delete-data'] ? true : undefined,
    },
    limits: {
      maxAge: limit('max-age', parseAge),
      maxTasks: limit('max-tasks', parseCount),
      maxSpace: limit('max-space', parseSize),
    },
    orphanAge: flags.orphans ? orphanAge : undefined,
    includeMesos: flags['include-mesos'] === true,
    confirmed: new Set((flags.sandbox ?? []).map((path) => sandboxNamed(path, rootOptions(flags).cwd))),
    retained: flags.retained === undefined ? undefined : readRetained(flags.retained),
    words: { duration, size, timestamp },
  };
}

/** The place that a person names as a sandbox, without links. */
function sandboxNamed(given: string, cwd = '/'): string {
  const path = realPath(absolutePath(given, cwd));
  if (path !== undefined) return path;
  throw new NotFoundError('sandbox-not-found', `there is no sandbox ${given}`, 'check the path');
}

/** What a person names must be the sandbox of a task that would be collected, exactly. */
function checkConfirmed({ tasks }: Plan, confirmed: ReadonlySet<string>): void {
  for (const path of confirmed) {
    const isSandbox = ({ subject: { sandbox }, settlement }: Plan['tasks'][number]) =>
      settlement === undefined && sandbox?.found === true && realPath(sandbox.path) === path;
    if (tasks.some(isSandbox)) continue;
    const message = `no task that would be collected has the sandbox ${path}`;
    const hint = 'see `thermos status --verbosity 2` for the sandboxes of tasks';
    throw new NotFoundError('sandbox-not-found', message, hint);
  }
}

/** A line for each task of a host. */
const MOST_RETAINED_BYTES = 64 * 1024 * 1024;

function readRetained(path: string): Map<string, string> {
  const from = path === '-' ? 'stdin' : path;
  let text: string;
  try {
    text = readInput(path === '-' ? 0 : path, { max: MOST_RETAINED_BYTES }).toString('utf8');
  } catch (error) {
    throw new UsageError('bad-retained', `cannot read ${from}: ${describeErrno(error)}`);
  }
  return parseRetained(text, from);
}
