import { isLiveProcessState, isTerminalTaskState } from '../../checkpoint/records.js';
import type { InspectDocument } from '../../contracts/task.js';
import { DAY, HOUR, MINUTE, SECOND, YEAR } from '../../text/duration.js';
import { milliseconds } from './parts.js';
import type { Process, ReportedRun } from './processes.js';

/**
 * A run, or several that are too close together to be drawn one by one, as a bar. Places are parts of a hundred of the
 * axis.
 */
export interface Bar<T> {
  x: number;
  /** How much of it, at its beginning, is waiting: forked, and not started yet. */
  wait: number;
  /** All of it, waiting included. */
  width: number;
  /** It is not over. */
  open: boolean;
  /** What it stands for, in order. */
  of: readonly T[];
}

export interface TimelineRow {
  process: Process;
  bars: readonly Bar<ReportedRun>[];
}

export interface Tick {
  x: number;
  /** Milliseconds since the beginning of the axis. */
  after: number;
}

/** A state of the task and the time in which it was in it. */
export interface StatePeriod {
  state: string | number;
  from: number;
  to: number;
}

export interface Timeline {
  /** What the axis shows, milliseconds since the epoch. */
  from: number;
  to: number;
  ticks: readonly Tick[];
  /** Without its end, which has no length. */
  stages: readonly Bar<StatePeriod>[];
  state: string | number;
  /** Where the task began to end, and to run its final processes. */
  marks: readonly number[];
  /** By the time at which they ran first; those that never ran are last. */
  rows: readonly TimelineRow[];
  /** How many runs have no time that can be drawn. */
  undrawn: number;
}

/** The narrowest bar, and the gap between two. */
export const NARROWEST = 0.4;
export const GAP = 0.15;

/** A time that the axis can have: after the epoch, and not after the page was made, but for clocks that differ. */
function isSane(time: number | undefined, latest: number): time is number {
  return time !== undefined && time > 0 && time <= latest;
}

/** It is not over, and a runner goes on with it. */
export function isWatched({ state, verdict }: Pick<InspectDocument, 'state' | 'verdict'>): boolean {
  return !isTerminalTaskState(state) && (verdict === 'ok' || verdict === 'foreign-pids');
}

/**
 * Where everything lies on one linear axis of time. Times that cannot be right, such as NaN or one in the far future, are
 * left out, so that one of them does not press all others into a point. Undefined if there is no time to draw. Pure.
 */
