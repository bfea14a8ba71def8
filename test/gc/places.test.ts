import { describe, expect, test } from 'vitest';
import { homePlace, mounted, rootPlace, systemPlace } from '../../src/gc/places.js';

const ROOT = '/run/thermos';
const AROUND = {
  homes: ['/root', '/home/ann', '/srv/people/bob', '/'],
  mountPoints: ['/srv/tasks/t/mnt', '/srv/disk'],
  roots: [ROOT, '/srv/other-root', '/var/lib/mesos'],
};
const why = (path: string) =>
  systemPlace(path) ??
  homePlace(path, AROUND.homes) ??
  mounted(path, AROUND.mountPoints) ??
  rootPlace({ path, task_id: 't', root: ROOT }, AROUND.roots);

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
    [`${ROOT}/sandboxes`, 'is not the sandbox of task t'],
    [`${ROOT}/sandboxes/u`, 'is not the sandbox of task t'],
    [`${ROOT}/sandboxes/tt`, 'is not the sandbox of task t'],
    ['/srv/other-root/sandboxes/t', 'is not the sandbox of task t'],
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
