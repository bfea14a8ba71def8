import {
  type CheckpointRecord,
  isTerminalProcessState,
  isTerminalTaskState,
  type ProcessStatus,
} from '../checkpoint/records.js';
import type { Planner } from '../config/planner.js';
import type { Problem } from '../errors/problem.js';
import { patienceMs, shortageIn, shortageRemedy } from '../errors/shortage.js';
import type { KillRequest } from './api.js';
import { isLive, type Run } from './progress.js';
import { liveRuns, newState, plannerOf, type RunEvent, type RunState, type Terms } from './state.js';

/** The original's default for a kill. */
const PREEMPTION_WAIT_SECONDS = 60;
/** How long to retry a process that cannot be started at the moment. */
const PATIENCE_SECONDS = 60;
/** How long to wait after a coordinator has given up for a shortage that does not end by itself. */
const COORDINATOR_PAUSE_SECONDS = 30;
/** A shortage that lasts longer is reported. */
const MOMENT_SECONDS = 1;

/** The state of a task that continues after the records of its stream. */
export function stateAfter(
  terms: Terms,
  past: readonly CheckpointRecord[],
  problems: readonly Problem[],
): RunState {
  const state = newState(terms, problems);
  // An end whose time is not recorded must not make a process wait for `min_duration`.
  for (const record of past) follow(state, record, 0);
  return state;
}

/** Updates the state with an event. `now`: seconds since the epoch. */
export function apply(state: RunState, event: RunEvent, now: number): void {
  switch (event.type) {
    case 'recorded':
      recorded(state, event.record, now);
      break;
    case 'durable':
      state.durable = event.count;
      break;
    case 'started':
      state.children.set(event.coordinatorPid, event.process);
      plannerOf(state, event.process)?.start(event.process);
      break;
    case 'not-started':
      notStarted(state, event, now);
      break;
    case 'gone':
      gone(state, event, now);
      break;
    case 'waiting':
      isShort(state, event.process, event.reason);
      break;
    case 'terminated':
      if (event.process === undefined) {
        state.isToTerminate = false;
        state.toTerminate.clear();
      } else state.toTerminate.delete(event.process);
      break;
    case 'cleared': {
      const { process, coordinatorPid } = event;
      const { refusal } = state.lost.get(process) ?? {};
      if (isRunOf(state, process, coordinatorPid))
        state.lost.set(process, { coordinatorPid, refusal, isCleared: true });
      break;
    }
    case 'all-killed':
      if (state.killAll !== undefined) state.killAll = { ...state.killAll, ended: event.ended };
      break;
    case 'kill':
      killed(state, event.request, now);
      break;
    case 'problem':
      state.problems.push(event.problem);
      break;
  }
  if (state.killAll?.ended !== undefined && liveRuns(state).length === 0) state.killAll = undefined;
}

function isRunOf({ progress }: RunState, process: string, coordinatorPid: number): boolean {
  const run = progress.runs.get(process);
  return isLive(run) && run.coordinator_pid === coordinatorPid;
}

function recorded(state: RunState, record: CheckpointRecord, now: number): void {
  const { status: before } = state.progress;
  const run = follow(state, record, now);
  if (run !== undefined) moved(state, run);
  if (record.type !== 'task_status') return;
  state.isToAnnounce = false;
  const { status } = state.progress;
  if (status === 'CLEANING') state.isToTerminate = true;
  // With a kill, final processes of an earlier runner continue; without one they start again.
  const isNew = before !== status || state.kill === undefined;
  if (isTerminalTaskState(status) || (status === 'FINALIZING' && isNew)) state.killAll = { returnCode: -1 };
}

/** A new record has moved a run to another state. */
function moved(state: RunState, { process, state: at }: Run): void {
  const { status } = state.progress;
  if (at === 'RUNNING' && status === 'CLEANING' && !state.isToTerminate) state.toTerminate.add(process);
  if (at !== 'FORKED') state.short.delete(process);
  if (at === 'RUNNING') state.postponed.delete(process);
  if (!isTerminalProcessState(at)) return;
  if (at !== 'LOST') state.postponed.delete(process);
  const refusal = state.lost.get(process)?.refusal;
  state.lost.delete(process);
  state.toTerminate.delete(process);
  state.unstartable.delete(process);
  const planner = plannerOf(state, process);
  if (planner?.capped.has(process)) state.problems.push(ranTooOften(process, planner.runs(process)));
  if (refusal === undefined) return;
  state.problems.push(cannotStart(process, refusal));
  // Another run would fail in the same way.
  if (planner?.state(process) === 'ready' && status !== 'CLEANING') state.unstartable.add(process);
}

/** Updates progress and plan with a record. Returns the run that it updated. */
function follow(state: RunState, record: CheckpointRecord, now: number): Run | undefined {
  const { progress } = state;
  if (record.type !== 'process_status') {
    progress.apply(record);
    return undefined;
  }
  const name = record.value.process as string;
  const wasWaiting = progress.runs.get(name)?.state === 'WAITING';
  const run = progress.apply(record);
  const planner = plannerOf(state, name);
  if (run === undefined || planner === undefined || run.state === 'WAITING') return run;
  const at = planner.state(name);
  if (at === 'ready' && (run.state === 'FORKED' || wasWaiting)) planner.start(name);
  else if (at !== 'running') return run;
  plan(planner, record.value, !wasWaiting, record.value.stop_time ?? now);
  return run;
}

