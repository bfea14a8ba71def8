import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunChange, RunChanges } from '../app/run-changes.js';
import { taskAt } from '../app/task-at.js';
import { Host } from '../host/host.js';
import { STREAMS, type Stream } from '../layout/log-paths.js';
import { candidatesOf } from '../logs/candidate.js';
import { chooseProcesses } from '../logs/choose.js';
import { Follower, type FollowShell } from '../logs/follower.js';
import type { LineMode } from '../logs/line-output.js';
import { localLogs } from '../logs/local-logs.js';
import { LogPrinter, type Naming } from '../logs/log-printer.js';
import type { TaskLogSource, TaskLogs } from '../logs/task-logs.js';
import { taskLogs } from '../logs/task-view-source.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { TaskReader } from '../task/reader.js';
import type { TaskConfig } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import { reasonOfRun } from '../task/why.js';
import { visible } from '../text/escape.js';
import { splitAt, widthOf } from '../text/width.js';
import { progressLines, runChangeText, taskChangeText } from '../views/run.js';
import { eventText, linePrefix } from '../views/tail.js';
import { say } from './failure.js';
import { LiveScreen } from './live-screen.js';
import type { Terminal } from './terminal.js';

/** What a runner in the foreground passes to the process that shows its task. */
export interface RunToShow {
  root: string;
  task_id: string;
  /** Draw on the terminal; else lines. */
  live: boolean;
  /** Pass on the bytes of stdout and stderr unchanged, each to the same stream, and nothing else. */
  raw: boolean;
  /** Lines of each log to show first; null: all of them. */
  lines: number | null;
  /** Processes with the destination `console` write to it themselves, so their files are not shown as well. */
  console: boolean;
  /** Where output goes if a process does not say. */
  destination: string;
}

/** A line from the runner, as JSON. If stdin ends without an `end`, the runner is dead. */
export type RunnerMessage = { notice: string } | { end: true };

const NAMING: Naming = { root: new Set(), task: false, stream: true };
/** When the runner reports the end, it is on disk: it is found within this many reads, each after this long at most. */
const LAST_LOOKS = 60;
const LOOK_MS = 50;
/** Elapsed times are shown in seconds. */
const SECOND_MS = 1000;

/**
 * Shows a task that another process runs, until that process reports its end or dies. Showing has a process of
 * its own, so that a stopped terminal or an idle pager cannot block the runner.
 */
export async function showRun(spec: RunToShow, terminal: Terminal): Promise<void> {
  const screen = spec.live ? new Live(terminal) : new Lines(terminal);
  const source = new RunSource(spec, screen);
  let looks = 0;
  const over = new Promise<void>((resolve) => {
    const input = createInterface({ input: process.stdin });
    input.on('line', (line) => {
      const message = JSON.parse(line) as RunnerMessage;
      if ('notice' in message) screen.notice(message.notice);
      else looks = LAST_LOOKS;
    });
    input.on('close', resolve);
  });
  let isOver = false;
  const ending = over.then(() => {
    isOver = true;
  });
  const pause = async (until: Promise<void>) => {
    if (!isOver) await Promise.race([until, ending]);
    else if (looks-- <= 0) return 0;
    else await Promise.race([until, sleep(LOOK_MS)]);
    return undefined;
  };
  // Otherwise nothing between the output of two runners says where the second one begins.
  if (spec.lines !== null && !spec.raw) screen.change(taskChangeText(spec.task_id, 'resumed'));
  const streams = spec.raw ? STREAMS.map((stream) => [stream]) : [STREAMS];
  await Promise.all(streams.map((each) => follow(source, each, spec, screen, pause)));
  screen.close();
  process.stdin.destroy();
}

async function follow(
  source: RunSource,
  streams: readonly Stream[],
  { raw, live, lines }: RunToShow,
  screen: Screen,
  pause: FollowShell['pause'],
): Promise<void> {
  const shell: FollowShell = {
    write: (bytes) => screen.write(bytes, streams[0] === 'stderr' ? 2 : 1),
    event: (event) => {
      if (event.kind === 'truncated' || event.kind === 'overtaken') screen.notice(eventText(event));
    },
    report: ({ severity, message }) => screen.notice(`${severity}: ${message}`),
    catchSignals: () => {},
    pause,
    signalled: new Promise(() => {}),
    outputClosed: () => false,
    now: () => performance.now(),
    changes: new DirectoryWatcher(),
  };
  const mode: LineMode = raw ? 'raw' : live ? 'json' : 'prefix';
  const printer = new LogPrinter(shell, mode, NAMING, (line, naming, colour) =>
    linePrefix(line, naming, colour, screen.style),
  );
  // Nothing of a new task was shown yet: runs may have ended before this process started.
  const runs = lines === null ? 'all' : 'last';
  const options = { processes: [], runs, streams, lines: lines ?? undefined } as const;
  const task = source.read();
  const candidates = await candidatesOf(chooseProcesses([task], [], runs), options, true);
  await new Follower([{ task, source }], options, printer, shell).run(candidates);
}

