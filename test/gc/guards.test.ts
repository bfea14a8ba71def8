import { describe, expect, test } from 'vitest';
import { Claims, isLogPath, refusal } from '../../src/gc/guards.js';
import { parseMountPoints } from '../../src/gc/mount-points.js';

const ROOT = '/run/thermos';
const AROUND = {
  homes: ['/root', '/home/ann', '/srv/people/bob', '/'],
  mountPoints: ['/srv/tasks/t/mnt', '/srv/disk'],
  roots: [ROOT, '/srv/other-root', '/var/lib/mesos'],
};
const why = (path: string) => refusal({ path, task_id: 't', root: ROOT }, AROUND);

describe('a sandbox is refused that is', () => {
  test.each([
    ['/', 'the root of the file system'],
    ['/etc', '/etc belongs'],
    ['/etc/cron.d', '/etc belongs'],
    ['/usr/local/thermos', '/usr belongs'],
    ['/proc/1', '/proc belongs'],
    ['/srv', 'high up'],
    ['/home', 'high up'],
    ['/var/log', 'high up'],
    ['/var/lib/mysql', 'high up'],
    ['/run/systemd', 'high up'],
    ['/root', 'high up'],
    ['/srv/people/bob', 'it is a home directory'],
    ['/srv/people', 'the home directory /srv/people/bob is in it'],
    ['/srv/disk', 'something is mounted there'],
    ['/srv/tasks/t', 'something is mounted in it, at /srv/tasks/t/mnt'],
    ['/srv/other-root', 'it is a task root'],
    [`${ROOT}/tasks`, 'a part of the task root'],
    [`${ROOT}/checkpoints/other`, 'a part of the task root'],
    [`${ROOT}/sandboxes`, 'is not the place of task t'],
    [`${ROOT}/sandboxes/u`, 'is not the place of task t'],
    [`${ROOT}/sandboxes/tt`, 'is not the place of task t'],
    ['/srv/other-root/sandboxes/t', 'is not the place of task t'],
    ['/var/lib/mesos/slaves', 'a part of the task root'],
  ])('%s', (path, reason) => {
    expect(why(path)).toContain(reason);
  });

  test.each([
    `${ROOT}/sandboxes/t`,
    '/srv/tasks/other',
    '/home/ann/work/t',
    '/tmp/t',
    '/etcetera/t',
    '/srv/diskless',
  ])('but not %s', (path) => {
    expect(why(path)).toBeUndefined();
  });
});

describe('claims', () => {
  const [a, b, c] = [{}, {}, {}];

  test('the own ones, and those beside, are none', () => {
    const claims = new Claims();
    claims.add('/s/a', a, 'a');
    claims.add('/s/a/.logs', a, 'a');
    claims.add('/s/ab', b, 'b');
    claims.add('/s/a-b', b, 'b');
    expect(claims.on('/s/a', a)).toBeUndefined();
  });

  test.each([
    ['the same', '/s/a'],
    ['inside', '/s/a/in/it'],
    ['around', '/s'],
    ['the top', '/'],
  ])('%s', (_, path) => {
    const claims = new Claims();
    claims.add('/s/a', a, 'a');
    claims.add(path, b, 'b');
    expect(claims.on('/s/a', a)).toMatchObject({ path, by: 'b' });
  });

  test('a place that several share is nobody’s', () => {
    const claims = new Claims();
    for (const [by, task] of Object.entries({ a, b, c })) claims.add('/s', task, by);
    for (const task of [a, b, c]) expect(claims.on('/s', task)).toBeDefined();
  });
});

test.each([
  [['p'], true, true],
  [['p', '0'], true, true],
  [['p', '0', 'stdout'], false, true],
  [['p', '12', 'stderr.3'], false, true],
  [['p'], false, false],
  [['p', 'x'], true, false],
  [['p', '0', 'core'], false, false],
  [['p', '0', 'stdout'], true, false],
  [['p', '0', 'stdout', 'x'], false, false],
])('%j, a directory: %s, is a log: %s', (names, directory, expected) => {
  expect(isLogPath(names, directory)).toBe(expected);
});

test('mount points, with blanks and backslashes in them', () => {
  const text = `22 1 8:1 / / rw - ext4 /dev/sda rw\n23 22 8:1 /x /a\\040b\\134c rw shared:1 - ext4 /dev/sda rw\nbroken\n`;
  expect(parseMountPoints(text)).toEqual(['/', '/a b\\c']);
});
