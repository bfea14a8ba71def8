import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { thermos } from './harness.js';
import { RunPlace } from './run-task.js';

const AS_ROOT = process.geteuid?.() === 0;
const NOBODY = 65_534;
const FILES = ['index.html', 'report.js', 'report.txt'];

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const FAILING = [{ name: 'a', cmdline: 'echo no space >&2; exit 3' }];

describe('run --report', () => {
  test('leaves the page of the task as it ended, in a directory of its id', () => {
    const config = place.config(FAILING);
    const finished = thermos(['run', '--root', place.root, '--task-id', 'web-1', '--report', config], {
      cwd: place.path,
    });
    expect(finished.status).toBe(1);
    expect(finished.stderr).not.toContain('warning');
    const directory = join(place.path, 'thermos-report/task/web-1');
    expect(readdirSync(directory).sort()).toEqual(FILES);
    const text = readFileSync(join(directory, 'report.txt'), 'utf8');
    expect(text).toMatch(/STDERR OF a, RUN 0 \(9B\)\n {2}\| no space\n\nWHY\n {2}The task ended FAILED/);
    expect(readFileSync(join(directory, 'index.html'), 'utf8')).not.toContain('http-equiv="refresh"');
  });

  test('rewrites it while the task runs, and a browser loads it again', async () => {
    const out = join(place.path, 'out');
    const gate = join(place.path, 'gate');
    const config = place.config([
      { name: 'a', cmdline: 'true' },
      { name: 'b', cmdline: `until [ -e '${gate}' ]; do sleep 0.05; done` },
    ]);
    const running = place.start('run', '--task-id', 'web-1', '--report-dir', out, config);
    const page = join(out, 'index.html');
    await running.until(
      () => existsSync(page) && readFileSync(join(out, 'report.txt'), 'utf8').includes('| RUNNING'),
    );
    await running.until(() => readFileSync(page, 'utf8').includes('http-equiv="refresh"'));
    writeFileSync(gate, '');
    expect(await running.ended).toBe(0);
    expect(readFileSync(join(out, 'report.txt'), 'utf8')).toContain('The task ended SUCCESS');
    expect(readFileSync(page, 'utf8')).not.toContain('http-equiv="refresh"');
  });

  test('a page that cannot be written is said once, and the task ends as it would', () => {
    const out = join(place.path, 'out');
    writeFileSync(out, '');
    const finished = place.thermos(
      'run',
      '--task-id',
      'web-1',
      '--report-dir',
      out,
      place.config([{ name: 'a', cmdline: 'true' }]),
    );
    expect(finished.status).toBe(0);
    expect(finished.stderr.match(/warning: the page of web-1 is not written in .*\/out: /g)).toHaveLength(1);
  });

  test('what writes it is the first to end without memory, and the runner is not', () => {
    const preload = join(place.path, 'preload.cjs');
    const points = join(place.path, 'points');
    writeFileSync(
      preload,
      `const { appendFileSync, readFileSync } = require('node:fs');
      process.on('exit', () => {
        const now = readFileSync('/proc/self/oom_score_adj', 'utf8');
        if (process.argv[2] === 'run' || process.argv[2] === '__write-page')
          appendFileSync(${JSON.stringify(points)}, process.argv[2] + ' ' + now);
      });`,
    );
    const before = readFileSync('/proc/self/oom_score_adj', 'utf8');
    const config = place.config(FAILING);
    const words = ['run', '--root', place.root, '--task-id', 'web-1', '--report', config];
    const { status } = thermos(words, { cwd: place.path, env: { NODE_OPTIONS: `--require ${preload}` } });
    expect(status).toBe(1);
    // On a slow machine, more than one page was written.
    const seen = new Set(readFileSync(points, 'utf8').trim().split('\n'));
    expect(seen).toEqual(new Set(['__write-page 1000', `run ${before.trim()}`]));
  });

  test('a daemon keeps it, too', async () => {
    const out = join(place.path, 'out');
    const config = place.config(FAILING);
    expect(place.thermos('run', '--daemon', '--task-id', 'web-1', '--report-dir', out, config).status).toBe(
      0,
    );
    place.thermos('wait', 'web-1');
    // It is written last.
    const page = join(out, 'index.html');
    for (const deadline = Date.now() + 60_000; ; ) {
      if (existsSync(page) && readFileSync(page, 'utf8').includes('The task ended FAILED')) break;
      if (Date.now() > deadline) throw new Error('it was never written');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});

describe('below a Mesos executor', () => {
  /** In a sandbox of this name. */
  const runIn = (sandbox: string, ...words: string[]) =>
    thermos(['run', '--task-id', 'web-1', ...words, place.config(FAILING)], {
      cwd: place.path,
      env: { THERMOS_ROOT: '', MESOS_SANDBOX: join(place.path, sandbox) },
    });

  test('the page is beside the sandbox, unless --no-report is given', () => {
    mkdirSync(join(place.path, 'without'));
    expect(runIn('without', '--no-report').status).toBe(1);
    expect(readdirSync(join(place.path, 'without')).sort()).toEqual(['checkpoints', 'sandbox']);
    mkdirSync(join(place.path, 'with'));
    expect(runIn('with').status).toBe(1);
    expect(readdirSync(join(place.path, 'with/thermos-report')).sort()).toEqual(FILES);
  });

  test.runIf(AS_ROOT)('the page belongs to the owner of the sandbox', () => {
    const sandbox = join(place.path, 'mesos');
    mkdirSync(sandbox);
    chownSync(sandbox, NOBODY, NOBODY);
    expect(runIn('mesos', '--user', 'nobody').status).toBe(1);
    const directory = join(sandbox, 'thermos-report');
    for (const path of [directory, ...FILES.map((name) => join(directory, name))]) {
      expect([statSync(path).uid, statSync(path).gid]).toEqual([NOBODY, NOBODY]);
    }
  });

  test.runIf(AS_ROOT)('root follows no link of the task to write it', () => {
    const sandbox = join(place.path, 'mesos');
    const elsewhere = join(place.path, 'elsewhere');
    for (const path of [sandbox, elsewhere]) mkdirSync(path);
    symlinkSync(elsewhere, join(sandbox, 'thermos-report'));
    chownSync(sandbox, NOBODY, NOBODY);
    const finished = runIn('mesos', '--user', 'nobody');
    expect(finished.status).toBe(1);
    expect(finished.stderr).toContain('warning: the page of web-1 is not written');
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});
