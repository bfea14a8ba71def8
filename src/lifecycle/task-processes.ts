import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { locksFileBelow } from '../host/held-lock.js';
import { Host } from '../host/host.js';
import {
  homeOf,
  isExiting,
  outputsOf,
  type ProcessRow,
  processRow,
  processTable,
  rootOf,
} from '../host/process-table.js';
import { COORDINATOR_PREFIX } from '../layout/task-paths.js';
import { type OwnProcesses, ownProcesses, type RecordedRun, type RunTrace } from './own-processes.js';
import { pause } from './pause.js';
import type { SandboxMates } from './sandbox-mates.js';

/** What processes of this task have. */
export interface Marks {
  readonly uid: number;
  /** The directory of its streams. */
  readonly directory: string;
  /** HOME. */
  readonly home?: string;
  /** What they have as `/`. */
  readonly root?: string;
  /** Where their outputs go. */
  readonly logDir: string;
  /** Who has the same home, root and logs. */
  readonly mates: SandboxMates;
}

/** SIGKILL works at once, but for a process that is in the kernel. */
const GONE_MS = 5000;
const LOOK_MS = 2;

/** Finds the processes of a task and signals them: none whose identity is not certain. */
export class TaskProcesses {
  readonly #marks: Marks;

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /** SIGTERM to the commands of these runs and to what others left behind; stopped ones are woken for it. */
  terminate(live: readonly RecordedRun[], traces: readonly RunTrace[]): Problem[] {
    const commands = new Set(live.map(({ pid }) => pid));
    const sessions = new Set(live.map(({ coordinator_pid }) => coordinator_pid));
    const { own } = this.#find(traces);
    const isLeader = new Set(traces.map(({ coordinatorPid }) => coordinatorPid));
    const addressed = own.filter(
      ({ pid, session }) => commands.has(pid) || (!sessions.has(session) && !isLeader.has(pid)),
    );
    return addressed.flatMap(ask);
  }

  /** SIGTERM to the command of one run. */
  terminateCommand(run: RecordedRun): Problem[] {
    const { own } = this.#find([traceOf(run)]);
    return own.filter(({ pid }) => pid === run.pid).flatMap(ask);
  }

  /** SIGKILL to all that is left of these runs. */
  end(runs: readonly RecordedRun[]): Problem[] {
    const pids = runs.map(({ coordinator_pid }) => coordinator_pid);
    const traces = runs.map(traceOf);
    const sessions = new Set(pids);
    return this.#kill(() => {
      const found = this.#find(traces);
      // Not what other runs left behind: theirs is not to be told from it by a mark.
      return {
        ...found,
        own: found.own.filter(({ session, pid }) => sessions.has(session) || sessions.has(pid)),
      };
    }).problems;
  }

  /** SIGKILL to all that is the task's. `alive`: what was found, by pid. */
  endAll(traces: readonly RunTrace[]): { alive: Set<number>; problems: Problem[] } {
    return this.#kill(() => this.#find(traces));
  }

  #find(traces: readonly RunTrace[]): OwnProcesses {
    const { uid, directory, home, root, logDir, mates } = this.#marks;
    const bootTimeMs = Host.local().bootTimeMs ?? 0;
    const isOfMates = mates.processes();
    const isMarked = (pid: number) => {
      if (isOfMates !== undefined) {
        const logs = outputsOf(pid).filter((path) => path.startsWith(`${logDir}/`));
        return logs.some((path) => !isOfMates(path.slice(logDir.length + 1).split('/')[0] as string));
      }
      if (home !== undefined && homeOf(pid) === home) return true;
      if (root !== undefined && rootOf(pid) === root) return true;
      return outputsOf(pid).some((path) => path.startsWith(`${logDir}/`));
    };
    const isCoordinator = (pid: number) => locksFileBelow(pid, `${directory}/${COORDINATOR_PREFIX}`);
    const identity = { uid, bootTimeMs, spared: ourselves(), isCoordinator, isMarked };
    const { own, doubtful } = ownProcesses(processTable(), traces, identity);
    return { own, doubtful: doubtful.filter(({ pid }) => !isExiting(pid)) };
  }

  /** Again until none is found: they may have forked meanwhile. */
  #kill(find: () => OwnProcesses): { alive: Set<number>; problems: Problem[] } {
    const alive = new Set<number>();
    const problems = new Map<number, Problem>();
    for (let waited = 0; ; waited += LOOK_MS) {
      const { own, doubtful } = find();
      for (const row of doubtful) problems.set(row.pid, refused(row));
      const left = own.filter(({ pid }) => !problems.has(pid));
      if (left.length === 0) break;
      for (const row of left) {
        alive.add(row.pid);
        const problem = waited > GONE_MS ? unending(row) : send(row, 'SIGKILL');
        if (problem !== undefined) problems.set(row.pid, problem);
      }
      // A task that is being ended has nothing else to do.
      pause(LOOK_MS);
    }
    return { alive, problems: [...problems.values()] };
  }
}

function traceOf({ coordinator_pid, fork_time, pid, start_time }: RecordedRun): RunTrace {
  return { coordinatorPid: coordinator_pid, forkTime: fork_time, pid, startTime: start_time };
}

function ask(row: ProcessRow): Problem[] {
  const problem = send(row, 'SIGTERM');
  if (problem !== undefined) return [problem];
  if (row.state === 'T') send(row, 'SIGCONT');
  return [];
}

/** Who looks, and those who started it. */
function ourselves(): Set<number> {
  const pids = new Set<number>();
  for (let pid = process.pid; pid > 0 && !pids.has(pid); pid = processRow(pid)?.parent ?? 0) pids.add(pid);
  return pids;
}

/** Only if the pid is still that process's. */
function send(row: ProcessRow, signal: NodeJS.Signals): Problem | undefined {
  if (processRow(row.pid)?.startTimeTicks !== row.startTimeTicks) return undefined;
  try {
    process.kill(row.pid, signal);
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return undefined;
    const message = `process ${row.pid} can not be sent ${signal}: ${(error as Error).message}`;
    return { code: 'signal-failed', severity: 'error', message };
  }
}

function refused({ pid, session }: ProcessRow): Problem {
  const message = `process ${pid} was left alone: it is in session ${session}, but nothing else says that it is the task's`;
  return { code: 'signal-refused', severity: 'warning', message };
}

function unending({ pid }: ProcessRow): Problem {
  return {
    code: 'process-unending',
    severity: 'error',
    message: `process ${pid} was killed and does not end`,
  };
}
