import type { ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { pathsOf } from '../layout/task-paths.js';
import type {
  CoordinatorPrograms,
  KillRequest,
  Outcome,
  Runner,
  RunnerEvents,
  RunSettings,
} from '../runner/api.js';
import { DEFAULT_LOGGER } from '../runner/task-document.js';
import { exitCodeOf } from '../task/outcome.js';
import { TaskReader } from '../task/reader.js';
import type { TaskView } from '../task/view.js';
import { RunReport, type StartPage } from './run-report.js';
import type { RunSpec } from './run-spec.js';
import { taskAt } from './task-at.js';

/** A task that runs or is about to be started. */
export interface Endable {
  readonly taskId: string;
  kill(request: KillRequest): void;
}

/** Takes requests to end a task, such as Ctrl-C. */
export interface Control {
  /** The exit code for the person's request; undefined if there was none. */
  readonly signalled: ExitCode | undefined;
  /** Sets the task that gets the requests, including earlier ones. */
  attach(task: Endable): void;
  close(): void;
}

/**
 * From this call on, requests to this process are requests to a task. The caller attaches the task in the same turn of
 * the event loop, or closes the control. `notice` takes messages about what is done.
 */
export type TakeControl = (notice: (text: string) => void) => Control;

/** Shows a task while it runs. */
export interface Viewer {
  notice(text: string): void;
  /** Reports the end; resolves when everything has been shown. */
  end(): Promise<void>;
  /** Lets the viewer show the rest by itself. */
  close(): void;
}

/** What a viewer needs to know about a task that has begun to run. */
export interface BegunTask {
  readonly root: string;
  readonly taskId: string;
  /** It continues where another runner left it. */
  readonly resumed: boolean;
  /** Processes write directly to our output. */
  readonly hasConsole: boolean;
  /** Where output goes if a process does not say. */
  readonly destination: string;
}

export interface BeginPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly coordinator: CoordinatorPrograms;
  readonly control: TakeControl;
  /** As in `RunSettings`. */
  readonly patienceMs?: number;
  /** Takes remarks for those who look for the cause of a problem. */
  readonly note?: (text: string) => void;
  readonly events?: RunnerEvents;
  /** Starts what writes the page of a task. Default: no task has one. */
  readonly startPage?: StartPage;
  /** The longest wait for its last page, in milliseconds. */
  readonly lastPageMs?: number;
}

export interface RunPorts extends BeginPorts {
  /** Where the `console` output of processes goes. */
  readonly console: NonNullable<RunSettings['console']>;
  /** Begins to show the task; undefined: it is not shown. */
  show(task: BegunTask): Viewer | undefined;
}

/** A task that was run to its end. */
export interface RunResult {
  readonly view: TaskView;
  /** The problems of the runner. */
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;
}

export interface Begun {
  readonly runner: Runner;
  readonly control: Control;
  readonly outcome: Promise<Outcome>;
  /** To be called after the outcome: writes the last page of the task, if it has one. Resolves to what went wrong. */
  readonly endReport: () => Promise<Problem[]>;
}

/**
 * Opens the task of a spec and begins to run it. A request to end it finds either nothing on disk or a task that can be
 * ended: all code is loaded before, and between taking control and the first records the event loop does not turn.
 * Throws before anything is started, like `openTask`.
 */
export async function begin(
  spec: RunSpec,
  {
    now,
    coordinator,
    control: take,
    console,
    patienceMs,
    note,
    events,
    startPage,
    lastPageMs,
  }: BeginPorts & Partial<Pick<RunPorts, 'console'>>,
  notice: (text: string) => void,
): Promise<Begun> {
  const { openTask } = await import('../runner/runner.js');
  const { runnableTask } = await import('../runner/task-document.js');
  const { document, ...rest } = spec.task;
  const task = { ...rest, task: runnableTask(document) };
  const control = take(notice);
  try {
    const settings = { ...spec.settings, now, coordinator, console, patienceMs };
    const problem = (each: Problem) => {
      if (each.code === 'out-of-resources') notice(each.message);
      events?.problem?.(each);
    };
    let report: RunReport | undefined;
    const record: RunnerEvents['record'] = (each) => {
      events?.record?.(each);
      report?.changed();
    };
    const runner = openTask(task, settings, { note, ...events, problem, record });
    control.attach(runner);
    const { root, taskId: task_id } = runner;
    if (spec.report !== undefined && startPage !== undefined) {
      const page = { root, task_id, directory: spec.report };
      report = new RunReport(page, startPage, () => performance.now(), lastPageMs);
    }
    const outcome = runner.run().catch((error) => {
      report?.close();
      throw error;
    });
    return { runner, control, outcome, endReport: async () => (await report?.end()) ?? [] };
  } catch (error) {
    control.close();
    throw error;
  }
}

/** Runs a task to its end as its runner, and shows it. */
export async function runToItsEnd(spec: RunSpec, { console, ...ports }: RunPorts): Promise<RunResult> {
  const destination = spec.settings.logger?.destination ?? DEFAULT_LOGGER.destination;
  const isConsole = hasConsole(spec, destination);
  let viewer: Viewer | undefined;
  const { runner, control, outcome, endReport } = await begin(
    spec,
    { ...ports, console: isConsole ? console : undefined },
    (text) => viewer?.notice(text),
  );
  const { root, taskId, resumed } = runner;
  viewer = ports.show({ root, taskId, resumed, hasConsole: isConsole, destination });
  let ended: Outcome;
  let reported: Problem[];
  try {
    ended = await outcome;
    const page = endReport();
    await viewer?.end();
    reported = await page;
  } finally {
    viewer?.close();
    control.close();
  }
  const { state, problems } = ended;
  const { signalled } = control;
  const asked = state === 'KILLED' && signalled !== undefined;
  const all = [...problems, ...reported];
  return { view: finishedView(root, taskId), problems: all, exitCode: asked ? signalled : exitCodeOf(state) };
}

export interface UnseenPorts extends BeginPorts, Pick<RunPorts, 'console'> {
  /** Takes messages about what a signal does. */
  notice(text: string): void;
}

/** Runs a task to its end as its runner, and shows nothing. `events` gets the problems of its page, too. */
export async function runUnseen(spec: RunSpec, { console, notice, ...ports }: UnseenPorts): Promise<Outcome> {
  const destination = spec.settings.logger?.destination ?? DEFAULT_LOGGER.destination;
  const { control, outcome, endReport } = await begin(
    spec,
    { ...ports, console: hasConsole(spec, destination) ? console : undefined },
    notice,
  );
  try {
    const ended = await outcome;
    for (const problem of await endReport()) ports.events?.problem?.(problem);
    return ended;
  } finally {
    control.close();
  }
}

/** True if a process writes to our output. */
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
