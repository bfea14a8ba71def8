import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOnlyOf, type Kin, scopeOf } from '../../src/top/cgroup-scope.js';
import { DOCKER, MESOS } from './recorded-cgroups.js';

const OWN = ['user.slice', 'user-1000.slice', 'session-4.scope'];

function scope(path: string, containerId?: string, own: readonly string[] = OWN) {
  const found = scopeOf({ names: path.split('/').filter((name) => name !== ''), own, containerId });
  return found && `${found.kind} /${found.names.join('/')}`;
}

describe('the cgroup whose numbers may be a task’s', () => {
  test('is the one named by the id of its container, and not one in it', () => {
    expect(scope(`/mesos/${MESOS}/leaf`, MESOS)).toBe(`container /mesos/${MESOS}`);
    expect(scope(`/mesos/${MESOS}/mesos/nested`, MESOS)).toBe(`container /mesos/${MESOS}`);
    expect(scope(`/any/name/${MESOS}`, MESOS)).toBe(`container /any/name/${MESOS}`);
  });

  test.each([
    `/docker/${DOCKER}`,
    `/system.slice/docker-${DOCKER}.scope`,
    `/machine.slice/libpod-${DOCKER}.scope`,
    `/kubepods.slice/pod1/cri-containerd-${DOCKER}.scope`,
  ])('is the one of a container: %s', (path) => {
    expect(scope(path)).toBe(`container ${path}`);
    expect(scope(`${path}/init`)).toBe(`container ${path}`);
    expect(scope(path, 'another-id')).toBe(`container ${path}`);
  });

  test('is not the container that we are in ourselves', () => {
    expect(scope(`/docker/${DOCKER}`, undefined, ['docker', DOCKER])).toBe(`members /docker/${DOCKER}`);
    expect(scope(`/docker/${DOCKER}/x`, undefined, ['docker', DOCKER, 'y'])).toBe(
      `members /docker/${DOCKER}/x`,
    );
  });

  test('is the one of a service, or any other that its processes have for themselves', () => {
    expect(scope('/system.slice/nightly.service')).toBe('service /system.slice/nightly.service');
    expect(scope('/batch/job')).toBe('members /batch/job');
  });

  test('is neither the root nor the session of a user', () => {
    expect(scope('/')).toBeUndefined();
    expect(scope('/user.slice/user-1000.slice/session-3.scope')).toBeUndefined();
    expect(scope('/user.slice/user-1000.slice/user@1000.service')).toBeUndefined();
    expect(scope('/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope')).toBe(
      'members /user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope',
    );
  });

  test('never is one that the process is not in', () => {
    const name = fc.constantFrom(
      DOCKER,
      MESOS,
      'a',
      'session-1.scope',
      'a.service',
      `docker-${DOCKER}.scope`,
    );
    const names = fc.array(name, { maxLength: 5 });
    fc.assert(
      fc.property(names, names, fc.option(name, { nil: undefined }), (path, own, containerId) => {
        const found = scopeOf({ names: path, own, containerId });
        if (found === undefined) return;
        expect(path.slice(0, found.names.length)).toEqual(found.names);
        expect(found.names.length).toBeGreaterThan(0);
        // A container that holds us, too, is not the task's.
        if (found.kind === 'container') expect(own.slice(0, found.names.length)).not.toEqual(found.names);
      }),
    );
  });
});

describe('a cgroup is only of the task', () => {
  const table: Record<number, Kin> = {
    10: { parent: 1, session: 10 },
    11: { parent: 10, session: 11 },
    12: { parent: 11, session: 11 },
    13: { parent: 12, session: 13 },
    14: { parent: 1, session: 11 },
    20: { parent: 1, session: 20 },
  };
  const isOwn = (members: number[], pids: number[]) => isOnlyOf(members, pids, (pid) => table[pid]);

  test('if all processes in it are the task’s', () => {
    expect(isOwn([10, 11], [10, 11])).toBe(true);
    expect(isOwn([10, 11, 20], [10, 11])).toBe(false);
    expect(isOwn([], [10])).toBe(false);
    expect(isOwn([10], [])).toBe(false);
  });

  test('also with processes that were started since: descendants, and those of its sessions', () => {
    expect(isOwn([10, 11, 12, 13], [10, 11])).toBe(true);
    expect(isOwn([10, 11, 14], [10, 11])).toBe(true);
    expect(isOwn([10, 11, 99], [10, 11])).toBe(true);
  });

  test('if all processes of the task that are still there are in it', () => {
    expect(isOwn([11], [10, 11])).toBe(false);
    expect(isOwn([11], [11, 99])).toBe(true);
  });

  test('a circle of parents ends', () => {
    const circle: Record<number, Kin> = { 2: { parent: 3, session: 0 }, 3: { parent: 2, session: 0 } };
    expect(isOnlyOf([2, 5], [5], (pid) => circle[pid])).toBe(false);
  });
});
