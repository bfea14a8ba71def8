import type { ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { pathsOf } from '../layout/task-paths.js';
import type { KillRequest, Outcome, Runner, RunSettings } from '../runner/api.js';
import { DEFAULT_LOGGER } from '../runner/task-document.js';
import { exitCodeOf } from '../task/outcome.js';
import { TaskReader } from '../task/reader.js';
import type { TaskView } from '../task/view.js';
import type { RunSpec } from './run-spec.js';
import { taskAt } from './task-at.js';

/** A task that runs, or is about to be started. */
export interface Endable {
  readonly taskId: string;
  kill(request: KillRequest): void;
}

/** Whoever may ask for the end of a task, as a person by Ctrl-C. */
export interface Control {
  /** The exit code for what a person asked; undefined if nobody did. */
  readonly signalled: ExitCode | undefined;
  /** This task it is that is asked to end, also by what came before. */
  attach(task: Endable): void;
  close(): void;
}

/**
 * From when it is called, what is asked of this process is asked of a task. Whoever calls it attaches the task in the
 * same turn of the event loop, or closes the control. `notice` is told what is done about it.
 */
export type TakeControl = (notice: (text: string) => void) => Control;

/** What shows a task while it runs. */
export interface Viewer {
  notice(text: string): void;
  /** Nothing more comes; resolves when all has been shown. */
  end(): Promise<void>;
  /** What it has not shown yet it shows by itself. */
  close(): void;
}

/** A task that has begun to run, as whoever shows it has to know it. */
export interface BegunTask {
  readonly root: string;
  readonly taskId: string;
  /** It goes on from where another runner left it. */
  readonly resumed: boolean;
  /** Processes write to our output themselves. */
  readonly hasConsole: boolean;
  /** Where the output of processes goes that don't say it. */
  readonly destination: string;
}

export interface BeginPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The program that stands beside each process of a task. */
  readonly coordinator: string;
  readonly control: TakeControl;
}

export interface RunPorts extends BeginPorts {
  /** Where the `console` output of processes goes. */
  readonly console: NonNullable<RunSettings['console']>;
  /** Begins to show the task; undefined: nobody wants to see it. */
  show(task: BegunTask): Viewer | undefined;
}

/** A task that was run to its end. */
export interface RunResult {
  readonly view: TaskView;
  /** What the runner met. */
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;
}

export interface Begun {
  readonly runner: Runner;
  readonly control: Control;
  readonly outcome: Promise<Outcome>;
}

/**
 * Opens the task of a spec and begins to run it. What asks for its end finds nothing on disk, or a task that it ends:
 * all is loaded before, and from where we have the control to the first records there is no turn of the event loop.
 * Throws before anything is started, as `openTask`.
 */
export async function begin(
  spec: RunSpec,
  { now, coordinator, control: take, console }: BeginPorts & Partial<Pick<RunPorts, 'console'>>,
  notice: (text: string) => void,
): Promise<Begun> {
  const { openTask } = await import('../runner/runner.js');
  const { runnableTask } = await import('../runner/task-document.js');
  const { document, ...rest } = spec.task;
  const task = { ...rest, task: runnableTask(document) };
  const control = take(notice);
  try {
    const runner = openTask(task, { ...spec.settings, now, coordinator, console });
    control.attach(runner);
    return { runner, control, outcome: runner.run() };
  } catch (error) {
    control.close();
    throw error;
  }
}

/** Runs a task to its end as its runner, showing it meanwhile. */
export async function runToItsEnd(spec: RunSpec, { console, ...ports }: RunPorts): Promise<RunResult> {
  const destination = spec.settings.logger?.destination ?? DEFAULT_LOGGER.destination;
  const isConsole = hasConsole(spec, destination);
  let viewer: Viewer | undefined;
  const { runner, control, outcome } = await begin(
    spec,
    { ...ports, console: isConsole ? console : undefined },
    (text) => viewer?.notice(text),
  );
  const { root, taskId, resumed } = runner;
  viewer = ports.show({ root, taskId, resumed, hasConsole: isConsole, destination });
  let ended: Outcome;
  try {
    ended = await outcome;
    await viewer?.end();
  } finally {
    viewer?.close();
    control.close();
  }
  const { state, problems } = ended;
  const { signalled } = control;
  const asked = state === 'KILLED' && signalled !== undefined;
  return { view: finishedView(root, taskId), problems, exitCode: asked ? signalled : exitCodeOf(state) };
}

/** Does a process write to our own output? */
function hasConsole({ task }: RunSpec, destination: string): boolean {
  const processes = task.document.processes as { logger?: { destination?: string } }[] | undefined;
  return (processes ?? []).some(({ logger }) =>
    ['console', 'both'].includes(logger?.destination ?? destination),
  );
}

function finishedView(root: string, taskId: string): TaskView {
  const task_file = pathsOf({ root, taskId }).finished;
  const finished = { ...taskAt(root, taskId), phase: 'finished' as const, task_file };
  return new TaskReader(finished, { history: true }).read(Host.local());
}
