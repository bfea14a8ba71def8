import { describe, expect, test } from 'vitest';
import type { ProcessRow } from '../../src/host/process-table.js';
import { type Criteria, ownProcesses, type RunTrace } from '../../src/lifecycle/own-processes.js';

const BOOT_MS = 1_700_000_000_000;
/** Seconds since the epoch when the run below was forked. */
const FORKED = BOOT_MS / 1000 + 5000;
const RUN: RunTrace = { process: 'p', coordinatorPid: 100, forkTime: FORKED, pid: 101, startTime: FORKED };

function row(pid: number, rest: Partial<ProcessRow> & { started?: number } = {}): ProcessRow {
  const { started = FORKED, ...fields } = rest;
  const startTimeTicks = Math.round((started - BOOT_MS / 1000) * 100);
  return { pid, parent: 1, session: pid, state: 'S', startTimeTicks, uid: 1000, ...fields };
}

function find(
  rows: ProcessRow[],
  marked: number[],
  coordinators: number[] = [],
  rest: Partial<Criteria> = {},
  runs: RunTrace[] = [RUN],
) {
  return ownProcesses(rows, runs, {
    uid: 1000,
    isAnyUsers: false,
    bootTimeMs: BOOT_MS,
    spared: new Set(),
    recordsSuffice: true,
    isCoordinator: ({ pid }) => coordinators.includes(pid),
    isForeign: () => false,
    isMarked: (pid) => marked.includes(pid),
    isLogging: () => false,
    starts: new Map(),
    isKnown: () => false,
    ...rest,
  });
}

function pids(rows: ProcessRow[], marked: number[] = [], spared: number[] = [], coordinators: number[] = []) {
  const { own, doubtful } = find(rows, marked, coordinators, { spared: new Set(spared) });
  return { own: own.map(({ pid }) => pid), doubtful: doubtful.map(({ pid }) => pid) };
}

