// Start-up on each Node, replay of long streams, and hosts with many tasks.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeHost, makeStream } from './data.mjs';
import { cpuOf, isHere, peakMemory, quote, sideBySide } from './measure.mjs';
import { besideOriginal } from './original.mjs';
import { milliseconds, ratioRow, unmeasuredRow } from './table.mjs';

const MEMORY_GOAL = 150e6;
/** Per-task cost of 10,000 tasks over that of 1,000, start-up taken off: 1 is linear, 10 is quadratic. */
const LINEAR_GOAL = 1.2;
const START_GOAL = { cpu: 1.6 };
const REPLAY_GOAL = { cpu: 2.5 };
const MANY_GOAL = { cpu: 2 };
const WATCH_SECONDS = 60;
/** The first look at all tasks, and the collection of its garbage, belong to the start. */
const WATCH_SETTLED_MS = 20_000;

const READ_AND_PARSE = fileURLToPath(new URL('read-and-parse.cjs', import.meta.url));

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

/**
 * `context` is {dir, run, programArgs, program, node, original, env, quick, say}: a directory for the data, the entry
 * script of thermos, the words of its command line and the same, quoted for bash, that of node and that of the original
 * (undefined if it is not here), the environment of the processes, and the function that reports progress.
 * Returns rows for the table.
 */
export async function statusRows(context) {
  return [
    ...startUp(context),
    ...(await replay(context, 250_000, false)),
    ...(context.quick ? [] : await replay(context, 2_500_000, true)),
    ...(await manyTasks(context)),
  ];
}

function startUp(context) {
  const { dir, run, program, node, env, quick, say } = context;
  say('start-up');
  const root = makeHost(join(dir, 'ten'), 10);
  const runs = quick ? 11 : 31;
  const status = `status --json --root ${quote(root)}`;
  return [
    ratioRow(
      'thermos --version',
      'node -e 0',
      sideBySide([`${program} --version`, `${node} -e 0`], runs, env),
      START_GOAL,
    ),
    // The script starts as one of sh, which starts Node.
    ratioRow(
      '  by its own name',
      'node -e 0',
      sideBySide([`${quote(run)} --version`, `${node} -e 0`], runs, env),
      START_GOAL,
    ),
    ...nodes(context).map(({ name, path, why }) => {
      const what = `status --json, ten tasks, Node ${name}`;
      if (path === undefined) return unmeasuredRow(what, why, `cpu <= ${START_GOAL.cpu}`);
      const lines = [`${quote(path)} ${quote(run)} ${status}`, `${quote(path)} -e 0`];
      return ratioRow(what, 'node -e 0', sideBySide(lines, runs, env), START_GOAL);
    }),
  ];
}

/**
 * The Nodes that start-up is measured with: those of THERMOS_TEST_NODES (directories, separated by colons, as for the
 * tests), else the oldest that is supported and the next majors, which npm installs into the temp directory.
 */
function nodes({ dir, env, say }) {
  const { THERMOS_TEST_NODES: given = '' } = process.env;
  const wanted = [
    ['20', '20.19.0'],
    ['22', '22'],
    ['24', '24'],
  ];
  let directories = given === '' ? [] : given.split(':');
  if (given === '') {
    say('Node 20, 22 and 24, from npm');
    const place = join(dir, 'nodes');
    const packages = wanted.map(
      ([major, version]) => `node${major}@npm:node-linux-${process.arch}@${version}`,
    );
    const words = ['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    const { status } = spawnSync('npm', [...words, ...packages], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
      timeout: 300_000,
    });
    if (status !== 0)
      return wanted.map(([major]) => ({ name: major, path: undefined, why: 'npm cannot install it here' }));
    directories = wanted.map(([major]) => join(place, 'node_modules', `node${major}`));
  }
  return directories.map((directory) => {
    const path = join(directory, 'bin', 'node');
    const { status, stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    if (status !== 0) return { name: directory, path: undefined, why: `${path} cannot be run` };
    return { name: stdout.trim().split('.')[0], path };
  });
}

async function replay({ dir, program, programArgs, env, quick, say }, processRuns, memory) {
  const place = join(dir, `stream-${processRuns}`);
  say(`a stream of ${(processRuns * 4).toLocaleString('en')} records`);
  const { root, runner, records, bytes } = makeStream(place, processRuns);
  const rounds = memory ? 3 : quick ? 3 : 9;
  const what = `replay of ${megabytes(bytes)}, ${(records - 2).toLocaleString('en')} records`;
  const status = `${program} status --json --root ${quote(root)}`;
  const digest = isHere('openssl', env) ? `openssl dgst -sha256 ${quote(runner)}` : undefined;
  const times = sideBySide(digest === undefined ? [status] : [status, digest], rounds, env);
  const perSecond = Math.round(records / (times[0].wall / 1000) / 1000) * 1000;
  /** @type {import('./table.mjs').Row[]} */
  const rows = [
    digest === undefined
      ? unmeasuredRow(what, 'there is no openssl here', `cpu <= ${REPLAY_GOAL.cpu}`)
      : ratioRow(what, `openssl dgst -sha256${shaInstructions()}`, times, REPLAY_GOAL),
    {
      what: '  records a second',
      measured: perSecond.toLocaleString('en'),
      reference: 'the original, elsewhere: 53,000',
    },
  ];
  if (memory) {
    const [command, ...args] = programArgs;
    const peak = await peakMemory(command, [...args, 'status', '--json', '--root', root], env);
    rows.push({
      what: '  peak memory',
      measured: megabytes(peak),
      goal: `< ${megabytes(MEMORY_GOAL)}`,
      ok: peak < MEMORY_GOAL,
    });
  }
  rmSync(place, { recursive: true });
  return rows;
}

