import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flagsOf, visibleIds } from '../../src/cli/page.js';
import { COMMANDS } from '../../src/commands/index.js';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { CONTROL } from '../views/task-views.js';
import { tempDir, thermos } from './harness.js';

/** All that a name can have in it and that nobody sees. */
const BAD = 'x\u200b\u001b[2J\n\u009b1m\u202e\u3164\u{e0041}\u2800\u00a0';
const temp = tempDir();
afterAll(temp.remove);
const root = join(temp.path, `root-${BAD}`);

beforeAll(() => {
  const sandbox = join(temp.path, 'sandbox', BAD);
  const logDir = join(sandbox, '.logs');
  mkdirSync(join(logDir, BAD, '0'), { recursive: true });
  writeFileSync(join(logDir, BAD, '0', 'stdout'), 'out\n');
  writeFileSync(join(logDir, BAD, '0', 'stderr'), `${BAD}\n`);
  const header = {
    task_id: BAD,
    user: BAD,
    hostname: BAD,
    sandbox,
    log_dir: logDir,
    ports: { [BAD]: 1 },
    uid: process.getuid?.() ?? 0,
  };
  const task = {
    name: BAD,
    user: BAD,
    processes: [
      { name: BAD, cmdline: BAD, logger: { destination: BAD } },
      { name: `${BAD}2`, cmdline: BAD },
    ],
    constraints: [{ order: [BAD, `${BAD}2`] }],
  };
  const records = () => new Records().header(header).status('ACTIVE');
  const ended = (id: string) => ({ phase: 'finished' as const, task: { ...task, name: id } });
  writeTask(root, `failed-${BAD}`, {
    ...ended('f'),
    runner: records()
      .process(BAD, ...FAILED)
      .status('FAILED'),
  });
  writeTask(root, `done-${BAD}`, {
    ...ended('d'),
    runner: records()
      .process(BAD, ...RAN)
      .status('SUCCESS'),
  });
  writeTask(root, `orphan-${BAD}`, { task, runner: records().process(BAD, 'WAITING', 'FORKED', 'RUNNING') });
  writeTask(root, `damaged-${BAD}`, { task: `{${BAD}`, runner: Buffer.from(BAD.repeat(9)) });
  writeFileSync(
    join(temp.path, `${BAD}.thermos`),
    `export(Process(name='${BAD.replace('\n', '')}'))\nthis is no Python`,
  );
  writeFileSync(join(temp.path, `${BAD}.json`), JSON.stringify({ ...task, [BAD]: BAD }));
  writeFileSync(join(temp.path, `retained-${BAD}`), JSON.stringify({ [BAD]: BAD }));
});

/** Runs it in human form and with --json: nothing of either may hold what can't be seen. */
function look(argv: readonly string[], isRefused = false): void {
  lookOnce(argv, isRefused);
  lookOnce([...argv.slice(0, 1), '--json', ...argv.slice(1)], isRefused);
}

function lookOnce(words: readonly string[], isRefused = false): void {
  const { stdout, stderr, status } = thermos(words, { cwd: temp.path, isRefused });
  expect({ words, stdout: CONTROL.exec(stdout), stderr: CONTROL.exec(stderr) }).toEqual({
    words,
    stdout: null,
    stderr: null,
  });
  expect([words, [0, 1, 2, 3, 4, 5, 124].includes(status as number)]).toEqual([words, true]);
}

const at = ['--root', root];
const all = ['failed', 'done', 'orphan', 'damaged'].map((name) => `${name}-${BAD}`);

