import { isLiveProcessState, isTerminalTaskState, type ProcessStatus } from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import type { Problem } from '../errors/problem.js';
import { LAYOUTS } from '../layout/layouts.js';
import { PERMISSION_DENIED, unreadable } from '../store/problems.js';
import type { TaskSource } from '../task/gatherer.js';
import { mayRunAgain } from '../task/run-again.js';
import type { TaskConfig } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import type { LogsOf, LogTree } from './log-tree.js';
import { startedOnDisk } from './runs-on-disk.js';
import type { RunLogs, TaskLogSource, TaskLogs } from './task-logs.js';

/** Derives the state of a task from its views. */
export class TaskViewSource implements TaskLogSource {
  readonly watched: string;
  readonly #source: TaskSource;
  readonly #logsOf: LogsOf;
  #config: TaskConfig | undefined;

  constructor(source: TaskSource, logsOf: LogsOf) {
    this.watched = source.streams;
    this.#source = source;
    this.#logsOf = logsOf;
  }

  async read(): Promise<TaskLogs> {
    const view = await this.#source.read();
    this.#config = view.config ?? this.#config;
    const logs = taskLogs(view, this.#config, this.#logsOf(view));
    if (view.found.unreadable) return { ...logs, problems: [...logs.problems, closedSandbox(view)] };
    const damaged = view.problems.some(({ code }) => code.startsWith('checkpoint-'));
    return damaged && logs.log_dir?.found ? withRunsOnDisk(logs, await startedOnDisk(logs.log_dir)) : logs;
  }
}

/** What `tail` needs to know about a task. Pure. */
export function taskLogs(view: TaskView, config: TaskConfig | undefined, tree: LogTree): TaskLogs {
  const over =
    isTerminalTaskState(view.state) || view.problems.some(({ code }) => code === 'checkpoint-missing');
  // If it isn't known whether the runner is alive (null), the task is over only if its end is recorded.
  const runner = over ? false : (view.runner?.alive ?? null);
  const done = runner === false && view.leftovers.length === 0;
  return {
    task_id: view.task_id,
    root: view.root.path,
    user: view.user,
    name: view.name,
    state: String(view.state),
    log_dir: view.log_dir && {
      path: view.log_dir.path,
      found: view.log_dir.found,
      in_sandbox: view.sandbox?.found,
      tree,
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
        // With very many runs, those in between are missing from the list but still count.
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

/** The known runs, indexed by their numbers. */
function byNumber(numbered: readonly { run: ProcessStatus; n: number }[]): RunLogs[] {
  const runs: RunLogs[] = [];
  for (const { run, n } of numbered) {
    runs[n] = {
      state: String(run.state),
      return_code: run.return_code,
      start_time: run.start_time ?? run.fork_time,
      stop_time: run.stop_time,
    };
  }
  return runs;
}

/** Names the sandbox that may not be entered; discovery reports only how many there are. */
function closedSandbox({ task_id, root }: TaskView): Problem {
  const path = LAYOUTS[root.layout].entryDirectory(root);
  const tried = `look into the sandbox of ${task_id}, ${path}`;
  return unreadable({ code: 'sandbox-unreadable', tried, error: PERMISSION_DENIED, path, task_id });
}

/** Only the beginning of a damaged stream is known: the log directory may show more runs. */
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
