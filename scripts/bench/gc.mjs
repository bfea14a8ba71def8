// Planning and removing many finished tasks, beside rm -rf of the same tree.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeHost } from './data.mjs';
import { median, peakMemory, quote, timeOnce } from './measure.mjs';
import { ratioRow } from './table.mjs';

const GOAL = 3;
const MEMORY_GOAL = 200e6;

/** Returns rows for the table; `context` is that of statusRows. */
export async function gcRows(context) {
  const { dir, program, programArgs, env, quick, say } = context;
  const count = quick ? 1_000 : 10_000;
  const place = join(dir, 'gc');
  const flags = ['--delete-data', '--yes', '--json', '--root', join(place, 'root')];
  const collect = `${program} gc ${flags.map(quote).join(' ')}`;
  /** @type {{ wall: number, cpu: number }[][]} */
  const times = [[], []];
  for (let round = 0; round < 3; round++) {
    for (const [k, line] of [collect, `rm -rf ${quote(place)}`].entries()) {
      say(`a host with ${count.toLocaleString('en')} finished tasks and their sandboxes, ${round + 1} of 3`);
      makeTasks(place, count);
      times[k].push(timeOnce(line, env));
      expectEmpty(place);
      rmSync(place, { recursive: true, force: true });
    }
  }
  const medians = times.map((each) => ({
    wall: median(each.map(({ wall }) => wall)),
    cpu: median(each.map(({ cpu }) => cpu)),
  }));
  say('memory of gc');
  makeTasks(place, count);
  const [command, ...args] = programArgs;
  const peak = await peakMemory(command, [...args, 'gc', ...flags], env);
  rmSync(place, { recursive: true, force: true });
  return [
    ratioRow(`gc of ${count.toLocaleString('en')} tasks: plan and remove`, 'rm -rf', medians, GOAL),
    {
      what: '  peak memory',
      measured: `${Math.round(peak / 1e6)} MB`,
      goal: `< ${MEMORY_GOAL / 1e6} MB`,
      ok: peak < MEMORY_GOAL,
    },
  ];
}

/** Tasks with a sandbox each: some data, and the logs of three processes. */
function makeTasks(place, count) {
  const root = makeHost(place, count);
  for (const taskId of readdirSync(join(root, 'tasks/finished'))) {
    const sandbox = join(place, 'sandboxes', taskId);
    mkdirSync(join(sandbox, 'work'), { recursive: true });
    writeFileSync(join(sandbox, 'work', 'data'), taskId.repeat(100));
    for (const process of ['fetch', 'build', 'serve']) {
      const run = join(sandbox, '.logs', process, '0');
      mkdirSync(run, { recursive: true });
      writeFileSync(join(run, 'stdout'), `${taskId}\n`);
      writeFileSync(join(run, 'stderr'), '');
    }
  }
}

/** Checks that the measured command did its work. */
function expectEmpty(place) {
  for (const directory of ['root/tasks/finished', 'root/checkpoints', 'sandboxes']) {
    let left = [];
    try {
      left = readdirSync(join(place, directory));
    } catch {
      // Removed with everything else.
    }
    if (left.length > 0) throw new Error(`${left.length} tasks are left in ${directory}`);
  }
}
