import {
  type CheckpointRecord,
  isTerminalTaskState,
  type ProcessStatus,
  type TaskState,
} from '../checkpoint/records.js';
import type { Planner } from '../config/planner.js';
import type { LiveRun, Run } from './progress.js';
import { liveRuns, type Postponed, plannerOf, type RunState, type Shortfall } from './state.js';

/** As in the original: a run that stays FORKED for longer than this is LOST. */
const FORKED_SECONDS = 60;
/** We get no event when a coordinator of an earlier runner ends, so we poll. */
const ADOPTED_SECONDS = 0.5;
/**
 * Time for a coordinator without a runner to release its stream, or for the machine to have resources again: the longer it
 * takes, the more.
 */
const RETRY_SECONDS = { first: 0.05, most: 1 } as const;
/** The number of processes to start before new events are handled. */
const BATCH = 4;
/** The next event is that records are durable. */
const NOTHING_YET: readonly Effect[] = [{ type: 'sleep', until: undefined }];

export type Effect =
  /** Append these records. What depends on them is decided once they are durable. */
  | { readonly type: 'record'; readonly records: readonly CheckpointRecord[] }
  /** Start the coordinator of a run; `seq` is that of its FORKED. */
  | { readonly type: 'start'; readonly process: string; readonly index: number; readonly seq: number }
  /** Send SIGTERM to the command of one run, or to all commands and to remains of ended runs. */
  | { readonly type: 'terminate'; readonly run?: LiveRun }
  /** Send SIGKILL to all processes of one run, or of the task. */
  | { readonly type: 'kill'; readonly run?: LiveRun }
  /** A process cannot be started now, and it is not known when it can: leave the task to the next runner. */
  | { readonly type: 'stop'; readonly process: string; readonly reason: string; readonly hint?: string }
  /** The task has ended: move its task file and release its stream. */
  | { readonly type: 'finish'; readonly state: TaskState }
  /** Wait until this time; undefined: until the next event. Always the only effect. */
  | { readonly type: 'sleep'; readonly until: number | undefined };

/**
 * What a runner must do now. Pure and fast: the runner carries out the effects, `apply`s the resulting events, and calls
 * this again. Times in seconds since the epoch.
 */
export function decide(state: RunState, now: number): readonly Effect[] {
  const { status, header } = state.progress;
  if (state.isToAnnounce) {
    const statusRecord = taskStatus(state, status ?? 'ACTIVE', now);
    return record(header === undefined ? [statusRecord, state.terms.header] : [statusRecord]);
  }
  if (state.killAll !== undefined) {
    const { ended, returnCode } = state.killAll;
    if (ended !== undefined) return record(ends(state, ended, returnCode, now));
    return isStatusDurable(state) ? [{ type: 'kill' }] : NOTHING_YET;
  }
  const live = liveRuns(state);
  const facts = factsOf(state, live, now);
  if (facts.length > 0) return facts;
  if (isTerminalTaskState(status)) {
    // Also the last records of the processes.
    const isDurable = state.durable === state.progress.count;
    return isDurable ? [{ type: 'finish', state: status as TaskState }] : NOTHING_YET;
  }
  if (isAtOnce(state)) return conclude(state, now);
  switch (status) {
    case 'ACTIVE':
      if (state.kill !== undefined || !isHealthy(state) || state.regular.complete) {
        return record([taskStatus(state, 'CLEANING', now)]);
      }
      return startOrSleep(state, live, state.regular, now);
    case 'CLEANING':
      return clean(state, live, now);
    default:
      return finalize(state, live, now);
  }
}

function isStatusDurable({ durable, progress }: RunState): boolean {
  return progress.statusAt <= durable;
}

function clean(state: RunState, live: readonly LiveRun[], now: number): readonly Effect[] {
  if (state.isToTerminate) return isStatusDurable(state) ? [{ type: 'terminate' }] : NOTHING_YET;
  const late = live.filter(({ process }) => state.toTerminate.has(process));
  if (late.length > 0) return late.map((run) => ({ type: 'terminate', run }));
  if (live.length === 0) return record([taskStatus(state, 'FINALIZING', now)]);
  return now < deadline(state, now) ? sleep(state, live, undefined, now) : conclude(state, now);
}

