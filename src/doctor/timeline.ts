import { isTerminalTaskState, type ProcessStatus } from '../checkpoint/records.js';
import { numberedRuns, type ProcessHistory } from '../checkpoint/replay.js';
import { REASONS, type Reason } from '../layout/reasons.js';
import { RUNNER } from '../layout/task-paths.js';
import { endedWithTask, endingOf } from '../task/ending.js';
import { describeReturnCode } from '../task/return-code.js';
import { isUnstarted, type TaskView } from '../task/view.js';
import { restartOf } from '../task/why.js';
import { timestamp } from '../text/age.js';
import type { TaskUpdate } from './mesos-info.js';

/** Something that happened to a task. */
export interface TimelineEvent {
  /** Milliseconds since the epoch; absent if the stream has no valid time for it. */
  time_ms?: number;
  what: string;
  process?: string;
  run?: number;
  /** The source. */
  path?: string;
}

/** What is known about a task besides its streams. */
export interface TimelineSources {
  now: number;
  bootTimeMs: number | undefined;
  /** mtime of the file in tasks/finished: when it was moved there. */
  movedMs?: number;
  /** What the Mesos agent reported to the scheduler. */
  updates?: { path: string; updates: readonly TaskUpdate[] };
  /** mtime of the agent's mark that the executor is gone. */
  sentinel?: { path: string; mtimeMs: number };
}

/** An archive keeps the time of a file in whole seconds: it may have been any moment of that second. */
const COPIED_MS = 999;

/**
 * The timeline of one task, from its streams and what the host knows. An event without a time follows the event
 * before it in the stream. Pure.
 */
export function timelineOf(view: TaskView, sources: TimelineSources): TimelineEvent[] {
  const stream = `${view.found.checkpoint_dir}/${RUNNER}`;
  const ending = endingOf(view.statuses);
  const final = new Set(view.config?.processes.filter((each) => each.final).map(({ name }) => name));
  const threads = [
    taskEvents(view, stream),
    ...[...view.history].map(([process, history]) =>
      processEvents(process, history, stream, {
        isEndedWithTask: (run) => endedWithTask(run, final.has(process), ending),
        isRestarted: (run) => restartOf(process, run, view.reasons) !== undefined,
      }),
    ),
  ];
  threads.push(reasonEvents(view));
  const placed: { at: number; event: TimelineEvent }[] = [];
  const beginning = timeOf(view.launch_time_ms) ?? Number.NEGATIVE_INFINITY;
  for (const thread of threads) {
    let at = beginning;
    for (const event of thread) {
      const { time_ms } = event;
      if (time_ms !== undefined) at = time_ms;
      placed.push({ at, event });
    }
  }
  for (const event of sourceEvents(view, sources)) {
    const { time_ms = sources.now } = event;
    placed.push({ at: time_ms % 1000 === 0 ? time_ms + COPIED_MS : time_ms, event });
  }
  // Sorting is stable: what happened at the same moment stays in the order of the stream.
  return placed.sort((a, b) => a.at - b.at || 0).map(({ event }) => event);
}

function taskEvents(view: TaskView, path: string): TimelineEvent[] {
  const { header, statuses } = view;
  const events: TimelineEvent[] = [];
  if (header !== null) {
    const { user = '-', hostname = '-', sandbox = '-' } = header;
    events.push({
      time_ms: timeOf(header.launch_time_ms),
      what: `launched as ${user} on ${hostname}, sandbox ${sandbox}`,
      path,
    });
  }
  let runner: number | undefined;
  let before: unknown;
  for (const { state, timestamp_ms, runner_pid } of statuses) {
    const first = before === undefined;
    const takesOver = !first && runner_pid !== undefined && runner_pid !== runner;
    const who = runner_pid === undefined ? 'a runner' : `runner ${runner_pid}`;
    const what = first
      ? `${who} starts the task: ${state}`
      : takesOver
        ? `${who} takes over: ${state}`
        : `the task is ${state}${state === before ? ' (recorded again)' : ''}`;
    events.push({ time_ms: timeOf(timestamp_ms), what, path });
    runner = runner_pid ?? runner;
    before = state;
  }
  return events;
}

function processEvents(
  process: string,
  history: ProcessHistory,
  path: string,
  is: { isEndedWithTask: (run: ProcessStatus) => boolean; isRestarted: (run: number) => boolean },
): TimelineEvent[] {
  return numberedRuns(history).flatMap(({ run, n }) => {
    const about = { process, run: n, path };
    const events: TimelineEvent[] = [];
    if (run.coordinator_pid !== undefined) {
      events.push({
        ...about,
        time_ms: fromSeconds(run.fork_time),
        what: `coordinator ${run.coordinator_pid} is forked`,
      });
    }
    if (run.pid !== undefined) {
      events.push({ ...about, time_ms: fromSeconds(run.start_time), what: `starts, pid ${run.pid}` });
    }
    const withTask = is.isEndedWithTask(run);
    const isObedient = run.state === 'FAILED' && withTask;
    const how = isObedient ? `exit code ${run.return_code}` : describeReturnCode(run.return_code, withTask);
    const ended = isObedient ? 'is ended with the task' : ENDS[String(run.state)];
    // What is kept of a restart says so, and when.
    const isKept = run.state === 'LOST' && is.isRestarted(n);
    if (ended !== undefined && !isKept) {
      events.push({
        ...about,
        time_ms: fromSeconds(run.stop_time),
        what: how === '' || run.state === 'SUCCESS' ? ended : `${ended}: ${how}`,
      });
    }
    return events;
  });
}

