import {
  isLiveProcessState,
  isTerminalTaskState,
  type ProcessStatus,
  type TaskStatus,
} from '../checkpoint/records.js';
import type { ProcessHistory } from '../checkpoint/replay.js';
import { endedWithTask, endingOf } from './ending.js';
import { predecessors } from './ordering.js';
import type { ProcessView, TaskView } from './view.js';

/** A process of the chain that determined how long a task took. Whole milliseconds. */
export interface PathStep {
  process: string;
  /** How often it ran. */
  runs: number;
  /** From the end of the step before, or the launch of the task, to the fork of its first run. */
  wait_ms: number;
  /** In its runs. */
  run_ms: number;
  /** Between its runs. */
  between_ms: number;
}

/** Where the time of a task went. Whole milliseconds; the parts add up to the duration. */
export interface CriticalPath {
  /** From the launch to the end of the task; of one that is not over, so far. */
  duration_ms: number;
  steps: readonly PathStep[];
  /** From the end of the last step to the end of the task. */
  rest_ms: number;
}

/** The time of a process, from the fork of its first run to the end of its last, within that of the task. */
interface Span {
  process: string;
  runs: number;
  start: number;
  stop: number;
  busy: number;
  view?: ProcessView;
}

/**
 * The chain of processes that determined how long the task took, in order of time: the one that ended last, before it
 * the one for which it had to wait longest, and so on. Those that the end of the task ended, and ephemeral ones, are
 * not at its end unless there are only such. A process waits for those of its constraints, a final one for all that are
 * not final, and with max_concurrency also for the one whose place it got. Undefined if no process has run, or no time
 * is known. The times of a stream are not trusted: what is outside of the task's time is cut off. Pure.
 */
export function criticalPath(view: TaskView, now: number): CriticalPath | undefined {
  const bounds = boundsOf(view, now);
  if (bounds === undefined) return undefined;
  const { launch, end } = bounds;
  const spans = spansOf(view, bounds);
  const last = latest(lastCandidates(view, spans));
  if (last === undefined) return undefined;
  const before = waitsOf(view, spans);
  const steps: PathStep[] = [];
  const seen = new Set<Span>();
  let until = end;
  for (let span: Span | undefined = last; span !== undefined; ) {
    seen.add(span);
    const stop = Math.min(span.stop, until);
    const start = Math.min(span.start, stop);
    const run_ms = Math.min(span.busy, stop - start);
    const previous = before(span, start, seen);
    until = previous === undefined ? launch : Math.min(previous.stop, start);
    const { process, runs } = span;
    steps.push({ process, runs, wait_ms: start - until, run_ms, between_ms: stop - start - run_ms });
    span = previous;
  }
  return { duration_ms: end - launch, steps: steps.reverse(), rest_ms: end - last.stop };
}

/** How long each process of a task ran, in whole milliseconds, without the time between its runs. Pure. */
export function busyTimes(view: TaskView, now: number): Map<string, number> {
  const bounds = boundsOf(view, now);
  if (bounds === undefined) return new Map();
  return new Map([...spansOf(view, bounds)].map(([process, { busy }]) => [process, busy]));
}

interface Bounds {
  launch: number;
  end: number;
  /** Nothing more will happen. */
  isOver: boolean;
}

function boundsOf(view: TaskView, now: number): Bounds | undefined {
  const { header, statuses, state, verdict, history } = view;
  const runs = [...history.values()].flatMap((each) => each.runs);
  const forks = runs.map(forkOf).filter((time) => time !== undefined);
  const launch = exact(header?.launch_time_ms) ?? timeOf(statuses[0]) ?? least(forks);
  if (launch === undefined) return undefined;
  const isOver = isTerminalTaskState(state) || verdict === 'runner-gone' || verdict === 'host-rebooted';
  if (!isOver) return { launch, end: Math.max(launch, Math.round(now)), isOver };
  const stops = runs.map(({ stop_time }) => inMs(stop_time)).filter((time) => time !== undefined);
  const known = isTerminalTaskState(state) ? timeOf(statuses.at(-1)) : undefined;
  // Without a record of its end, it is known to have lived until its last record.
  const times = [...forks, ...stops, ...statuses.map(timeOf).filter((time) => time !== undefined)];
  return { launch, end: Math.max(launch, known ?? most(times) ?? launch), isOver };
}

function spansOf({ history, processes }: TaskView, bounds: Bounds): Map<string, Span> {
  const views = new Map(processes.map((process) => [process.process, process]));
  const spans = new Map<string, Span>();
  for (const [process, each] of history) {
    const span = spanOf(each, bounds);
    if (span !== undefined) spans.set(process, { ...span, view: views.get(process) });
  }
  return spans;
}

