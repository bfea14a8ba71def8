import type { RunnerHeader } from '../checkpoint/records.js';
import { LimitError } from '../config/limits.js';
import {
  type ProcessSelection,
  selectedDocument,
  selectProcesses,
  unknownProcesses,
} from '../config/selection.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { FoundTask } from '../discovery/found.js';
import { errnoOf, ThermosError, UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { type Account, findAccount } from '../host/accounts.js';
import { LAYOUTS } from '../layout/layouts.js';
import type { Phase } from '../layout/root-paths.js';
import { pathsOf } from '../layout/task-paths.js';
import { checkOwnership } from '../lifecycle/trust.js';
import { checkPlans, type RunnableTask, runnableTask } from '../runner/task-document.js';
import { Directories } from '../store/directories.js';
import { type OpenFile, openFile } from '../store/open-file.js';
import { unreadable } from '../store/problems.js';
import type { TaskGatherer } from '../task/gatherer.js';
import { headerIn } from '../task/header.js';
import { isTooDeep, MAX_TASK_FILE_BYTES } from '../task/task-file.js';
import { shellArguments } from '../text/shell.js';
import { identityOf, type PreparedTask, type TaskIdentity } from './prepared-task.js';
import { firstOf, noSuchTask, notOneTask } from './search.js';

export interface AgainOptions extends TaskIdentity {
  /** Default: all processes. */
  readonly selection?: ProcessSelection;
}

export interface AgainPorts {
  readonly gatherer: Pick<TaskGatherer, 'find'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly euid: number;
}

/** A task on disk, prepared to be run again. */
export interface AgainTask {
  readonly prepared: PreparedTask;
  /** The user to run it as; undefined: the current one. */
  readonly user: string | undefined;
  /** The id of the task on disk. */
  readonly of: string;
}

/**
 * The task that the word matches, as its task file has it, under a new id and with the ports that its header has: they are
 * filled in. Root runs it as its user. Rejects with UsageError: there is not exactly one such task, its files cannot be
 * read, do not hold a task, or could have been written by anybody other than root and the user who is to run them; for root also
 * if they are in the sandbox of an executor.
 */
export async function taskAgain(word: string, options: AgainOptions, ports: AgainPorts): Promise<AgainTask> {
  const found = await findOne(word, ports.gatherer);
  const of = found.task_id;
  if (options.taskId === of) {
    throw new UsageError('usage', `${of} is the id of the task that is run again: choose another`);
  }
  const kept = openKept(found, ports.euid);
  try {
    const header = kept.stream && headerIn(kept.stream);
    const json = documentIn(kept.file);
    const account = accountFor(options.user, header, json, { found, euid: ports.euid });
    refuseStrangers(found, kept, account?.uid ?? ports.euid);
    const task = runnable(json, kept.file.path);
    const document = chosen(task, of, options.selection);
    const { taskId, user } = identityOf(task.name, { ...options, user: account?.name }, ports.now);
    const given = portsOf(header);
    const problems = differences({ found, phase: kept.phase, header, document, ports: given, user });
    const path = kept.file.path;
    return {
      prepared: { path, taskId, user, ports: given, document, settings: [], problems },
      user: account?.name,
      of,
    };
  } finally {
    kept.file.close();
    kept.stream?.close();
  }
}

async function findOne(word: string, gatherer: AgainPorts['gatherer']): Promise<FoundTask> {
  const selection = await gatherer.find([word], 'look');
  if (selection.unmatched.length > 0) {
    // Exit 1 would mean that the task ended FAILED.
    const { code, message, hint, problems } = noSuchTask(selection);
    throw new ThermosError(code, message, { exitCode: EXIT.usage, hint, problems });
  }
  const { selected } = selection;
  const ids = [...new Set(selected.map(({ task_id }) => task_id))].sort();
  if (ids.length !== 1) throw notOneTask(word, ids);
  const [found, ...others] = selected as [FoundTask, ...FoundTask[]];
  if (others.length === 0) return found;
  const files = selected.map(({ task_file, checkpoint_dir }) => task_file ?? checkpoint_dir);
  throw new UsageError(
    'ambiguous-task',
    `task ${found.task_id} is in ${selected.length} roots`,
    `name one by its path: ${firstOf(files)}`,
  );
}

interface KeptTaskFile {
  readonly file: OpenFile;
  readonly phase: Phase;
  /** Undefined if there is none. */
  readonly stream: OpenFile | undefined;
}

/** Opens what a task left, for a user who may execute it. */
function openKept(found: FoundTask, euid: number): KeptTaskFile {
  const { task_id, root } = found;
  const { executes, base } = LAYOUTS[root.layout];
  if (euid === 0 && !executes) {
    const message = `task ${task_id} is in the sandbox of an executor, and only its files say what it runs: root does not run that`;
    throw new UsageError('task-untrusted', message, copyHint(found));
  }
  const directories = new Directories();
  const opening = { below: base(root), directories, as: 'owner' } as const;
  const paths = pathsOf({ root: root.path, taskId: task_id });
  const open = (path: string, max?: number): OpenFile | undefined => {
    try {
      return openFile(path, { ...opening, max });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      const [code, what] =
        path === paths.stream
          ? (['checkpoint-unreadable', 'the checkpoint'] as const)
          : (['task-file-unreadable', 'the task file'] as const);
      const { message, hint } = unreadable({ code, tried: `read ${path}`, what, error });
      throw new UsageError(code, message, hint);
    }
  };
  try {
    // It moves when the task ends.
    for (const phase of ['active', 'finished'] as const) {
      const file = open(paths[phase], MAX_TASK_FILE_BYTES);
      if (file === undefined) continue;
      try {
        return { file, phase, stream: open(paths.stream) };
      } catch (error) {
        file.close();
        throw error;
      }
    }
  } finally {
    directories.close();
  }
  const hint = `see what is left of it: ${thermosCommand(['inspect'], rootFlagsOf(root), [task_id])}`;
  throw new UsageError('task-file-missing', `task ${task_id} has no task file, which says what it ran`, hint);
}

function documentIn(file: OpenFile): unknown {
  try {
    const json: unknown = JSON.parse(file.read(MAX_TASK_FILE_BYTES).toString('utf8'));
    if (!isTooDeep(json)) return json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError('task-file-damaged', `the task file ${file.path} is not valid JSON`);
  }
  throw new UsageError('task-file-damaged', `the task file ${file.path} is nested too deeply`);
}

function runnable(json: unknown, path: string): RunnableTask {
  try {
    const task = runnableTask(json);
    checkPlans(task);
    return task;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError('task-file-damaged', `the task file ${path} cannot be run: ${error.message}`);
  }
}

/** Who runs it: the given user, or for root that of the task; undefined: the current one. */
function accountFor(
  given: string | undefined,
  header: RunnerHeader | null | undefined,
  json: unknown,
  { found, euid }: { found: FoundTask; euid: number },
): Account | undefined {
  if (given === undefined && euid !== 0) return undefined;
  const ofFile = (json as { user?: unknown } | null)?.user;
  const name = given ?? header?.user ?? (typeof ofFile === 'string' ? ofFile : undefined);
  const account =
    (name === undefined ? undefined : findAccount(name)) ??
    (given === undefined && header?.uid !== undefined ? findAccount(header.uid) : undefined);
  if (account !== undefined) return account;
  const message =
    name === undefined
      ? `nothing says which user task ${found.task_id} ran as`
      : `there is no user ${name} on this machine`;
  throw new UsageError('user-unknown', message, 'name the user that runs it with --user');
}

/** Commands of one user must not be run as another. */
function refuseStrangers(found: FoundTask, { file, phase, stream }: KeptTaskFile, uid: number): void {
  const place = { root: found.root.path, taskId: found.task_id };
  const opened = stream === undefined ? [file] : [file, stream];
  const whom = findAccount(uid)?.name ?? `uid ${uid}`;
  const error = checkOwnership(place, uid, opened, {
    phase,
    refusal: ({ path, what }) => {
      const message = `task ${found.task_id} is not run again as ${whom}, because somebody else may have written its files: ${path} ${what}`;
      return new UsageError('task-untrusted', message, copyHint(found));
    },
  });
  if (error !== undefined) throw error;
}

/** A config that a person names is trusted. */
function copyHint({ task_file = '', root }: FoundTask): string {
  const copy = 'task.json';
  const run = thermosCommand(['run'], {}, [copy]);
  const user = LAYOUTS[root.layout].executes ? '' : ' --user USER';
  return `if it is right, run a copy of it as a config: cp ${shellArguments(task_file, copy)}; ${run}${user}`;
}

function chosen(
  task: RunnableTask,
  of: string,
  selection: ProcessSelection | undefined,
): Record<string, unknown> {
  if (selection === undefined) return task.document;
  let selected: ReturnType<typeof selectProcesses>;
  try {
    selected = selectProcesses(task, selection);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    throw new UsageError('config-limit', `task ${of}: ${error.message}`);
  }
  if ('unknown' in selected) {
    const { message, hint } = unknownProcesses(`task ${of}`, selected.unknown, task);
    throw new UsageError('process-not-found', message, hint);
  }
  return selectedDocument(task.document, task.orders, selected);
}

const HIGHEST_PORT = 65_535;

function portsOf(header: RunnerHeader | null | undefined): Record<string, number> {
  const ports = Object.entries(header?.ports ?? {}).map(([name, port]) => [name, Number(port)] as const);
  return Object.fromEntries(ports.filter(([, port]) => port >= 1 && port <= HIGHEST_PORT));
}

interface Again {
  found: FoundTask;
  phase: Phase;
  header: RunnerHeader | null | undefined;
  document: Readonly<Record<string, unknown>>;
  ports: Readonly<Record<string, number>>;
  user: string;
}

/** What is not as in the first run, or is and should not be. */
function differences({ found, phase, header, document, ports, user }: Again): Problem[] {
  const { task_id, root } = found;
  const problem = (message: string): Problem => ({
    code: 'run-again',
    severity: 'warning',
    message,
    task_id,
  });
  const problems: Problem[] = [];
  const named = Object.entries(ports).map(([name, port]) => `${name} ${port}`);
  if (phase === 'active' && named.length > 0) {
    problems.push(problem(`task ${task_id} is still active, and has the same ports: ${named.join(', ')}`));
  }
  const holding = processesWithId(document, task_id);
  if (holding.length > 0) {
    problems.push(problem(`command lines have the id ${task_id} in them: ${firstOf(holding)}`));
  }
  if (header == null) {
    problems.push(problem(`task ${task_id} has no header, so its ports are not known`));
  } else if (header.user !== undefined && header.user !== user) {
    problems.push(problem(`task ${task_id} ran as ${header.user}, and now runs as ${user}`));
  }
  if (!LAYOUTS[root.layout].executes) {
    const lost = 'what its executor gave it is not in the task file: image, volumes, limits, environment';
    problems.push(problem(`task ${task_id} ran below a Mesos agent, and ${lost}`));
  }
  return problems;
}

/** A shorter id may be any word. */
const SHORTEST_ID = 6;

function processesWithId(document: Readonly<Record<string, unknown>>, task_id: string): string[] {
  if (task_id.length < SHORTEST_ID) return [];
  const processes = document.processes as readonly { name: string; cmdline: string }[];
  return processes.filter(({ cmdline }) => cmdline.includes(task_id)).map(({ name }) => name);
}
