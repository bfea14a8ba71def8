// Writing pages: of a small task, of a large one, and of a host with many tasks.

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeHost, makeLogs, makeManyRuns } from './data.mjs';
import { median, quote, sideBySide } from './measure.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const LARGE_GOAL_MS = 2000;
const PAGE_GOAL_BYTES = 2 * 1024 * 1024;

/**
 * Returns rows for the table; `context` is that of statusRows.
 * @returns {import('./table.mjs').Row[]}
 */
export function reportRows({ dir, program, env, quick, say }) {
  const rounds = quick ? 3 : 9;
  const beside = (root, out) =>
    sideBySide(
      [
        `${program} report --out ${quote(out)} --root ${quote(root)}`,
        `${program} status --json --root ${quote(root)}`,
      ],
      rounds,
      env,
    );

  say('the page of a small task');
  const smallDir = join(dir, 'report-small');
  const small = makeHost(smallDir, 1);
  makeLogs(smallDir, ['fetch', 'build', 'serve'], 300);
  const smallOut = join(dir, 'report-small-out');
  const smallTimes = beside(small, smallOut);

  const [processes, runs] = [500, 20];
  say(`the page of ${processes} processes`);
  const large = makeManyRuns(join(dir, 'report-large'), processes, runs);
  const largeOut = join(dir, 'report-large-out');
  const [largeTimes] = beside(large, largeOut);
  const largeMs = median(largeTimes.rounds.map(({ wall }) => wall));

  const tasks = quick ? 100 : 1000;
  say(`the pages of ${tasks} tasks`);
  const host = makeHost(join(dir, 'report-host'), tasks);
  const hostOut = join(dir, 'report-host-out');
  const hostTimes = beside(host, hostOut);

  const rows = [
    ratioRow('report: the page of a small task', 'status --json', smallTimes),
    sizeRow('  its size', pagesIn(smallOut)),
    {
      what: `report: the page of ${processes} processes, ${(processes * runs).toLocaleString('en')} runs`,
      measured: milliseconds(largeMs),
      goal: `<= ${LARGE_GOAL_MS} ms`,
      ok: largeMs <= LARGE_GOAL_MS,
    },
    sizeRow('  its size', pagesIn(largeOut)),
    ratioRow(`report: the pages of ${tasks.toLocaleString('en')} tasks`, 'status --json', hostTimes),
    sizeRow('  their sizes together', pagesIn(hostOut), tasks * PAGE_GOAL_BYTES),
    sizeRow('  the list of them', [join(hostOut, 'index.html')]),
  ];
  for (const out of [smallOut, largeOut, hostOut]) rmSync(out, { recursive: true });
  return rows;
}

/** The pages of the tasks in a directory of `report`. */
function pagesIn(out) {
  return readdirSync(join(out, 'task')).map((id) => join(out, 'task', id, 'index.html'));
}

function sizeRow(what, paths, goal = PAGE_GOAL_BYTES) {
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  const shown = (size) => `${Math.round(size / 1024).toLocaleString('en')} KiB`;
  return { what, measured: shown(bytes), goal: `<= ${shown(goal)}`, ok: bytes <= goal };
}
