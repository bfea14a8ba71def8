import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { Records, writeTask } from '../task/trees.js';
import { ago, expectScreens, type GoldenOptions, screenPlace } from './screen.js';

const place = screenPlace();
const TIMES: GoldenOptions = { normalise: [[/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '#']] };

test('what ended by the SIGTERM of a kill did not fail', async () => {
  const start = Math.floor(ago(3, 'h') / 1000);
  const sandbox = join(place.path, 'sandbox');
  mkdirSync(join(sandbox, '.logs', 'jvm', '0'), { recursive: true });
  writeFileSync(join(sandbox, '.logs', 'jvm', '0', 'stdout'), 'Shutting down\n');
  const at = start + 60;
  writeTask(place.root, 'site', {
    phase: 'finished',
    task: { name: 'site', max_failures: 1, processes: [{ name: 'jvm', cmdline: 'java', max_failures: 1 }] },
    runner: new Records()
      .status('ACTIVE', start * 1000)
      .header({ task_id: 'site', sandbox, log_dir: join(sandbox, '.logs'), launch_time_ms: start * 1000 })
      .process(
        'jvm',
        { state: 'WAITING' },
        { state: 'FORKED', fork_time: start, coordinator_pid: 4_194_001 },
        { state: 'RUNNING', start_time: start, pid: 4_194_002 },
      )
      .status('CLEANING', at * 1000)
      .process('jvm', { state: 'FAILED', stop_time: at + 1, return_code: 143 })
      .status('FINALIZING', (at + 2) * 1000)
      .status('KILLED', (at + 2) * 1000),
  });
  utimesSync(join(place.root, 'tasks', 'finished', 'site'), at + 3, at + 3);
  await expectScreens('doctor-killed', ['doctor', '--no-pager', '--root', place.root, 'site'], TIMES);
});

test('the path of a root is whole, however long it is', async () => {
  const long = join(place.path, 'executors', 'thermos-'.padEnd(90, 'x'), 'checkpoints');
  for (const root of [place.root, long]) writeTask(root, 'site', { runner: new Records().status('ACTIVE') });
  await expectScreens('roots', ['roots', '--root', place.root, '--root', long]);
});

test('a word of another program is answered by ours', async () => {
  await expectScreens('unknown-command', ['ps']);
});
