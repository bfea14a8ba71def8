import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { cgroupMounts } from '../../src/host/cgroup.js';
import { CgroupFiles, type CgroupMembers } from '../../src/host/cgroup-files.js';
import { Host } from '../../src/host/host.js';

const directory = mkdtempSync(join(tmpdir(), 'thermos-cgroups-'));
afterAll(() => rmSync(directory, { recursive: true }));

function made(name: string, files: Record<string, string>) {
  const path = join(directory, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return { path, controllers: ['unified'] };
}

const NOTHING = {
  cpuMs: undefined,
  throttledMs: undefined,
  periods: undefined,
  throttledPeriods: undefined,
  oomKills: undefined,
  memoryBytes: undefined,
  pidsCount: undefined,
  pidsLimit: undefined,
  cpuLimit: undefined,
  memoryLimitBytes: undefined,
  cpuPressure: undefined,
  memoryPressure: undefined,
  ioPressure: undefined,
};

describe('a cgroup', () => {
  const files = new CgroupFiles({ mounts: [] });

  test('without controllers has only what the kernel always counts', () => {
    const cgroup = made('bare', { 'cgroup.procs': '7\n', 'cpu.stat': 'usage_usec 5000\nuser_usec 1\n' });
    const members = files.members(cgroup);
    expect(members?.pids).toEqual([7]);
    expect(files.numbers([{ ...cgroup, members: members as NonNullable<typeof members> }])).toEqual({
      ...NOTHING,
      cpuMs: 5,
    });
  });

  test.each([
    ['unified', '100\n', 100],
    ['pids', 'max\n', undefined],
  ])('has so many processes and threads, and may have more: %s', (controller, max, pidsLimit) => {
    const files7 = { 'cgroup.procs': '7\n', 'pids.current': '42\n', 'pids.max': max };
    const cgroup = { ...made(`pids-${controller}`, files7), controllers: [controller] };
    const members = files.members(cgroup) as CgroupMembers;
    expect(files.numbers([{ ...cgroup, members }])).toEqual({ ...NOTHING, pidsCount: 42, pidsLimit });
  });

  test('that vanishes between its processes and its numbers has no numbers', () => {
    const cgroup = made('vanishing', { 'cgroup.procs': '7\n', 'cpu.stat': 'usage_usec 5000\n' });
    const members = files.members(cgroup);
    rmSync(cgroup.path, { recursive: true });
    expect(files.numbers([{ ...cgroup, members: members as NonNullable<typeof members> }])).toEqual(NOTHING);
    expect(files.members(cgroup)).toBeUndefined();
  });

  test('whose processes cannot be read is not known', () => {
    expect(files.members(made('unreadable', {}))).toBeUndefined();
  });

  test('with very many or very deep ones in it is not known, and its walk ends', () => {
    const many = made('many', { 'cgroup.procs': '' });
    for (let i = 0; i < 300; i++) mkdirSync(join(many.path, String(i)));
    expect(files.members(many)).toBeUndefined();
    const deep = made('deep', { 'cgroup.procs': '' });
    mkdirSync(join(deep.path, ...Array<string>(100).fill('a')), { recursive: true });
    expect(files.members(deep)).toBeUndefined();
  });

  test('that is made again is another one', () => {
    const first = files.members(made('again', { 'cgroup.procs': '' }))?.identity;
    renameSync(join(directory, 'again'), join(directory, 'before'));
    expect(files.members(made('again', { 'cgroup.procs': '' }))?.identity).not.toBe(first);
  });
});

test('the cgroups of this process are known as far as /proc shows them', () => {
  const files = new CgroupFiles();
  for (const { controllers, path } of files.of('self')) {
    expect(controllers.length).toBeGreaterThan(0);
    expect(path.startsWith('/')).toBe(true);
  }
  expect(files.of(2 ** 30)).toEqual([]);
});

/** A real cgroup, of version 2 if there is one, where we may make one. */
function makeCgroup(): { path: string; controllers: readonly string[]; names: string[] } | undefined {
  const mounts = cgroupMounts(Host.local().mounts());
  const mount =
    mounts.find(({ controllers }) => controllers.includes('unified')) ??
    mounts.find(({ controllers }) => controllers.includes('cpuacct'));
  if (mount === undefined || mount.root !== '/') return undefined;
  const name = `thermos-test-${process.pid}`;
  try {
    mkdirSync(`${mount.path}/${name}`);
  } catch {
    return undefined;
  }
  return { path: `${mount.path}/${name}`, controllers: mount.controllers, names: [name] };
}

const cgroup = makeCgroup();
// The kernel may need a moment to forget the process that was in it.
afterAll(() => cgroup && vi.waitFor(() => rmdirSync(cgroup.path), { timeout: 30_000 }));

test.runIf(cgroup !== undefined)('a real cgroup counts what a process in it used', async () => {
  const { path, names } = cgroup as NonNullable<typeof cgroup>;
  // It burns half a second of processor time, however long that takes, and then waits to be told to end.
  const burn =
    'while (process.cpuUsage().user < 500_000); process.stdout.write("done"); process.stdin.resume()';
  const command = `echo $$ > '${path}/cgroup.procs' && exec '${process.execPath}' -e '${burn}'`;
  const child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    const files = new CgroupFiles();
    const pid = child.pid as number;
    const membership = files.of(pid).find((each) => each.path === `/${names.join('/')}`);
    const found = membership && files.directory(membership, names);
    expect(found?.path).toBe(path);
    const members = found && files.members(found);
    expect(members?.pids).toEqual([pid]);
    const { cpuMs } = files.numbers([
      { ...(found as NonNullable<typeof found>), members: members as NonNullable<typeof members> },
    ]);
    expect(cpuMs).toBeGreaterThan(475);
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
});
