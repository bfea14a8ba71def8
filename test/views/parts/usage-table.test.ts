import { expect, test } from 'vitest';
import type { TaskUse } from '../../../src/top/task-use.js';
import { usageTable } from '../../../src/views/parts/usage-table.js';
import { COLOURED, PIPE, TTY } from '../task-views.js';

const MIB = 1024 * 1024;
const USE: TaskUse = {
  asked: { cpu: 1, ram: 128 * MIB, disk: 1024 * MIB },
  cpuAverage: 0.424,
  rssBytes: 192 * MIB,
  pids: 3,
  disk: { bytes: 512 * MIB },
  throttledShare: 0.004,
  oomKills: 2,
  limits: { cpu: 1.5 },
};

test('used against asked; what is above has a mark', () => {
  expect(usageTable(USE, PIPE)).toBe(
    [
      '  RESOURCE    USED   ASKED   PART  NOTE',
      '  cpu         0.42    1.00    42%  cores, on average since its processes started',
      '  ram       192MiB  128MiB  !150%  resident, in 3 pids',
      '  disk      512MiB    1GiB    50%  sandbox and logs',
      '  throttled in 1% of the periods of its limit of 1.50 cores',
      '  the kernel killed 2 of its processes for lack of memory',
      '',
    ].join('\n'),
  );
});

test('in red where there is colour', () => {
  expect(usageTable(USE, { ...TTY, paint: COLOURED })).toContain(COLOURED.red('!150%'));
});

test('what is not known has no line', () => {
  expect(usageTable(undefined, PIPE)).toBe('');
  expect(usageTable({ asked: { cpu: 1 } }, PIPE)).toBe('');
  expect(usageTable({ asked: {}, rssBytes: MIB, pids: 1, throttledShare: 0, oomKills: 0 }, PIPE)).toBe(
    '  RESOURCE  USED  ASKED  PART  NOTE\n  ram       1MiB      -     -  resident, in 1 pid\n',
  );
});

test('a lower bound says so, and lines fit a terminal', () => {
  const text = usageTable({ ...USE, disk: { bytes: 512 * MIB, atLeast: true } }, { ...TTY, width: 50 });
  expect(text).toContain('>512MiB');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(50);
});