/** Reads the task for the log printer, and shows what has changed in it. */
class RunSource implements TaskLogSource {
  readonly watched: string;
  readonly #spec: RunToShow;
  readonly #screen: Screen;
  readonly #reader: TaskReader;
  readonly #changes: RunChanges;
  readonly #look = Host.snapshots();
  #config: TaskConfig | undefined;

  constructor(spec: RunToShow, screen: Screen) {
    this.#spec = spec;
    this.#screen = screen;
    const found = taskAt(spec.root, spec.task_id);
    this.watched = found.checkpoint_dir;
    this.#reader = new TaskReader(found, { history: true });
    // States from before a task was resumed are not reported.
    this.#changes = new RunChanges(spec.lines !== null);
  }

  read(): TaskLogs {
    const view = this.#reader.read(this.#look());
    this.#config = view.config ?? this.#config;
    this.#screen.show(view);
    if (!this.#spec.raw) for (const change of this.#changes.of(view)) this.#report(view, change);
    const logs = taskLogs(view, this.#config, localLogs(view));
    if (!this.#spec.console) return logs;
    const settings = new Map(this.#config?.processes.map((process) => [process.name, process]));
    const processes = logs.processes.filter(({ process }) => {
      const destination = settings.get(process)?.log_destination ?? this.#spec.destination;
      return destination !== 'both' && destination !== 'console';
    });
    return { ...logs, processes };
  }

  #report({ task_id, reasons }: TaskView, change: RunChange): void {
    if (change.kind === 'task') {
      this.#screen.change(taskChangeText(task_id, change.state));
      return;
    }
    const { process, run, status } = change;
    this.#screen.change(runChangeText(process, run, status, reasonOfRun(process, run, status, reasons)));
  }
}

interface Screen {
  readonly style: ReturnType<Terminal['style']>;
  write(bytes: Buffer | string, fd: 1 | 2): void;
  show(view: TaskView): void;
  /** A state has changed. */
  change(text: string): void;
  notice(text: string): void;
  close(): void;
}

class Lines implements Screen {
  readonly #terminal: Terminal;
  readonly style: Screen['style'];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.style = terminal.style(1);
  }

  write(bytes: Buffer | string, fd: 1 | 2): void {
    if (fd === 1) this.#terminal.write(bytes);
    else this.#terminal.writeError(bytes);
  }

  show(): void {}

  change(text: string): void {
    this.notice(text);
  }

  notice(text: string): void {
    say(this.#terminal, text);
  }

  close(): void {}
}

class Live implements Screen {
  readonly #terminal: Terminal;
  readonly #screen: LiveScreen;
  readonly #ticks: NodeJS.Timeout;
  readonly #colours = new Map<string, number>();
  #view: TaskView | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#screen = new LiveScreen(terminal, (rows) =>
      this.#view === undefined ? [] : progressLines(this.#view, this.style, rows),
    );
    this.#ticks = setInterval(() => this.#screen.refresh(), SECOND_MS);
  }

  get style(): Screen['style'] {
    return this.#terminal.style(1);
  }

  /** Takes lines of JSON, because the name of the log and the text of a line are drawn differently. */
  write(bytes: Buffer | string): void {
    for (const text of String(bytes).split('\n')) {
      if (text !== '') this.#line(JSON.parse(text));
    }
  }

  show(view: TaskView): void {
    this.#view = view;
    this.#screen.refresh();
  }

  /** The table shows it. */
  change(): void {}

  notice(text: string): void {
    this.#print('', visible(text));
  }

  close(): void {
    clearInterval(this.#ticks);
    this.#screen.close();
  }

  #line({ line, ...source }: Parameters<typeof linePrefix>[0] & { line: string }): void {
    const { process } = source;
    const colour = this.#colours.get(process) ?? this.#colours.size;
    this.#colours.set(process, colour);
    const prefix = linePrefix(source, NAMING, colour, this.style);
    // Programs that draw progress return to the start of the line; only the last state would be visible.
    const shown = line.replace(/\r$/, '').replace(/^.*\r/, '').replaceAll('\t', '    ');
    this.#print(prefix, visible(shown));
  }

  #print(prefix: string, text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours take no columns
    const before = widthOf(prefix.replace(/\u001b\[\d+m/g, ''));
    const width = Math.max(10, (this.style.width ?? 80) - before);
    const pieces = splitAt(text, width);
    this.#screen.print(pieces.map((piece, i) => (i === 0 ? prefix : ' '.repeat(before)) + piece));
  }
}