/** Processors with instructions for SHA-256 are about four times as fast at it. */
function shaInstructions() {
  return /^flags\s*:.*\bsha_ni\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')) ? ' (with SHA-NI)' : '';
}

async function manyTasks(context) {
  const { dir, program, node, env, quick, say } = context;
  const [few, many] = [1_000, 10_000];
  say(`hosts with ${few.toLocaleString('en')} and ${many.toLocaleString('en')} tasks`);
  const single = makeHost(join(dir, 'single'), 1);
  const small = makeHost(join(dir, 'few'), few);
  const large = makeHost(join(dir, 'many'), many);
  // Beside the finished tasks, some whose runner is dead.
  const mixed = makeHost(join(dir, 'mixed'), many, 10);
  const rounds = quick ? 3 : 9;
  const status = (root, ...words) => `${program} status ${words.join(' ')} --root ${quote(root)}`;
  const [all, reference, thousand, one] = sideBySide(
    [
      status(large, '--json'),
      `${node} ${quote(READ_AND_PARSE)} ${quote(large)}`,
      status(small, '--json'),
      status(single, '--json'),
    ],
    rounds,
    env,
  );
  const per = (total, count) => (total.wall - one.wall) / (count - 1);
  const growth = per(all, many) / per(thousand, few);
  const count = many.toLocaleString('en');
  return [
    ratioRow(`status --json, ${count} finished tasks`, 'read + parse in Node', [all, reference], MANY_GOAL),
    {
      what: '  cost of a task, start-up taken off',
      measured: `${(per(all, many) * 1000).toFixed(0)} us of ${count}`,
      reference: `${(per(thousand, few) * 1000).toFixed(0)} us of ${few.toLocaleString('en')} (${milliseconds(thousand.wall)})`,
      ratio: growth.toFixed(2),
      goal: `<= ${LINEAR_GOAL}`,
      ok: growth <= LINEAR_GOAL,
    },
    ratioRow(
      `status, ${count} finished tasks`,
      'read + parse in Node',
      sideBySide([status(large), `${node} ${quote(READ_AND_PARSE)} ${quote(large)}`], rounds, env),
    ),
    // Both show all tasks of the root.
    besideOriginal(context, status(large), `status --root ${quote(large)}`, quick ? 3 : 5, '0.4 s'),
    ratioRow(
      `status --only active, 10 beside ${count} finished`,
      'node -e 0',
      sideBySide([status(mixed, '--only active'), `${node} -e 0`], quick ? 11 : 31, env),
    ),
    await idleWatch(context, large, count, ['status', '--watch']),
    await idleWatch(context, large, count, ['events']),
  ];
}

/** The processor time of a watch while nothing happens. */
async function idleWatch({ dir, programArgs, env, quick, say }, root, count, watching) {
  const seconds = quick ? 10 : WATCH_SECONDS;
  const what = `${watching.join(' ')}, ${count} finished: CPU in ${seconds} s`;
  say(`idle ${watching.join(' ')}, ${seconds} s`);
  const [command, ...args] = programArgs;
  const watch = spawn(command, [...args, ...watching, '--root', root], {
    env,
    cwd: dir,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => watch.once('exit', resolve));
  try {
    await new Promise((resolve) => {
      watch.stdout.once('data', resolve);
      ended.then(resolve);
      // Some print nothing as long as nothing happens.
      setTimeout(resolve, quick ? 5000 : WATCH_SETTLED_MS);
    });
    watch.stdout.resume();
    await new Promise((resolve) => setTimeout(resolve, quick ? 5000 : WATCH_SETTLED_MS));
    const before = cpuOf(watch.pid);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    if (watch.exitCode !== null || !existsSync(`/proc/${watch.pid}`))
      return unmeasuredRow(what, 'the watch ended');
    return {
      what,
      measured: milliseconds(cpuOf(watch.pid) - before),
      reference: `${readdirSync(join(root, 'tasks', 'finished')).length.toLocaleString('en')} task files`,
    };
  } finally {
    watch.kill();
    await ended;
  }
}