describe('of names on the disk nothing unseen is printed by', () => {
  test.each([
    ...['0', '3'].map((verbosity) => ['status', ...at, '--verbosity', verbosity]),
    ['roots', ...at],
    ['top', ...at, '--interval', '0.1'],
    ['top', ...at, '--interval', '0.1', '--processes'],
    ['doctor', ...at],
    ['gc', ...at, '--dry-run', '--delete-data'],
    ['gc', ...at, '--dry-run', '--retained', `retained-${BAD}`],
    ['kill', ...at, '--dry-run', '.*'],
    ['kill', ...at, '(?s).*'],
    ['kill', ...at, 'done-*', 'failed-*'],
    ['kill', ...at, '*'],
    ['inspect', ...at, 'd'],
    ['inspect', `${BAD}.thermos`],
    ['inspect', `${BAD}.json`],
    ['run', ...at, '--dry-run', `${BAD}.json`],
    ['wait', ...at, all[0] as string],
    ['wait', ...at, '--for', `process=${BAD}:LOST`, all[0] as string],
    ['wait', ...at, '--timeout', '0.1', all[2] as string],
    ['tail', ...at, '--no-follow', '--stdout', all[0] as string],
    ['tail', ...at, '--path', all[0] as string],
    ['tail', ...at, '--no-follow', all[3] as string],
    ['tail', ...at],
    ['events', ...at, '--since', '9999d', '--no-follow'],
    ...all.flatMap((id) => [
      ['inspect', ...at, id],
      ['doctor', ...at, id],
      ['read', join(root, 'checkpoints', id)],
      ['read', '--records', join(root, 'checkpoints', id)],
    ]),
  ])('%j', (...argv) => look(argv));

  test('run, which shows the task while it runs and how it ended', () => {
    const name = `p${BAD}`;
    const processes = [{ name, cmdline: 'echo hello; exit 3', max_failures: 2, min_duration: 0 }];
    const config = join(temp.path, 'failing.json');
    writeFileSync(config, JSON.stringify({ name, processes }));
    const own = join(temp.path, `own-${BAD}`);
    for (const words of [
      ['run', config],
      ['simplerun', '--name', name, '--', 'exit 3'],
    ]) {
      const [command, ...rest] = words as [string, ...string[]];
      const { stdout, stderr, status } = thermos([command, '--root', own, ...rest], { cwd: temp.path });
      expect([status, CONTROL.exec(stdout), CONTROL.exec(stderr)]).toEqual([1, null, null]);
      expect(stdout + stderr).toContain('FAILED');
    }
    look(['run', '--root', own, '--daemon', '--task-id', BAD, config]);
  });

  test('status --quiet, and ids stay one a line', () => {
    const { stdout } = thermos(['status', ...at, '--quiet']);
    expect(stdout).not.toMatch(CONTROL);
    expect(stdout.trimEnd().split('\n')).toHaveLength(4);
  });

  test('the prefixes of merged logs, whose lines pass as they are', () => {
    const { stdout } = thermos(['tail', ...at, '--no-follow', '--', all[0] as string]);
    const lines = stdout.split('\n').filter((line) => line.includes(' | '));
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.slice(0, line.indexOf(' | '))).not.toMatch(CONTROL);
  });
});

/** Of the commands that start something, those that do nothing without a task or a sound config. */
const NEED_A_TASK = ['exec', 'restart', 'run'];

describe('of the command line nothing unseen is printed by', () => {
  test.each(['', '--', ...visibleIds(COMMANDS)])('%s, wherever it stands', async (id) => {
    const needsTask = NEED_A_TASK.includes(id);
    look([...[id].filter((word) => word !== ''), BAD], needsTask);
    if (!Object.hasOwn(COMMANDS, id)) return;
    look([id, `--${BAD}`], true);
    // An unknown flag was shown in both forms: others in one each.
    lookOnce([id, `--x${BAD}`], true);
    lookOnce([id, '--json', '--debug', BAD, `--${BAD}`], true);
    const command = await COMMANDS[id as keyof typeof COMMANDS]();
    for (const [name, flag] of Object.entries(flagsOf(command))) {
      // `run` makes what it is told to make.
      if (flag.type !== 'option' || ['root', 'sandbox', 'task-id'].includes(name)) continue;
      // A refusal reads the same in a document.
      lookOnce([id, `--${name}`, BAD, ...(id === 'run' ? [`${BAD}.json`] : [BAD])], needsTask);
    }
  });
});
