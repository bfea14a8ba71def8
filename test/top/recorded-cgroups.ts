import { join } from 'node:path';
import { CgroupFiles } from '../../src/host/cgroup-files.js';
import { type Mount, parseMounts } from '../../src/host/mounts.js';
import { REPOSITORY } from '../e2e/harness.js';

export const MESOS = '5ad1a1a9-0c3a-4f0e-9a5e-1c5a2a1d7e90';
export const DOCKER = 'c0ffee0123456789abcdef0123456789abcdef0123456789abcdef0123456789';

export type Version = 'v1' | 'v2';

/** The directory where the recorded hierarchies are "mounted". */
export function recorded(version: Version): string {
  return join(REPOSITORY, 'fixtures', 'cgroups', version);
}

/** The recorded files, mounted as a machine of that version mounts them. */
export function recordedFiles(version: Version): CgroupFiles {
  return new CgroupFiles({ proc: `${recorded(version)}/proc`, mounts: mountsOf(version) });
}

function mountsOf(version: Version): Mount[] {
  const top = `${recorded(version)}/cgroup`.replaceAll(' ', '\\040');
  if (version === 'v2') return parseMounts(`42 31 0:41 / ${top} rw - cgroup2 cgroup2 rw`);
  const of = (controllers: string, i: number) =>
    `${i} 31 0:${i} / ${top}/${controllers} rw - cgroup cgroup rw,${controllers}`;
  return parseMounts(['cpu,cpuacct', 'memory', 'pids'].map(of).join('\n'));
}
