import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunPlace } from './run-task.js';
import { json } from './tasks.js';

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const MIB = 1024 * 1024;

test('what a task uses is in inspect and status, and doctor says that it is more than was asked for', async () => {
  // It burns half a second, however long that takes, holds 40 MiB and writes 3 MiB; then it waits for its end.
  const script = `
    const held = Buffer.alloc(${40 * MIB}, 1);
    require('fs').writeFileSync('file', Buffer.alloc(${3 * MIB}, 1));
    while (process.cpuUsage().user < 500_000);
    require('fs').writeFileSync('done', '');
    setInterval(() => held, 1e6);`;
  const path = join(place.path, 'use.js');
  writeFileSync(path, script);
  const main = { name: 'main', cmdline: `exec '${process.execPath}' '${path}'` };
  const resources = { cpu: 4, ram: 20 * MIB, disk: 2 * MIB };
  const config = place.config([main], { resources });
  expect(place.thermos('run', '--daemon', '--task-id', 'use', config).status).toBe(0);

  const inspected = () => json('inspect', ['--root', place.root, 'use']).json;
  // As soon as the command is a second old, there is an average.
  const usage = await vi.waitFor(
    () => {
      const { usage: seen } = inspected();
      if (seen?.cpu_average === undefined || seen.rss_bytes < 40 * MIB || seen.disk_bytes < 3 * MIB)
        throw new Error('not yet');
      return seen;
    },
    { timeout: 60_000, interval: 200 },
  );
  expect(usage).toMatchObject({
    cpu_asked: 4,
    ram_asked_bytes: 20 * MIB,
    disk_asked_bytes: 2 * MIB,
    pids: 1,
  });
  expect(usage.cpu_average).toBeGreaterThan(0);

  const shown = place.thermos('inspect', 'use').stdout;
  expect(shown).toMatch(/\nUSAGE\n {2}RESOURCE +USED +ASKED +PART +NOTE\n {2}cpu +\d/);
  expect(shown).toMatch(/\n {2}ram +\S+MiB +20MiB +!\d+% +resident, in 1 pid\n/);
  expect(shown).toMatch(/\n {2}disk +\S+MiB +2MiB +!\d+% +sandbox and logs\n/);

  const { stdout, status } = place.thermos('status', '--columns', 'task,cpu,rss,disk');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^TASK +CPU +RSS +DISK\nuse +\d+\.\d\d +\S+MiB +\S+MiB\n$/);

  for (const word of [[], ['use']]) {
    const doctor = place.thermos('doctor', '--json', ...word);
    const codes = JSON.parse(doctor.stdout).findings.map(({ code }: { code: string }) => code);
    expect(codes).toEqual(expect.arrayContaining(['ram-exceeded', 'disk-exceeded']));
    expect(doctor.status).toBe(1);
  }

  expect(place.thermos('kill', '--yes', 'use').status).toBe(0);
  expect(inspected().usage).toBeUndefined();
  expect(place.thermos('status', '--columns', 'task,cpu,rss,disk').stdout).toMatch(/\nuse +- +- +-\n$/);
});

test('status does not show again and again what it would have to measure', () => {
  const { stderr, status } = place.thermos('status', '--watch', '--columns', 'task,rss');
  expect(stderr).toContain('--watch cannot show the columns cpu, rss, disk');
  expect(status).toBe(2);
});
