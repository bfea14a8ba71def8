import { type ChildProcess, spawn } from 'node:child_process';
import { encodeInspect } from '../contracts/encode-task.js';
import type { RunDaemonDocument } from '../contracts/run.js';
import type { ProblemCode } from '../errors/codes.js';
import { SystemError, ThermosError } from '../errors/errors.js';
import { EXIT, type ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { pathsOf } from '../layout/task-paths.js';
import { inspectTask } from '../logs/inspection.js';
import { localLogs } from '../logs/local-logs.js';
import type { KillRequest, NewTask, Outcome, Runner, RunSettings } from '../runner/api.js';
import { NO_DEBUGGER } from '../runner/debugger.js';
import { DEFAULT_LOGGER } from '../runner/task-document.js';
import { exitCodeOf } from '../task/outcome.js';
import { TaskReader } from '../task/reader.js';
import { summaryText } from '../views/run.js';
import { failureOf } from './failure.js';
import { COORDINATOR, MAIN } from './programs.js';
import { leaveSignalsToRunner, RunControl } from './run-control.js';
import { foundTask, type RunnerMessage, type ShowRun } from './run-view.js';
import type { Style, Terminal } from './terminal.js';

/** What is run and how; it can be handed to another process as JSON. */
export interface RunSpec {
  task: Omit<NewTask, 'task'> & { document: Readonly<Record<string, unknown>> };
  settings: Omit<RunSettings, 'coordinator' | 'console' | 'now'>;
}

export interface RunAnswer {
  document: object;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode: number;
}

interface Begun {
  readonly runner: Runner;
  readonly control: RunControl;
  readonly outcome: Promise<Outcome>;
}

/**
 * Opens the task of a spec and begins to run it. A signal finds nothing on disk, or a task that it ends: all is loaded
 * before, and from where signals are ours to the first records there is no turn of the event loop. Throws before
 * anything is started, as `openTask`.
 */
async function begin(
  spec: RunSpec,
  settings: Pick<RunSettings, 'console' | 'now'>,
  notice: (text: string) => void,
): Promise<Begun> {
  const { openTask } = await import('../runner/runner.js');
  const { runnableTask } = await import('../runner/task-document.js');
  const { document, ...rest } = spec.task;
  const task = { ...rest, task: runnableTask(document) };
  const control = new RunControl(notice);
  try {
    const runner = openTask(task, { ...spec.settings, ...settings, coordinator: COORDINATOR });
    control.attach(runner);
    return { runner, control, outcome: runner.run() };
  } catch (error) {
    control.close();
    throw error;
  }
}

/**
 * Runs a task to its end as its runner, showing it meanwhile. Ctrl-C and SIGTERM end it gracefully, the second
 * time at once; SIGUSR1 as KILLED and SIGUSR2 as LOST, as an executor expects of a runner. `known`: what was told
 * of it before, for the document.
 */
export async function runInForeground(
  spec: RunSpec,
  { json, raw, known }: { json: boolean; raw: boolean; known: readonly Problem[] },
  terminal: Terminal,
): Promise<RunAnswer> {
  const toConsole = hasConsole(spec);
  const descriptors = json ? { stdout: 2, stderr: 2 } : { stdout: 1, stderr: 2 };
  let viewer: Viewer | undefined;
  const { runner, control, outcome } = await begin(
    spec,
    { console: toConsole ? descriptors : undefined, now: () => terminal.now() },
    (text) => viewer?.send({ notice: text }),
  );
  const live =
    !json && !toConsole && terminal.stdoutIsTerminal && terminal.stderrIsTerminal && !terminal.isDumb;
  const { root, taskId, resumed } = runner;
  const show = {
    root,
    task_id: taskId,
    live,
    raw: raw && !live,
    lines: resumed ? 10 : null,
    console: toConsole,
    destination: spec.settings.logger?.destination ?? DEFAULT_LOGGER.destination,
  };
  viewer = json ? undefined : new Viewer(show);
  let ended: Outcome;
  try {
    ended = await outcome;
    await viewer?.end();
  } finally {
    viewer?.close();
    control.close();
  }
  return await answerOf(runner, ended, known, control.signalled, terminal.now());
}

/** Processes write to the console themselves: a screen would be spoilt by it. */
function hasConsole({ task, settings }: RunSpec): boolean {
  const processes = task.document.processes as { logger?: { destination?: string } }[] | undefined;
  const destinations = (processes ?? []).map(
    ({ logger }) => logger?.destination ?? settings.logger?.destination ?? 'file',
  );
  return destinations.some((destination) => destination === 'console' || destination === 'both');
}

async function answerOf(
  { root, taskId }: Runner,
  { state, problems }: Outcome,
  known: readonly Problem[],
  signalled: number | undefined,
  now: number,
): Promise<RunAnswer> {
  const found = foundTask(root, taskId);
  const finished = { ...found, phase: 'finished' as const, task_file: pathsOf({ root, taskId }).finished };
  const view = new TaskReader(finished, { history: true }).read(Host.local());
  const { logs, why } = await inspectTask(view, localLogs(view), now);
  const ended = exitCodeOf(state);
  return {
    document: encodeInspect(
      { ...view, problems: [...known, ...problems, ...view.problems] },
      [...logs],
      [...why],
    ),
    text: (style) => summaryText(view, why, style),
    problems: [...problems, ...view.problems],
    exitCode: state === 'KILLED' && signalled !== undefined ? signalled : ended,
  };
}

/** The process that shows the task: `showRun`. */
class Viewer {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  constructor(show: ShowRun) {
    this.#child = spawn(process.execPath, [NO_DEBUGGER, MAIN, '__show-run', JSON.stringify(show)], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    // Who reads no more has ended, and the task goes on without.
    this.#child.stdin?.on('error', () => {});
  }

  send(message: RunnerMessage): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves when all has been shown. */
  async end(): Promise<void> {
    this.send({ end: true });
    this.#child.stdin?.end();
    await this.#gone;
  }

  /** What it has not shown yet it shows by itself. */
  close(): void {
    this.#child.stdin?.destroy();
    this.#child.unref();
  }
}

/** What the daemon says to who started it, one line. */
type Started = { started: StartedTask } | { error: DaemonError };
type StartedTask = Omit<RunDaemonDocument, 'problems'>;
interface DaemonError {
  code: ProblemCode;
  message: string;
  hint?: string;
  exitCode: ExitCode;
  problems: Problem[];
}

/**
 * Starts a runner of its own session with none of our descriptors, and resolves once the task has started.
 * Throws what the runner threw before that. A signal that comes meanwhile ends the task, as it would in the foreground.
 */
export async function runAsDaemon(spec: RunSpec, notice: (text: string) => void): Promise<StartedTask> {
  let asked: KillRequest | undefined;
  const control = new RunControl(notice);
  const child = spawn(process.execPath, [NO_DEBUGGER, MAIN, '__run-daemon'], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  });
  control.attach({
    taskId: spec.task.taskId,
    kill: (request) => {
      asked ??= request;
      child.kill(request.state === 'LOST' ? 'SIGUSR2' : 'SIGTERM');
    },
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(JSON.stringify(spec));
  let text = '';
  const answers = child.stdio[3] as NodeJS.ReadableStream;
  try {
    for await (const chunk of answers) text += String(chunk);
    // Not before it is over: who asked for its end may go on to remove what it has.
    if (asked !== undefined) await gone;
  } finally {
    // What is known now is going to be told.
    leaveSignalsToRunner();
    control.close();
  }
  child.unref();
  if (asked !== undefined) throw interrupted(control.signalled ?? asked.state);
  if (text === '') throw new SystemError('runner-died', 'the runner died before the task was started');
  const answer = JSON.parse(text) as Started;
  if ('started' in answer) return answer.started;
  const { code, message, ...options } = answer.error;
  throw new ThermosError(code, message, options);
}

function interrupted(how: ExitCode | KillRequest['state']): ThermosError {
  const exitCode = typeof how === 'number' ? how : how === 'LOST' ? EXIT.lost : EXIT.killed;
  return new ThermosError('interrupted', 'the task was ended before it was left to itself', { exitCode });
}

/** The daemon itself: the spec comes on stdin, the answer goes to descriptor 3. */
export async function daemon(
  spec: RunSpec,
  terminal: Terminal,
  answer: (text: string) => void,
): Promise<void> {
  /** False if whoever started us has gone. */
  const say = (said: Started) => {
    try {
      answer(JSON.stringify(said));
      return true;
    } catch {
      return false;
    }
  };
  let begun: Begun;
  try {
    begun = await begin(spec, { now: () => terminal.now() }, () => {});
  } catch (error) {
    say({ error: daemonError(error) });
    return;
  }
  const { runner, outcome } = begun;
  let failure: unknown;
  const over = outcome.catch((error) => {
    failure = error;
  });
  // What goes wrong with the first records goes wrong before anybody was told that it was started.
  await new Promise((resolve) => setImmediate(resolve));
  const { root, taskId: task_id, sandbox } = runner;
  if (failure !== undefined) say({ error: daemonError(failure) });
  // A task that nobody knows to have started must not run on.
  else if (!say({ started: { task_id, root, sandbox, runner: { pid: process.pid } } }))
    runner.kill({ state: 'KILLED' });
  await over;
}

function daemonError(error: unknown): DaemonError {
  const { code, message, hint, exitCode, problems = [] } = failureOf(error);
  return { code, message, hint, exitCode, problems: [...problems] };
}
