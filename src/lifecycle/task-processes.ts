import type { Stats } from 'node:fs';
import type { Problem } from '../errors/problem.js';
import type { ProcessRow } from '../host/process-table.js';
import { runDirectory } from '../layout/log-paths.js';
import type { ExactStarts } from '../layout/starts.js';
import {
  type CoordinatorStarts,
  type Criteria,
  type OwnProcesses,
  ownProcesses,
  type RecordedRun,
  type RunTrace,
} from './own-processes.js';
import { type Owner, onlyRootCanWrite } from './owner.js';
import type { Processes } from './processes.js';
import { type ProcessesOfRun, processesOfRun } from './run-processes.js';
import { withStarts } from './run-traces.js';
import type { SandboxSharing } from './sandbox-sharing.js';
import { send } from './signal.js';

/** Properties that identify processes of this task. */
export interface Marks {
  readonly owner: Owner;
  /** Stats of a process's stream; undefined if there is none. */
  readonly coordinator: (process: string) => Stats | undefined;
  /** Kept by runners of the task. */
  readonly starts: ExactStarts;
  /** HOME. */
  readonly home?: string;
  /** Their root directory. */
  readonly root?: string;
  /** The directory of their outputs. */
  readonly logDir?: string;
  /** The tasks with the same home, root and logs. */
  readonly sharing: Pick<SandboxSharing, 'processes'>;
}

export interface EndedProcesses {
  /** The pids that were found alive, coordinators first. */
  readonly alive: ReadonlySet<number>;
  readonly problems: readonly Problem[];
}

/** SIGKILL works at once, except on a process that is blocked in the kernel. */
const GONE_MS = 5000;
/** The limit for a process that forks faster than it is killed. */
const MOST_MS = 30_000;
const POLL_MS = 2;
const LONGEST_POLL_MS = 50;

/** Finds the processes of a task and signals those whose identity is certain. */
export class TaskProcesses {
  readonly #processes: Processes;
  readonly #marks: Marks;
  #starts: CoordinatorStarts = new Map();
  /** Those that were certain and are alive; pid and ticks identify a process as long as the machine is up. */
  #known: ReadonlySet<string> = new Set();

  constructor(processes: Processes, marks: Marks) {
    this.#processes = processes;
    this.#marks = marks;
  }

  /**
   * Sends SIGTERM to the commands of these runs and to remains of other runs. All processes that are stopped are
   * continued, so that they can end and the coordinators can record it.
   */
  terminate(live: readonly RecordedRun[], traces: readonly RunTrace[]): Problem[] {
    const commands = new Set(live.map(({ pid }) => pid));
    const sessions = new Set(live.map(({ coordinator_pid }) => coordinator_pid));
    const { own } = this.#find(traces);
    const isLeader = new Set(traces.map(({ coordinatorPid }) => coordinatorPid));
    const isAsked = ({ pid, session }: ProcessRow) =>
      commands.has(pid) || (!sessions.has(session) && !isLeader.has(pid));
    return this.#ask(own.filter(isAsked), own);
  }

  /** Sends SIGTERM to the command of one run, and continues what is stopped in its session. */
  terminateCommand(run: RecordedRun): Problem[] {
    const { own } = this.#find([traceOf(run)]);
    const asked = own.filter(({ pid }) => pid === run.pid);
    const session = own.filter(({ session }) => session === run.coordinator_pid);
    return this.#ask(asked, [...asked, ...session]);
  }