export function timelineOf(
  task: Pick<InspectDocument, 'state' | 'verdict' | 'statuses' | 'launch_time_ms'>,
  processes: readonly Process[],
  madeMs: number,
): Timeline | undefined {
  const latest = madeMs + DAY;
  const sane = (time: number | undefined) => (isSane(time, latest) ? time : undefined);
  const statuses = task.statuses.flatMap(({ state, timestamp_ms }) => {
    const at = sane(milliseconds(timestamp_ms));
    return at === undefined ? [] : [{ state: state ?? 'UNKNOWN', at }];
  });
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  const include = (time: number | undefined) => {
    if (time === undefined) return;
    from = Math.min(from, time);
    to = Math.max(to, time);
  };
  include(sane(milliseconds(task.launch_time_ms)));
  for (const { at } of statuses) include(at);
  let drawn = 0;
  let undrawn = 0;
  const timed = processes.map((process) => {
    const runs = process.runs.flatMap((run) => {
      const fork = sane(run.fork);
      const start = sane(run.start);
      const stop = sane(run.stop);
      if ((fork ?? start ?? stop) === undefined) {
        if (run.state !== 'WAITING') undrawn += 1;
        return [];
      }
      for (const time of [fork, start, stop]) include(time);
      drawn += 1;
      return [{ run, fork, start, stop }];
    });
    return { process, runs };
  });
  if (!(from <= to) || (drawn === 0 && statuses.length === 0)) return undefined;
  const isOver = isTerminalTaskState(task.state);
  // Nobody knows how long the runs of a dead runner went on.
  if (isWatched(task)) include(Math.max(to, madeMs));
  else if (!isOver) to += (to - from) / 20;
  if (to - from < 1) to = from + SECOND;
  const place = (time: number) => (100 * (time - from)) / (to - from);

  const rows = timed.map(({ process, runs }) => {
    const spans = runs.map(({ run, fork, start, stop }) => {
      const begin = fork ?? start ?? (stop as number);
      const open = stop === undefined && isLiveProcessState(run.state) && !isOver;
      const end = open ? to : (stop ?? start ?? begin);
      const waitEnd = start ?? (open ? end : begin);
      return { of: run, begin: place(begin), waitEnd: place(waitEnd), end: place(end), open };
    });
    return { process, bars: barsOf(spans) };
  });
  const stages = statuses.flatMap(({ state, at }, i) =>
    isTerminalTaskState(state) ? [] : [{ state, from: at, to: Math.max(at, statuses[i + 1]?.at ?? to) }],
  );
  return {
    from,
    to,
    ticks: ticksOf(from, to),
    stages: barsOf(
      stages.map((stage) => ({
        of: stage,
        begin: place(stage.from),
        waitEnd: place(stage.from),
        end: place(stage.to),
        open: false,
      })),
    ),
    state: task.state,
    marks: ['CLEANING', 'FINALIZING'].flatMap((state) => {
      const found = statuses.find((status) => status.state === state);
      return found === undefined ? [] : [place(found.at)];
    }),
    rows: rows.sort((a, b) => beginOf(a) - beginOf(b)),
    undrawn,
  };
}

function beginOf({ bars }: TimelineRow): number {
  return bars[0]?.x ?? 101;
}

interface BarSpan<T> {
  of: T;
  begin: number;
  waitEnd: number;
  end: number;
  open: boolean;
}

/**
 * Bars in one row, in the order of the spans, which never overlap: what would be too narrow to see beside another that is
 * as narrow becomes one bar with it. A span that begins before the one before it ended begins where that one ends. Pure.
 */
export function barsOf<T>(spans: readonly BarSpan<T>[]): Bar<T>[] {
  const bars: (Bar<T> & { of: T[] })[] = [];
  for (const { of, begin, waitEnd, end, open } of spans) {
    const last = bars.at(-1);
    const free = last === undefined ? 0 : last.x + last.width + GAP;
    const x = Math.max(begin, free);
    const width = Math.max(NARROWEST, end - x);
    const isCrowded = begin < free && end - x < NARROWEST;
    const isNarrow = last !== undefined && (last.of.length > 1 || last.width <= 2 * NARROWEST);
    if (last !== undefined && ((isCrowded && isNarrow) || x + NARROWEST > 100)) {
      last.of.push(of);
      last.width = Math.min(100 - last.x, Math.max(last.width, end - last.x));
      last.wait = 0;
      last.open = open;
      continue;
    }
    const from = Math.min(x, 100 - NARROWEST);
    const wait = Math.max(0, Math.min(waitEnd - from, width));
    bars.push({ x: from, wait, width: Math.min(width, 100 - from), open, of: [of] });
  }
  return bars;
}

const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((step) => step * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((step) => step * MINUTE),
  ...[1, 2, 3, 6, 12].map((step) => step * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200].map((step) => step * DAY),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].map((step) => step * YEAR),
];

/** More labels would not fit on a narrow screen. */
const MOST_TICKS = 6;

/** At round durations since the beginning of the axis. */
export function ticksOf(from: number, to: number): Tick[] {
  const length = to - from;
  const step = STEPS.find((each) => length / each <= MOST_TICKS) ?? length;
  const ticks: Tick[] = [];
  for (let after = 0; after <= length; after += step) ticks.push({ x: (100 * after) / length, after });
  return ticks;
}
