import { expect, test } from 'vitest';
import { encodeNativeJob, type NativeJob } from '../../src/runner/native-job.js';
import { DEFAULT_LOGGER } from '../../src/runner/task-document.js';

const JOB: NativeJob = {
  process: 'pé',
  cmdline: 'echo "a\nb"',
  cwd: '/sandbox',
  env: { HOME: '/sandbox', EMPTY: '' },
  groups: [],
  logs: '/sandbox/.logs/p/0',
  logger: DEFAULT_LOGGER,
  head: 12,
};

const stringsOf = (job: NativeJob) => {
  const bytes = encodeNativeJob(job);
  expect(bytes.readUInt32BE(0)).toBe(bytes.length - 4);
  expect(bytes.at(-1)).toBe(0);
  return bytes.subarray(4, -1).toString().split('\0');
};

test('a job is its length and then strings, unset ones empty', () => {
  expect(stringsOf(JOB)).toEqual([
    '1',
    'pé',
    'echo "a\nb"',
    '/sandbox',
    '',
    '',
    '',
    '',
    '',
    '/sandbox/.logs/p/0',
    'file',
    '0',
    '5',
    '12',
    '',
    'HOME=/sandbox',
    'EMPTY=',
  ]);
});

test('a job has all that may be set', () => {
  const job = {
    ...JOB,
    chroot: '/sandbox',
    umask: 0o27,
    account: { name: 'www', uid: 33, gid: 34, home: '/' },
    groups: [34, 4],
    logger: { destination: 'both', mode: 'rotate', log_size: 1000.9, backups: 1e12 },
    openFiles: 1024,
  } as const;
  const strings = stringsOf(job);
  expect(strings.slice(4, 9)).toEqual(['/sandbox', '27', '33', '34', '34,4']);
  expect(strings.slice(10, 15)).toEqual(['both', '1000', '2147483647', '12', '1024']);
});

test.each([
  [Number.NaN, '0'],
  [Number.POSITIVE_INFINITY, '2147483647'],
  [-1, '0'],
])('a number of backups that is %d is %s', (backups, expected) => {
  expect(stringsOf({ ...JOB, logger: { ...JOB.logger, backups } })[12]).toBe(expected);
});

test.each([{ cmdline: 'a\0b' }, { cwd: '/a\0' }, { env: { A: '\0' } }])(
  '%j cannot be given to a command',
  (part) => {
    expect(() => encodeNativeJob({ ...JOB, ...part })).toThrow('has a NUL character in it');
  },
);
