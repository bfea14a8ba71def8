// Start-up, replay of long streams, and hosts with many tasks.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeHost, makeStream } from './data.mjs';
import { peakMemory, quote, sideBySide } from './measure.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const MEMORY_GOAL = 150e6;
/** Per-task cost of 10,000 tasks over that of 1,000, start-up taken off: 1 is linear, 10 is quadratic. */
const LINEAR_GOAL = 1.2;

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

/**
 * `context` is {dir, program, node, env, quick, say}: a directory for the data, the command line of thermos and
 * of node, quoted for bash, the environment of the processes, and the function that reports progress.
 * Returns rows for the table.
 */
export async function statusRows(context) {
  return [
    ...startUp(context),
    ...(await replay(context, 250_000, 2.5, false)),
    ...(context.quick ? [] : await replay(context, 2_500_000, 2.6, true)),
    ...manyTasks(context),
  ];
}

function startUp({ dir, program, node, env, quick, say }) {
  say('start-up');
  const root = makeHost(join(dir, 'ten'), 10);
  const runs = quick ? 11 : 31;
  const empty = `${node} -e 0`;
  return [
    ratioRow('thermos --version', 'node -e 0', sideBySide([`${program} --version`, empty], runs, env), 1.8),
    ratioRow(
      'status --json, ten tasks',
      'node -e 0',
      sideBySide([`${program} status --json --root ${quote(root)}`, empty], runs, env),
      2.2,
    ),
  ];
}

async function replay({ dir, program, programArgs, env, quick, say }, processRuns, goal, memory) {
  const place = join(dir, `stream-${processRuns}`);
  say(`a stream of ${(processRuns * 4).toLocaleString('en')} records`);
  const { root, runner, records, bytes } = makeStream(place, processRuns);
  const rounds = memory ? 3 : quick ? 3 : 9;
  const times = sideBySide(
    [`${program} status --json --root ${quote(root)}`, `sha256sum ${quote(runner)}`],
    rounds,
    env,
  );
  const what = `replay of ${megabytes(bytes)}, ${(records - 2).toLocaleString('en')} records`;
  const perSecond = Math.round(records / (times[0].wall / 1000) / 1000) * 1000;
  /** @type {import('./table.mjs').Row[]} */
  const rows = [
    ratioRow(what, 'sha256sum', times, goal),
    {
      what: '  records a second',
      measured: perSecond.toLocaleString('en'),
      reference: 'the original: 53,000',
      ratio: (perSecond / 53_000).toFixed(1),
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

function manyTasks({ dir, program, env, quick, say }) {
  const [few, many] = [1_000, 10_000];
  say(`hosts with ${few.toLocaleString('en')} and ${many.toLocaleString('en')} tasks`);
  const single = makeHost(join(dir, 'single'), 1);
  const small = makeHost(join(dir, 'few'), few);
  const large = makeHost(join(dir, 'many'), many);
  const status = (root) => `${program} status --json --root ${quote(root)}`;
  const [all, reference, thousand, one] = sideBySide(
    [status(large), `find ${quote(large)} -type f | xargs cat`, status(small), status(single)],
    quick ? 3 : 9,
    env,
  );
  const per = (total, count) => (total.wall - one.wall) / (count - 1);
  const growth = per(all, many) / per(thousand, few);
  return [
    ratioRow(
      `status --json, ${many.toLocaleString('en')} finished tasks`,
      'find | xargs cat',
      [all, reference],
      2.5,
    ),
    {
      what: '  cost of a task, start-up taken off',
      measured: `${(per(all, many) * 1000).toFixed(0)} us of ${many.toLocaleString('en')}`,
      reference: `${(per(thousand, few) * 1000).toFixed(0)} us of ${few.toLocaleString('en')} (${milliseconds(thousand.wall)})`,
      ratio: growth.toFixed(2),
      goal: `<= ${LINEAR_GOAL}`,
      ok: growth <= LINEAR_GOAL,
    },
  ];
}