function finalize(state: RunState, live: readonly LiveRun[], now: number): readonly Effect[] {
  const { complete, deadlocked } = state.finalizing;
  if (complete || deadlocked) return conclude(state, now);
  if (now >= deadline(state, now)) {
    // Without a kill, no task is over while a final process waits for resources only.
    const [stopped] = state.kill === undefined ? shortfalls(state, state.finalizing) : [];
    return stopped === undefined ? conclude(state, now) : [stop(...stopped)];
  }
  return startOrSleep(state, live, state.finalizing, now);
}

/** Records that are due in any state of the task, and the effects that must precede them. */
function factsOf(state: RunState, live: readonly LiveRun[], now: number): readonly Effect[] {
  const clear: Effect[] = [];
  const records: CheckpointRecord[] = [];
  for (const run of live) {
    const { process, seq } = run;
    const lost = state.lost.get(process);
    if (lost?.isCleared) records.push(processStatus({ seq: seq + 1, process, state: 'LOST' }));
    else if (lost !== undefined || isForkedTooLong(run, now)) clear.push({ type: 'kill', run });
  }
  for (const process of state.unstartable) {
    const run = state.progress.runs.get(process) as Run;
    let { seq } = run;
    if (run.state !== 'WAITING') records.push(processStatus({ seq: ++seq, process, state: 'WAITING' }));
    records.push(processStatus({ seq: seq + 1, process, state: 'FAILED' }));
  }
  return records.length === 0 ? clear : [...clear, ...record(records)];
}

function isForkedTooLong({ state, fork_time }: LiveRun, now: number): boolean {
  return state === 'FORKED' && now - fork_time > FORKED_SECONDS;
}

function startOrSleep(
  state: RunState,
  live: readonly LiveRun[],
  planner: Planner,
  now: number,
): readonly Effect[] {
  const [stopped] =
    live.length > 0
      ? []
      : postponedOf(state, planner).filter(([, { since, tried, patience }]) => tried - since >= patience);
  if (stopped !== undefined) return [stop(...stopped)];
  const starts = startRunnable(state, live, planner, now);
  return starts.length > 0 ? starts : sleep(state, live, planner, now);
}

function startRunnable(state: RunState, live: readonly LiveRun[], planner: Planner, now: number): Effect[] {
  const { task, maxStarting } = state.terms;
  const { max_concurrency } = task;
  const room = max_concurrency > 0 ? max_concurrency - planner.running.size : Number.POSITIVE_INFINITY;
  const starting = live.filter((run) => run.state === 'FORKED').length;
  let free = Math.min(room, (isShort(state) ? 1 : maxStarting) - starting, BATCH);
  const waiting: CheckpointRecord[] = [];
  const starts: Effect[] = [];
  let left = room;
  for (const process of planner.runnable(now)) {
    if (left <= 0) break;
    if (isPostponed(state, process, now)) continue;
    left -= 1;
    const run = state.progress.runs.get(process);
    if (run?.state !== 'WAITING') {
      waiting.push(processStatus({ seq: run === undefined ? 0 : run.seq + 1, process, state: 'WAITING' }));
    } else if (free > 0 && run.at <= state.durable) {
      free -= 1;
      starts.push({ type: 'start', process, index: run.index, seq: run.seq + 1 });
    }
  }
  // As with the original, all that can run at once is WAITING at once.
  return waiting.length === 0 ? starts : [...record(waiting), ...starts];
}

/** A clock that was set back must not delay the process. */
function isPostponed({ postponed }: RunState, process: string, now: number): boolean {
  const waiting = postponed.get(process);
  return waiting !== undefined && waiting.tried <= now && now < nextTry(waiting);
}

function nextTry({ since, tried, pause }: Postponed): number {
  const { first, most } = RETRY_SECONDS;
  return tried + (pause ?? Math.min(Math.max((tried - since) / 4, first), most));
}

/** Several coordinators that start at once could take from each other what one of them needs. */
function isShort({ postponed }: RunState): boolean {
  return [...postponed.values()].some(({ hint }) => hint !== undefined);
}

