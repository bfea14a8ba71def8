import { listed } from '../config/limits.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { FoundTask } from '../discovery/found.js';
import { errnoOf, NotFoundError, SystemError, ThermosError, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { foreignTo } from '../host/namespaces.js';
import { type LiveProcess, liveProcesses } from '../lifecycle/live-processes.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { isOver } from '../task/condition.js';
import { TaskReader } from '../task/reader.js';
import { unknownProcess } from '../task/unknown-process.js';
import type { ProcessView, TaskView } from '../task/view.js';
import { shellWords } from '../text/shell.js';
import { onlyTask, type RootFlags, tasksToChange } from './search.js';

export interface ExecOptions {
  readonly roots: RootFlags;
  /** An id, a pattern for a whole id, a path. */
  readonly task: string;
  /** The name of a process; undefined for any. */
  readonly process?: string;
  /** Enter its namespaces and root directory. */
  readonly namespaces: boolean;
}

/** What a user may know of the processes of this machine. */
export interface ExecMachine {
  readonly euid: number;
  look(task: FoundTask): TaskView;
  /** As `liveProcesses`. */
  live(view: TaskView): LiveProcess[];
  /** As `foreignTo`. */
  foreignTo(pid: number): readonly string[] | undefined;
}

/** The process beside which a command is to run. */
export interface ExecTarget extends LiveProcess {
  readonly task_id: string;
  /** For the environment of the command: the ports of the task. */
  readonly ports: Record<string, string>;
  /** What a person should know: which process it is, if several are running and none was named. */
  readonly notice?: string;
  readonly problems: readonly Problem[];
}

export const LOCAL_MACHINE: ExecMachine = {
  euid: process.geteuid?.() ?? 0,
  look: (task) => new TaskReader(task, { history: false }).read(Host.local()),
  live({ root, task_id, sandbox, log_dir }) {
    const place = { root: root.path, taskId: task_id };
    // Nothing is signalled: a command may be run beside a process that runs this program.
    const processes = { ...LOCAL_PROCESSES, ourselves: () => new Set<number>() };
    return liveProcesses(place, { sandbox: sandbox?.path, logDir: log_dir?.path }, processes);
  },
  foreignTo,
};

/**
 * Finds the live process of a task beside which a command is to run, and checks that this user may do that. Without a name,
 * it is the first command that runs, else another process of the task. Throws NotFoundError if there is no such task or
 * process, or it does not run, UsageError `exec-refused` if this user may not, `task-untrusted`, `ambiguous-task`.
 */
export function execTarget(options: ExecOptions, machine: ExecMachine): ExecTarget {
  const selection = tasksToChange(options.roots, [options.task]);
  const view = machine.look(onlyTask(options.task, selection));
  refuseStranger(view, machine.euid);
  const named = options.process === undefined ? undefined : namedProcess(view, options.process);
  const live = liveOf(view, machine);
  const commands = view.processes.flatMap(({ process }) => live.filter((each) => each.process === process));
  const [first] = commands.length > 0 ? commands : live;
  const target = named === undefined ? first : commands.find(({ process }) => process === named.process);
  if (target === undefined)
    throw named === undefined
      ? noneRuns(view, machine.euid)
      : notRunning(view, named, commands, machine.euid);
  refuseUser(view, target, machine.euid);
  if (options.namespaces) refuseForeign(view, target, machine);
  const others = commands.length > 1 && named === undefined;
  return {
    ...target,
    task_id: view.task_id,
    ports: portVariables(view.ports ?? {}),
    notice: others ? `beside process ${target.process}; ${runningText(commands)}` : undefined,
    problems: selection.problems,
  };
}

/** Of a header that somebody made up, more would not fit into an environment. */
const MOST_PORTS = 1000;
const LONGEST_NAME = 100;

/**
 * `THERMOS_PORT_NAME` for each port; what no variable can be called is replaced by `_`. The first of a name counts. More or
 * longer names than a task has are left out. Pure.
 */
export function portVariables(ports: Readonly<Record<string, unknown>>): Record<string, string> {
  const variables: Record<string, string> = {};
  const named = Object.entries(ports).filter(([name]) => name.length <= LONGEST_NAME);
  for (const [name, port] of named.slice(0, MOST_PORTS)) {
    variables[`THERMOS_PORT_${name.replace(/\W/g, '_')}`] ??= String(port);
  }
  return variables;
}

function commandFor({ root, task_id }: TaskView, command: string): string {
  return thermosCommand([command], rootFlagsOf(root), [task_id]);
}

function asUser(view: TaskView): string {
  const user = view.user ?? (view.uid === undefined ? undefined : `#${view.uid}`);
  const command = commandFor(view, 'exec');
  const root = `sudo ${command}`;
  return user === undefined || view.uid === 0
    ? root
    : `${shellWords(['sudo', '-u', user])} ${command}, or as root: ${root}`;
}

function refusal(message: string, hint: string): UsageError {
  return new UsageError('exec-refused', message, hint);
}

/** By what the task says of itself: who may not act on it may not be able to read it either. */
function refuseStranger(view: TaskView, euid: number): void {
  if (euid === 0 || view.uid === undefined || view.uid === euid) return;
  const whose = view.user === undefined ? `uid ${view.uid}` : `user ${view.user} (uid ${view.uid})`;
  throw refusal(`task ${view.task_id} belongs to ${whose}, and you are uid ${euid}`, asUser(view));
}

/**
 * By what the process is. Root's task may have processes of any user, but a user decides how a program starts that makes it
 * another user's process, and so what root would execute as that user.
 */
function refuseUser(view: TaskView, { pid, uid }: LiveProcess, euid: number): void {
  if (euid !== 0 && uid !== euid)
    throw refusal(`process ${pid} belongs to uid ${uid}, and you are uid ${euid}`, asUser(view));
  if (euid !== 0 || view.uid === undefined || view.uid === 0 || uid === view.uid) return;
  throw refusal(
    `process ${pid} belongs to uid ${uid}, but the task to uid ${view.uid}`,
    'a command runs only beside a process of the user of the task',
  );
}

/** Only root can enter what it is in. */
function refuseForeign(view: TaskView, { pid, process }: LiveProcess, machine: ExecMachine): void {
  if (machine.euid === 0) return;
  const foreign = machine.foreignTo(pid);
  const which = process === undefined ? `process ${pid}` : `process ${process}`;
  const hint = (more: string) => `as root: sudo ${commandFor(view, 'exec')}${more}`;
  if (foreign === undefined) {
    throw refusal(`the system does not show the namespaces of ${which} to you`, hint(''));
  }
  if (foreign.length === 0) return;
  const kinds = foreign.filter((kind) => kind !== 'root');
  const parts = [
    ...(kinds.length > 0 ? [`other namespaces (${kinds.join(', ')})`] : []),
    ...(foreign.includes('root') ? ['another root directory'] : []),
  ];
  const more = '; or stay outside with --no-namespaces';
  throw refusal(`${which} has ${parts.join(' and ')}, which only root can enter`, hint(more));
}

function namedProcess(view: TaskView, name: string): ProcessView {
  const found = view.processes.find(({ process }) => process === name);
  if (found !== undefined) return found;
  throw unknownProcess(
    view,
    name,
    `a command comes after --: ${commandFor(view, 'exec')} -- ${shellWords([name])}`,
  );
}

function liveOf(view: TaskView, machine: ExecMachine): LiveProcess[] {
  try {
    return machine.live(view);
  } catch (error) {
    if (error instanceof ThermosError) throw error;
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return [];
    if ((errno === 'EACCES' || errno === 'EPERM') && machine.euid !== 0) {
      throw refusal(`you may not read the checkpoint of task ${view.task_id}`, asUser(view));
    }
    const message = `the checkpoint of task ${view.task_id} cannot be read: ${(error as Error).message}`;
    throw new SystemError('checkpoint-unreadable', message, undefined, error);
  }
}

/** What works instead. Root may see processes that we cannot identify. */
function insteadOf(view: TaskView, maySeeMore: boolean): string {
  if (maySeeMore) return `root may see more: sudo ${commandFor(view, 'exec')}`;
  const files = `its files are there: ${commandFor(view, 'ls')}; its logs: ${commandFor(view, 'tail')}`;
  if (!isOver(view)) return files;
  return `${files}; to run it again: ${thermosCommand(['run', '--again', view.task_id], rootFlagsOf(view.root))}`;
}

function noneRuns(view: TaskView, euid: number): NotFoundError {
  const why =
    view.verdict === 'foreign-pids'
      ? 'its processes are in another pid namespace, and none of them can be identified from here'
      : isOver(view)
        ? `it is over: ${view.state}`
        : 'none of its processes is running here at the moment';
  const message = `no command can run in task ${view.task_id}: ${why}`;
  return new NotFoundError('process-not-running', message, insteadOf(view, euid !== 0 && !isOver(view)));
}

function notRunning(
  view: TaskView,
  { process, state, pid }: ProcessView,
  running: readonly LiveProcess[],
  euid: number,
): NotFoundError {
  const isRecorded = (state === 'RUNNING' || state === 'FORKED') && !isOver(view);
  const recorded = `is recorded as ${state}${pid === undefined ? '' : ` as pid ${pid}`}`;
  const why = isRecorded ? `${recorded}, but no such process of the task can be found here` : `is ${state}`;
  const message = `process ${process} of task ${view.task_id} is not running: it ${why}`;
  const hint = running.length > 0 ? runningText(running) : insteadOf(view, isRecorded && euid !== 0);
  return new NotFoundError('process-not-running', message, hint);
}

/** `one is running`, `one, two are running`. */
function runningText(processes: readonly LiveProcess[]): string {
  const names = listed(processes.flatMap(({ process }) => process ?? []));
  return `${names} ${processes.length === 1 ? 'is' : 'are'} running`;
}
