import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { NotFoundError, SystemError, ThermosError, UsageError } from '../errors/errors.js';
import { EXIT, type ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { namesOfPath, topOf } from '../sandbox/place.js';
import type { SandboxOf, SandboxTree } from '../sandbox/sandbox-tree.js';
import { textOf } from '../store/walk.js';
import { eachView, type TaskGatherer } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { noSuchTask, notOneTask } from './search.js';

export interface SandboxPorts {
  gatherer: TaskGatherer;
  sandboxOf: SandboxOf;
}

/** `TASK:PATH`, as it can be read. */
export interface SandboxWord {
  /** Empty for the task of the working directory. */
  readonly task: string;
  /** Empty for the sandbox itself. */
  readonly path: string;
}

/** An id with more colons than this is not looked for. */
const MOST_COLONS = 8;

/**
 * The ways to read `TASK[:PATH]`, the first ones first: the path begins after the first colon, but ids and paths of
 * sandboxes may contain colons, too. Pure.
 */
export function readingsOf(word: string): SandboxWord[] {
  const readings: SandboxWord[] = [];
  for (let at = word.indexOf(':'); at !== -1; at = word.indexOf(':', at + 1)) {
    if (readings.length === MOST_COLONS) break;
    readings.push({ task: word.slice(0, at), path: word.slice(at + 1) });
  }
  return [...readings, { task: word, path: '' }];
}

/** A task's files, opened. */
export interface OpenSandbox {
  readonly view: TaskView;
  /** The directory that holds the task's files, on their host. */
  readonly top: string;
  /** From there, as a person wrote them: bytes, in strings of latin1. */
  readonly names: readonly string[];
  /** The caller closes it. */
  readonly tree: SandboxTree;
  /** Of the search. */
  readonly problems: readonly Problem[];
}

/**
 * Opens the files of the one task that a word means, `TASK[:PATH]`, to look at. An exact id wins, also one with a colon.
 * `command`: for hints. Rejects with NotFoundError if there is no such task or it has no sandbox here, UsageError
 * `ambiguous-task` for several tasks or an id in several roots, `path-outside`, and as `TaskGatherer.find`.
 */
export async function openSandbox(
  word: string,
  command: string,
  { gatherer, sandboxOf }: SandboxPorts,
): Promise<OpenSandbox> {
  const { reading, selection } = await search(word, gatherer);
  const found = oneOf(selection, reading, command);
  let view: TaskView | undefined;
  await eachView(gatherer.views([found]), (each) => {
    view = each;
  });
  if (view === undefined) throw noSuchTask({ ...selection, unmatched: [{ word: reading.task, near: [] }] });
  const top = topOf(view);
  if (top === undefined) throw noSandbox(view, 'it is not recorded');
  const names = namesOfPath(reading.path, view, top);
  const tree = await sandboxOf(view, top);
  if ('problem' in tree) throw new SystemError(tree.problem.code, tree.problem.message, tree.problem.hint);
  if ('absent' in tree) throw noSandbox(view, `${top} is not here`);
  return { view, top, names, tree, problems: selection.problems };
}

/** The path on its host that names lead to, as text. */
export function pathIn({ top }: Pick<OpenSandbox, 'top'>, names: readonly string[]): string {
  return [top, ...names.map(textOf)].join('/');
}

/** The error for a path at which there is nothing. */
export function missingFile(sandbox: OpenSandbox): NotFoundError {
  const { view, names } = sandbox;
  const path = names.length === 0 ? sandbox.top : names.map(textOf).join('/');
  return new NotFoundError(
    'file-missing',
    `there is no ${path} in the sandbox of task ${view.task_id}`,
    `see what is there: ${thermosCommand(['ls'], rootFlagsOf(view.root), [view.task_id])}`,
  );
}

/** What became of the words of a command. */
export interface WordsAnswer {
  problems: Problem[];
  /** If not done; else problems decide. */
  exitCode: ExitCode;
}

/**
 * Opens the files that each word means, one after the other, and hands them to `use`, which returns what went wrong with
 * them. Of several words, those that mean nothing are problems, and the exit code is 1 only if that is true of all of
 * them. Rejects with UsageError, and for a single word as `openSandbox` and `use`.
 */
export async function useWords(
  words: readonly string[],
  command: string,
  ports: SandboxPorts,
  use: (sandbox: OpenSandbox, word: string) => Promise<readonly Problem[]>,
): Promise<WordsAnswer> {
  const problems = new Map<string, Problem>();
  const add = (problem: Problem) => problems.set(JSON.stringify(problem), problem);
  let missing = 0;
  for (const word of words) {
    try {
      const sandbox = await openSandbox(word, command, ports);
      for (const each of sandbox.problems) add(each);
      try {
        for (const each of await use(sandbox, word)) add({ task_id: sandbox.view.task_id, ...each });
      } finally {
        sandbox.tree.close();
      }
    } catch (error) {
      if (words.length === 1 || !(error instanceof ThermosError) || error instanceof UsageError) throw error;
      const { code, message, hint } = error;
      add({ code, severity: 'error', message, hint });
      if (error instanceof NotFoundError) missing++;
    }
  }
  return { problems: [...problems.values()], exitCode: missing === words.length ? EXIT.no : EXIT.ok };
}

async function search(
  word: string,
  gatherer: TaskGatherer,
): Promise<{ reading: SandboxWord; selection: Selection }> {
  const readings = readingsOf(word);
  let failure: unknown;
  let nothing: Selection | undefined;
  for (const reading of readings) {
    let selection: Selection;
    try {
      selection = await gatherer.find(reading.task === '' ? [] : [reading.task], 'look');
    } catch (error) {
      if (!(error instanceof UsageError) || error.code !== 'bad-pattern') throw error;
      failure ??= error;
      continue;
    }
    const ids = new Set(selection.tasks.map(({ task_id }) => task_id));
    const exact = readings.findLast(({ task }) => ids.has(task));
    if (exact !== undefined && exact !== reading) {
      return { reading: exact, selection: await gatherer.find([exact.task], 'look') };
    }
    if (selection.unmatched.length === 0) return { reading, selection };
    nothing ??= selection;
  }
  throw failure ?? noSuchTask(nothing as Selection);
}

function oneOf(selection: Selection, { task, path }: SandboxWord, command: string): FoundTask {
  const { selected } = selection;
  const ids = [...new Set(selected.map(({ task_id }) => task_id))].sort();
  const [found, ...others] = selected;
  if (found === undefined || ids.length !== 1) throw notOneTask(task === '' ? undefined : task, ids);
  if (others.length === 0) return found;
  const roots = selected.map(({ root }) => root);
  const commands = roots.map(({ path: root, run_dir }) => {
    const flags = run_dir === undefined ? { root: [root] } : { mesosRoot: [run_dir] };
    return thermosCommand([command], flags, [path === '' ? found.task_id : `${found.task_id}:${path}`]);
  });
  throw new UsageError(
    'ambiguous-task',
    `task ${found.task_id} is in ${roots.length} roots: ${roots.map((root) => root.path).join(', ')}`,
    `say which: ${commands.join('; ')}`,
  );
}

function noSandbox({ task_id, root }: TaskView, why: string): NotFoundError {
  const inspect = thermosCommand(['inspect'], rootFlagsOf(root), [task_id]);
  return new NotFoundError('sandbox-missing', `task ${task_id} has no sandbox: ${why}`, `see ${inspect}`);
}
