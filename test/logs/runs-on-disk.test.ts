import { expect, test } from 'vitest';
import type { LogNames, LogTree } from '../../src/logs/log-tree.js';
import { runsOnDisk, startedOnDisk } from '../../src/logs/runs-on-disk.js';

/** Directories in memory, which answer late. */
const logDir = (directories: Readonly<Record<string, readonly string[] | LogNames>>) => {
  const list = async (directory: string, most: number): Promise<LogNames> => {
    const found = directories[directory] ?? { absent: true };
    if (!Array.isArray(found)) return found as LogNames;
    return { names: found.slice(0, most), complete: found.length <= most };
  };
  return { path: '/logs', tree: { list } as Partial<LogTree> as LogTree };
};

const CLOSED = {
  code: 'log-unreadable',
  severity: 'error',
  message: 'cannot read /logs/b',
  path: '/logs/b',
} as const;

test('the runs of a process are the directories that have a number as their name', async () => {
  const dir = logDir({ '/logs/a': ['10', '2', '0', '01', 'latest', '-1', '99999999999'] });
  expect(await runsOnDisk(dir, 'a')).toEqual({ runs: [0, 2, 10], problems: [] });
  expect(await runsOnDisk(dir, 'b')).toEqual({ runs: [], problems: [] });
});

test('a directory that cannot be listed, or is overfull, is reported', async () => {
  const many = Array.from({ length: 10_001 }, (_, i) => String(i));
  const dir = logDir({ '/logs/a': many, '/logs/b': { problem: CLOSED } });
  const { runs, problems } = await runsOnDisk(dir, 'a');
  expect([runs.length, problems.map(({ code }) => code)]).toEqual([10_000, ['directory-too-large']]);
  expect(await runsOnDisk(dir, 'b')).toEqual({ runs: [], problems: [{ ...CLOSED, process: 'b' }] });
  expect((await runsOnDisk(dir, '../b')).problems).toMatchObject([
    { code: 'log-name-refused', process: '../b' },
  ]);
});

test('as many runs have begun as the number of the last one says', async () => {
  const dir = logDir({
    '/logs': ['b', 'a', 'empty', 'closed'],
    '/logs/a': ['0', '7'],
    '/logs/b': ['0'],
    '/logs/empty': [],
    '/logs/closed': { problem: CLOSED },
  });
  expect([...(await startedOnDisk(dir))]).toEqual([
    ['a', 8],
    ['b', 1],
  ]);
  expect((await startedOnDisk(logDir({}))).size).toBe(0);
});
