import type { CheckpointRecord } from '../checkpoint/records.js';
import { Planner, planOf } from '../config/planner.js';
import type { Problem } from '../errors/problem.js';
import type { KillRequest } from './api.js';
import { isLive, type LiveRun, StreamProgress } from './progress.js';
import type { RunnableProcess, RunnableTask } from './task-document.js';

/** Facts about a task that the runner knows before it starts and that do not change. */
export interface Terms {
  readonly task: RunnableTask;
  /** Appended after the first status if the stream has no header. */
  readonly header: CheckpointRecord;
  /** Our ids, for the records of the task's state. */
  readonly runner: { readonly pid: number; readonly uid: number };
  /** The maximum number of coordinators that start at once. */
  readonly maxStarting: number;
  /** Maximum number of runs of one process, however they end. Default 100. */
  readonly maxRuns?: number;
}

/** A run whose coordinator is gone, or is being killed, without a record of the run's end. */
interface Lost {
  readonly coordinatorPid: number;
  /** Why the coordinator could not start the process, if so. */
  readonly refusal?: string;
  /** All processes of the run are dead, and the records of its coordinator have been read. */
  readonly isCleared: boolean;
}

/** What a process cannot be started without. */
export interface Shortfall {
  readonly reason: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** A process that cannot be started at the moment. Seconds since the epoch. */
export interface Postponed extends Shortfall {
  readonly since: number;
  readonly tried: number;
  /** How long to try, as long as nothing else of the task runs: seconds. */
  readonly patience: number;
  /** The time to the next try, seconds; undefined: the longer it takes, the more. */
  readonly pause?: number;
}

/** SIGKILL for all processes of the task. */
interface KillAll {
  /** The return code to record for the runs that it ends. */
  readonly returnCode: number;
  /** The pids that it ended; undefined while it is pending. */
  readonly ended?: ReadonlySet<number>;
}

/**
 * Everything that the decisions of a runner depend on. Plain data that only `apply` changes and `decide` reads. Each
 * pending action has its own field, so the order of events does not matter.
 */
export interface RunState {
  readonly terms: Terms;
  readonly byName: ReadonlyMap<string, RunnableProcess>;
  /** After all records, whether durable or not. */
  readonly progress: StreamProgress;
  readonly regular: Planner;
  readonly finalizing: Planner;
  /** The process of each coordinator that is our live child, by pid. */
  readonly children: Map<number, string>;
  /** Both by process. */
  readonly lost: Map<string, Lost>;
  readonly postponed: Map<string, Postponed>;
  /** Processes whose coordinators wait for something that the machine is short of. */
  readonly short: Map<string, Shortfall>;
  /** Processes that cannot be started at all and must be recorded as FAILED. */
  readonly unstartable: Set<string>;
  /** The number of records of the stream that are durable. */
  durable: number;
  /** For the outcome of the task, in the order of occurrence. */
  readonly problems: Problem[];
  /** We have just taken control and must record the task's state with our pid. */
  isToAnnounce: boolean;
  /** All running processes must be asked to end. */
  isToTerminate: boolean;
  /** Processes whose command did not exist yet when all were asked to end. */
  readonly toTerminate: Set<string>;
  killAll: KillAll | undefined;
  kill: Required<Omit<KillRequest, 'asked'>> | undefined;
  /** Seconds since the epoch. */
  killDeadline: number | undefined;
}

export type RunEvent =
  /** A record was added to the stream. It is not durable yet. */
  | { readonly type: 'recorded'; readonly record: CheckpointRecord }
  /** So many records are durable. */
  | { readonly type: 'durable'; readonly count: number }
  /** We started a coordinator. */
  | { readonly type: 'started'; readonly process: string; readonly coordinatorPid: number }
  /** A process could not be started, temporarily or at all. */
  | {
      readonly type: 'not-started';
      readonly process: string;
      readonly reason: string;
      readonly isTransient: boolean;
      /** If it is transient, how long to try: seconds, default 60. */
      readonly patience?: number;
      /** What to do about it. */
      readonly hint?: string;
    }
  /** A coordinator is gone, and its final records have been read. `refusal`: why it could not start the process. */
  | {
      readonly type: 'gone';
      readonly process: string;
      readonly coordinatorPid: number;
      readonly refusal?: string;
      /** What the machine was too short of to start the process, if so: it did not run. */
      readonly shortage?: string;
      /** How the coordinator itself ended, if not as it should. */
      readonly death?: string;
    }
  /** The coordinator of a process waits for something that the machine is short of. */
  | { readonly type: 'waiting'; readonly process: string; readonly reason: string }
  | { readonly type: 'terminated'; readonly process?: string }
  /** All processes of one run were ended, and the final records of its coordinator have been read. */
  | { readonly type: 'cleared'; readonly process: string; readonly coordinatorPid: number }
  /** All processes of the task were ended, and the final records of coordinators have been read. */
  | { readonly type: 'all-killed'; readonly ended: ReadonlySet<number> }
  | { readonly type: 'kill'; readonly request: KillRequest }
  | { readonly type: 'problem'; readonly problem: Problem };

/** The state of a task without records. */
export function newState(terms: Terms, problems: readonly Problem[]): RunState {
  const { task, maxRuns } = terms;
  const planner = (final: boolean) =>
    new Planner(task.processes, planOf(task.processes, task.orders, final), maxRuns);
  return {
    terms,
    byName: new Map(task.processes.map((process) => [process.name, process])),
    progress: new StreamProgress(),
    durable: 0,
    regular: planner(false),
    finalizing: planner(true),
    children: new Map(),
    lost: new Map(),
    postponed: new Map(),
    short: new Map(),
    unstartable: new Set(),
    problems: [...problems],
    isToAnnounce: true,
    isToTerminate: false,
    toTerminate: new Set(),
    killAll: undefined,
    kill: undefined,
    killDeadline: undefined,
  };
}

/** The runs that may have live processes, in the order in which their processes first ran. */
export function liveRuns({ progress }: RunState): LiveRun[] {
  const live: LiveRun[] = [];
  for (const run of progress.runs.values()) if (isLive(run)) live.push(run);
  return live;
}

/** The planner of a process; undefined if the task has no process of that name. */
export function plannerOf(state: RunState, name: string): Planner | undefined {
  const process = state.byName.get(name);
  if (process === undefined) return undefined;
  return process.final ? state.finalizing : state.regular;
}