function plan(planner: Planner, { process, state }: ProcessStatus, hasRun: boolean, at: number): void {
  const name = process as string;
  if (state === 'SUCCESS') planner.succeed(name, at);
  else if (state === 'KILLED' || state === 'LOST') planner.lose(name, at);
  else if (state === 'FAILED' && hasRun) planner.fail(name, at);
  else if (state === 'FAILED') planner.giveUp(name);
}

function notStarted(
  state: RunState,
  { process, reason, isTransient, patience = PATIENCE_SECONDS, hint }: RunEvent & { type: 'not-started' },
  now: number,
): void {
  if (isTransient) {
    const { since = now, tried = now } = state.postponed.get(process) ?? {};
    const isLong = (at: number) => at - since >= MOMENT_SECONDS;
    if (isLong(now) && !isLong(tried)) state.problems.push(waits(process, reason, hint));
    state.postponed.set(process, { since, tried: now, patience, reason, hint });
    return;
  }
  state.postponed.delete(process);
  state.unstartable.add(process);
  state.problems.push(cannotStart(process, reason));
}

function isShort(state: RunState, process: string, reason: string): void {
  const hint = shortageRemedy(shortageIn(reason));
  state.short.set(process, { reason, hint });
  state.problems.push(waits(process, reason, hint));
}

function gone(
  state: RunState,
  { process, coordinatorPid, refusal, shortage }: RunEvent & { type: 'gone' },
  now: number,
): void {
  state.children.delete(coordinatorPid);
  if (isRunOf(state, process, coordinatorPid)) {
    const isCleared = state.lost.get(process)?.isCleared === true;
    state.lost.set(process, { coordinatorPid, refusal, isCleared });
    if (shortage === undefined) return;
    const error = shortageIn(shortage);
    const hint = shortageRemedy(error);
    const patience = (patienceMs(error, 'running') ?? 0) / 1000;
    const since = state.postponed.get(process)?.since ?? state.progress.runs.get(process)?.fork_time ?? now;
    // The coordinator has tried it often. Each of its runs counts, so there must not be many.
    const pause = patience > 0 ? undefined : COORDINATOR_PAUSE_SECONDS;
    state.postponed.set(process, { since, tried: now, patience, pause, reason: shortage, hint });
  } else if (isUnrecorded(state, process)) {
    state.unstartable.add(process);
    state.problems.push(cannotStart(process, refusal ?? shortage ?? 'its stream does not record the start'));
  }
}

/** It was started, but no record says so or ever will: its stream cannot be read. */
function isUnrecorded(state: RunState, process: string): boolean {
  const isStarted = plannerOf(state, process)?.state(process) === 'running';
  const isForked = state.progress.runs.get(process)?.state !== 'WAITING';
  return isStarted && !isForked && ![...state.children.values()].includes(process);
}

function killed(state: RunState, request: KillRequest, now: number): void {
  const { status } = state.progress;
  if (isTerminalTaskState(status)) return;
  // Like the original, which takes control again.
  if (state.kill === undefined) state.isToAnnounce = true;
  const wait = Math.min(state.kill?.wait ?? PREEMPTION_WAIT_SECONDS, request.wait ?? PREEMPTION_WAIT_SECONDS);
  state.kill = {
    state: state.kill?.state ?? request.state,
    wait,
    now: state.kill?.now === true || request.now === true,
  };
  state.killDeadline = Math.min(state.killDeadline ?? Number.POSITIVE_INFINITY, now + wait);
  if (request.now) state.killAll = { ...state.killAll, returnCode: -9 };
  else if (status === 'CLEANING') state.isToTerminate = true;
}

function cannotStart(process: string, reason: string): Problem {
  return {
    code: 'process-not-started',
    severity: 'error',
    message: `${CANNOT_START(process)}${reason}`,
    process,
  };
}

function waits(process: string, reason: string, hint?: string): Problem {
  const message = `process ${JSON.stringify(process)} has to wait: ${reason}`;
  return { code: 'out-of-resources', severity: 'warning', message, process, hint };
}

const CANNOT_START = (process: string) => `process ${JSON.stringify(process)} cannot be started: `;
const NOT_AGAIN = (process: string) => `process ${JSON.stringify(process)} is not run again: `;

/** The message of a problem without what its code and its process say already. */
export function reasonIn({ message, process }: Problem): string {
  const known = process === undefined ? [] : [CANNOT_START(process), NOT_AGAIN(process)];
  const start = known.find((each) => message.startsWith(each)) ?? '';
  return message.slice(start.length);
}

function ranTooOften(process: string, runs: number): Problem {
  const message = `${NOT_AGAIN(process)}it ran ${runs === 1 ? 'once' : `${runs} times`}`;
  const hint = '--max-runs limits how often a process may run';
  return { code: 'process-run-cap', severity: 'warning', message, process, hint };
}
