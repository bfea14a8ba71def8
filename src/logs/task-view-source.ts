import { join } from 'node:path';
import { isLiveProcessState, isTerminalTaskState, type ProcessStatus } from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import type { FoundTask } from '../discovery/found.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { runOfName } from '../layout/log-paths.js';
import { pathsOf } from '../layout/task-paths.js';
import { listDirectory } from '../store/list.js';
import { presenceOf } from '../store/look.js';
import { TaskReader } from '../task/reader.js';
import { mayRunAgain } from '../task/run-again.js';
import type { TaskConfig } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import { logAccess } from './log-access.js';
import type { LogDir } from './log-files.js';
import type { LogAccess } from './open-log.js';
import type { RunLogs, TaskLogSource, TaskLogs } from './task-logs.js';

/** Reads the state of a task from disk, each time only what was appended. */
export class TaskViewSource implements TaskLogSource {
  readonly watched: string;
  readonly #reader: TaskReader;
  #found: FoundTask;
  #config: TaskConfig | undefined;

  constructor(found: FoundTask) {
    this.watched = found.checkpoint_dir;
    this.#found = found;
    this.#reader = new TaskReader(found, { history: true });
  }

  read(): TaskLogs {
    this.#found = whereItsFileIs(this.#found);
    const host = Host.local();
    const view = this.#reader.read(host, this.#found);
    this.#config = view.config ?? this.#config;
    const logs = taskLogs(view, this.#config, logAccess(view, host.euid));
    if (this.#found.unreadable) return { ...logs, problems: [...logs.problems, closedSandbox(view)] };
    const damaged = view.problems.some(({ code }) => code.startsWith('checkpoint-'));
    return damaged && logs.log_dir?.found ? withRunsOnDisk(logs, runsOnDisk(logs.log_dir)) : logs;
  }
}

/** The task file moves from `active` to `finished` when the task ends. */
function whereItsFileIs(found: FoundTask): FoundTask {
  if (found.phase === 'finished' || found.task_file === undefined) return found;
  if (presenceOf(found.task_file, 'no-follow') !== 'absent') return found;
  const path = pathsOf({ root: found.root.path, taskId: found.task_id }).finished;
  const isThere = presenceOf(path, 'no-follow') !== 'absent';
  return isThere ? { ...found, phase: 'finished', task_file: path } : found;
}

/** What `tail` has to know of a task. Pure. */
export function taskLogs(view: TaskView, config: TaskConfig | undefined, access: LogAccess): TaskLogs {
  const over =
    isTerminalTaskState(view.state) || view.problems.some(({ code }) => code === 'checkpoint-missing');
  // Whether the runner lives may not be known (null); then only an end that is recorded is one.
  const runner = over ? false : (view.runner?.alive ?? null);
  const done = runner === false && view.leftovers.length === 0;
  return {
    task_id: view.task_id,
    root: view.root.path,
    state: String(view.state),
    log_dir: view.log_dir && {
      path: view.log_dir.path,
      found: view.log_dir.found,
      in_sandbox: view.sandbox?.found,
      access,
    },
    done,
    problems: view.problems,
    processes: view.processes.map((process) => {
      const settings = config?.processes.find(({ name }) => name === process.process);
      const history = view.history.get(process.process);
      const numbered = history === undefined ? [] : numberedRuns(history);
      const begun = numbered.at(-1)?.run.state === 'WAITING' ? numbered.slice(0, -1) : numbered;
      const { pid, coordinator_pid, state } = process;
      const lives = [pid, coordinator_pid].some(
        (each) => each !== undefined && view.leftovers.includes(each),
      );
      const running = lives || (runner === true && isLiveProcessState(state));
      return {
        process: process.process,
        // Of very many runs those in between are not known; the numbers tell of them.
        started: (begun.at(-1)?.n ?? -1) + 1,
        runs: byNumber(begun),
        running,
        done:
          done ||
          (!running && (runner === false || !mayRunAgain(process, settings, view.state === 'ACTIVE'))),
        destination: settings?.log_destination ?? 'file',
      };
    }),
  };
}

/** What is known of the runs, each at its number. */
function byNumber(numbered: readonly { run: ProcessStatus; n: number }[]): RunLogs[] {
  const runs: RunLogs[] = [];
  for (const { run, n } of numbered) {
    runs[n] = {
      state: String(run.state),
      return_code: run.return_code,
      start_time: run.start_time ?? run.fork_time,
    };
  }
  return runs;
}

/** Of a sandbox that may not be entered the search tells only how many there are. */
function closedSandbox({ task_id, root }: TaskView): Problem {
  const path = LAYOUTS[root.layout].door(root);
  return {
    code: 'sandbox-unreadable',
    severity: 'error',
    message: `cannot look into the sandbox of ${task_id}, ${path}: permission denied`,
    path,
    task_id,
    hint: 'run it again with sudo',
  };
}

/** Of a damaged stream only the beginning is known: what lies in the log directory may tell of more runs. */
export function withRunsOnDisk(logs: TaskLogs, onDisk: ReadonlyMap<string, number>): TaskLogs {
  const processes = new Map(logs.processes.map((process) => [process.process, process]));
  for (const [name, started] of onDisk) {
    const known = processes.get(name) ?? {
      process: name,
      started: 0,
      runs: [],
      running: false,
      done: logs.done,
      destination: 'file',
    };
    processes.set(name, { ...known, started: Math.max(started, known.started) });
  }
  return { ...logs, processes: [...processes.values()] };
}

/** How many runs have a directory, by process. */
function runsOnDisk({ path, access }: LogDir): Map<string, number> {
  const found = new Map<string, number>();
  const { below } = access;
  for (const process of namesIn(path, below, MOST_ENTRIES.processes)) {
    const runs = namesIn(join(path, process), below, MOST_ENTRIES.runs).map(runOfName);
    const last = Math.max(-1, ...runs.filter((run) => run !== undefined));
    if (last >= 0) found.set(process, last + 1);
  }
  return found;
}

function namesIn(directory: string, below: string | undefined, max: number): string[] {
  try {
    return listDirectory(directory, { below, max })
      .entries.map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}
