// Planning and removing many finished tasks, beside rm -rf of the same tree.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeHost } from './data.mjs';
import { isHere, peakMemory, quote, summary, timeOnce } from './measure.mjs';
import { ratioRow, unmeasuredRow } from './table.mjs';

const GOAL = { cpu: 2.2, wall: 1.4 };
const CALLS_GOAL = 110;
/** Enough that the start hardly counts. */
const TRACED = 500;
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
  say('memory of gc');
  makeTasks(place, count);
  const [command, ...args] = programArgs;
  const peak = await peakMemory(command, [...args, 'gc', ...flags], env);
  rmSync(place, { recursive: true, force: true });
  return [
    ratioRow(
      `gc of ${count.toLocaleString('en')} tasks: plan and remove`,
      'rm -rf',
      times.map(summary),
      GOAL,
    ),
    systemCalls(context, place, flags),
    {
      what: '  peak memory',
      measured: `${Math.round(peak / 1e6)} MB`,
      goal: `< ${MEMORY_GOAL / 1e6} MB`,
      ok: peak < MEMORY_GOAL,
    },
  ];
}

/** How many system calls gc makes for a task, from the summary of strace. */
function systemCalls({ program, env, say }, place, flags) {
  const what = '  system calls a task';
  const goal = `<= ${CALLS_GOAL}`;
  if (!isHere('strace', env)) return unmeasuredRow(what, 'there is no strace here', goal);
  say('system calls of gc');
  const calls = (count) => {
    makeTasks(place, count);
    const counted = join(place, 'calls');
    timeOnce(`strace -c -f -o ${quote(counted)} ${program} gc ${flags.map(quote).join(' ')}`, env);
    const [, total] =
      /^\s*[\d.]+\s+[\d.]+\s+(?:\d+\s+)?(\d+)\s.*\btotal$/m.exec(readFileSync(counted, 'utf8')) ?? [];
    rmSync(place, { recursive: true, force: true });
    return Number(total);
  };
  const each = (calls(TRACED + 1) - calls(1)) / TRACED;
  if (!Number.isFinite(each)) return unmeasuredRow(what, 'strace cannot trace here', goal);
  return { what, measured: each.toFixed(0), goal, ok: each <= CALLS_GOAL };
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