function spanOf(
  { process, runs, run_count }: ProcessHistory,
  { launch, end, isOver }: Bounds,
): Span | undefined {
  const within = (time: number) => Math.min(Math.max(time, launch), end);
  const first = runs.map(forkOf).find((time) => time !== undefined);
  if (first === undefined) return undefined;
  const start = within(first);
  let stop = start;
  let busy = 0;
  for (const run of runs) {
    const from = Math.max(stop, within(forkOf(run) ?? stop));
    const isOpen = !isOver && (isLiveProcessState(run.state) || run.state === 'WAITING');
    const to = Math.max(from, isOpen ? end : within(inMs(run.stop_time) ?? from));
    if (run.state !== 'WAITING') busy += to - from;
    stop = to;
  }
  return { process, runs: run_count, start, stop, busy };
}

/** The processes that the end of the task waited for; all, if it waited for none. */
function lastCandidates({ statuses, config }: TaskView, spans: ReadonlyMap<string, Span>): Span[] {
  const ending = endingOf(statuses);
  const configs = new Map(config?.processes.map((process) => [process.name, process]));
  const all = [...spans.values()];
  const own = all.filter(({ view, process }) => {
    return view === undefined || !endedWithTask(view, configs.get(process)?.final === true, ending);
  });
  const awaited = own.filter(({ process }) => configs.get(process)?.ephemeral !== true);
  return [awaited, own, all].find((spans) => spans.length > 0) ?? [];
}

type Before = (span: Span, start: number, seen: ReadonlySet<Span>) => Span | undefined;

/** Finds what a process that started at a time had waited for longest. */
function waitsOf({ config }: TaskView, spans: ReadonlyMap<string, Span>): Before {
  if (config === undefined) return () => undefined;
  const after = new Map(predecessors(config).map((each) => [each.process, each.after]));
  const final = new Set(config.processes.filter((process) => process.final).map(({ name }) => name));
  const lastNotFinal = latest([...spans.values()].filter(({ process }) => !final.has(process)));
  const freeing = freeingOf([...spans.values()], config.max_concurrency ?? 0);
  return (span, start, seen) => {
    const waited = (after.get(span.process) ?? []).map((name) => spans.get(name));
    if (final.has(span.process)) waited.push(lastNotFinal);
    waited.push(freeing(start, seen));
    return latest(waited.filter((each) => each !== undefined && !seen.has(each)) as Span[]);
  };
}

/**
 * Finds the process whose end made room for one that started at a time; undefined if there was room anyway. It must be
 * asked for times in descending order.
 */
function freeingOf(
  spans: readonly Span[],
  most: number,
): (time: number, seen: ReadonlySet<Span>) => Span | undefined {
  if (most <= 0) return () => undefined;
  const ended = spans.toSorted((a, b) => a.stop - b.stop);
  const began = spans.toSorted((a, b) => a.start - b.start);
  let earlier = ended.length;
  return (time, seen) => {
    const isNone = (span: Span) => span.stop > time || seen.has(span);
    while (ended.length > 0 && isNone(ended.at(-1) as Span)) ended.pop();
    const last = ended.at(-1);
    if (last === undefined) return undefined;
    while (began.length > 0 && (began.at(-1) as Span).start >= last.stop) began.pop();
    while (earlier > 0 && (ended[earlier - 1]?.stop ?? last.stop) >= last.stop) earlier -= 1;
    return began.length - earlier >= most ? last : undefined;
  };
}

/** The one that ended last; of several, the one that began first. */
function latest(spans: readonly Span[]): Span | undefined {
  return spans.reduce<Span | undefined>((last, span) => {
    if (last === undefined || span.stop > last.stop) return span;
    return span.stop === last.stop && span.start < last.start ? span : last;
  }, undefined);
}

function forkOf({ fork_time, start_time }: ProcessStatus): number | undefined {
  return inMs(fork_time) ?? inMs(start_time);
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : exact(seconds * 1000);
}

function timeOf(status: TaskStatus | undefined): number | undefined {
  return exact(status?.timestamp_ms);
}

/** In the year 128,000. A later time is not one, and the difference of two is exact. */
const FURTHEST = 4e15;

function exact(milliseconds: number | bigint | undefined): number | undefined {
  const time = Math.round(Number(milliseconds));
  return Math.abs(time) <= FURTHEST ? time : undefined;
}

function least(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
}

function most(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b));
}