describe('processes of a task', () => {
  test('the coordinator comes first, then its session and all that descend from it', () => {
    const rows = [
      row(300, { parent: 102, session: 300 }),
      row(101, { parent: 100, session: 100 }),
      row(102, { parent: 101, session: 100 }),
      row(100),
    ];
    expect(pids(rows)).toEqual({ own: [100, 101, 102, 300], doubtful: [] });
  });

  test('another process with the pid of the coordinator, and its session, are not', () => {
    const later = FORKED + 3600;
    const rows = [row(100, { started: later }), row(555, { session: 100, parent: 100, started: later })];
    expect(pids(rows)).toEqual({ own: [], doubtful: [] });
    expect(pids([row(100, { uid: 33 })]).own).toEqual([]);
    expect(pids([row(100, { session: 7 })]).own).toEqual([]);
  });

  test('a coordinator that is still root’s is known by its lock only: anybody can write down its start', () => {
    const rows = [row(100, { uid: 0 }), row(101, { session: 100, parent: 100, uid: 0 })];
    expect(pids(rows)).toEqual({ own: [], doubtful: [] });
    expect(pids(rows, [], [], [100]).own).toEqual([100, 101]);
    const later = [row(100, { uid: 0, started: FORKED + 60 })];
    expect(pids(later, [], [], [100]).own).toEqual([]);
  });

  test('a coordinator is known by the lock it holds when the clock was set meanwhile', () => {
    for (const started of [FORKED - 3600, FORKED + 3600]) {
      const rows = [row(100, { started }), row(101, { session: 100, parent: 100, started })];
      expect(pids(rows, [], [], [100])).toEqual({ own: [100, 101], doubtful: [] });
      expect(pids([row(100, { started, session: 7 })], [], [], [100]).own).toEqual([]);
    }
  });

  test('the recorded command is, by its start and owner, also without its coordinator', () => {
    expect(pids([row(101, { session: 100 })]).own).toEqual([101]);
    expect(pids([row(101, { session: 9, started: FORKED + 11 })]).own).toEqual([]);
    expect(pids([row(101, { session: 9, uid: 33 })]).own).toEqual([]);
  });

  test('the recorded command whose exact start was not kept, but that of its coordinator, is only with more proof', () => {
    const run = { ...RUN, coordinatorTicks: 500_000 };
    const command = (rest: Partial<ProcessRow> = {}) => row(101, { session: 9, ...rest });
    const found = (one: ProcessRow, marked: number[] = []) => {
      const { own, doubtful } = find([one], marked, [], {}, [run]);
      return [own, doubtful].map((rows) => rows.map(({ pid }) => pid));
    };
    expect(found(command())).toEqual([[], [101]]);
    expect(found(command(), [101])).toEqual([[101], []]);
    expect(found(command({ session: 100 }))).toEqual([[101], []]);
    expect(found(command({ session: 100, startTimeTicks: 499_999 }))).toEqual([[], [101]]);
  });

  test('the session of a recorded command is that of its dead coordinator: all in it are the task’s', () => {
    const rows = [row(101, { session: 100 }), row(400, { session: 100 }), row(401, { session: 99 })];
    expect(pids(rows)).toEqual({ own: [101, 400], doubtful: [] });
  });

  test('a session without its coordinator proves nothing by its number', () => {
    const rows = [row(400, { session: 100 })];
    expect(pids(rows)).toEqual({ own: [], doubtful: [400] });
    expect(pids(rows, [400])).toEqual({ own: [400], doubtful: [] });
    expect(pids([row(400, { session: 100, uid: 33 })], [400])).toEqual({ own: [], doubtful: [] });
  });

  test('its number is no other session’s while anybody is in it, whatever a clock that was set says', () => {
    for (const started of [FORKED - 3600, FORKED + 3600]) {
      const rows = [row(400, { session: 100, started })];
      expect(pids(rows)).toEqual({ own: [], doubtful: [400] });
      expect(pids(rows, [400])).toEqual({ own: [400], doubtful: [] });
    }
  });

  test('what is left of a coordinator that was certain is known by its ticks when the clock was set back', () => {
    const started = FORKED - 60;
    const before = [row(100, { started }), row(400, { session: 100, started: started + 5 })];
    const { starts } = find(before, [400], [100]);
    const daemon = row(500, { started: started + 5 });
    const old = row(501, { started: started - 60 });
    const stale = row(400, { session: 100, started: started - 1 });
    const left = find([stale, daemon, old], [500, 501], [], { starts });
    expect([left.own.map(({ pid }) => pid), left.doubtful]).toEqual([[500], []]);
    expect(find([daemon], [500], [], { starts: left.starts }).own).toEqual([daemon]);
    expect(find([daemon], [500]).own).toEqual([]);
    const other: RunTrace = { ...RUN, coordinatorPid: 900 };
    expect(find([], [], [], { starts }, [other]).starts).toEqual(new Map());
  });

  test('a daemon that writes to the logs but seems to be older than the task is told', () => {
    const daemon = row(500, { started: FORKED - 60 });
    const isLogging = (pid: number) => pid === 500;
    expect(find([daemon], [500], [], { isLogging })).toMatchObject({ own: [], older: [daemon] });
    const child = row(500, { started: FORKED - 60, parent: 7 });
    expect(find([child], [500], [], { isLogging })).toMatchObject({ own: [], older: [] });
  });

  test('a daemon that left its session is known by the mark of the task', () => {
    const daemon = row(500, { session: 499 });
    expect(pids([daemon], [500]).own).toEqual([500]);
    expect(pids([daemon]).own).toEqual([]);
    expect(pids([row(500, { session: 499, uid: 33 })], [500]).own).toEqual([]);
    expect(pids([row(500, { session: 499, started: FORKED - 60 })], [500]).own).toEqual([]);
  });

  test('what runs in the living session of somebody else is not, whatever its mark', () => {
    // A second task in the same sandbox: its coordinator has no mark, its command has.
    const other = [row(700), row(701, { session: 700, parent: 700 })];
    expect(pids(other, [701]).own).toEqual([]);
  });

  test('what started before its parent is no child of it: the parent has the pid of another', () => {
    const rows = [
      row(100),
      row(101, { session: 100, parent: 100 }),
      row(300, { parent: 101, started: FORKED - 60 }),
    ];
    expect(pids(rows).own).toEqual([100, 101]);
  });

  test('we are spared', () => {
    expect(pids([row(100), row(101, { session: 100 })], [], [101]).own).toEqual([100]);
  });
});
