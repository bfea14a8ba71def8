import type { CheckpointRecord } from '../checkpoint/records.js';
import { Planner, planOf } from '../config/planner.js';
import type { Problem } from '../errors/problem.js';
import type { KillRequest } from './api.js';
import { isLive, type LiveRun, StreamProgress } from './progress.js';
import type { RunnableProcess, RunnableTask } from './task-document.js';

/** What a runner knows of its task before it starts, and what does not change. */
export interface Terms {
  readonly task: RunnableTask;
  /** Appended after the first status if the stream has no header. */
  readonly header: CheckpointRecord;
  /** Who we are, for the records of the task's state. */
  readonly runner: { readonly pid: number; readonly uid: number };
  /** How many coordinators may be starting at once. */
  readonly maxStarting: number;
  /** Runs of one process, however they end. Default 100. */
  readonly maxRuns?: number;
}

/** A run whose coordinator is gone, or is to go, without a record of the run's end. */
interface Lost {
  readonly coordinatorPid: number;
  /** Why the coordinator could not start the process, if that is so. */
  readonly refusal?: string;
  /** Nothing of the run is alive any more, and what its coordinator recorded has been read. */
  readonly isCleared: boolean;
}

/** A process that can't be started at the moment, in seconds since the epoch. */
interface Postponed {
  readonly since: number;
  readonly tried: number;
}

/** SIGKILL for everything that is the task's. */
interface KillAll {
  /** What the runs that it ends get. */
  readonly returnCode: number;
  /** The pids that it ended; undefined: it is still to be done. */
  readonly ended?: ReadonlySet<number>;
}

/**
 * All that the decisions of a runner depend on. Plain data that only `apply` changes; `decide` reads it. What
 * remains to be done is a field each, so that nothing depends on the order in which events come.
 */
export interface RunState {
  readonly terms: Terms;
  readonly byName: ReadonlyMap<string, RunnableProcess>;
  readonly progress: StreamProgress;
  readonly regular: Planner;
  readonly finalizing: Planner;
  /** The process of each coordinator that is a child of ours, and alive, by its pid. */
  readonly children: Map<number, string>;
  /** By process. */
  readonly lost: Map<string, Lost>;
  readonly postponed: Map<string, Postponed>;
  /** Processes that can't be started at all: to be recorded as FAILED. */
  readonly unstartable: Set<string>;
  /** For the outcome of the task, in the order in which they came up. */
  readonly problems: Problem[];
  /** The task's state is to be recorded, with our pid: we have just taken control. */
  isToAnnounce: boolean;
  /** All that runs is to be asked to end. */
  isToTerminate: boolean;
  /** Processes whose command was not there yet when all were asked to end. */
  readonly toTerminate: Set<string>;
  killAll: KillAll | undefined;
  kill: Required<KillRequest> | undefined;
  /** Seconds since the epoch. */
  killDeadline: number | undefined;
}

export type RunEvent =
  /** A record is on disk. */
  | { readonly type: 'recorded'; readonly record: CheckpointRecord }
  /** A coordinator was started, by us. */
  | { readonly type: 'started'; readonly process: string; readonly coordinatorPid: number }
  /** A process could not be started: not now, or not at all. */
  | {
      readonly type: 'not-started';
      readonly process: string;
      readonly reason: string;
      readonly isTransient: boolean;
    }
  /** A coordinator is gone, and its last records are read. `refusal`: why it could not start the process. */
  | {
      readonly type: 'gone';
      readonly process: string;
      readonly coordinatorPid: number;
      readonly refusal?: string;
    }
  | { readonly type: 'terminated'; readonly process?: string }
  /** One run was ended with all that belongs to it, and the last records of its coordinator are read. */
  | { readonly type: 'cleared'; readonly process: string; readonly coordinatorPid: number }
  /** Everything that is the task's was ended, and the last records of coordinators are read. */
  | { readonly type: 'all-killed'; readonly ended: ReadonlySet<number> }
  | { readonly type: 'kill'; readonly request: KillRequest }
  | { readonly type: 'problem'; readonly problem: Problem };

/** The state of a task of which nothing is recorded. */
export function newState(terms: Terms, problems: readonly Problem[]): RunState {
  const { task, maxRuns } = terms;
  const planner = (final: boolean) =>
    new Planner(task.processes, planOf(task.processes, task.orders, final), maxRuns);
  return {
    terms,
    byName: new Map(task.processes.map((process) => [process.name, process])),
    progress: new StreamProgress(),
    regular: planner(false),
    finalizing: planner(true),
    children: new Map(),
    lost: new Map(),
    postponed: new Map(),
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

/** The runs of which something may be alive, in the order in which their processes first ran. */
export function liveRuns({ progress }: RunState): LiveRun[] {
  const live: LiveRun[] = [];
  for (const run of progress.runs.values()) if (isLive(run)) live.push(run);
  return live;
}

/** The plan that a process is in; undefined if the task has none of that name. */
export function plannerOf(state: RunState, name: string): Planner | undefined {
  const process = state.byName.get(name);
  if (process === undefined) return undefined;
  return process.final ? state.finalizing : state.regular;
}
