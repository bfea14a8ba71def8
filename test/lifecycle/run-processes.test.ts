import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProcessRow } from '../../src/host/process-table.js';
import { processesOfRun } from '../../src/lifecycle/run-processes.js';

const row = (pid: number, given: Partial<ProcessRow> = {}): ProcessRow => ({
  pid,
  parent: 1,
  session: pid,
  state: 'S',
  startTimeTicks: pid,
  uid: 1000,
  ...given,
});
const RUN = { process: 'web', coordinator_pid: 100, pid: 101 };
const OTHER = { process: 'db', coordinatorPid: 200 };
const TRACES = [{ process: 'web', coordinatorPid: 100 }, OTHER];
const OWN = [
  row(100),
  row(101, { parent: 100, session: 100 }),
  row(200),
  row(201, { parent: 200, session: 200 }),
];

function pidsOf(
  own: readonly ProcessRow[],
  traces = TRACES,
  logs: Record<number, 'this-run' | 'another-run'> = {},
) {
  const { coordinator, command, others, unsure } = processesOfRun(own, RUN, traces, (pid) => logs[pid]);
  const pids = (rows: readonly ProcessRow[]) => rows.map(({ pid }) => pid);
  return { coordinator: coordinator?.pid, command: command?.pid, others: pids(others), unsure: pids(unsure) };
}

describe('the processes of a run', () => {
  test('are its coordinator, its command, and what is in their session or descends from it', () => {
    const own = [
      ...OWN,
      row(102, { session: 100 }),
      row(103, { parent: 102 }),
      row(104, { parent: 103 }),
      row(202, { parent: 201 }),
    ];
    expect(pidsOf(own)).toEqual({ coordinator: 100, command: 101, others: [102, 103, 104], unsure: [] });
  });

  test('a daemon that writes to its logs, but not one that writes to those of another run', () => {
    const own = [...OWN, row(300), row(301), row(302, { parent: 300 })];
    const logs = { 300: 'this-run', 301: 'another-run' } as const;
    expect(pidsOf(own, TRACES, logs)).toMatchObject({ others: [300], unsure: [302] });
  });

  test('a daemon that writes to no log only if the task has run nothing else', () => {
    const own = [...OWN, row(300)];
    expect(pidsOf(own)).toMatchObject({ others: [], unsure: [300] });
    expect(pidsOf([row(100), row(300)], [TRACES[0] as (typeof TRACES)[0]])).toMatchObject({
      others: [300],
      unsure: [],
    });
  });

  test('no shell that somebody has opened in the sandbox', () => {
    expect(pidsOf([...OWN, row(300, { parent: 299 })])).toMatchObject({ others: [], unsure: [] });
  });

  test('a process that has the pid of a parent that is gone is no parent', () => {
    const own = [...OWN, row(110, { session: 100, startTimeTicks: 999 }), row(300, { parent: 110 })];
    expect(pidsOf(own)).toMatchObject({ others: [110], unsure: [] });
  });
});

test('whatever the table holds, nothing of another run is chosen, and each process once', () => {
  const pid = fc.integer({ min: 1, max: 12 });
  const rows = fc.uniqueArray(
    fc.record({ pid, parent: pid, session: pid, startTimeTicks: pid }).map((given) => row(given.pid, given)),
    { selector: (each) => each.pid },
  );
  fc.assert(
    fc.property(rows, fc.uniqueArray(pid, { minLength: 2, maxLength: 4 }), (own, [mine = 0, ...theirs]) => {
      const traces = [
        { process: 'web', coordinatorPid: mine },
        ...theirs.map((coordinatorPid) => ({ process: 'db', coordinatorPid })),
      ];
      const chosen = processesOfRun(own, { ...RUN, coordinator_pid: mine, pid: 12 }, traces, () => undefined);
      const all = [...chosen.others, ...chosen.unsure];
      expect(new Set(all).size).toBe(all.length);
      for (const each of all) expect(own).toContain(each);
      for (const { pid: one, session } of chosen.others) {
        expect(theirs).not.toContain(one);
        expect(theirs).not.toContain(session);
      }
    }),
  );
});