function postponedOf(state: RunState, planner: Planner): [string, Postponed][] {
  return [...state.postponed].filter(([process]) => plannerOf(state, process) === planner);
}

/** The processes that could not be started yet, and those whose coordinators wait for the same. */
function shortfalls(state: RunState, planner: Planner): [string, Shortfall][] {
  const waiting = [...state.short].filter(([process]) => plannerOf(state, process) === planner);
  return [...postponedOf(state, planner), ...waiting];
}

function stop(process: string, { reason, hint }: Shortfall): Effect {
  return { type: 'stop', process, reason, hint };
}

/** Sleeps until the next event that depends only on time. */
function sleep(
  state: RunState,
  live: readonly LiveRun[],
  planner: Planner | undefined,
  now: number,
): readonly Effect[] {
  const at: number[] = [];
  if (state.progress.status !== 'ACTIVE') at.push(deadline(state, now));
  const nextStart = planner?.nextStart(now);
  if (nextStart !== undefined) at.push(nextStart);
  if (planner !== undefined) {
    for (const [process, waiting] of postponedOf(state, planner)) {
      if (planner.state(process) !== 'ready') continue;
      at.push(waiting.tried <= now ? Math.max(nextTry(waiting), now + RETRY_SECONDS.first) : now);
    }
  }
  for (const run of live) {
    if (run.state === 'FORKED') at.push(run.fork_time + FORKED_SECONDS);
    if (!state.children.has(run.coordinator_pid)) at.push(now + ADOPTED_SECONDS);
  }
  return [{ type: 'sleep', until: at.length === 0 ? undefined : Math.min(...at) }];
}

// The end.

/** A kill that leaves no time: SIGKILL has ended everything, or will do so without a preceding SIGTERM. */
function isAtOnce({ kill, progress }: RunState): boolean {
  return kill !== undefined && (kill.now || (kill.wait <= 0 && progress.status !== 'ACTIVE'));
}

/** Records the terminal state. */
function conclude(state: RunState, now: number): readonly Effect[] {
  return record([taskStatus(state, terminalState(state), now)]);
}

function terminalState(state: RunState): TaskState {
  if (state.kill !== undefined) return state.kill.state;
  if (!isHealthy(state)) return 'FAILED';
  // Healthy but incomplete: an earlier runner was asked to kill it.
  return state.regular.complete ? 'SUCCESS' : 'KILLED';
}

function isHealthy({ terms, regular }: RunState): boolean {
  const { max_failures } = terms.task;
  return !regular.deadlocked && (max_failures === 0 || regular.failed.size < max_failures);
}

function deadline({ killDeadline, progress, terms }: RunState, now: number): number {
  const { cleaningSince } = progress;
  const since = cleaningSince === undefined ? now : cleaningSince / 1000;
  return killDeadline ?? since + terms.task.finalization_wait;
}

/** The last records of runs that SIGKILL has ended: KILLED if a process was alive, otherwise LOST. */
function ends(
  state: RunState,
  ended: ReadonlySet<number>,
  return_code: number,
  stop_time: number,
): CheckpointRecord[] {
  return liveRuns(state).map(({ process, seq, coordinator_pid, pid }) => {
    const wasAlive = ended.has(coordinator_pid) || ended.has(pid as number);
    const end = wasAlive
      ? ({ state: 'KILLED', stop_time, return_code } as const)
      : ({ state: 'LOST' } as const);
    return processStatus({ seq: seq + 1, process, ...end });
  });
}

// Records.

function record(records: readonly CheckpointRecord[]): readonly Effect[] {
  return [{ type: 'record', records }];
}

function taskStatus({ terms }: RunState, state: TaskState, now: number): CheckpointRecord {
  const { pid, uid } = terms.runner;
  const timestamp_ms = Math.round(now * 1000);
  return { type: 'task_status', value: { state, timestamp_ms, runner_pid: pid, runner_uid: uid } };
}

function processStatus(value: ProcessStatus): CheckpointRecord {
  return { type: 'process_status', value };
}
