// The last lines of long logs, whole long logs, and the delay until a written line is printed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, cpSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, quote, sideBySide } from './measure.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const CASES = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures', 'checkpoints');
const GIB = 1 << 30;
const LATENCY_GOAL_MS = 50;
/** What is searched, and which lines of it are shown. */
const SEARCHES = /** @type {const} */ ([
  ['a rare word', 'request 7777777 ', 'all'],
  ['the last 10 of a frequent word', 'took 996 ms', 10],
  ['a word in every thousandth line', 'took 996 ms', 'all'],
  ['one of two words', 'took 996 ms|ERROR', 'all'],
  ['an expression', 'worker-[0-3] .*took 99[0-9] ms$', 'all'],
  ['an expression without a word', '[5-7]{5,} [a-z]+ 99', 'all'],
  ['a word in any case', 'TOOK 996 ms', 'all', '-i'],
]);

/** `context` as in `statusRows`. Returns rows for the table. */
export async function tailRows(context) {
  return [...longLogs(context), await followed(context)];
}

function longLogs({ dir, program, env, quick, say }) {
  say('a log of 1 GiB');
  const large = finishedTask(join(dir, 'large-log'), GIB);
  const small = finishedTask(join(dir, 'small-log'), 1024);
  const tail = ({ root }, n) => `${program} tail loud-1 --stdout -n ${n} --root ${quote(root)}`;
  const cat = `cat ${quote(large.log)}`;
  const rounds = quick ? 3 : 9;
  const rows = [
    ratioRow(
      'tail -n 10 of 1 GiB',
      'of 1 KiB',
      sideBySide([tail(large, 10), tail(small, 10)], quick ? 11 : 31, env),
      { wall: 1.2 },
    ),
    ratioRow('tail -n all of 1 GiB', 'cat', sideBySide([tail(large, 'all'), cat], rounds, env), { wall: 3 }),
    ratioRow(
      '  into a pipe',
      'cat | cat',
      sideBySide([`${tail(large, 'all')} | cat`, `${cat} | cat`], rounds, env),
      { wall: 3 },
    ),
    ...SEARCHES.map(([what, pattern, n, flag = '']) => {
      const grep = `grep ${flag} -E -- ${quote(pattern)} ${quote(large.log)}${n === 'all' ? '' : ` | tail -n ${n}`} | cat`;
      const searched = `${tail(large, n)} ${flag} --grep ${quote(pattern)} | cat`;
      return ratioRow(`tail --grep in 1 GiB: ${what}`, 'grep', sideBySide([searched, grep], rounds, env), {
        cpu: 2,
        wall: 2,
      });
    }),
  ];
  rmSync(dirname(large.root), { recursive: true });
  return rows;
}

/** A task that the original ran, with another log. */
function finishedTask(place, bytes) {
  cpSync(join(CASES, 'large-stdout', 'root'), join(place, 'root'), { recursive: true });
  const directory = join(place, 'sandbox', '.logs', 'loud', '0');
  mkdirSync(directory, { recursive: true });
  const log = join(directory, 'stdout');
  const fd = openSync(log, 'w');
  for (let written = 0, line = 0; written < bytes; ) {
    let block = '';
    while (block.length < Math.min(1 << 20, bytes - written)) {
      block += `2026-11-21 12:00:00,000 INFO worker-${line % 8} request ${line++} took ${line % 997} ms\n`;
    }
    written += writeSync(fd, block.slice(-(bytes - written)));
  }
  closeSync(fd);
  return { root: join(place, 'root'), log };
}

/** The delay between writing a line and reading it from `tail`, both in this process. */
async function followed({ dir, programArgs, env, quick, say }) {
  say('a followed log');
  const place = join(dir, 'followed');
  cpSync(join(CASES, 'live-active'), place, { recursive: true });
  const log = join(place, 'sandbox', '.logs', 'serve', '0', 'stdout');
  const stream = join(place, 'root', 'checkpoints', 'live-1', 'runner');
  const runner = spawn('flock', ['-x', '-F', stream, 'sh', '-c', 'echo; exec sleep 3600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(runner.stdout, 'data');
  const [command, ...args] = programArgs;
  const words = ['tail', '--root', join(place, 'root'), 'live-1', 'serve', '--stdout', '-n', '1'];
  const tail = spawn(command, [...args, ...words], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const times = [];
  try {
    await once(tail.stdout, 'data');
    for (let i = 0; i < (quick ? 30 : 100); i++) {
      const start = performance.now();
      appendFileSync(log, `line ${i}\n`);
      await once(tail.stdout, 'data');
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    tail.kill();
    runner.kill();
  }
  const latency = median(times);
  return {
    what: 'a line written to a followed log is printed',
    measured: `after ${milliseconds(latency)}`,
    reference: 'the original: polls once a second',
    goal: `<= ${LATENCY_GOAL_MS} ms`,
    ok: latency <= LATENCY_GOAL_MS,
  };
}