  /** Sends SIGKILL to all remaining processes of these runs. */
  end(runs: readonly RecordedRun[]): Problem[] {
    const pids = runs.map(({ coordinator_pid }) => coordinator_pid);
    const traces = runs.map(traceOf);
    const sessions = new Set(pids);
    const ended = this.#kill(() => {
      const found = this.#find(traces);
      // A mark does not distinguish remains of these runs from those of others, so it does not suffice here.
      return {
        ...found,
        own: found.own.filter(({ session, pid }) => sessions.has(session) || sessions.has(pid)),
      };
    });
    return [...ended.problems];
  }

  /** Sends SIGKILL to all processes of the task. */
  endAll(traces: readonly RunTrace[]): EndedProcesses {
    return this.#kill(() => this.#find(traces));
  }

  /** The live processes of one run; `index`: its number. `traces`: of all runs of the task. */
  ofRun(run: RecordedRun, index: number, traces: readonly RunTrace[]): ProcessesOfRun {
    const { logDir } = this.#marks;
    const logs = logDir === undefined ? undefined : runDirectory(logDir, run.process, index);
    const writesTo = (pid: number) => {
      const outputs = logs === undefined ? [] : this.#processes.outputs(pid);
      if (outputs.some((path) => path.startsWith(`${logs}/`))) return 'this-run';
      return outputs.some((path) => path.startsWith(`${logDir}/`)) ? 'another-run' : undefined;
    };
    return processesOfRun(this.#find(traces).own, run, traces, writesTo);
  }

  /** Sends a signal to one of them, as `send`. */
  signal(row: ProcessRow, signal: NodeJS.Signals | number): 'sent' | 'gone' | Problem {
    return send(this.#processes, row, signal, this.#marks.owner);
  }

  /** The live processes that certainly belong to the task. */
  alive(traces: readonly RunTrace[]): readonly ProcessRow[] {
    return this.#find(traces).own;
  }

  #find(recorded: readonly RunTrace[]): OwnProcesses {
    const traces = withStarts(recorded, this.#marks.starts);
    if (traces.length === 0) return { own: [], doubtful: [], older: [], starts: this.#starts };
    const processes = this.#processes;
    const { uid, isWrittenByRoot, recordsSuffice } = this.#marks.owner;
    const marks = this.#marked();
    const rows = processes.table();
    const { own, doubtful, older, starts } = ownProcesses(rows, traces, {
      uid,
      isAnyUsers: uid === 0 && isWrittenByRoot,
      bootTimeMs: processes.bootTimeMs(),
      spared: processes.ourselves(),
      recordsSuffice,
      isCoordinator: (row, process) => this.#isCoordinator(row, process),
      starts: this.#starts,
      isKnown: (row) => this.#known.has(identityOf(row)),
      ...marks,
      isForeign: (pid) => processes.look(pid)?.isForeign !== false,
    });
    this.#starts = new Map([...this.#starts, ...starts]);
    const alive = rows.map(identityOf).filter((identity) => this.#known.has(identity));
    this.#known = new Set([...alive, ...own.map(identityOf)]);
    const isLeft = ({ pid }: ProcessRow) => !processes.isExiting(pid);
    return { own, starts, doubtful: doubtful.filter(isLeft), older: older.filter(isLeft) };
  }

  #isCoordinator({ pid }: ProcessRow, process: string): boolean {
    const { coordinator, owner } = this.#marks;
    const stream = coordinator(process);
    return stream !== undefined && holdsStream(pid, stream, this.#processes, owner);
  }

  #marked(): Pick<Criteria, 'isMarked' | 'isLogging'> {
    const { home, root, logDir, sharing } = this.#marks;
    const processes = this.#processes;
    const isOfSharing = sharing.processes();
    const logs = (pid: number) =>
      logDir === undefined ? [] : processes.outputs(pid).filter((path) => path.startsWith(`${logDir}/`));
    if (isOfSharing !== undefined) {
      const processOf = (path: string) => path.slice((logDir as string).length + 1).split('/')[0] as string;
      const isLogging = (pid: number) => logs(pid).some((path) => !isOfSharing(processOf(path)));
      return { isLogging, isMarked: isLogging };
    }
    const isLogging = (pid: number) => logs(pid).length > 0;
    return {
      isLogging,
      isMarked: (pid) =>
        isLogging(pid) ||
        (root !== undefined && processes.rootDirectory(pid) === root) ||
        (home !== undefined && processes.home(pid) === home),
    };
  }

  #ask(asked: readonly ProcessRow[], own: readonly ProcessRow[]): Problem[] {
    const { owner } = this.#marks;
    const problems = asked
      .map((row) => send(this.#processes, row, 'SIGTERM', owner))
      .filter((sent) => typeof sent === 'object');
    // Afterwards, so that each finds its SIGTERM when it goes on.
    for (const row of new Set(own)) if (row.state === 'T') send(this.#processes, row, 'SIGCONT', owner);
    return problems;
  }

  /** Repeats until none is found, because they may have forked meanwhile. */
  #kill(find: () => OwnProcesses): EndedProcesses {
    const processes = this.#processes;
    const alive = new Set<number>();
    const problems = new Map<number, Problem>();
    /** When each was first signalled, by pid and start: a pid may be reused meanwhile. */
    const since = new Map<string, number>();
    const began = processes.clock();
    for (let wait = POLL_MS; ; wait = Math.min(wait * 2, LONGEST_POLL_MS)) {
      const { own, doubtful, older } = find();
      for (const row of doubtful) problems.set(row.pid, refused(row, inSession(row)));
      for (const row of older) problems.set(row.pid, refused(row, OLDER));
      const left = own.filter(({ pid }) => !problems.has(pid));
      if (left.length === 0) break;
      const now = processes.clock();
      for (const row of left) {
        alive.add(row.pid);
        const key = identityOf(row);
        const first = since.get(key) ?? now;
        since.set(key, first);
        const tooLong = now - first > GONE_MS || now - began > MOST_MS;
        const sent = tooLong ? unending(row) : send(processes, row, 'SIGKILL', this.#marks.owner);
        if (typeof sent === 'object') problems.set(row.pid, sent);
      }
      if (now - began > MOST_MS) break;
      // Blocking is fine: nothing else remains to be done for a task that is being ended.
      processes.pause(wait);
    }
    for (const [pid, { code }] of problems) if (code === 'signal-refused') alive.delete(pid);
    return { alive, problems: [...problems.values()] };
  }
}

/**
 * Does a process hold the lock of a coordinator's stream, by a descriptor that a stranger cannot have? Root's counts only if
 * nobody else can write the stream: it may have been passed the descriptor.
 */
export function holdsStream(pid: number, stream: Stats, processes: Processes, owner: Owner): boolean {
  const hold = processes.holdsLock(pid, stream);
  if (hold === undefined || hold === 'none') return false;
  const realUid = processes.look(pid)?.realUid;
  return (realUid === owner.uid && realUid !== 0) || (hold.isWritable && onlyRootCanWrite(stream));
}

function identityOf({ pid, startTimeTicks }: ProcessRow): string {
  return `${pid} ${startTimeTicks}`;
}

export function traceOf({ process, coordinator_pid, fork_time, pid, start_time }: RecordedRun): RunTrace {
  return { process, coordinatorPid: coordinator_pid, forkTime: fork_time, pid, startTime: start_time };
}

const OLDER =
  'it writes to the logs of the task, but seems to have started before it: was the clock set back?';

function inSession({ session }: ProcessRow): string {
  return `it is in session ${session}, but nothing else shows that it belongs to the task`;
}

function refused({ pid }: ProcessRow, why: string): Problem {
  return { code: 'signal-refused', severity: 'warning', message: `process ${pid} was left alone: ${why}` };
}

function unending({ pid }: ProcessRow): Problem {
  return {
    code: 'process-unending',
    severity: 'error',
    message: `process ${pid} was killed but does not end`,
  };
}
