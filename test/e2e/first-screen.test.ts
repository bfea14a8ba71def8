import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'vitest';
import { Records, writeTask } from '../task/trees.js';
import { ago, expectScreens, type GoldenOptions, screenPlace } from './screen.js';

const place = screenPlace();
const ID = '1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c5470abc';
const INSTALL = 'install_the_release_of_the_site';

/** Shows the first page, as less does, and ends. */
const PAGER = `
  const { rows, columns } = process.stdout;
  let left = rows - 1;
  for (const line of require('node:fs').readFileSync(0, 'utf8').split('\\n')) {
    left -= Math.max(1, Math.ceil(line.replace(/\\x1b\\[\\d*m/g, '').length / columns));
    if (left < 0) break;
    console.log(line);
  }
  process.stdout.write(':');
`;

function paged(): GoldenOptions {
  writeFileSync(join(place.path, 'pager.cjs'), PAGER);
  return {
    env: { THERMOS_PAGER: `'${process.execPath}' '${place.path}/pager.cjs'` },
    normalise: [[/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '#']],
  };
}

/** A task of Aurora that failed because its first process did, 200 others never started. */
beforeEach(() => {
  const sandbox = join(place.path, 'sandbox');
  const log_dir = join(sandbox, '.logs');
  mkdirSync(join(log_dir, INSTALL, '1'), { recursive: true });
  const frames = Array.from(
    { length: 9 },
    (_, i) => `  File "/opt/site/deploy/module${i}.py", line ${i * 7}, in step_${i}\n    raise Failed()`,
  );
  writeFileSync(join(log_dir, INSTALL, '1', 'stderr'), `${frames.join('\n')}\nFailed: no release 1.2.3\n`);
  // Without milliseconds, so that all times are as long.
  const start = Math.floor(ago(3, 'h') / 1000);
  const failed = (at: number) =>
    [
      { state: 'WAITING' },
      { state: 'FORKED', fork_time: at, coordinator_pid: 4_194_001 },
      { state: 'RUNNING', start_time: at, pid: 4_194_002 },
      { state: 'FAILED', stop_time: at + 2, return_code: 1 },
    ] as const;
  const others = Array.from({ length: 200 }, (_, i) => `check_${i}`);
  writeTask(place.root, ID, {
    phase: 'finished',
    task: {
      name: 'site',
      max_failures: 1,
      processes: [
        { name: INSTALL, cmdline: 'deploy --install', max_failures: 2 },
        ...others.map((name) => ({ name, cmdline: `check ${name}`, max_failures: 1 })),
      ],
      constraints: others.map((name) => ({ order: [INSTALL, name] })),
    },
    runner: new Records()
      .status('ACTIVE', start * 1000)
      .header({ task_id: ID, sandbox, log_dir, uid: process.getuid?.(), launch_time_ms: start * 1000 })
      .process(INSTALL, ...failed(start), ...failed(start + 60))
      .status('CLEANING', (start + 62) * 1000)
      .status('FINALIZING', (start + 62) * 1000)
      .status('FAILED', (start + 62) * 1000),
  });
  utimesSync(join(place.root, 'tasks', 'finished', ID), start + 63, start + 63);
});

test('inspect shows on its first screen why a task failed', async () => {
  await expectScreens('inspect-failed', ['inspect', '--root', place.root, ID], paged());
});

test('doctor shows on its first screen why a task failed, and what to do', async () => {
  await expectScreens('doctor-failed', ['doctor', '--root', place.root, ID], paged());
});
