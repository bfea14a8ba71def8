import { describe, expect, test } from 'vitest';
import { checkUsage, type ObservedUse } from '../../src/doctor/check-usage.js';
import { findingsOf } from '../../src/doctor/finding.js';
import { taskView } from '../views/task-views.js';

const MIB = 1024 * 1024;
const ASKED = { cpu: 1, ram: 100 * MIB, disk: 100 * MIB };
const FINE: ObservedUse = {
  view: taskView({ task_id: 'web' }),
  use: { asked: ASKED, cpuAverage: 1, rssBytes: 100 * MIB, pids: 2, disk: { bytes: 100 * MIB } },
  cpu: 1,
  availableBytes: 10_000 * MIB,
};

const found = (seen: Partial<ObservedUse>, use: Partial<ObservedUse['use']> = {}) =>
  [...checkUsage({ ...FINE, ...seen, use: { ...FINE.use, ...use } })].map(
    ({ code, severity }) => `${code} ${severity}`,
  );

describe('what a task uses', () => {
  test('no more than it asked for is fine, and so is what is not known', () => {
    expect(found({})).toEqual([]);
    expect(
      found({ cpu: undefined, pssBytes: undefined, grown: undefined, availableBytes: undefined }),
    ).toEqual([]);
    const unknown: ObservedUse = { view: FINE.view, use: { asked: {} } };
    expect([...checkUsage(unknown)]).toEqual([]);
  });

  test('more processor time than asked for is worth a note, if it lasts', () => {
    expect(found({ cpu: 2 }, { cpuAverage: 2 })).toEqual(['cpu-exceeded note']);
    expect(found({ cpu: 2 }, { cpuAverage: 0.5 })).toEqual([]);
    expect(found({ cpu: 0.1 }, { cpuAverage: 2 })).toEqual([]);
    expect(found({ cpu: 1.05 }, { cpuAverage: 1.05 })).toEqual([]);
    expect(found({ cpu: 2 }, { cpuAverage: 2, asked: {} })).toEqual([]);
  });

  test('a limit that is reached in more than a tenth of its periods', () => {
    expect(found({}, { throttledShare: 0.11 })).toEqual(['cpu-throttled warning']);
    expect(found({}, { throttledShare: 0.1 })).toEqual([]);
    // Of a cgroup of which only the time between the looks is known.
    expect(found({ throttledShare: 0.5 })).toEqual(['cpu-throttled warning']);
    expect(found({ throttledShare: 0.5 }, { throttledShare: 0.01 })).toEqual([]);
  });

  test('more memory than asked for counts only if shared pages are counted in parts', () => {
    expect(found({ pssBytes: 101 * MIB }, { rssBytes: 500 * MIB })).toEqual(['ram-exceeded warning']);
    expect(found({ pssBytes: 99 * MIB }, { rssBytes: 500 * MIB })).toEqual([]);
    expect(found({}, { rssBytes: 500 * MIB })).toEqual([]);
  });

  test('processes that the kernel killed', () => {
    expect(found({}, { oomKills: 1 })).toEqual(['oom-killed warning']);
    expect(found({}, { oomKills: 0 })).toEqual([]);
  });

  test('nearly as many processes and threads as its cgroup may have', () => {
    expect(found({}, { pidsCount: 90, limits: { pids: 100 } })).toEqual(['pids-near-limit warning']);
    expect(found({}, { pidsCount: 89, limits: { pids: 100 } })).toEqual([]);
    expect(found({}, { pidsCount: 90, limits: {} })).toEqual([]);
    expect(found({}, { limits: { pids: 0 } })).toEqual([]);
  });

  test('more disk than asked for', () => {
    expect(found({}, { disk: { bytes: 101 * MIB } })).toEqual(['disk-exceeded warning']);
    expect(found({}, { disk: { bytes: 101 * MIB, atLeast: true } })).toEqual(['disk-exceeded warning']);
  });

  test('growth that fills the disk within an hour', () => {
    // 10,000 MiB are free: at 3 MiB a second they last 55 minutes.
    expect(found({ grown: { bytes: 3 * MIB, ms: 1000 } })).toEqual(['disk-filling warning']);
    expect(found({ grown: { bytes: 2 * MIB, ms: 1000 } })).toEqual([]);
    expect(found({ grown: { bytes: 1000, ms: 1 }, availableBytes: 0 })).toEqual([]);
    expect(found({ grown: { bytes: 3 * MIB, ms: 1000 }, availableBytes: 0 })).toEqual([
      'disk-filling warning',
    ]);
  });
});

test('each finding says how much, of how much, and what to do', () => {
  const seen = {
    ...FINE,
    cpu: 1.5,
    pssBytes: 200 * MIB,
    grown: { bytes: 100 * MIB, ms: 1000 },
    use: {
      ...FINE.use,
      cpuAverage: 2.345,
      throttledShare: 0.25,
      oomKills: 1,
      limits: { cpu: 1.5, memoryBytes: 300 * MIB },
      disk: { bytes: 200 * MIB },
    },
  };
  const findings = findingsOf([
    ...checkUsage(seen),
    ...checkUsage({ ...seen, view: taskView({ task_id: 'job' }) }),
  ]);
  expect(findings.map(({ what, evidence }) => [what, evidence[0]?.text])).toEqual([
    [
      '2 tasks held back by a limit of processor time',
      'in 25% of the periods since its cgroup was made; the limit is 1.5 cores',
    ],
    [
      '2 tasks in which the kernel killed processes for lack of memory',
      '1 process since its cgroup was made; the limit is 300MiB',
    ],
    ['2 tasks using more memory than asked for', '200MiB in 2 pids, of 100MiB asked for'],
    ['2 tasks using more disk than asked for', 'sandbox and logs occupy 200MiB, of 100MiB asked for'],
    [
      '2 tasks filling the disk',
      'grew by 100MiB in 1s; the 9.8GiB that are free last for 1m40s at that rate',
    ],
    [
      '2 tasks using more processor time than asked for',
      '1.5 cores now, and 2.35 on average since its processes started; it asked for 1',
    ],
  ]);
  for (const { advice, task_ids } of findings) {
    expect(advice.length).toBeGreaterThan(0);
    expect(task_ids).toEqual(['web', 'job']);
  }
});
