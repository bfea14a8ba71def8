import { type ChildProcess, spawn } from 'node:child_process';
import { beDaemon, type DaemonProcess, type StartedTask, startDaemon } from '../app/daemon.js';
import { flagsFor, rootOptions } from '../app/root-options.js';
import { type BegunTask, runToItsEnd, type Viewer } from '../app/run.js';
import type { RunSpec } from '../app/run-spec.js';
import { encodeInspect } from '../contracts/encode-task.js';
import { thermosCommand } from '../discovery/advised-command.js';
import type { ExitCode } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { inspectTask } from '../logs/inspection.js';
import type { LogFile } from '../logs/list-logs.js';
import { localLogs } from '../logs/local-logs.js';
import { outputToRead } from '../logs/output-to-read.js';
import { NO_DEBUGGER } from '../runner/debugger.js';
import type { TaskView } from '../task/view.js';
import { reasonText } from '../task/why.js';
import { summaryText } from '../views/run.js';
import { failureOf, say } from './failure.js';
import { coordinatorPrograms, MAIN, patienceMs } from './programs.js';
import { progressOn } from './progress.js';
import { leaveSignalsToRunner, RunControl } from './run-control.js';
import type { RunnerMessage, RunToShow } from './run-view.js';
import { startPage } from './start-page.js';
import type { Style, Terminal } from './terminal.js';

export interface RunAnswer {
  document: object;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode: ExitCode;
}

/**
 * Runs a task to its end as its runner, and shows it. Ctrl-C and SIGTERM end it gracefully, a second one at once;
 * SIGUSR1 ends it as KILLED and SIGUSR2 as LOST, as an executor expects of a runner. `known`: the problems that were
 * reported before, for the document.
 */
export async function runInForeground(
  spec: RunSpec,
  { json, debug, raw, known }: { json: boolean; debug: boolean; raw: boolean; known: readonly Problem[] },
  terminal: Terminal,
): Promise<RunAnswer> {
  const { view, problems, exitCode } = await runToItsEnd(spec, {
    ...portsOf(terminal),
    console: json ? { stdout: 2, stderr: 2 } : { stdout: 1, stderr: 2 },
    note: debug ? (text) => say(terminal, `note: ${text}`) : undefined,
    show: (task) => (json ? undefined : new ViewerProcess(showOf(task, raw, terminal))),
  });
  const { logs, why, criticalPath } = await inspectTask(view, localLogs(view), terminal.now());
  const all = [...known, ...problems, ...view.problems];
  return {
    document: encodeInspect({ ...view, problems: all }, [...logs], [...why], criticalPath),
    text: (style) =>
      summaryText({ view, why, reason: reasonText(view), look: lookCommand(view, logs) }, style),
    problems: [...problems, ...view.problems],
    exitCode,
  };
}

/** The command that shows the output of the process that failed, or else the task. */
function lookCommand(view: TaskView, logs: readonly LogFile[]): string {
  const roots = flagsFor(view.root.path, rootOptions({}));
  const output = outputToRead(view, logs);
  if (output === undefined) return thermosCommand(['inspect'], roots, [view.task_id]);
  return thermosCommand(['tail', `--${output.stream}`], roots, [view.task_id, output.process]);
}

/** Starts a daemon that runs the task; see `startDaemon`. */
export async function runInBackground(
  spec: RunSpec,
  terminal: Terminal,
  flags: { json: boolean },
): Promise<StartedTask> {
  return await startDaemon(spec, {
    control: (notice) => new StarterControl(notice),
    progress: progressOn(terminal, flags),
    spawn: spawnDaemon,
    notice: (text) => say(terminal, text),
  });
}

/** The daemon itself; see `beDaemon`. */
export async function runDaemon(
  spec: RunSpec,
  terminal: Terminal,
  answer: (text: string) => void,
): Promise<void> {
  await beDaemon(spec, { ...portsOf(terminal), answer, failureOf });
}

function portsOf(terminal: Terminal) {
  return {
    now: () => terminal.now(),
    coordinator: coordinatorPrograms(),
    patienceMs: patienceMs(),
    control: (notice: (text: string) => void) => new RunControl(notice),
    startPage,
  };
}

/** For the starter of a daemon: when it is closed, the outcome is known and must still be reported. */
class StarterControl extends RunControl {
  override close(): void {
    leaveSignalsToRunner();
    super.close();
  }
}

function showOf(task: BegunTask, raw: boolean, terminal: Terminal): RunToShow {
  const { root, taskId, resumed, hasConsole, destination } = task;
  // Processes write to the console themselves, which would spoil a screen.
  const live = !hasConsole && terminal.stdoutIsTerminal && terminal.stderrIsTerminal && !terminal.isDumb;
  return {
    root,
    task_id: taskId,
    live,
    raw: raw && !live,
    lines: resumed ? 10 : null,
    console: hasConsole,
    destination,
  };
}

/** The process that shows the task: `showRun`. */
class ViewerProcess implements Viewer {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  constructor(show: RunToShow) {
    this.#child = spawn(process.execPath, [NO_DEBUGGER, MAIN, '__show-run', JSON.stringify(show)], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.#gone = goneOf(this.#child);
    // The viewer has ended, and the task goes on without it.
    this.#child.stdin?.on('error', () => {});
  }

  notice(text: string): void {
    this.#send({ notice: text });
  }

  async end(): Promise<void> {
    this.#send({ end: true });
    this.#child.stdin?.end();
    await this.#gone;
  }

  close(): void {
    this.#child.stdin?.destroy();
    this.#child.unref();
  }

  #send(message: RunnerMessage): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

/** The spec goes to its stdin; its answer comes from its descriptor 3. */
function spawnDaemon(spec: RunSpec): DaemonProcess {
  const child = spawn(process.execPath, [NO_DEBUGGER, MAIN, '__run-daemon'], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  });
  const gone = goneOf(child);
  child.stdin?.on('error', () => {});
  child.stdin?.end(JSON.stringify(spec));
  return {
    answer: child.stdio[3] as NodeJS.ReadableStream,
    gone,
    signal: (signal) => void child.kill(signal),
    leave: () => child.unref(),
  };
}

/** Resolves when the process has ended or could not be started. */
function goneOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}