const ENDS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  SUCCESS: 'succeeds',
  FAILED: 'fails',
  KILLED: 'is killed',
  LOST: 'is lost: its coordinator died before it could say how it ended',
});

/** What its runner and those who ended it kept. */
function reasonEvents({ reasons, found }: TaskView): TimelineEvent[] {
  // The runner noticed what a restart did.
  const isRestart = ({ code, process, run }: Reason) =>
    code === 'process-lost' &&
    process !== undefined &&
    run !== undefined &&
    restartOf(process, run, reasons) !== undefined;
  const kept = reasons.filter((reason) => !isRestart(reason));
  return kept.map(({ time_ms, code, message, process, run, by }) => {
    const what = WORDS[code] ?? '';
    const who = by === undefined ? '' : `, user ${by}`;
    const path = `${found.checkpoint_dir}/${REASONS}`;
    return { time_ms, what: `${what}${message}${who}`, process, run, path };
  });
}

const WORDS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  'process-not-started': 'cannot be started: ',
  'process-run-cap': 'is not run again: ',
  'process-lost': 'is lost: ',
  'process-restarted': 'is ended to run again, by ',
  'task-killed': 'asked to end by ',
  'task-lost': 'asked to give it up by ',
});

function sourceEvents(view: TaskView, sources: TimelineSources): TimelineEvent[] {
  const { now, bootTimeMs, movedMs, updates, sentinel } = sources;
  const events: TimelineEvent[] = [];
  for (const { state, message, timestamp: seconds } of updates?.updates ?? []) {
    const said = message === undefined ? '' : `: ${message}`;
    events.push({
      time_ms: fromSeconds(seconds),
      what: `the agent reports ${state}${said}`,
      path: updates?.path,
    });
  }
  if (sentinel !== undefined) {
    events.push({
      time_ms: sentinel.mtimeMs,
      what: 'the agent has seen the end of the executor',
      path: sentinel.path,
    });
  }
  if (movedMs !== undefined && view.phase === 'finished') {
    events.push({
      time_ms: movedMs,
      what: 'the task file is moved to tasks/finished',
      path: view.found.task_file,
    });
  }
  const over = isTerminalTaskState(view.state);
  const launched = timeOf(view.launch_time_ms);
  const gone = view.verdict === 'runner-gone' || view.verdict === 'host-rebooted';
  if (gone && view.silent_since_ms !== undefined) {
    const afterBoot = view.verdict === 'host-rebooted' && view.silent_since_ms > (bootTimeMs ?? 0);
    const what = over
      ? 'the stream is written for the last time'
      : afterBoot
        ? 'the stream is written or copied, after its runner died'
        : 'last sign of life of the runner';
    events.push({ time_ms: view.silent_since_ms, what, path: `${view.found.checkpoint_dir}/${RUNNER}` });
  }
  if (!over && launched !== undefined && bootTimeMs !== undefined && bootTimeMs > launched) {
    events.push({ time_ms: bootTimeMs, what: 'this host boots' });
  }
  if (!over || view.verdict !== 'ok') events.push({ time_ms: now, what: nowText(view) });
  return events.sort((a, b) => (a.time_ms ?? now) - (b.time_ms ?? now));
}

function nowText(view: TaskView): string {
  const { verdict, state, leftovers, state_timestamp_ms } = view;
  const alive = leftovers.length > 0 ? `; still running: pid ${leftovers.join(', ')}` : '';
  switch (verdict) {
    case 'ok':
      return `now: the runner is alive, the task has been ${state} since ${timestamp(state_timestamp_ms)}`;
    case 'runner-gone':
    case 'host-rebooted':
      return `now: no runner is alive${alive}`;
    case 'leftovers':
      return `now: the task is over${alive}`;
    case 'foreign-pids':
      return 'now: the runner is alive, in another pid namespace';
    case 'unknown':
      if (isUnstarted(view)) return 'now: the task has not started';
      return 'now: the state of the task cannot be determined from here';
  }
}

/** A time that JSON and calendars can hold; others count as absent. */
function timeOf(time: number | bigint | undefined): number | undefined {
  const value = time === undefined ? undefined : Number(time);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function fromSeconds(seconds: number | undefined): number | undefined {
  return timeOf(seconds === undefined ? undefined : seconds * 1000);
}
