// A copy of the program on a disk that takes long to sync: a library that delays the calls is preloaded by its runner,
// and its coordinator in C, which is static, is built with the same delay.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCoordinator } from '../build/coordinator.mjs';
import { quote, sideBySide } from './measure.mjs';
import { runLine, trueProcess } from './run.mjs';
import { ratioRow, unmeasuredRow } from './table.mjs';

const SOURCE = fileURLToPath(new URL('slow-sync.c', import.meta.url));
const SYNC_MS = 20;
/** How much slower than without the delay. */
const GOAL = { wall: 1.5 };

/** `context` as in `statusRows`. Returns rows for the table. */
export function slowDiskRows(context) {
  const { dir, quick, say, env } = context;
  say(`a disk that takes ${SYNC_MS} ms to sync`);
  const program = slowProgram(context, join(dir, 'slow-disk'));
  const what = `run: 100 at once, ${SYNC_MS} ms a sync`;
  if (typeof program !== 'string') return [unmeasuredRow(what, program.reason, `wall <= ${GOAL.wall}`)];
  const task = { processes: Array.from({ length: 100 }, (_, i) => trueProcess(`p${i}`)) };
  const lines = [
    runLine({ ...context, program }, '100-on-a-slow-disk', task),
    runLine(context, '100-on-this-disk', task),
  ];
  const measured = sideBySide(lines, quick ? 2 : 5, env);
  return [ratioRow(what, 'without', measured, GOAL)];
}

/** The command line of the copy in `place`, or why there is none. */
function slowProgram({ programArgs }, place) {
  const [node, run] = programArgs;
  mkdirSync(place);
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(dirname(run), '..', part), join(place, part), { recursive: true });
  const delay = [SOURCE, `-DSLOW_SYNC_MS=${SYNC_MS}`];
  const reason = buildCoordinator(join(place, 'dist', 'coordinator'), [
    '-O2',
    '-fPIE',
    '-static-pie',
    ...delay,
  ]);
  if (reason !== undefined) return { reason };
  const library = join(place, 'slow-sync.so');
  const words = ['-O2', '-D_GNU_SOURCE', '-shared', '-fPIC', ...delay, '-o', library];
  const { status, stderr } = spawnSync('cc', words, { encoding: 'utf8' });
  if (status !== 0) return { reason: stderr.split('\n')[0] };
  return `LD_PRELOAD=${quote(library)} ${quote(node)} ${quote(join(place, 'bin', 'run.js'))}`;
}
